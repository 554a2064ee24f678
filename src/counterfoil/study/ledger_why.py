"""Why a cell of a report is hidden or safe, from what its audit found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from counterfoil.clearance.audit import AUDIT
from counterfoil.errors import Fault, UsageError
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import RESULT


@dataclass(frozen=True, slots=True)
class _Asked:
    """A cell that can be asked about. `names`: what it is called; `repair` and `words`: as `audit.json` has it."""

    names: tuple[str, ...]
    repair: str
    words: str
    hidden: str | None


def why(lab: OpenLab, run: str, cell: str) -> Mapping[str, Any]:
    """Why a cell of a run's report is hidden or safe, from its audit. It names true counts: inside the lab only."""
    folder = lab.paths.run(run)
    try:
        result = json.loads((folder / RESULT).read_bytes())["result"]
        audit = json.loads((folder / AUDIT).read_bytes())
    except FileNotFoundError as error:
        raise UsageError("There is no finished and audited run of that name. `clear LAB list` shows those there are."
                         ) from error  # fmt: skip
    except ValueError as error:
        raise Fault("The result or the audit of this run is damaged. Run the same evaluate command again.") from error
    cells = list(_cells(result))
    found = next((one for one in cells if cell in one.names), None)
    if found is None:
        known = ", ".join(one.names[0] for one in cells)
        raise UsageError(f"The report has no cell of that name. Its cells are: {known}.")
    repairs = [one for one in audit.get("repaired", []) if found.repair in one["hidden"]]
    about = re.compile(rf"(?<!\w){re.escape(found.words)}(?!\w)")
    return {
        "run": run,
        "cell": cell,
        "hidden": found.hidden,
        "by_the_audit": bool(repairs),
        "attacks": [attack["attack"] for one in repairs for attack in one["attacks"]],
        "targets": [one for one in audit.get("targets", []) if about.search(one["target"])],
        "stopped": audit.get("stopped", ""),
    }


def _cells(result: Mapping[str, Any]) -> Iterator[_Asked]:
    """A report that was stopped has its size alone."""
    for one in result.get("measures", []):
        yield _Asked((one["measure"], one["label"]), f"measure {one['measure']}", one["label"], one["hidden"])
    size = next((box["hidden"] for box in reversed(result.get("attrition", []))), None)
    yield _Asked(("size", "people analysed"), "size", "people analysed", size)
    for place, one in enumerate(result.get("sub_analyses", [])):
        yield _Asked((one["name"],), f"part {place}", f"sub-analysis {place + 1}", one["hidden"])
    if check := (result.get("trust") or {}).get("negative_control"):
        yield _Asked(("check",), "control", "the check", check["hidden"])
    if result.get("survival"):
        yield _Asked(("curves",), "curves", "curve of", result["survival"]["hidden"])

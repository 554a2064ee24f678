"""Who decided that a list may be analysed although another report is of nearly the same people (R18), from the log.

The run that was held has an `audit.json` with a finding for each such report. An exception for the finding, asked for
and allowed as any other (R28), is the decision: it is about who is in two lists, and no outcome had been opened.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from counterfoil.clearance.actions import has_exception, read_record
from counterfoil.clearance.audit import AUDIT
from counterfoil.disclosure.differencing import nearly_alike
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import LabPaths
from counterfoil.study.ledger import entries


def decided(lab: OpenLab, run: str, others: Collection[str]) -> tuple[str, ...]:
    """Of the runs `others`, those beside which this one may be analysed. A run that is in the ledger was there first or
    was decided about, and holds no more of itself back."""
    if any(one.run == run for one in entries(lab)):
        return tuple(others)
    case, today = read_record(lab).case(run), lab.settings.date().isoformat()
    return tuple(each for each in others if has_exception(case, "R18", nearly_alike(f"the report {each}"), on=today))


def held_for(paths: LabPaths, run: str) -> tuple[str, ...]:
    """The runs for which this one was held when it was evaluated last; nothing where it was not."""
    try:
        held = json.loads((paths.run(run) / AUDIT).read_bytes())
        return tuple(str(each) for each in held.get("held", ()))
    except (FileNotFoundError, ValueError):
        return ()

"""Whether anybody is in two runs that are to be pooled. Asked of the analyst; the answer is a yes or a no."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterfoil.errors import Fault
from counterfoil.lab.keys import Role, decrypt
from counterfoil.lab.make import open_lab
from counterfoil.lab.progress import Progress
from counterfoil.study.handover import HANDOVER, unpack


def share_people(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `share_people` of the analyst: {"shared": bool}. Looks at register keys alone, which outlive a spine."""
    lab, seen = open_lab(Path(arguments["lab"])), set[str]()
    for run in arguments["runs"]:
        progress("Looking for people who are in two runs", None)
        sealed = lab.paths.run(run) / HANDOVER
        if not sealed.is_file():
            raise Fault(f"The people of run {run} are not known any more, so it cannot be pooled. Evaluate it again.")
        study, _ = unpack(decrypt(lab.paths, sealed.read_bytes(), by=Role.ANALYST))
        keys = set(study["register_key"].to_pylist())
        if keys & seen:
            return {"shared": True}
        seen |= keys
    return {"shared": False}

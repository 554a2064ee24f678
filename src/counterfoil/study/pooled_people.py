"""Whether anybody is in two runs. Asked of the analyst; the answer is a yes, a no, or that it is not known any more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterfoil.lab.keys import Role, decrypt
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.progress import Progress, silent
from counterfoil.study.handover import HANDOVER, unpack
from counterfoil.study.roles import ProcessRole, run_role


def share_people(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `share_people` of the analyst: {"shared": bool, "unknown": the first run whose people are not known, or ""}.

    Looks at register keys alone, which outlive a spine.
    """
    lab, seen = open_lab(Path(arguments["lab"])), set[str]()
    for run in arguments["runs"]:
        progress("Looking for people who are in two runs", None)
        keys = _keys_of(lab, run)
        if keys is None:
            return {"shared": False, "unknown": run}
        if keys & seen:
            return {"shared": True, "unknown": ""}
        seen |= keys
    return {"shared": False, "unknown": ""}


def _keys_of(lab: OpenLab, run: str) -> set[str] | None:
    """The register keys of a run's people; None where its handover is gone. Fault where that was changed."""
    sealed = lab.paths.run(run) / HANDOVER
    if not sealed.is_file():
        return None
    study, _ = unpack(decrypt(lab.paths, sealed.read_bytes(), by=Role.ANALYST))
    return set(study["register_key"].to_pylist())


def may_share(lab: OpenLab, one: str, other: str, progress: Progress = silent) -> bool:
    """Whether somebody is in both runs, or may be, because the people of one are not known any more.

    A child that fails is no answer: its error is raised.
    """
    asked = {"lab": str(lab.paths.root), "runs": [one, other]}
    found = run_role(ProcessRole.ANALYST, "share_people", asked, progress)
    return bool(found["shared"] or found["unknown"])

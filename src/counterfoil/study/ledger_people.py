"""The linker's tasks of the ledger: who is behind the numbers of a report. Nothing of a person is given back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterfoil.lab.keys import Role, decrypt
from counterfoil.lab.make import open_lab
from counterfoil.lab.paths import MEMBERS
from counterfoil.lab.progress import Progress
from counterfoil.linkage.ledger import enter_members, find_merged, find_new_overlaps
from counterfoil.provenance import sha256_of_file


def enter_people(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `ledger_enter` of the linker: who is behind the numbers of a run. Gives the hash of its file."""
    del progress
    lab, run = open_lab(Path(arguments["lab"])), str(arguments["run"])
    sealed = (lab.paths.run(run) / MEMBERS).read_bytes()
    held = json.loads(decrypt(lab.paths, sealed, by=Role.LINKER))["populations"]
    return {"people": sha256_of_file(enter_members(lab.paths, run, held))}


def check_people(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `ledger_check` of the linker: hashes of its files, and what merges since have changed. No person."""
    del progress
    lab = open_lab(Path(arguments["lab"]))
    runs = [str(run) for run in arguments["runs"]]
    files = {run: lab.paths.ledger_members(run) for run in runs}
    whole = [run for run in runs if files[run].is_file()]
    return {
        "people": {run: sha256_of_file(files[run]) for run in whole},
        "merged": list(find_merged(lab.paths, whole)),
        "overlaps": [list(pair) for pair in find_new_overlaps(lab.paths, whole)],
    }

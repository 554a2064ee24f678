"""The lab's log: one JSON line an event, each holding the hash of the line before, so that a change shows.

Lines hold what was done and hashes, never a name, a row or a count of people. Signing the head and anchoring it
elsewhere come with clearance.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from counterfoil.errors import Fault
from counterfoil.lab.paths import LabPaths
from counterfoil.provenance import canonical_json, sha256_of_bytes

FIRST = "0" * 64


def _file(paths: LabPaths) -> Path:
    return paths.root / "log"


def append(paths: LabPaths, event: str, facts: Mapping[str, Any]) -> str:
    """Add one event; gives the new head's hash. Safe when several processes write."""
    with _file(paths).open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        line = _line(_head(file), event, facts)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return sha256_of_bytes(line.rstrip(b"\n"))


def _line(before: str, event: str, facts: Mapping[str, Any]) -> bytes:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return canonical_json({"at": now, "event": event, "facts": dict(facts), "before": before}) + b"\n"


def _head(file: Any) -> str:
    file.seek(0)
    lines = file.read().splitlines()
    return sha256_of_bytes(lines[-1]) if lines else FIRST


def read(paths: LabPaths) -> Iterator[dict[str, Any]]:
    """Every event, oldest first; Fault at the first line that does not follow from the one before."""
    before = FIRST
    for number, line in enumerate(_file(paths).read_bytes().splitlines(), start=1):
        entry = _parsed(line, number)
        if entry.get("before") != before:
            raise Fault(f"Line {number} of the lab's log does not follow from the line before it: the log was changed.")
        before = sha256_of_bytes(line)
        yield entry


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise Fault(f"Line {number} of the lab's log is not complete: the log was cut or changed.") from error
    return dict(entry)

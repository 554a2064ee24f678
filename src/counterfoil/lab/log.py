"""The lab's log: one JSON line an event, each holding the hash of the line before, so that a change shows.

Lines hold what was done and hashes, never a name of a cohort member, a row or a count of people. A cut tail shows only
beside a head that was signed before and is kept elsewhere (`counterfoil.lab.heads`). What a killed process left after
the last newline was never promised to anybody: readers pass over it, and the next writer removes it.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from counterfoil.errors import Fault
from counterfoil.lab.paths import LabPaths
from counterfoil.provenance import canonical_json, sha256_of_bytes

FIRST = "0" * 64
# events of a request, which clearance reads too
REQUESTED, EVALUATED, WITHDRAWN = "requested", "evaluated", "withdrawn"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `name` is the line's SHA-256, by which the next line and a signed head refer to it."""

    number: int  # from 1
    name: str
    at: str  # ISO date and time, UTC
    event: str
    facts: Mapping[str, Any] = field(compare=False)


Make = Callable[[Sequence[Entry]], tuple[str, Mapping[str, Any]]]


def append(paths: LabPaths, event: str, facts: Mapping[str, Any]) -> str:
    """Add one event; gives the new head's hash. Safe when several processes write."""
    with _locked(paths) as file:
        whole = _whole_lines(file.read())
        return _add(file, whole, event, facts)


def append_after(paths: LabPaths, make: Make) -> Entry:
    """Add the event that `make` gives for all that is there; nobody writes in between.

    A check that raises in `make` leaves the log as it was, and so does a chain that does not hold (Fault).
    """
    with _locked(paths) as file:
        whole = _whole_lines(file.read())
        there = _entries(whole)
        event, facts = make(there)
        _add(file, whole, event, facts)
    return entries(paths)[len(there)]


def entries(paths: LabPaths) -> tuple[Entry, ...]:
    """Every event, oldest first; Fault when the log is missing or a line does not follow from the one before."""
    try:
        data = _file(paths).read_bytes()
    except FileNotFoundError as error:
        raise Fault("The lab's log is missing. Restore it from the lab's backup.") from error
    return _entries(_whole_lines(data))


def read(paths: LabPaths) -> Iterator[dict[str, Any]]:
    """Every event as it was written, oldest first; Fault at the first line that does not follow."""
    for entry in entries(paths):
        yield {"at": entry.at, "event": entry.event, "facts": dict(entry.facts)}


def _file(paths: LabPaths) -> Path:
    return paths.root / "log"


def _locked(paths: LabPaths) -> IO[bytes]:
    """The log, open for reading from its start; others wait until it is closed."""
    file = _file(paths).open("ab+", buffering=0)
    fcntl.flock(file, fcntl.LOCK_EX)
    file.seek(0)
    return file


def _add(file: IO[bytes], whole: bytes, event: str, facts: Mapping[str, Any]) -> str:
    """Write after the last whole line. A disk that fills leaves the whole lines."""
    before = sha256_of_bytes(whole.splitlines()[-1]) if whole else FIRST
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    line = canonical_json({"at": now, "event": event, "facts": dict(facts), "before": before})
    try:
        file.truncate(len(whole))
        file.write(line + b"\n")
        os.fsync(file.fileno())
    except OSError:
        file.truncate(len(whole))
        raise
    return sha256_of_bytes(line)


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _entries(whole: bytes) -> tuple[Entry, ...]:
    before, found = FIRST, []
    for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
        said = _parsed(line, number)
        if said.get("before") != before:
            raise Fault(f"Line {number} of the lab's log does not follow from the line before it: the log was changed.")
        before = sha256_of_bytes(line)
        try:
            found.append(Entry(number, before, said["at"], said["event"], said["facts"]))
        except KeyError as error:
            raise _damaged(number) from error
    return tuple(found)


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise _damaged(number) from error
    if not isinstance(said, dict):
        raise _damaged(number)
    return said


def _damaged(number: int) -> Fault:
    return Fault(f"Line {number} of the lab's log is no entry: the log was changed. Restore it from the lab's backup.")

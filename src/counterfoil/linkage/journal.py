"""Append-only files of the linker: one JSON line an entry, each holding the hash of the line before.

An entry is there once its line ends in a newline and is synced. What a killed process left after the last newline was
never promised to anybody: readers pass over it, and the next writer removes it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from counterfoil.errors import Fault
from counterfoil.lab.files import PRIVATE
from counterfoil.lab.log import FIRST
from counterfoil.provenance import canonical_json, sha256_of_bytes

Facts = Mapping[str, Any]
_FOLDER_MODE = 0o700


@dataclass(frozen=True, slots=True)
class Entry:
    """What one line says. `name` is the line's SHA-256, by which later entries refer to it; by it entries are equal."""

    name: str
    facts: Facts = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a file before: so many bytes with this hash, and their entries."""

    length: int
    sha256: str
    entries: tuple[Entry, ...]


_read_before: dict[Path, _Read] = {}  # a sitting reads its files at every key; only what is new is taken apart again


def append(file: Path, make: Callable[[Sequence[Entry]], Sequence[Facts]]) -> tuple[Entry, ...]:
    """Add the entries that `make` gives for what is there, whole or not at all; nobody writes in between.

    A check that raises in `make` leaves the file as it was.
    """
    file.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, PRIVATE)
    with os.fdopen(descriptor, "rb+") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        whole = _whole_lines(opened.read())
        there = _entries(whole, file)
        new = _chained(make(there), there[-1].name if there else FIRST)
        if new:
            _write_after(opened, len(whole), b"".join(line for line, _ in new))
    return tuple(entry for _, entry in new)


def read(file: Path) -> tuple[Entry, ...]:
    """Every entry, oldest first; none before the first. Fault at a line that is damaged or does not follow."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ()
    return _entries(_whole_lines(data), file)


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _write_after(opened: IO[bytes], end: int, data: bytes) -> None:
    """Write `data` after the last whole line. A disk that fills leaves the whole lines."""
    opened.truncate(end)
    opened.seek(end)
    try:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    except OSError:
        os.ftruncate(opened.fileno(), end)
        raise


def _chained(new: Sequence[Facts], before: str) -> list[tuple[bytes, Entry]]:
    made = []
    for facts in new:
        line = canonical_json({**facts, "before": before})
        before = sha256_of_bytes(line)
        made.append((line + b"\n", Entry(before, dict(facts))))
    return made


def _entries(data: bytes, file: Path) -> tuple[Entry, ...]:
    """All entries. Every byte is hashed each time, so a change shows wherever it is."""
    before = _read_before.get(file, _Read(0, sha256_of_bytes(b""), ()))
    if sha256_of_bytes(data[: before.length]) != before.sha256:
        before = _Read(0, sha256_of_bytes(b""), ())
    found = before.entries + _follow(data[before.length :], before.entries, file.name)
    _read_before[file] = _Read(len(data), sha256_of_bytes(data), found)
    return found


def _follow(data: bytes, there: Sequence[Entry], name: str) -> tuple[Entry, ...]:
    """The entries of whole lines that come after `there`."""
    before, found = there[-1].name if there else FIRST, []
    for number, line in enumerate(data.split(b"\n")[:-1], start=len(there) + 1):
        facts = _parsed(line, number, name)
        if facts.pop("before", None) != before:
            raise Fault(
                f"Line {number} of {name} does not follow from the line before it: the file was changed. Restore it "
                "from a backup; nothing that it says is used until then."
            )
        before = sha256_of_bytes(line)
        found.append(Entry(before, facts))
    return tuple(found)


def _parsed(line: bytes, number: int, name: str) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except ValueError as error:
        raise _damaged(number, name) from error
    if not isinstance(facts, dict):
        raise _damaged(number, name)
    return facts


def _damaged(number: int, name: str) -> Fault:
    return Fault(
        f"Line {number} of {name} is damaged: it is no entry. Restore the file from a backup; nothing that it says is "
        "used until then."
    )

"""Writes that are whole or not at all."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

PRIVATE = 0o600
_CURRENT_FOLDER, _RENAME_EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def atomic_write(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write `data` to a temporary name beside `path`, sync it, rename it. A killed process leaves the old file.

    What a killed process left of a write of this very file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in sorted(path.parent.glob(f".{escape(path.name)}.*.part")):
        with suppress(OSError):  # held by a process at work
            _remove_unless_held(abandoned)
    temporary, descriptor = _held(path, lambda new: _made_file(new, mode if mode is not None else 0o644))
    try:
        with os.fdopen(descriptor, "wb") as file:  # held until it has its name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _made_file(path: Path, mode: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values have equal bytes."""
    atomic_write(path, (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def put_again(source: Path, target: Path) -> None:
    """A file that is never changed, under a second name too: one file on disk where the system can, else a copy."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well, and is removed when it does not.

    An existing folder at `path` changes places with the new one in one step, so that a reader sees either and a killed
    process leaves either.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, descriptor = _held(path, _made_folder)
    try:
        yield temporary
        if path.exists():
            _exchange(temporary, path)
        else:
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(descriptor)


def _made_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


def _held(path: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """What `make` makes under a temporary name beside `path`, and its descriptor: while that is open nobody takes it
    for abandoned."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        descriptor = make(temporary)
        with suppress(OSError):  # a file system that knows no locks: nothing is taken for abandoned there
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if temporary.exists():
            return temporary, descriptor
        os.close(descriptor)  # taken for abandoned before it was held


def remove_abandoned(parents: Iterable[Path]) -> None:
    """Remove the temporary folders and files in some folders that killed processes left; those at work keep theirs."""
    for parent in parents:
        for abandoned in sorted(parent.glob(".*.part")) if parent.is_dir() else ():
            with suppress(OSError):  # held by a process at work
                _remove_unless_held(abandoned)


def _remove_unless_held(abandoned: Path) -> None:
    """OSError where a process at work holds it, or has given it its name meanwhile."""
    descriptor = os.open(abandoned, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(abandoned) if abandoned.is_dir() else abandoned.unlink()
    finally:
        os.close(descriptor)


def leftovers(root: Path) -> list[Path]:
    """Temporary files and folders that killed processes left under `root`, and those of processes at work."""
    return sorted(path for path in root.rglob(".*.part") if not any(p.suffix == ".part" for p in path.parents))


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places; in one step where the system can."""
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    here = ctypes.c_int(_CURRENT_FOLDER)
    if exchange and exchange(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return
    between = one.with_name(f".{other.name}.{secrets.token_hex(4)}.part")
    other.rename(between)
    one.rename(other)
    between.rename(one)

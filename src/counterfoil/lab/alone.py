"""One process at a time: who comes second waits, and then finds what the first has made."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from counterfoil.lab.progress import Progress, silent


@contextmanager
def alone(path: Path, *, waiting: str, progress: Progress = silent) -> Iterator[None]:
    """A block that no other process is in for the same `path`; `waiting` is told where one is.

    The lock is a file beside `path`, gone when the block ends, and free when its process is killed. On a file system
    that knows no locks nobody waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock, descriptor = _locked(path.with_name(f".{path.name}.lock"), waiting, progress)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # while it is held: who waits for it makes another
        os.close(descriptor)


def _locked(lock: Path, waiting: str, progress: Progress) -> tuple[Path, int]:
    while True:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CREAT, 0o644)  # another account may wait for it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(waiting, None)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            return lock, descriptor
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), lock.stat()):
                return lock, descriptor
        os.close(descriptor)  # taken away by who had it

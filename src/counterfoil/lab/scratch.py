"""Temporary files of a role's process: on the role's own side of the lab, never in a shared folder of the machine.

A stage that outgrows its memory spills to disk, names included. What a killed process left is removed by the next.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_FOLDER, _PRIVATE = ".scratch", 0o700


def keep_scratch_in(side: Path) -> Path:
    """From now on this process's temporary files lie under `side`; gives their folder, gone when the process ends."""
    folder = side / _FOLDER
    folder.mkdir(mode=_PRIVATE, exist_ok=True)
    for left in folder.iterdir():
        if not _is_running(left.name):
            shutil.rmtree(left, ignore_errors=True)
    own = folder / str(os.getpid())
    own.mkdir(mode=_PRIVATE, exist_ok=True)
    tempfile.tempdir = str(own)
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def remove_scratch(side: Path, process: int) -> None:
    """What a process that was ended, and could not do it itself, had under `side`."""
    shutil.rmtree(side / _FOLDER / str(process), ignore_errors=True)


def _is_running(name: str) -> bool:
    try:
        os.kill(int(name), 0)
    except ProcessLookupError:
        return False
    except (ValueError, PermissionError):
        return True  # not ours to judge
    return True

"""A command that is killed just before one of its own changes to the files of a lab, whichever is asked for.

The moment is a change and not a time, so that it is the same work on a slow machine and a fast one. The command is the
installed one; a hook of the interpreter, put beside it, counts what is opened for writing, made, renamed and removed
under one folder, and sends SIGKILL to its own process. Processes that the command starts are not counted.
"""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lib.small_lab import COMMAND

HOOK = """
import os, signal, sys

folder, log, last = (os.environ.pop(f"STOPPING_{name}", "") for name in ("FOLDER", "LOG", "LAST"))
made = 0
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
changes = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.chmod", "shutil.rmtree"}

def look(event, arguments):
    global made
    if event == "open":
        path, mode, flags = arguments
        counts = bool(flags & writing)
    else:
        path, counts = (arguments[0] if arguments else ""), event in changes
    if not counts or not isinstance(path, (str, bytes, os.PathLike)) or not os.fspath(path).startswith(folder):
        return
    made += 1
    if made == int(last):
        os.kill(os.getpid(), signal.SIGKILL)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{event} {os.path.relpath(path, folder)}\\n".encode())
    os.close(descriptor)

if folder:
    sys.addaudithook(look)
"""


@dataclass(frozen=True, slots=True)
class Stopper:
    """Runs commands on copies of one lab. `folder`: where the hook lies."""

    folder: Path

    def run(self, lab: Path, *arguments: object, last: int = 0) -> list[str]:
        """The changes of a command that ends well, or is killed before change number `last`, where that is not 0."""
        (self.folder / "sitecustomize.py").write_text(HOOK)
        log = self.folder / "changes"
        log.unlink(missing_ok=True)
        given = {"FOLDER": str(lab), "LOG": str(log), "LAST": str(last)}
        environment = os.environ | {f"STOPPING_{name}": value for name, value in given.items()}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))
        command = [COMMAND, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        changes = log.read_text().splitlines() if log.is_file() else []
        killed = 0 < last == len(changes) + 1
        assert done.returncode == (-signal.SIGKILL if killed else 0), done.stderr.decode()
        return changes


DECIDING = ("open log", "os.rename ", "shutil.rmtree ")  # the log's lines, what takes its place, what comes after


def moments(changes: list[str]) -> list[int]:
    """Numbers of changes before which to stop: the first, all that decide, and two inside folders being made."""
    inside = [n for n, change in enumerate(changes, 1) if ".part/" in change]
    deciding = [n for n, change in enumerate(changes, 1) if change.startswith(DECIDING) and n not in inside]
    return sorted({1, *deciding, *inside[: 1 + len(inside) // 2 : max(1, len(inside) // 2)]})

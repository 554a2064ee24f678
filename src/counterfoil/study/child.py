"""The child side of a role: read the task, guard this process, do it, answer in JSON lines on standard output."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterfoil.errors import CounterfoilError, Refused
from counterfoil.lab.paths import LabPaths
from counterfoil.study.roles import ProcessRole, guard
from counterfoil.study.tasks import TASKS


class _Channel:
    """Standard output kept for messages; everything that a library prints goes to standard error."""

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def send(self, message: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(dict(message)) + "\n")
        self._file.flush()

    def progress(self, text: str, done: float | None = None) -> None:
        self.send({"progress": [text, done]})


def where_it_broke(error: BaseException) -> str:
    """The places in our code that an unexpected error went through: no message, since that could hold a row."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "counterfoil" in f.filename]
    return " > ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[-4:])


def main(role_name: str, task: str) -> int:
    """Do one task; the exit code is the error's."""
    channel = _Channel()
    arguments = json.loads(sys.stdin.read())
    role = ProcessRole(role_name)
    guard(role, LabPaths(Path(arguments["lab"])))
    try:
        channel.send({"result": TASKS[role, task](arguments, channel.progress)})
    except CounterfoilError as error:
        rule = error.rule if isinstance(error, Refused) else None
        channel.send({"error": {"kind": error.kind, "problems": error.problems, "rule": rule}})
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the edge of a process: a traceback's message could hold a row (A11)
        sys.stderr.write(f"\ncounterfoil-fault: {type(error).__name__} at {where_it_broke(error)}\n")
        if os.environ.get("COUNTERFOIL_TRACEBACK"):
            traceback.print_exc()
            sys.stderr.write(f"\ncounterfoil-fault: {type(error).__name__} at {where_it_broke(error)}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

"""The child side of a role: read the task, guard this process, do it, answer in JSON lines on standard output."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from counterfoil.ending import end
from counterfoil.errors import CounterfoilError, Fault, Refused
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.scratch import keep_scratch_in
from counterfoil.lazily import do_without
from counterfoil.study.roles import ProcessRole, guard, side_of

NOT_OURS = ("coverage", "pandas")  # numba and Arrow look for them where they are installed; no task is done with them
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl


class _Channel:
    """Standard output kept for messages; everything that a library prints goes to standard error."""

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._answered = False
        os.dup2(2, 1)

    def send(self, message: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(dict(message)) + "\n")
        self._file.flush()

    def answer(self, result: Mapping[str, Any]) -> None:
        """The result, once: a task that gave it before it was done gives none again."""
        if not self._answered:
            self._answered = True
            self.send({"result": dict(result)})

    def progress(self, text: str, done: float | None = None) -> None:
        self.send({"progress": [text, done]})


def where_it_broke(error: BaseException) -> str:
    """The places in our code that an unexpected error went through: no message, since that could hold a row."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "counterfoil" in f.filename]
    return " > ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[-4:])


def machine_fault(error: OSError) -> Fault:
    """What the machine would not do, without the file's name."""
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return Fault(f"The machine would not read or write a file: {reason}. Mend that and run the command again.")


def end_with(parent: int) -> None:
    """End this process when `parent` ends, however that ends: nobody would read the answer."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this line
        sys.exit(Fault.exit_code)


def main(role_name: str, task: str, parent: str) -> int:
    """Do one task for the process `parent`; the exit code is the error's."""
    end_with(int(parent))
    channel = _Channel()
    role = ProcessRole(role_name)
    place = json.loads(sys.stdin.readline())["lab"]
    lab = LabPaths(Path(place))
    guard(role, lab)
    do_without(*NOT_OURS)
    from counterfoil.study.tasks import ANSWERS_EARLY, READY, TASKS

    try:
        keep_scratch_in(side_of(role, lab))
        work = TASKS[role, task]  # takes a second or two, in which the parent may end
        more: dict[str, Any] = {"answer": channel.answer} if (role, task) in ANSWERS_EARLY else {}
        prepare = READY.get((role, task))
        for line in sys.stdin:
            said = json.loads(line)
            if "ready" in said and prepare is not None:
                more["ready"] = prepare({"lab": place, **said["ready"]}, channel.progress)
            else:
                channel.answer(work(said["asked"], channel.progress, **more))
    except CounterfoilError as error:
        return _answer(channel, error)
    except OSError as error:
        return _answer(channel, machine_fault(error))
    except Exception as error:  # noqa: BLE001 - the edge of a process: a traceback's message could hold a row (A11)
        sys.stderr.write(f"\ncounterfoil-fault: {type(error).__name__} at {where_it_broke(error)}\n")
        if os.environ.get("COUNTERFOIL_TRACEBACK"):
            traceback.print_exc()
            sys.stderr.write(f"\ncounterfoil-fault: {type(error).__name__} at {where_it_broke(error)}\n")
        return 4
    return 0


def _answer(channel: _Channel, error: CounterfoilError) -> int:
    rule = error.rule if isinstance(error, Refused) else None
    channel.send({"error": {"kind": error.kind, "problems": error.problems, "rule": rule}})
    return error.exit_code


if __name__ == "__main__":
    end(main(*sys.argv[1:4]))

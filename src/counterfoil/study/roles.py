"""Process roles: each task runs in a child process that may open its own side of the lab and no other.

The parent sends lines of JSON on the child's standard input: the lab, perhaps what the task can do beforehand, then
what is asked. It reads JSON lines from its standard output: progress while it works, then one result or one error, and
an error once more where what is done after the result goes wrong. Nothing else crosses. In production the
roles are separate accounts and file permissions do the keeping apart; in the box one account runs all, so the child
also guards itself: an audit hook refuses every Python-level open of a path that is not the role's. (Database and
Parquet readers open files below that level, which is why the test of this rule makes the folder unreadable as well.)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import IO, Any

from counterfoil.errors import CounterfoilError, Fault, FileNotTaken, Refused, UsageError
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.lab.scratch import remove_scratch

CHILD_MODULE = "counterfoil.study.child"


class ProcessRole(Enum):
    """Who is working. `web` and `publisher` come with the portal and publication."""

    INTAKE = "intake"  # splits a delivery; holds no key
    LINKER = "linker"  # names and numbers; never offences, disposals or outcomes
    ANALYST = "analyst"  # facts under keys; no names


def side_of(role: ProcessRole, lab: LabPaths) -> Path:
    """The side of the lab that a role works on."""
    return lab.analyst if role is ProcessRole.ANALYST else lab.linker


def forbidden(role: ProcessRole, lab: LabPaths) -> tuple[Path, ...]:
    """The paths that a role's process must never open."""
    if role is ProcessRole.ANALYST:
        return (lab.linker,)
    if role is ProcessRole.LINKER:
        return (lab.analyst / "extracts", lab.analyst / "register", lab.analyst / "key.age")
    return (lab.linker / "key.age", lab.linker / "register.secret", lab.linker / "spine", lab.analyst / "key.age")


def guard(role: ProcessRole, lab: LabPaths) -> None:
    """Make this process refuse to open what its role must not. Cannot be undone, so only a child calls it."""
    roots = tuple(os.path.realpath(path) for path in forbidden(role, lab))

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if any(path == root or path.startswith(root + os.sep) for root in roots):
                raise PermissionError(f"The {role.value} process may not open this part of the lab.")

    sys.addaudithook(refuse)


def run_role(role: ProcessRole, task: str, arguments: Mapping[str, Any], progress: Progress = silent) -> dict[str, Any]:
    """Run one task of one role in a child process and give its result.

    Raises what the task raised, with its words and exit code; Fault when the child died without a word.
    """
    with start_role(role, task, arguments["lab"]) as ask:
        return ask(arguments, progress)


class Started:
    """A child process that reads its program; called, it is asked for its task, once."""

    def __init__(self, role: ProcessRole, child: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._role, self._child, self._errors = role, child, errors

    @property
    def is_asked(self) -> bool:
        """Whether it was."""
        return self._child.stdin is None or self._child.stdin.closed

    def get_ready(self, given: Mapping[str, Any]) -> None:
        """Tell it what its task can do before it is asked. Nobody waits for it."""
        _write(self._child, {"ready": dict(given)})

    def __call__(self, arguments: Mapping[str, Any], progress: Progress = silent) -> dict[str, Any]:
        """Its result, as `run_role` gives it."""
        child = self._child
        if child.stdin is None or child.stdout is None:
            raise Fault("A child process could not be given its pipes. Free some memory and run the command again.")
        try:
            _write(child, {"asked": dict(arguments)})
            _close(child.stdin)
            answer = _listen(child.stdout, progress)
            if answer is None:
                raise _died(self._role, child.wait(), self._errors)
        except BaseException:
            child.terminate()
            raise
        return answer


@contextmanager
def start_role(role: ProcessRole, task: str, lab: str) -> Iterator[Started]:
    """A child process for one task, which reads its program while this one is still busy; asked once, as `run_role`.

    A child may answer before it has done everything: the block ends when it has, and raises what then went wrong. One
    that was not asked is ended with the block.
    """
    command = [sys.executable, "-m", CHILD_MODULE, role.value, task, str(os.getpid())]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as child,
    ):
        _write(child, {"lab": lab})
        started = Started(role, child, errors)
        try:
            yield started
        finally:
            if not started.is_asked:
                child.terminate()
                child.wait()
                remove_scratch(side_of(role, LabPaths(Path(lab))), child.pid)
        if started.is_asked:
            _hear_out(role, child, errors)


def _hear_out(role: ProcessRole, child: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
    """Wait for what a child does after its answer. Raises as `run_role` does."""
    if child.stdout is not None:
        _listen(child.stdout, silent)
    if code := child.wait():
        raise _died(role, code, errors)


def _write(child: subprocess.Popen[bytes], message: Mapping[str, Any]) -> None:
    """One line on the child's standard input. One that has died is found out when its answer is read."""
    if child.stdin is None:
        return
    with suppress(BrokenPipeError):
        child.stdin.write(json.dumps(dict(message)).encode() + b"\n")
        child.stdin.flush()


def _close(stdin: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        stdin.close()


def _listen(stdout: IO[bytes], progress: Progress) -> dict[str, Any] | None:
    """The answer, as soon as it is given."""
    for line in stdout:
        if not line.endswith(b"\n"):
            return None  # it was killed inside a message
        message = json.loads(line)
        if "progress" in message:
            progress(*message["progress"])
        elif "error" in message:
            raise _raised(message["error"])
        else:
            answer: dict[str, Any] = message["result"]
            return answer
    return None


def _raised(error: Mapping[str, Any]) -> CounterfoilError:
    if error["kind"] == Refused.kind:
        return Refused(error["problems"][0], rule=error["rule"])
    types = {kind.kind: kind for kind in (UsageError, FileNotTaken, Fault)}
    return types.get(error["kind"], Fault)(*error["problems"])


def _died(role: ProcessRole, code: int, errors: IO[bytes]) -> Fault:
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()
    stopped = [line for line in said if line.startswith("counterfoil-fault:")]  # what a library printed may follow it
    where = f" It stopped at {stopped[-1]}." if stopped else ""
    return Fault(
        f"The {role.value} process ended without an answer (code {code}).{where} Nothing half-done was kept. "
        "Check that the machine has free memory and disk, then run the command again."
    )

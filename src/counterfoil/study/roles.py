"""Process roles: each task runs in a child process that may open its own side of the lab and no other.

The parent sends two lines of JSON on the child's standard input, the lab (with what the task can do beforehand) and
then what is asked, and reads JSON lines from its standard output: progress while it works, then one result or one
error, and an error once more where what is done after the result goes wrong. Nothing else crosses. In production the
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from functools import partial
from pathlib import Path
from typing import IO, Any

from counterfoil.errors import CounterfoilError, Fault, FileNotTaken, Refused, UsageError
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent

CHILD_MODULE = "counterfoil.study.child"
Ask = Callable[[Mapping[str, Any], Progress], dict[str, Any]]


class ProcessRole(Enum):
    """Who is working. `web` and `publisher` come with the portal and publication."""

    INTAKE = "intake"  # splits a delivery; holds no key
    LINKER = "linker"  # names and numbers; never offences, disposals or outcomes
    ANALYST = "analyst"  # facts under keys; no names


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


@contextmanager
def start_role(role: ProcessRole, task: str, lab: str, ready: Mapping[str, Any] | None = None) -> Iterator[Ask]:
    """A child process for one task, which reads its program while this one is still busy; asked once, as `run_role`.

    `ready`: what the task can do before it is asked. A child may answer before it has done everything: the block ends
    when it has, and raises what then went wrong. One that is not asked ends by itself when the block does.
    """
    command = [sys.executable, "-m", CHILD_MODULE, role.value, task, str(os.getpid())]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as child,
    ):
        _write(child, {"lab": lab} if ready is None else {"lab": lab, "ready": dict(ready)})
        yield partial(_ask, role, child, errors)
        if child.stdin is not None and child.stdin.closed:
            _hear_out(role, child, errors)


def _ask(
    role: ProcessRole,
    child: subprocess.Popen[bytes],
    errors: IO[bytes],
    arguments: Mapping[str, Any],
    progress: Progress = silent,
) -> dict[str, Any]:
    if child.stdin is None or child.stdout is None:
        raise Fault("A child process could not be given its pipes. Free some memory and run the command again.")
    try:
        _write(child, arguments)
        _close(child.stdin)
        answer = _listen(child.stdout, progress)
        if answer is None:
            raise _died(role, child.wait(), errors)
    except BaseException:
        child.terminate()
        raise
    return answer


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

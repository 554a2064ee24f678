"""Commands that are stopped at several moments (DISCLOSURE A12): the same command again gives the right result.

A moment is a line of progress, so that it is the same work on a slow machine and a fast one.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from counterfoil.errors import Fault
from counterfoil.lab.paths import LabPaths
from counterfoil.study import roles
from counterfoil.study.evaluate import finished_result
from counterfoil.study.roles import ProcessRole, run_role
from lib.labs import MadeLab
from lib.small_lab import COMMAND, Evaluated, all_end, call, children_of, copy_of, evaluate_arguments

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads processes from /proc")]

DONE, INTERRUPTED = 0, 130
START = ""  # before any progress, while the command is still reading what it stands on


def stop(arguments: tuple[str, ...], moment: str, how: signal.Signals) -> tuple[int, list[str], list[int]]:
    """Start the command, signal it at the moment; its code, what it said after that, and the children it had."""
    with subprocess.Popen(
        [COMMAND, *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        if moment == START:
            time.sleep(0.5)
        else:
            assert any(moment in line for line in process.stderr), f"{moment!r} was never shown"
        children = children_of(process.pid)
        process.send_signal(how)
        said = [line.strip() for line in process.stderr if line.strip() and not line.startswith("  ")]
    return process.returncode, said, children


def test_ctrl_c_at_any_moment_of_evaluate(small_lab: MadeLab, evaluated: Evaluated, tmp_path: Path) -> None:
    made = copy_of(small_lab, tmp_path / "lab")
    arguments = evaluate_arguments(replace(small_lab, lab=made.lab), "northgate")
    run = made.lab.paths.run(evaluated.folder.name)
    # The analyst gets ready beside the linker, which looks at its links' quality beside it and may have ended. At the
    # start a fast machine has begun both.
    roles = {START: {0, 1, 2}, "Finding each person": {2}, "Writing the report": {1, 2}}
    for moment, running in roles.items():
        code, said, children = stop(arguments, moment, signal.SIGINT)
        assert code == INTERRUPTED, moment
        assert said == ["counterfoil: Stopped. Nothing half-done was kept; run the same command to go on."]
        assert len(children) in running
        assert all_end(children)
        assert finished_result(run) is None
    done = call(*arguments, "--json")
    assert done.code == evaluated.said.code
    assert done.json() == evaluated.result | {"report": str(run / "report.html")}
    assert (run / "report.html").read_bytes() == (evaluated.folder / "report.html").read_bytes()


def unlinked(made: MadeLab) -> LabPaths:
    """The lab as it was before `link`."""
    paths = made.lab.paths
    for folder in (paths.linker / "spine", paths.analyst / "register_keys", paths.analyst / "register"):
        folder.rename(paths.root.parent / folder.name)
    return paths


def test_a_killed_link_leaves_no_half_spine_and_no_child(small_lab: MadeLab, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    paths = unlinked(copy_of(small_lab, tmp_path / "kept" / "lab"))
    for moment in ("Preparing records", "Writing the spine"):
        code, _, children = stop(("link", str(paths.root)), moment, signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert len(children) == 1
        assert all_end(children)
        assert paths.latest_spine() is None
        assert paths.latest_register_keys() is None
    assert call("link", paths.root).code == DONE
    spine, original = paths.latest_spine(), small_lab.lab.paths.latest_spine()
    assert spine is not None
    assert original is not None
    assert spine.name == original.name
    for name in ("links.parquet", "encoded.parquet"):
        assert (spine / name).read_bytes() == (original / name).read_bytes()
    assert people(spine) == people(original)


def people(spine: Path) -> set[frozenset[tuple[str, str]]]:
    """The records of each person; the keys themselves are random."""
    table = pq.read_table(spine / "people.parquet").to_pydict()
    members: dict[str, set[tuple[str, str]]] = {}
    for source, record, person in zip(table["source"], table["record_id"], table["person_id"], strict=True):
        members.setdefault(person, set()).add((source, record))
    return {frozenset(records) for records in members.values()}


PARENT = """
import sys
from counterfoil.study import roles
roles.CHILD_MODULE = "waiting_child"
roles.run_role(roles.ProcessRole.LINKER, "wait", {"lab": sys.argv[1]})
"""
WAITING = """
import os, sys, time
from counterfoil.study import child, tasks
from counterfoil.study.roles import ProcessRole

def wait(arguments, progress):
    time.sleep(60)

tasks.TASKS = {(ProcessRole.LINKER, "wait"): wait}
sys.exit(child.main(*sys.argv[1:4]))
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_does_not_outlive_its_parent(
    how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "waiting_child.py").write_text(WAITING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stderr=subprocess.DEVNULL) as parent:
        deadline = time.monotonic() + 20
        while not (children := children_of(parent.pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        parent.send_signal(how)
    assert len(children) == 1
    assert all_end(children, within=20.0)  # one that is still starting looks for its parent when it has started


def test_a_child_whose_parent_is_gone_does_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", roles.CHILD_MODULE, ProcessRole.ANALYST.value, "register", "1"]
    asked = json.dumps({"lab": str(tmp_path)}).encode()
    done = subprocess.run(command, input=asked, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (4, b"")


HALF_A_MESSAGE = """
import os, signal, sys
sys.stdout.write('{"resu')
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_child_that_is_killed_inside_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_child.py").write_text(HALF_A_MESSAGE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(roles, "CHILD_MODULE", "half_child")
    with pytest.raises(Fault, match=r"linker process ended without an answer \(code -9\)"):
        run_role(ProcessRole.LINKER, "link", {"lab": str(tmp_path)})


FULL_DISK = """
import errno, os, sys
from counterfoil.study import child, tasks
from counterfoil.study.roles import ProcessRole

def fail(arguments, progress):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/somewhere/Zyxwick")

tasks.TASKS = {(ProcessRole.LINKER, "link"): fail}
sys.exit(child.main(*sys.argv[1:4]))
"""


def test_a_full_disk_in_a_child_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full_child.py").write_text(FULL_DISK)
    (tmp_path / "linker").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(roles, "CHILD_MODULE", "full_child")
    with pytest.raises(Fault, match="would not read or write a file: No space left on device") as caught:
        run_role(ProcessRole.LINKER, "link", {"lab": str(tmp_path)})
    assert "Zyxwick" not in str(caught.value)

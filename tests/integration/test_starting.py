"""Roles that are started before they are asked: what is left of one that never is, and what no role reads."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from counterfoil.lab.make import make_lab
from counterfoil.study import roles
from counterfoil.study.starting import start_early

AGES = 60  # seconds that a child would take
NEVER_READS = f"import time\ntime.sleep({AGES})\n"
LOOKED_FOR = """
import sys
from counterfoil.lazily import do_without
do_without("pandas")
import pyarrow as pa
pa.array([1, 2])
try:
    import pandas
except ImportError as error:
    print(error.name, "pandas" in sys.modules)
"""


def test_roles_that_are_not_asked_are_ended_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = make_lab(tmp_path / "lab").paths.root
    (tmp_path / "never_reads.py").write_text(NEVER_READS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(roles, "CHILD_MODULE", "never_reads")
    begun = time.monotonic()
    with start_early(lab) as started:
        assert started is not None
        assert not started.linker.is_asked
    assert time.monotonic() - begun < AGES / 2


def test_roles_that_are_not_asked_leave_no_temporary_folder(tmp_path: Path) -> None:
    """They are ended before they could remove their own, in which names may lie."""
    paths, late = make_lab(tmp_path / "lab").paths, time.monotonic() + AGES
    with start_early(paths.root):
        for side in (paths.linker, paths.analyst):
            while not list(side.glob(".scratch/*")) and time.monotonic() < late:
                time.sleep(0.01)
            assert len(list(side.glob(".scratch/*"))) == 1
    assert [path for path in paths.root.glob("*/.scratch/*")] == []


def test_no_role_is_started_where_there_is_no_lab(tmp_path: Path) -> None:
    with start_early(tmp_path) as started:
        assert started is None
    assert list(tmp_path.iterdir()) == []


def test_what_a_process_does_without_is_not_found() -> None:
    """Installed or not: Arrow looks for it when it makes an array, and goes on without."""
    done = subprocess.run([sys.executable, "-c", LOOKED_FOR], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["pandas", "False"]

"""`link` killed at random moments, or on a disk that fills: the next run gives what an undisturbed one does."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from counterfoil.lab.files import leftovers
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.linkage import build_spine, read_spine, spine_files
from counterfoil.linkage.batch import scoring
from counterfoil.warehouse import read_table, write_table
from lib.links import TODAY, make_records

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="kills by SIGKILL")]

SOURCES = ("pnc", "prison", "probation")
PEOPLE = 300
SEED = 3
KILLS = 2
LINK = """
import itertools, sys
from pathlib import Path
from counterfoil.lab.make import open_lab
from counterfoil.linkage import build_spine
print("ready", flush=True)
numbers = itertools.count(1)
build_spine(open_lab(Path(sys.argv[1])), new_key=lambda: f"{next(numbers):032x}")
"""
KEPT = ("people.parquet", "links.parquet", "review.parquet", "weak_bridges.parquet", "encoded.parquet", "model.json")


def _lab(root: Path) -> OpenLab:
    lab = make_lab(root, today=TODAY)
    records = make_records(PEOPLE, seed=SEED).records
    for source in SOURCES:
        own = records.filter(pc.equal(records["source"], source))
        write_table(own, lab.paths.linker_extract(source, "2026-01-01") / "identifiers.parquet")
    return lab


def _start(lab: OpenLab) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", LINK, str(lab.paths.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[OpenLab, float]:
    """A linked lab, and the seconds that it took."""
    lab = _lab(tmp_path_factory.mktemp("undisturbed") / "lab")
    with _start(lab) as process:
        started = time.monotonic()
        assert process.wait() == 0
    return lab, time.monotonic() - started


def _assert_same(lab: OpenLab, other: OpenLab) -> None:
    spine, expected = lab.paths.latest_spine(), other.paths.latest_spine()
    assert spine is not None
    assert expected is not None
    assert spine.name == expected.name
    for name in KEPT:
        assert (spine / name).read_bytes() == (expected / name).read_bytes(), name


def test_killed_at_random_moments_again_and_again(undisturbed: tuple[OpenLab, float], tmp_path: Path) -> None:
    original, seconds = undisturbed
    lab = _lab(tmp_path / "lab")
    for share in np.random.default_rng(11).uniform(0.05, 0.95, KILLS):
        with _start(lab) as process:
            time.sleep(seconds * float(share))
            process.send_signal(signal.SIGKILL)
    with _start(lab) as process:
        assert process.wait() == 0
    assert [path for path in leftovers(lab.paths.linker) if path.is_dir()] == []
    _assert_same(lab, original)


KILLED = """
import os, signal, sys
from pathlib import Path
at, made = int(sys.argv[2]), 0
def killing(do):
    def before(*arguments, **options):
        global made
        made += 1
        if made == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return do(*arguments, **options)
    return before
os.rename, os.replace = killing(os.rename), killing(os.replace)
from counterfoil.lab.make import open_lab
from counterfoil.linkage import build_spine
build_spine(open_lab(Path(sys.argv[1])), rebuild=True)
"""


def _killed_at(lab: OpenLab, at: int) -> int:
    """How `link` ended that kills itself before the `at`-th renaming of a file or folder; 0 is never."""
    return subprocess.run([sys.executable, "-c", KILLED, str(lab.paths.root), str(at)], check=False).returncode


def test_killed_before_a_file_takes_its_place_leaves_the_old_spine_or_the_new(
    undisturbed: tuple[OpenLab, float], tmp_path: Path
) -> None:
    """A second spine, killed early and late in its writing: what is there can be read, and a third run finishes."""
    lab = open_lab(shutil.copytree(undisturbed[0].paths.root, tmp_path / "lab"))
    expected = read_table(read_spine(lab).folder / "people.parquet")
    for at in (2, 9):
        assert _killed_at(lab, at) == -signal.SIGKILL
        assert read_table(read_spine(lab).folder / "people.parquet").equals(expected)  # keys are kept
    assert _killed_at(lab, 0) == 0
    assert read_table(read_spine(lab).folder / "people.parquet").equals(expected)


@contextmanager
def _full_disk(module: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every table that the module writes meets a full disk; and one does."""
    told: list[Path] = []

    def full(_: pa.Table, path: Path) -> None:
        told.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_table", full)
        with pytest.raises(OSError, match="No space left"):
            yield
    assert told


def test_a_disk_that_fills_loses_nothing(
    undisturbed: tuple[OpenLab, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While pairs are kept, then while the spine is written, then while a second one is."""
    lab = _lab(tmp_path / "lab")
    for module in (scoring, spine_files):
        with _full_disk(module, monkeypatch):
            build_spine(lab)
        assert lab.paths.latest_spine() is None
        assert lab.paths.latest_register_keys() is None
        assert leftovers(lab.paths.root) == []
    numbers = itertools.count(1)
    build_spine(lab, new_key=lambda: f"{next(numbers):032x}")
    _assert_same(lab, undisturbed[0])
    with _full_disk(spine_files, monkeypatch):
        build_spine(lab, rebuild=True)
    _assert_same(lab, undisturbed[0])

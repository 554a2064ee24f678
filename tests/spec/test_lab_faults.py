"""What a damaged or misnamed part of a lab is told as, and the names that versions get."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil import domains
from counterfoil.errors import Fault, UsageError
from counterfoil.lab import log
from counterfoil.lab.files import atomic_folder, atomic_write, remove_abandoned
from counterfoil.lab.keys import Role, encrypt, register_secret
from counterfoil.lab.make import make_lab
from counterfoil.lab.versions import version_for
from counterfoil.warehouse import read_table, table_at

KEY = "89abcdef" * 8  # a SHA-256
OTHER = "01234567" * 8
DAY = dt.date(2022, 7, 1)


@pytest.mark.parametrize(
    ("there", "key", "name", "is_made"),
    [
        ([], KEY, "2022-07-01-001-89abcdef", False),
        (["2022-07-01-001-89abcdef"], KEY, "2022-07-01-001-89abcdef", True),
        (["2022-07-01-001-89abcdef.parquet"], KEY, "2022-07-01-001-89abcdef", True),
        (["2022-07-01-001-89abcdef"], OTHER, "2022-07-01-002-01234567", False),
        (["2022-06-30-007-89abcdef"], OTHER, "2022-07-01-001-01234567", False),
        # only the newest counts: a settings file that was changed and changed back makes a third version
        (["2022-07-01-001-89abcdef", "2022-07-01-002-01234567"], KEY, "2022-07-01-003-89abcdef", False),
        # the lab's date was set back: the new version still sorts last
        (["2022-07-05-001-89abcdef"], OTHER, "2022-07-05-002-01234567", False),
    ],
)
def test_names_of_versions(there: list[str], key: str, name: str, is_made: bool, tmp_path: Path) -> None:
    for made in there:
        (tmp_path / made).touch()
    assert version_for(tmp_path, DAY, key) == (name, is_made)


def test_the_first_version_needs_no_folder(tmp_path: Path) -> None:
    assert version_for(tmp_path / "absent", DAY, KEY) == ("2022-07-01-001-89abcdef", False)


def test_folders_that_killed_work_left_are_removed_and_those_of_work_under_way_are_not(tmp_path: Path) -> None:
    left = tmp_path / ".spine.0123abcd.part"
    left.mkdir()
    (left / "people.parquet").touch()
    (tmp_path / ".notes.0123abcd.part").touch()  # a file
    (tmp_path / ".git").mkdir()
    with atomic_folder(tmp_path / "spine") as under_way:
        remove_abandoned([tmp_path, tmp_path / "absent"])
        assert under_way.is_dir()
        assert {path.name for path in tmp_path.iterdir()} == {under_way.name, ".git"}
    remove_abandoned([tmp_path])
    assert (tmp_path / "spine").is_dir()


def test_a12_a_write_removes_what_a_killed_write_of_the_same_file_left_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report [1].html"
    mine, anothers = tmp_path / ".report [1].html.0123abcd.part", tmp_path / ".report.html.0123abcd.part"
    for left in (mine, anothers):
        left.write_bytes(b"half")
    atomic_write(file, b"whole")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        file.name: b"whole",
        anothers.name: b"half",
    }


def test_a12_two_writes_of_one_file_at_once_leave_each_other_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second begins, and ends, while the first has written its bytes and not named them: the last named stands."""
    file, seen, sync = tmp_path / "report.html", list[int](), os.fsync

    def another_writes_meanwhile(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", sync)
        atomic_write(file, b"second")
        seen.append(len(list(tmp_path.glob(".*.part"))))
        assert file.read_bytes() == b"second"
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", another_writes_meanwhile)
    atomic_write(file, b"first")
    assert seen == [1]  # the first's, under way
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert file.read_bytes() == b"first"


def _write_file(path: Path) -> None:
    atomic_write(path, b"whole")


def _write_folder(path: Path) -> None:
    with atomic_folder(path) as temporary:
        (temporary / "it").write_bytes(b"whole")


@pytest.mark.parametrize("write", [_write_file, _write_folder])
def test_a12_a_part_that_is_taken_for_abandoned_before_it_is_held_is_made_again(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the making of a part and its lock another write may come by, and removes it."""
    lock, taken = fcntl.flock, list[str]()

    def another_comes_by(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        taken.extend(path.name for path in tmp_path.iterdir())
        remove_abandoned([tmp_path])
        assert list(tmp_path.iterdir()) == []
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", another_comes_by)
    write(tmp_path / "it")
    assert len(taken) == 1
    assert taken[0].endswith(".part")
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"whole"]
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_a_log_that_was_cut_inside_its_last_line_holds_the_events_before(tmp_path: Path) -> None:
    """A machine that stopped while it wrote leaves half a line: that event did not happen. A head tells of a cut."""
    paths = make_lab(tmp_path / "lab").paths
    before = list(log.read(paths))
    log.append(paths, "loaded", {"source": "pnc"})
    file = paths.root / "log"
    file.write_bytes(file.read_bytes()[:-5])
    assert list(log.read(paths)) == before
    log.append(paths, "linked", {"spine": "a"})
    assert [event["event"] for event in log.read(paths)] == [*(event["event"] for event in before), "linked"]


def test_a_missing_key_says_where_to_get_it(tmp_path: Path) -> None:
    paths = make_lab(tmp_path / "lab").paths
    (paths.linker / "register.secret").unlink()
    with pytest.raises(Fault, match=r"register\.secret of this lab is missing\. Restore it"):
        register_secret(paths)


def test_encrypting_needs_no_private_key(tmp_path: Path) -> None:
    paths = make_lab(tmp_path / "lab").paths
    (paths.linker / "key.age").unlink()
    assert b"names" not in encrypt(paths, b"names", to=Role.LINKER)


@pytest.mark.parametrize("name", ["health", "../justice", "schema.py"])
def test_an_unknown_domain(name: str) -> None:
    with pytest.raises(UsageError, match="There is no domain called"):
        domains.load(name)


def test_an_unknown_source_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"The sources of this lab are: .*pnc, prison, probation"):
        domains.load().source("court")


@pytest.mark.parametrize("content", [None, b"not a table"])
def test_a_table_that_is_absent_or_damaged(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "facts.parquet"
    if content is not None:
        path.write_bytes(content)
    for read in (table_at, read_table):
        with pytest.raises(Fault, match=r"facts\.parquet is not in the lab or cannot be read"):
            read(path)

"""A lab on disk: made whole or not at all, settings checked, keys kept apart, a log that shows changes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from counterfoil.errors import Fault, UsageError
from counterfoil.lab import log
from counterfoil.lab.files import atomic_folder, atomic_write
from counterfoil.lab.keys import Role, decrypt, encrypt
from counterfoil.lab.make import make_lab, open_lab


def test_a_new_lab_opens_with_the_settings_it_was_given(tmp_path: Path) -> None:
    made = make_lab(tmp_path / "lab", name='The "North" lab', today=dt.date(2022, 7, 1))
    opened = open_lab(tmp_path / "lab")
    assert opened == made
    assert opened.settings.name == 'The "North" lab'
    assert opened.settings.date() == dt.date(2022, 7, 1)


def test_a_lab_is_never_made_over_something(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep me")
    with pytest.raises(UsageError, match="is not empty"):
        make_lab(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_is_no_lab(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a lab"):
        open_lab(tmp_path)
    with pytest.raises(UsageError, match="There is no folder"):
        open_lab(tmp_path / "absent")


def test_unknown_and_weakened_settings_are_refused_together(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab")
    text = lab.paths.settings.read_text()
    lab.paths.settings.write_text(text + "threshold = 3\nwidht = 10\n")
    with pytest.raises(UsageError) as caught:
        open_lab(lab.paths.root)
    assert {p.split("`")[1] for p in caught.value.problems} == {"disclosure.threshold", "disclosure.widht"}


def test_the_template_shows_the_true_defaults(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab")
    shown = lab.paths.settings.read_text().replace("# ", "", 0)
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line and not line.startswith(("# today", "# truth")) else line
        for line in shown.splitlines()
    )
    lab.paths.settings.write_text(uncommented)
    assert open_lab(lab.paths.root).settings == lab.settings


def test_only_the_role_it_was_meant_for_can_open_a_file(tmp_path: Path) -> None:
    paths = make_lab(tmp_path / "lab").paths
    closed = encrypt(paths, b"for the linker", to=Role.LINKER)
    assert b"linker" not in closed
    assert decrypt(paths, closed, by=Role.LINKER) == b"for the linker"
    with pytest.raises(Fault, match="cannot be opened with this lab's analyst key"):
        decrypt(paths, closed, by=Role.ANALYST)


def test_private_keys_and_folders_are_private(tmp_path: Path) -> None:
    paths = make_lab(tmp_path / "lab").paths
    for place in (paths.linker, paths.analyst, paths.linker / "key.age", paths.analyst / "key.age"):
        assert place.stat().st_mode & 0o077 == 0


def test_a_changed_log_shows(tmp_path: Path) -> None:
    paths = make_lab(tmp_path / "lab").paths
    log.append(paths, "loaded", {"source": "pnc"})
    log.append(paths, "linked", {})
    assert [entry["event"] for entry in log.read(paths)] == ["lab made", "loaded", "linked"]
    file = paths.root / "log"
    file.write_bytes(file.read_bytes().replace(b'"pnc"', b'"PNC"'))
    with pytest.raises(Fault, match="does not follow"):
        list(log.read(paths))


def write_half(place: Path) -> None:
    with atomic_folder(place) as folder:
        atomic_write(folder / "value", b"new")
        raise ZeroDivisionError


def test_a_folder_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    place = tmp_path / "stage"
    with atomic_folder(place) as folder:
        atomic_write(folder / "value", b"old")
    with pytest.raises(ZeroDivisionError):
        write_half(place)
    assert (place / "value").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["stage"]

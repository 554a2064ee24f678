"""The encoded table that lies with a spine: the same links with it as without, and never a wrong answer from it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.linkage import Engine, build_spine, link_cohort
from counterfoil.linkage.core.encoded_files import ABOUT
from counterfoil.linkage.kept import FOLDER, check_kept, is_kept
from counterfoil.linkage.model import Resources
from counterfoil.linkage.spine import Spine
from counterfoil.records.standardise import standardise_people
from counterfoil.warehouse import write_table
from lib.links import TODAY, draw_lab_records

PEOPLE = 2_000
ENTRIES = 250
CLOSE = 1e-9  # bits: rounding of a sum
RESOURCES = Resources(threads=1, memory="2GB")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> OpenLab:
    return make_lab(tmp_path_factory.mktemp("kept") / "lab", today=TODAY)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory, lab: OpenLab) -> pa.Table:
    """A provider's list of people who are in the lab, some twice, and of a few whom nobody knows."""
    tables = draw_lab_records(tmp_path_factory.mktemp("population"), PEOPLE, seed=11)
    for source in ("pnc", "prison", "probation"):
        write_table(tables[source], lab.paths.linker_extract(source, "2026-01-01") / "identifiers.parquet")
    people = tables["people"].slice(0, ENTRIES)
    raw = people.select(["forename1", "forename2", "surname", "date_of_birth", "sex", "pnc_id"])
    strange = raw.slice(0, 10).set_column(2, "surname", pa.array([f"ÅLØST-NAME {i}" for i in range(10)]))
    raw = pa.concat_tables([raw, raw.slice(5, 10), strange])
    raw = raw.append_column("record_id", pa.array([f"E{i:04}" for i in range(raw.num_rows)], pa.string()))
    return standardise_people(raw, source="cohort", today=TODAY, standins=frozenset())


@pytest.fixture(scope="module")
def spine(lab: OpenLab, entries: pa.Table) -> Spine:
    del entries  # its records are loaded
    return build_spine(lab).spine


@pytest.fixture
def copied(spine: Spine, tmp_path: Path) -> Spine:
    """The same spine in a folder that may be damaged."""
    shutil.copytree(spine.folder, tmp_path / spine.version)
    return replace(spine, folder=tmp_path / spine.version)


def assert_same_links(one: pa.Table, other: pa.Table) -> None:
    for name in ("row", "record_id", "person_id", "link_status", "evidence"):
        assert one[name].to_pylist() == other[name].to_pylist(), name
    for name in ("match_weight", "link_probability"):
        ours, theirs = (table[name].to_numpy(zero_copy_only=False).astype(float) for table in (one, other))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=CLOSE)


def test_link_writes_it(spine: Spine) -> None:
    assert is_kept(spine.folder)
    assert check_kept(spine.folder, spine.model, spine.specification) == ""


@pytest.mark.parametrize("without_identifiers", [False, True])
def test_a_cohort_links_as_without_it(
    spine: Spine, entries: pa.Table, without_identifiers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside Splink over both tables, and our own engine that encodes both anew."""
    options = {"resources": RESOURCES, "without_identifiers": without_identifiers}
    kept = link_cohort(entries, spine, **options)  # type: ignore[arg-type]
    assert_same_links(kept, link_cohort(entries, spine, engine=Engine.SPLINK, **options))  # type: ignore[arg-type]
    monkeypatch.setattr(Spine, "kept", lambda *_, **__: None)
    assert_same_links(kept, link_cohort(entries, spine, **options))  # type: ignore[arg-type]
    assert {"linked", "not_found"} <= set(kept["link_status"].to_pylist())


def _cut(folder: Path) -> None:
    path = folder / "cells.bin"
    path.write_bytes(path.read_bytes()[:-8])


def _flip(folder: Path) -> None:
    path = folder / "tuple_of.bin"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _swap(folder: Path) -> None:
    path = folder / "shown.arrow"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + data[8192:12288] + data[4096:8192] + data[12288:])


def _remove(folder: Path) -> None:
    (folder / "keys_00.bin").unlink()


def _other_about(folder: Path) -> None:
    path = folder / ABOUT
    path.write_text(path.read_text().replace('"cells": ', '"cells": 1'))


def _no_json(folder: Path) -> None:
    (folder / ABOUT).write_text("{")


@pytest.mark.parametrize("damage", [_cut, _flip, _swap, _remove, _other_about, _no_json])
def test_a_damaged_one_is_made_again_and_said(copied: Spine, entries: pa.Table, damage: Callable[[Path], None]) -> None:
    few = entries.slice(0, 20)
    right = link_cohort(few, copied, resources=RESOURCES)
    damage(copied.folder / FOLDER)
    assert check_kept(copied.folder, copied.model, copied.specification) == "is damaged"
    said: list[str] = []
    kept = copied.kept(resources=RESOURCES, progress=lambda text, _: said.append(text))
    assert said == [f"The encoded table of spine {copied.version} is damaged; making it again"]
    assert link_cohort(few, copied, resources=RESOURCES, kept=kept).equals(right)
    assert check_kept(copied.folder, copied.model, copied.specification) == ""


def test_one_of_another_version_or_model_is_made_again(copied: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("counterfoil.linkage.core.encoded_files.FORMAT", 999)
    copied.kept(resources=RESOURCES, progress=lambda text, _: said.append(text))
    prior = {"probability_two_random_records_match": 0.5}
    other = replace(copied, model=replace(copied.model, settings={**copied.model.settings, **prior}))
    other.kept(resources=RESOURCES, progress=lambda text, _: said.append(text))
    assert [text.split(copied.version)[1] for text in said] == [
        " was made by another version; making it again",
        " was made from another model or other records; making it again",
    ]


def test_an_absent_one_is_made(copied: Spine) -> None:
    """As after a `link` that was killed before it was written."""
    shutil.rmtree(copied.folder / FOLDER)
    (copied.folder / f".{FOLDER}.0000.part").mkdir()
    said: list[str] = []
    assert copied.kept(resources=RESOURCES, progress=lambda text, _: said.append(text)) is not None
    assert "is not there" in said[0]


def test_what_only_splink_can_say_has_none(copied: Spine, entries: pa.Table) -> None:
    """Both engines' cohort is then the same call."""
    settings = json.loads(json.dumps(dict(copied.model.settings)))
    level = settings["comparisons"][0]["comparison_levels"][2]
    level["sql_condition"] = f"({level['sql_condition']}) AND unknown_function(surname_std_l, surname_std_r)"
    other = replace(copied, model=replace(copied.model, settings=settings))
    assert other.kept(resources=RESOURCES) is None
    del entries


def test_what_is_asked_changes_no_file(spine: Spine, entries: pa.Table) -> None:
    before = {path: path.read_bytes() for path in sorted((spine.folder / FOLDER).iterdir())}
    link_cohort(entries, spine, resources=RESOURCES)
    assert {path: path.read_bytes() for path in sorted((spine.folder / FOLDER).iterdir())} == before

"""`truth` in lab.toml: a synthetic lab's linking is judged by who its people are; nobody's name is in the answer."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from counterfoil.errors import UsageError
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage.quality_report.truth import lab_truth
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS
from counterfoil.warehouse import read_table, write_table
from lib.links import TODAY, Made, make_records

LINK = TASKS[ProcessRole.LINKER, "link"]
ASKED = {"engine": "core"}


def _lab(root: Path, made: Made) -> OpenLab:
    lab = make_lab(root / "lab", today=TODAY, truth="../population/truth")
    for source in sorted(set(made.records["source"].to_pylist())):
        own = made.records.filter(pa.compute.equal(made.records["source"], source))
        write_table(own, lab.paths.linker_extract(source, "2026-01-01") / "identifiers.parquet")
    return lab


def _write_truth(folder: Path, made: Made) -> None:
    people = sorted(set(made.truth["person_id"].to_pylist()))
    count = len(people)
    table = {"person_id": people, "twin_of_previous": [False] * count, "sex": ["1"] * count}
    table |= {name: ["x"] * count for name in ("ethnicity", "origin", "date_of_birth", "homeless", "married")}
    table["surname"] = ["ZYXWICK"] * count
    folder.mkdir(parents=True)
    write_table(pa.table(table), folder / "truth_people.parquet")
    write_table(made.truth.select(["source", "record_id", "person_id"]), folder / "truth_records.parquet")


def test_link_is_judged_by_the_truth_that_the_lab_names(tmp_path: Path) -> None:
    made = make_records(400, seed=3)
    lab = _lab(tmp_path, made)
    _write_truth(tmp_path / "population" / "truth", made)
    LINK({"lab": str(lab.paths.root), **ASKED}, silent)
    spine = lab.paths.latest_spine()
    assert spine is not None
    text = (spine / "quality.json").read_text()
    medium = json.loads(text)["truth"]["medium"]
    assert set(medium) == {"note", "all", "by_sex", "by_ethnicity", "by_origin"}
    assert medium["all"]["true_pairs"] > 0
    assert medium["all"]["precision"]["rate"] > 0.9
    assert "ZYXWICK" not in text


def test_people_without_a_record_are_known_from_a_file_of_their_own(tmp_path: Path) -> None:
    made = make_records(50, seed=3)
    _write_truth(tmp_path / "truth", made)
    folder = tmp_path / "truth"
    everybody = read_table(folder / "truth_people.parquet")
    write_table(everybody.slice(0, 20), folder / "truth_people.parquet")
    write_table(everybody.slice(20), folder / "truth_outsiders.parquet")
    known = lab_truth(folder)
    assert known is not None
    assert known["sex"].null_count == 0


def test_a_truth_that_is_not_there_is_said(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab", today=TODAY, truth="../population/truth")
    assert lab.truth == lab.paths.root / "../population/truth"
    with pytest.raises(UsageError, match=r"`truth` names in lab\.toml"):
        LINK({"lab": str(lab.paths.root), **ASKED}, silent)


def test_a_lab_of_real_people_has_none(tmp_path: Path) -> None:
    assert make_lab(tmp_path / "lab", today=TODAY).truth is None

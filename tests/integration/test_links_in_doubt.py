"""A list with planted doubt, from the file to the report: who else an entry may be is drawn, and nothing else moves."""

from __future__ import annotations

import csv
import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from counterfoil.lab.keys import Role, decrypt
from counterfoil.linkage.doubt import FLOOR
from counterfoil.provenance import sha256_of_file
from counterfoil.study import evaluate
from counterfoil.study.analysis import LINKING
from counterfoil.study.handover import HANDOVER, unpack, unpack_doubt
from counterfoil.study.link_draws import FILE
from lib.labs import MadeLab, evaluate_by
from lib.small_lab import check_result, run_here

pytestmark = pytest.mark.slow  # it shares a lab of 12,000 people

EVERY = 5  # of so many rows one loses what tells its person from others
TELLING = ("PNC ID", "Prison number", "Postcode", "Date of birth")
MOST_OF_A_TITLE = 3  # cells of a row above the headings


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An evaluation of Northgate's list in which every fifth row says hardly more than a name."""

    made: MadeLab
    result: dict[str, Any]
    folder: Path


def _text(cell: object) -> str:
    return f"{cell:%d/%m/%Y}" if isinstance(cell, dt.datetime) else "" if cell is None else str(cell)


@pytest.fixture(scope="module")
def doubtful(small_lab: MadeLab, tmp_path_factory: pytest.TempPathFactory) -> Doubtful:
    chosen = small_lab.population.programmes["northgate"]
    file = tmp_path_factory.mktemp("doubt") / "list.csv"
    (sheet,) = openpyxl.load_workbook(chosen.file).worksheets
    filled = [
        row for row in sheet.iter_rows(values_only=True) if sum(cell is not None for cell in row) > MOST_OF_A_TITLE
    ]
    headings, rows = filled[0], filled[1:]
    telling = [headings.index(name) for name in TELLING]
    for number in range(0, len(rows), EVERY):
        rows[number] = tuple(None if place in telling else cell for place, cell in enumerate(rows[number]))
    with file.open("w", newline="", encoding="utf-8") as written:
        csv.writer(written).writerows([headings, *([_text(cell) for cell in row] for row in rows)])
    with pytest.MonkeyPatch.context() as patch:
        evaluate_by(patch, run_here)
        result = evaluate.evaluate_lab(small_lab.lab.paths.root, file, chosen.plan)
    return Doubtful(small_lab, result, Path(result["report"]).parent)


def test_planted_doubt_reaches_the_draws(doubtful: Doubtful) -> None:
    check_result(doubtful.result)
    paths = doubtful.made.lab.paths
    handed = decrypt(paths, (doubtful.folder / HANDOVER).read_bytes(), by=Role.ANALYST)
    study, _ = unpack(handed)
    doubt = unpack_doubt(handed)
    by_entry: dict[int, float] = {}
    for row in doubt.to_pylist():
        by_entry[row["entry"]] = by_entry.get(row["entry"], 0.0) + row["link_probability"]
        assert row["is_link"] or row["link_probability"] >= FLOOR
        if row["is_link"]:
            assert row["study_key"] in study["study_key"].to_pylist()
    assert by_entry
    assert all(total <= 1.0 + 1e-9 for total in by_entry.values())
    between = [r["link_probability"] for r in doubt.to_pylist() if 0.1 < r["link_probability"] < 0.9]
    assert between  # some are truly open


def test_the_draws_are_frozen_and_carried_into_every_measure(doubtful: Doubtful) -> None:
    frozen = json.loads((doubtful.folder / "frozen.json").read_bytes())["links"]
    assert frozen["treated"] == sha256_of_file(doubtful.folder / FILE)
    drawn = {draw for each in frozen["designs"] for draw in each["draws"]}
    assert len(drawn) + len(frozen["as_headline"]) == 20
    assert all("weight" in each for each in frozen["designs"])
    assert set(pq.read_table(doubtful.folder / FILE)["draw"].to_pylist()) == drawn
    facts = json.loads((doubtful.folder / LINKING).read_bytes())
    assert set(facts["combined"]) == {measure["measure"] for measure in doubtful.result["measures"]}
    rate = facts["combined"][doubtful.result["measures"][0]["measure"]]
    assert 0.0 < rate["share"] < 0.5
    assert rate["low"] < rate["estimate"] < rate["high"]


def test_the_report_says_what_doubt_adds(doubtful: Doubtful) -> None:
    linking = doubtful.result["linking"]
    assert linking["draws"] == 20
    assert linking["share_from"] < linking["share_to"]
    assert (linking["low"] is None) == (linking["hidden"] is not None)
    assert (linking["difference"] is None) == (linking["hidden"] is not None or linking["outward"])
    assert linking["answer"] in ("same", "may change")
    assert "Doubt about who was linked" in (doubtful.folder / "report.html").read_text(encoding="utf-8")

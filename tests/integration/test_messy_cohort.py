"""The workbook with every pattern of untidy upload files, from the file to an answer; every row of it accounted for.

What should become of a row is the population's truth: whose row it is, and whether that person is in any source.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.linkage import link_cohort, read_spine
from counterfoil.linkage.spine import resources
from counterfoil.records.provider import Submission, read_submission
from counterfoil.records.standardise import standardise_people
from counterfoil.study import evaluate
from counterfoil.study.handing_over import NO_PERSON
from counterfoil.warehouse import query
from lib.labs import MadeLab, evaluate_by
from lib.small_lab import call_here, check_result, run_here

pytestmark = pytest.mark.slow  # they share a lab of 12,000 people

OUTCOMES = {"kept", "mended", "excluded"}
MOST_WITH_NUMBER = 0.55  # METHODS 1: at most so many of a provider's rows carry a valid PNC or prison number
LEAST_FOUND = 0.85


@dataclass(frozen=True, slots=True)
class Messy:
    """The evaluation of the messy list: what came out, and the account and the truth of each row."""

    made: MadeLab
    result: dict[str, Any]
    account: list[dict[str, Any]]
    truth: dict[int, str | None]  # row of the file -> true person, None where no source can hold them
    nobody: set[int]  # rows that are of no person at all, such as a total


@pytest.fixture(scope="module")
def messy(small_lab: MadeLab) -> Messy:
    """Northgate's list with every pattern, evaluated in the small lab."""
    population = small_lab.population
    with pytest.MonkeyPatch.context() as patch:
        evaluate_by(patch, run_here)
        result = evaluate.evaluate_lab(
            small_lab.lab.paths.root, population.messy, population.programmes["northgate"].plan
        )
    manifest = json.loads((Path(result["report"]).parent / "manifest.json").read_bytes())
    folder = small_lab.lab.paths.submission(manifest["inputs"]["file"][:16])
    rows = pq.read_table(population.truth / "truth_rows.parquet").to_pylist()
    rows = [row for row in rows if row["file"] == population.messy.name]
    truth = {row["file_row"]: row["person_id"] for row in rows}
    nobody = {row["file_row"] for row in rows if row["expected"] is None}
    return Messy(small_lab, result, pq.read_table(folder / "account.parquet").to_pylist(), truth, nobody)


def filled_rows(file: Path) -> list[int]:
    """Numbers of the rows below the headings that have something in them, read by another program than ours."""
    (sheet,) = openpyxl.load_workbook(file).worksheets
    rows = [
        (number, [cell for cell in row if cell not in (None, "")])
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1)
    ]
    heading = next(number for number, cells in rows if len(cells) > 5)  # title rows hold one cell each
    return [number for number, cells in rows if number > heading and cells]


def test_the_list_gives_an_answer_or_a_rules_refusal(messy: Messy) -> None:
    check_result(messy.result)
    if "refused" in messy.result:
        assert messy.result["refused"]["rule"] in {"R1", "balance", "overlap"}
    assert Path(messy.result["report"]).is_file()


def test_every_row_of_the_sheet_is_accounted_for_once(messy: Messy) -> None:
    numbers = [row["row"] for row in messy.account]
    assert numbers == filled_rows(messy.made.population.messy)
    assert numbers == sorted(messy.truth)


def test_every_row_has_an_outcome_and_a_reason_where_it_is_left_out(messy: Messy) -> None:
    for row in messy.account:
        assert row["outcome"] in OUTCOMES
        assert (row["reason"] is not None) == (row["outcome"] == "excluded")
        assert (row["link_status"] is not None) == (row["outcome"] != "excluded")
        assert (row["evidence"] is not None) == (row["link_status"] == "linked")


def test_who_is_submitted_is_who_stands_in_the_list(messy: Messy) -> None:
    """Rows of nobody (a total) were never people; everyone else was submitted, whatever became of the row."""
    not_people = {row["row"] for row in messy.account if row["reason"] in NO_PERSON}
    assert not_people == messy.nobody
    if "refused" not in messy.result:
        assert messy.result["attrition"][0]["step"] == "submitted"
        assert messy.result["attrition"][0]["n"] == len(messy.account) - len(not_people)


@pytest.fixture(scope="module")
def submission(small_lab: MadeLab) -> Submission:
    """The messy list as it is read."""
    return read_submission(small_lab.population.messy, small_lab.lab.settings.date())


def test_at_most_55_in_100_rows_carry_a_number(submission: Submission) -> None:
    entries = submission.entries.to_pylist()
    carrying = sum(bool(entry["pnc_id"] or entry["prison_number"]) for entry in entries)
    assert carrying / len(entries) <= MOST_WITH_NUMBER


@pytest.fixture(scope="module")
def found(small_lab: MadeLab, submission: Submission) -> dict[int, set[str]]:
    """For each row that is linked, the true people among the records of the person it is linked to.

    The linker's own function on the same entries: the account on disk does not name the person.
    """
    lab = small_lab.lab
    entries = submission.entries
    ids = pa.array([str(row) for row in entries["row"].to_pylist()], pa.string())
    standard = standardise_people(
        entries.append_column("record_id", ids), source="cohort", today=lab.settings.date(), standins=frozenset()
    )
    spine = read_spine(lab)
    links = link_cohort(standard, spine, resources=resources(lab), threshold=lab.settings.thresholds.cohort)
    tables = {
        "links": links.select(["record_id", "person_id"]),
        "spine": spine.people().select(["source", "record_id", "person_id"]),
        "truth": pq.read_table(small_lab.population.truth / "truth_records.parquet"),
    }
    sql = """SELECT CAST(l.record_id AS INTEGER) AS row, list(DISTINCT t.person_id ORDER BY t.person_id) AS people
             FROM links l JOIN spine s USING (person_id)
             JOIN truth t ON t.source = s.source AND t.record_id = s.record_id GROUP BY 1 ORDER BY 1"""
    return {row["row"]: set(row["people"]) for row in query(sql, tables).to_pylist()}


@pytest.fixture(scope="module")
def in_sources(small_lab: MadeLab) -> frozenset[str]:
    """True people of whom some source holds a record."""
    table = pq.read_table(small_lab.population.truth / "truth_records.parquet", columns=["person_id"])
    return frozenset(table["person_id"].to_pylist())


def test_the_account_tells_what_was_linked(messy: Messy, found: dict[int, set[str]]) -> None:
    assert {row["row"] for row in messy.account if row["link_status"] == "linked"} == set(found)


def test_nobody_who_is_in_no_source_is_linked(
    messy: Messy, found: dict[int, set[str]], in_sources: frozenset[str]
) -> None:
    absent = [row for row, person in messy.truth.items() if person not in in_sources and row not in messy.nobody]
    assert len(absent) >= 5  # enough to mean something
    assert [row for row in absent if row in found] == []


def test_85_in_100_of_those_present_are_found_as_themselves(
    messy: Messy, found: dict[int, set[str]], in_sources: frozenset[str]
) -> None:
    present = {row: person for row, person in messy.truth.items() if person in in_sources}
    right = [row for row, person in present.items() if person in found.get(row, set())]
    wrong = [row for row in present if row in found and row not in right]
    assert len(right) / len(present) >= LEAST_FOUND
    assert wrong == []


def test_rows_of_one_person_are_one_person(messy: Messy, found: dict[int, set[str]]) -> None:
    """Of several rows that end at one person all but the earliest start repeat a person."""
    repeats = sum(row["repeats_a_person"] for row in messy.account)
    ended = Counter(tuple(sorted(found[row["row"]])) for row in messy.account if row["row"] in found)
    assert repeats == sum(count - 1 for count in ended.values())
    listed = Counter(person for person in messy.truth.values() if person is not None)
    assert max(listed.values()) > 1  # some are listed twice on purpose


def test_check_takes_the_list_and_finds_things_to_mend(small_lab: MadeLab, capfd: pytest.CaptureFixture[str]) -> None:
    said = call_here(capfd, "check", small_lab.population.messy, "--today", "2022-03-01", "--json")
    assert said.code == 1
    answer = said.json()
    assert answer["must_fix"]
    assert sum(answer["rows"].values()) == len(filled_rows(small_lab.population.messy))

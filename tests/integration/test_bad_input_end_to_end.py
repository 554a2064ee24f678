"""Bad input through the real entry point: every answer is an exit code and a sentence that says what to do.

Tables are drawn: 150 treated people and a pool of 750, an outcome of 30 in 100 that nothing changes. Through the
library the same is in tests/spec/test_bad_input.py; the list with its answers is in docs/how-to/errors.md.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openpyxl
import pytest

from counterfoil.lab.make import open_lab
from lib.labs import MadeLab, evaluate_by
from lib.small_lab import Said, call_here, check_result, run_here

DONE, UNRELIABLE, USAGE, REFUSED = 0, 1, 2, 3
N, N_TREATED = 900, 150
TREATED = np.arange(N) < N_TREATED
Columns = dict[str, list[str]]
Spoil = Callable[[Columns], None]


def good(rng: np.random.Generator) -> Columns:
    """A table with nothing wrong."""
    return {
        "person": [f"p{n}" for n in range(N)],
        "treated": texts(TREATED.astype(int)),
        "age": texts(rng.normal(35, 8, N).round().astype(int)),
        "sex": texts(np.where(rng.random(N) < 0.8, "m", "f")),
        "priors": texts(rng.poisson(3, N)),
        "again": texts((rng.random(N) < 0.3).astype(int)),
    }


def texts(values: npt.NDArray[Any]) -> list[str]:
    return [str(value) for value in values]


def cell(column: str, value: str) -> Spoil:
    """One person's value."""

    def spoil(columns: Columns) -> None:
        columns[column][7] = value

    return spoil


def whole(column: str, values: npt.NDArray[Any]) -> Spoil:
    """A whole column, old or new."""

    def spoil(columns: Columns) -> None:
        columns[column] = texts(values)

    return spoil


def again(*rows: int) -> Spoil:
    """Only these people have the outcome."""
    return whole("again", np.isin(np.arange(N), rows).astype(int))


def repeat_rows(columns: Columns) -> None:
    """Twenty treated people stand in the table twice."""
    for name in columns:
        columns[name] += columns[name][:20]


def nothing(columns: Columns) -> None:
    """Columns as they are; what is wrong is in the plan."""


LEVELS = np.where(TREATED & (np.arange(N) % 3 == 0), "x", np.where(np.arange(N) % 2, "a", "b"))
THREE_OF_EACH = tuple(range(5, 8)) + tuple(range(400, 415))
CONDITION = np.where(np.arange(N) == 7, "NaN", np.where(np.arange(N) % 3, "3", "20"))


@dataclass(frozen=True, slots=True)
class Bad:
    """What is spoilt, and what must come of it."""

    spoil: Spoil
    code: int
    says: tuple[str, ...]  # words of the error, of the refusal's reason, or of the report
    covariates: tuple[str, ...] = ("age", "sex", "priors")
    rule: str | None = None  # that refuses
    hidden: bool = False  # the headline is not shown
    measure: str = 'column = "again"'


BAD: Mapping[str, Bad] = {
    "separation": Bad(
        whole("age", np.where(TREATED, 70, 30)), REFUSED, ("fewer covariates, a wider caliper",), rule="overlap"
    ),
    "no overlap": Bad(
        whole("age", np.where(TREATED, 80, 20) + np.arange(N) % 9),
        REFUSED,
        ("do not overlap", "another pool"),
        rule="overlap",
    ),
    "a constant covariate": Bad(
        whole("k", np.full(N, 5)), DONE, ("`k` was left out: it is the same for everyone",), ("age", "priors", "k")
    ),
    "nothing but constant covariates": Bad(
        whole("k", np.full(N, 5)), UNRELIABLE, ("so nothing was made alike. Name covariates that differ",), ("k",)
    ),
    "a level that only the treated have": Bad(
        whole("g", LEVELS), UNRELIABLE, ("Some characteristics separate the groups", "Treat this result with caution"),
        ("age", "priors", "g"),
    ),
    "three of the treated reoffend": Bad(
        again(*THREE_OF_EACH), DONE, ("Showing it could give away something about a person",), hidden=True
    ),
    "three people reoffend at all": Bad(
        again(1, 2, 300), DONE, ("Showing it could give away something about a person",), hidden=True
    ),
    "all reoffend": Bad(
        whole("again", np.ones(N, int)), DONE, ("Showing it could give away something about a person",), hidden=True
    ),
    "nobody reoffends": Bad(again(), DONE, ("Showing it could give away something about a person",), hidden=True),
    "NaN in a covariate": Bad(cell("age", "NaN"), USAGE, ("`age` holds", "Mend them or leave them empty")),
    "an infinite covariate": Bad(cell("age", "-inf"), USAGE, ("`age` holds", "Mend them or leave them empty")),
    "an empty covariate": Bad(cell("age", ""), DONE, ("Missing values of `age` were filled with its mean",)),
    "NaN as treatment": Bad(cell("treated", "NaN"), USAGE, ("`treated` is empty or NaN", "Say for every row")),
    "no treatment": Bad(cell("treated", ""), USAGE, ("`treated` is empty or NaN", "Say for every row")),
    "NaN as outcome": Bad(cell("again", "nan"), USAGE, ("`again` is empty or NaN", "Remove those rows and say so")),
    "no outcome": Bad(cell("again", ""), USAGE, ("`again` is empty or NaN", "Remove those rows and say so")),
    "NaN in a condition": Bad(
        whole("days", CONDITION), USAGE, ("`again` is empty or NaN", "Remove those rows"), measure='when = "days > 12"'
    ),
    "an infinite outcome": Bad(cell("again", "inf"), USAGE, ("infinite", "Leave what was not measured empty")),
    "an outcome that is no rate": Bad(cell("again", "2"), USAGE, ("each person has 0 or 1", "Is its kind right?")),
    "people in two rows": Bad(repeat_rows, USAGE, ("`person` has one value in several rows", "Keep one row a person")),
    "a row of nobody": Bad(cell("person", ""), USAGE, ("`person` is empty", "Fill it, or remove `person`")),
    "the outcome as covariate": Bad(
        nothing, USAGE, ("`again` is an outcome and cannot be a covariate. Remove it",), ("age", "again")
    ),
    "the outcome's condition as covariate": Bad(
        whole("days", np.arange(N) % 20),
        USAGE,
        ("`days` decides the measure", "cannot be a covariate. Remove it"),
        ("age", "days"),
        measure='when = "days > 12"',
    ),
    "the treatment as covariate": Bad(
        nothing, USAGE, ("`treated` is the treatment and cannot be a covariate. Remove it",), ("age", "treated")
    ),
    "who it is as covariate": Bad(
        nothing, USAGE, ("`person` tells people apart and cannot be a covariate. Remove it",), ("age", "person")
    ),
}  # fmt: skip


def plan_of(bad: Bad) -> str:
    return f"""
title = "A table"
today = 2026-01-31
[comparison]
covariates = {json.dumps(bad.covariates)}
[table]
treatment = "treated"
person = "person"
[[table.measures]]
name = "again"
label = "Reoffended"
kind = "rate"
{bad.measure}
"""


def write(folder: Path, bad: Bad) -> tuple[Path, Path]:
    """The table and its plan."""
    columns = good(np.random.default_rng(11))
    bad.spoil(columns)
    data, plan = folder / "data.csv", folder / "plan.toml"
    rows = zip(*columns.values(), strict=True)
    data.write_text("\n".join([",".join(columns), *(",".join(row) for row in rows)]) + "\n", "utf-8")
    plan.write_text(plan_of(bad), "utf-8")
    return data, plan


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_or_handled(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = BAD[name]
    data, plan = write(tmp_path, bad)
    said = call_here(capfd, "evaluate", "--table", data, "--plan", plan, "--out", tmp_path / "out", "--json")
    assert said.code == bad.code
    assert "Traceback" not in said.err
    if bad.code == USAGE:
        assert said.out == ""
        assert not (tmp_path / "out").exists()
        assert [words for words in bad.says if words not in said.err] == []
        return
    check_answer(bad, said)


def check_answer(bad: Bad, said: Said) -> None:
    """A result, or a refusal with its own page; the page says the words."""
    result = said.json()
    check_result(result)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", Path(result["report"]).read_text("utf-8")))
    assert [words for words in bad.says if words not in page] == []
    if bad.code == REFUSED:
        assert result["refused"]["rule"] == bad.rule
        return
    assert result["reliable"] is (bad.code == DONE)
    (headline,) = result["measures"]
    assert (headline["verdict"] == "hidden") is bad.hidden
    figures = [headline["difference"], headline["low"], headline["high"]]
    assert (figures == [None, None, None]) is bad.hidden


def test_the_same_table_with_nothing_wrong_has_an_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    check_bad = Bad(nothing, DONE, ())
    data, plan = write(tmp_path, check_bad)
    said = call_here(capfd, "evaluate", "--table", data, "--plan", plan, "--out", tmp_path / "out", "--json")
    assert said.code == DONE
    check_answer(check_bad, said)


# --- through a lab ----------------------------------------------------------------------------------------------------

AFTER_THE_DATA = dt.datetime(2021, 11, 1)  # the lab's day is in 2022: nobody can have been followed for a year since
IN_THE_FUTURE = dt.datetime(2030, 11, 1)
DATES = ("Start date", "Release or sentence date")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The first sheet of a workbook: its cells, the row of the headings, and the columns by heading."""

    cells: Any
    heading: int
    column: Mapping[str, int]

    @property
    def rows(self) -> range:
        """Rows below the headings."""
        return range(self.heading + 1, self.cells.max_row + 1)


def twice(sheet: Sheet) -> None:
    """Everyone once more, below."""
    rows, below = sheet.rows, sheet.cells.max_row + 1
    for offset, row in enumerate(rows):
        for column in range(1, sheet.cells.max_column + 1):
            sheet.cells.cell(below + offset, column).value = sheet.cells.cell(row, column).value


def all_dates(value: object) -> Callable[[Sheet], None]:
    """Every start and every release or sentence on one day."""

    def change(sheet: Sheet) -> None:
        for row in sheet.rows:
            for heading in DATES:
                sheet.cells.cell(row, sheet.column[heading]).value = value
            sheet.cells.cell(row, sheet.column["End date"]).value = None

    return change


def no_dates(sheet: Sheet) -> None:
    """Start dates that a program wrote for nothing."""
    for row, value in zip(sheet.rows, ("NaN", "inf", "-inf", "NaN"), strict=False):
        sheet.cells.cell(row, sheet.column["Start date"]).value = value


def changed_list(made: MadeLab, folder: Path, change: Callable[[Sheet], None]) -> Path:
    """Northgate's list with a change."""
    book = openpyxl.load_workbook(made.population.programmes["northgate"].file)
    cells = book.worksheets[0]
    heading = next(row for row in range(1, 20) if cells.cell(row, 1).value == "Surname")
    named = {cells.cell(heading, n).value: n for n in range(1, cells.max_column + 1)}
    change(Sheet(cells, heading, named))
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx"


@pytest.fixture(scope="module")
def own_lab(small_lab: MadeLab, tmp_path_factory: pytest.TempPathFactory) -> MadeLab:
    """A copy of the small lab: requests are counted, and other tests read the count."""
    root = tmp_path_factory.mktemp("own") / "lab"
    shutil.copytree(small_lab.lab.paths.root, root, symlinks=True)
    return replace(small_lab, lab=open_lab(root))


@pytest.fixture
def roles_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each role's task in this process; that they are apart is tested elsewhere."""
    evaluate_by(monkeypatch, run_here)


def evaluated(made: MadeLab, file: Path, capfd: pytest.CaptureFixture[str], plan: Path | None = None) -> Said:
    plan = plan or made.population.programmes["northgate"].plan
    return call_here(capfd, "evaluate", made.lab.paths.root, file, "--plan", plan, "--json")


@pytest.mark.slow
@pytest.mark.usefixtures("roles_here")
@pytest.mark.parametrize("day", [AFTER_THE_DATA, IN_THE_FUTURE])
def test_a_list_of_whom_nobody_can_be_followed_is_refused_by_r1(
    day: dt.datetime, own_lab: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = evaluated(own_lab, changed_list(own_lab, tmp_path, all_dates(day)), capfd)
    assert said.code == REFUSED
    result = said.json()
    check_result(result)
    assert result["refused"]["rule"] == "R1"
    assert "could be analysed in one of the groups" in result["refused"]["reason"]
    assert Path(result["report"]).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("roles_here")
def test_people_who_are_listed_twice_count_once(
    own_lab: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Twice the rows are the people of the list itself."""
    once = evaluated(own_lab, own_lab.population.programmes["northgate"].file, capfd).json()
    said = evaluated(own_lab, changed_list(own_lab, tmp_path, twice), capfd)
    assert said.code in {DONE, UNRELIABLE}
    doubled = said.json()
    assert doubled["attrition"][0]["n"] == 2 * once["attrition"][0]["n"]
    assert doubled["attrition"][1:] == once["attrition"][1:]
    assert doubled["measures"] == once["measures"]


@pytest.mark.slow
@pytest.mark.usefixtures("roles_here")
def test_an_outcome_is_no_covariate_of_a_lab(
    own_lab: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chosen = own_lab.population.programmes["northgate"]
    text = chosen.plan.read_text("utf-8")
    assert text.count('exact = ["sex"]') == 1
    plan = tmp_path / "plan.toml"
    plan.write_text(text.replace('exact = ["sex"]', 'covariates = ["reoffending_rate"]'), "utf-8")
    said = evaluated(own_lab, chosen.file, capfd, plan)
    assert said.code == USAGE
    assert said.out == ""
    assert "`reoffending_rate` is no covariate of the register. Those there are:" in said.err


@pytest.mark.slow
@pytest.mark.usefixtures("roles_here")
def test_dates_that_are_no_dates_are_said_and_left_out(
    own_lab: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = changed_list(own_lab, tmp_path, no_dates)
    checked = call_here(capfd, "check", file, "--today", "2022-03-01", "--json")
    assert checked.code == UNRELIABLE
    found = [f for f in checked.json()["findings"] if f["code"] == "date not read" and "Start date" in f["column"]]
    assert [f["advice"] for f in found] == ["Write it as 27/03/1984."]
    said = evaluated(own_lab, file, capfd)
    assert said.code in {DONE, UNRELIABLE}
    check_result(said.json())


@pytest.mark.slow
def test_dates_after_today_are_said_before_the_list_is_sent(
    own_lab: MadeLab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = changed_list(own_lab, tmp_path, all_dates(IN_THE_FUTURE))
    said = call_here(capfd, "check", file, "--today", "2022-03-01", "--json")
    columns = {f["column"] for f in said.json()["findings"] if f["code"] == "future date"}
    assert len([c for c in columns if c.startswith(DATES)]) == 2

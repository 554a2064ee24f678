"""A table's own negative control: offending before the programme, named in the plan, in the words of every report."""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from counterfoil.errors import UsageError
from counterfoil.study.table import evaluate_table

PEOPLE, TREATED = 4_000, 400
FAR = 30  # treated people who are like nobody
FLAG = "A check that should find nothing found something: before the programme, more of the people who took part"
CLEAR = "A check that should find nothing found nothing clear: before the programme"
PLAN = """title = 'A service'
[comparison]
covariates = ['age', 'earlier']
[table]
treatment = 'helped'
[[table.measures]]
name = 'again'
label = 'Reoffended'
kind = 'rate'
column = 'again'
"""


def written(folder: Path, hidden_choice: float, control: str) -> tuple[Path, Path]:
    """Who is treated depends on age, and by `hidden_choice` on what no column holds, which makes people offend."""
    rng = np.random.default_rng(8)
    age, hidden = rng.uniform(-1.5, 1.5, PEOPLE), rng.normal(size=PEOPLE)  # within a range, so that all are matched
    chosen = np.argsort(rng.gumbel(size=PEOPLE) - 0.3 * age + hidden_choice * hidden)[-TREATED:]
    risk = 1 / (1 + np.exp(0.5 + 0.4 * age - 0.8 * hidden))
    before, again = rng.random(PEOPLE) < risk, rng.random(PEOPLE) < risk
    table = {"helped": np.isin(np.arange(PEOPLE), chosen).astype(int), "age": np.round(35 + 4 * age)}
    table |= {"before": before.astype(int), "again": again.astype(int), "earlier": before + rng.integers(0, 2, PEOPLE)}
    csv.write_csv(pa.table(table), folder / "people.csv")
    (folder / "plan.toml").write_text(PLAN + control, "utf-8")
    return folder / "people.csv", folder / "plan.toml"


@pytest.mark.parametrize(
    ("hidden_choice", "control", "verdict", "words"),
    [
        (0.0, "column = 'before'", "not_enough_evidence", CLEAR),
        (0.8, "column = 'before'", "more", FLAG),
        (0.8, "when = 'before > 0'", "more", FLAG),
    ],
)
def test_a_hidden_difference_shows_in_the_time_before(
    tmp_path: Path, hidden_choice: float, control: str, verdict: str, words: str
) -> None:
    data, plan = written(tmp_path, hidden_choice, f"[table.control]\n{control}\nsilent = ['age']\n")
    result = evaluate_table(data, plan, tmp_path / "out")
    assert result["trust"]["negative_control"]["verdict"] == verdict
    assert [one["measure"] for one in result["measures"]] == ["again"]
    page = html.unescape((tmp_path / "out" / "report.html").read_text("utf-8"))
    assert words in page
    assert ("A warning sign: in the year before, more" in page) is (words is FLAG)


def test_r13_the_audit_holds_what_the_people_of_the_check_did_before(tmp_path: Path) -> None:
    """Told from the table, for each of those whom the report says are in it: of pairs, so that each counts once. Some
    have no partner, so they are in the report's comparison no more than in its check."""
    data, plan = written(tmp_path, 0.0, "[table.control]\ncolumn = 'before'\nsilent = ['earlier']\n")
    plan.write_text(plan.read_text("utf-8").replace("[comparison]", "[comparison]\nmethod = 'nearest'"), "utf-8")
    table = csv.read_csv(data)
    earlier, far = table["earlier"].to_numpy().copy(), np.flatnonzero(table["helped"].to_numpy())[:FAR]
    earlier[far] = 1_000
    csv.write_csv(table.set_column(table.column_names.index("earlier"), "earlier", pa.array(earlier)), data)
    assert evaluate_table(data, plan, tmp_path / "out")["trust"]["negative_control"]["hidden"] is None
    said = json.loads((tmp_path / "out" / "said.json").read_text("utf-8"))
    assert sum(said["members"]["people analysed"]) == TREATED - FAR
    before, treated = table["before"].to_numpy(), np.flatnonzero(table["helped"].to_numpy())
    row = {f"row {place}": int(at) for place, at in enumerate(treated)}
    row |= {f"row {at} of everyone": at for at in range(PEOPLE)}
    told = {one["label"]: one for one in said["publication"]["statements"]}
    for label, side in (("the check", treated), ("the check, comparison group", set(range(PEOPLE)) - set(treated))):
        ((population, _, _),) = (piece.values() for piece in told[label]["of"])
        people = [row[key] for key, inside in zip(said["keys"], said["members"][population], strict=True) if inside]
        assert len(people) == TREATED - FAR
        assert set(people) <= set(side)
        assert told[label]["value"] == before[people].sum()


def test_a_table_without_one_says_so(tmp_path: Path) -> None:
    data, plan = written(tmp_path, 0.0, "")
    result = evaluate_table(data, plan, tmp_path / "out")
    assert result["trust"]["negative_control"] is None
    assert "There was no outcome of before the programme to check with." in result["trust"]["sentences"]


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ("column = 'before'\nsilent = ['height']", "names what is no covariate: height"),
        ("column = 'before'\nwhen = 'before > 0'\nsilent = ['age']", "either `column` or `when`"),
        ("column = 'before'\nsilent = []", "silent"),
        ("column = 'earlier'\nsilent = ['age']", "`earlier` is an outcome and cannot be a covariate"),
        ("when = 'earlier > 1'\nsilent = ['age']", "`earlier` decides the measure `offended_before`"),
        ("column = 'past'\nsilent = ['age']", "people.csv has no column `past`"),
        ("column = 'helped'\nsilent = ['age']", "`helped` is the treatment and no outcome of before it"),
    ],
)
def test_a_control_that_cannot_be_one_is_refused_by_name(tmp_path: Path, control: str, said: str) -> None:
    data, plan = written(tmp_path, 0.0, f"[table.control]\n{control}\n")
    with pytest.raises(UsageError) as found:
        evaluate_table(data, plan, tmp_path / "out")
    assert said in " ".join(found.value.problems)


def test_a_trial_has_no_use_for_one(tmp_path: Path) -> None:
    data, plan = written(tmp_path, 0.0, "[table.control]\ncolumn = 'before'\nsilent = ['age']\n")
    plan.write_text(plan.read_text("utf-8").replace("[comparison]", "[comparison]\ndesign = 'randomised'"), "utf-8")
    with pytest.raises(UsageError, match="a trial makes nothing alike"):
        evaluate_table(data, plan, tmp_path / "out")

"""R13: comparison people of another pool than the headline's, who count once each, are held as the headline's are."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from counterfoil.cohort.values import Attrition, Step
from counterfoil.disclosure import GroupTable, Said, read_said
from counterfoil.disclosure.audited.joint import join_reports
from counterfoil.disclosure.intruder import Exact, Piece
from counterfoil.outcomes.measures import Measure, Support
from counterfoil.study.analysis import TREATED, analyse
from counterfoil.study.audit import Behind
from counterfoil.study.inputs import Facts, Inputs
from counterfoil.study.plan import parse_plan
from counterfoil.study.way_designs import Way
from counterfoil.units import Kind

BACK = Measure("back", "Back in prison", Kind.RATE, noun="returned to prison")
DAYS = Measure("days", "Days to the first return", Kind.DAYS, noun="days", support=Support.THOSE_WITH)
ROWS, LISTED, NEAR = 3_000, 200, 1_500  # people; of the list; of its region, those of the list among them
HAD = np.arange(ROWS) % 3 == 0
PLACE = "way 2, comparison group"


def run(
    folder: Path, *earlier: Said, method: str = "nearest", measures: tuple[Measure, ...] = (BACK,), people: int = LISTED
) -> dict[str, Any]:
    """The headline is made within the region; beside it stands the same with everybody, pair by pair or weighted."""
    rng = np.random.default_rng(5)
    age = rng.normal(35.0, 9.0, ROWS).round(1)
    table = pa.table({TREATED: np.arange(ROWS) < people, "age": age, "region": np.where(np.arange(ROWS) < NEAR, 1, 2)})
    near, everybody = np.arange(ROWS) < NEAR, np.ones(ROWS, np.bool_)
    inputs = Inputs(
        run="test",
        plan=parse_plan({"title": "A service", "comparison": {"method": method}}, "plan"),
        people=table,
        covariates=("age",),
        attrition=Attrition(people={Step.SUBMITTED: people}),
        measures=measures,
        folder=folder,
        inputs={},
        facts=Facts(today=dt.date(2022, 3, 1)),
        candidates=tuple(Way(name, rows, ("age",)) for name, rows in (("region", near), ("national", everybody))),
        follow_up_months=12 if DAYS in measures else None,
        profile=(GroupTable("age", {"under 35": age < 35.0, "35 and over": age >= 35.0}, ordered=True),),
        behind=Behind(
            keys=tuple(f"person {n}" for n in range(people)),
            study_keys=tuple(range(people)),
            earlier=earlier,
            everyone=lambda rows: tuple(f"person {n}" for n in rows),
            seal=bytes,
        ),
    )

    def outcomes() -> Mapping[str, npt.NDArray[np.float64]]:
        days = np.where(HAD, 1.0 + np.arange(ROWS) % 360, np.nan)
        return {BACK.name: HAD.astype(np.float64), DAYS.name: days}

    return analyse(inputs, outcomes)


def kept(folder: Path) -> Said:
    return read_said((folder / "said.json").read_bytes(), "the report before")


def national(result: Mapping[str, Any]) -> dict[str, Any]:
    return next(way for way in result["ways"] if way["name"] == "national")


def test_r13_pairs_of_another_pool_are_people_and_a_count_in_the_audit(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert national(result)["hidden"] is None
    said = kept(tmp_path)
    there = said.members[PLACE]
    numbers = [int(key.split()[1]) for key, inside in zip(said.keys, there, strict=True) if inside]
    assert len(numbers) == LISTED  # one for each of the list
    assert min(numbers) >= LISTED
    assert max(numbers) >= NEAR  # people whom the headline's pool does not have
    told = {one.of: one.value for one in said.statements if isinstance(one, Exact)}
    assert told[Piece(PLACE),] == LISTED
    (outcome,) = (name for name in said.values if name.startswith(BACK.label))
    assert told[Piece(PLACE, outcome),] == HAD[numbers].sum()  # what became of each, not a nought for want of a row


def test_r13_weighted_people_of_another_pool_are_no_count(tmp_path: Path) -> None:
    assert national(run(tmp_path, method="inverse_probability"))["hidden"] is None
    assert not any(one.label.startswith("people of way 2,") for one in kept(tmp_path).statements)


def of_others(said: Said, left_out: int) -> Said:
    """An earlier report of other people, compared with the same people of that pool but `left_out` of them."""
    everyone = np.flatnonzero(said.members[PLACE])
    outside = [place for place in everyone if int(said.keys[place].split()[1]) >= NEAR]
    gone = set(outside[:left_out])
    at = np.array([place for place in everyone if place not in gone])
    (outcome,) = (name for name in said.values if name.startswith(BACK.label))
    had = said.values[outcome][at]
    return Said(
        name="the report before",
        keys=tuple(said.keys[place] for place in at),
        members={"people analysed": np.zeros(len(at), np.bool_), "comparison group": np.ones(len(at), np.bool_)},
        values={outcome: had},
        outcomes=tuple(one for one in said.outcomes if one.name == outcome),
        statements=(
            Exact("number of people, comparison group", (Piece("comparison group"),), len(at)),
            Exact("Back in prison, comparison group", (Piece("comparison group", outcome),), int(had.sum())),
        ),
    )


@pytest.mark.parametrize(("left_out", "hidden"), [(0, None), (3, "R13"), (9, "R13")])
def test_r13_a_few_people_of_another_pool_are_not_told_by_two_reports(
    tmp_path: Path, left_out: int, hidden: str | None
) -> None:
    run(tmp_path / "first")
    earlier = of_others(kept(tmp_path / "first"), left_out)
    result = run(tmp_path / "second", earlier)
    assert national(result)["hidden"] == hidden
    assert result["measures"][0]["treated"]["value"] is not None  # nothing else has to go for them
    audit = json.loads((tmp_path / "second" / "audit.json").read_text())
    words = [attack["attack"] for each in audit["repaired"] for attack in each["attacks"]]
    assert any(PLACE in one and "the report before" in one for one in words) is (hidden is not None)


def test_r13_what_those_people_are_like_is_unknown_and_not_none(tmp_path: Path) -> None:
    """The profile is of the headline's people. A report in which somebody of the other pool is 35 is no contradiction,
    and one in which they came back to prison otherwise is."""
    run(tmp_path)
    said = kept(tmp_path)
    kinds = [name for name in said.values if name.startswith("age: ")]
    assert kinds
    assert set(kinds) <= set(said.untold)
    person = np.flatnonzero(said.apart)[0]
    other = Said(
        name="another report",
        keys=(said.keys[person],),
        members={"people analysed": np.ones(1, np.bool_)},
        values={kind: np.ones(1, np.int64) for kind in kinds},
        statements=(),
    )
    for reports in ([said, other], [other, said]):
        assert join_reports(reports).changed == ()
    (outcome,) = (name for name in said.values if name.startswith(BACK.label))
    turned = replace(other, values={outcome: 1 - said.values[outcome][[person]]})
    assert join_reports([said, turned]).changed == ("another report",)


def test_r13_curves_stay_counts_of_the_same_events_beside_another_pool(tmp_path: Path) -> None:
    """By the last month is the measure itself: of people of another pool it must be known when they came back."""
    assert national(run(tmp_path, measures=(BACK, DAYS)))["hidden"] is None
    said = kept(tmp_path)
    assert said.apart.any()
    assert any(one.label.startswith("curve of") for one in said.statements)
    near = ~said.apart
    had = HAD[numbers_of(said)][near]
    alike = [name for name, one in said.values.items() if np.array_equal(one[near], had.astype(np.int64))]
    assert len(alike) == 1  # one outcome, and not one for the measure and one for its curve


def numbers_of(said: Said) -> list[int]:
    return [int(key.split()[1]) for key in said.keys]

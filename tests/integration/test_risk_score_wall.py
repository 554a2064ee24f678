"""The risk score is fitted on people set apart, and on nobody who is compared: their outcomes change nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.earlier import FEWEST, MOST, set_apart
from counterfoil.cohort.register import RegisterPaths, build_cohort_register
from counterfoil.cohort.select import Selected, select
from counterfoil.cohort.settings import CohortSettings
from counterfoil.outcomes.register import build_outcomes
from counterfoil.outcomes.static_score import ScoreTerms
from counterfoil.study.covariates import add_risk_score
from counterfoil.study.risk_score import RiskScore, calibration_picture, fit_risk_score, score_terms
from lib.random_extracts import random_extracts

PEOPLE = 3_000
SETTINGS = CohortSettings(first_year=2015, last_year=2017, set_apart=True)


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> RegisterPaths:
    folder = tmp_path_factory.mktemp("wall")
    inputs, paths = random_extracts(PEOPLE, 11).write(folder / "extracts"), RegisterPaths(folder / "register")
    build_cohort_register(inputs, paths)
    build_outcomes(inputs, paths)
    return paths


@pytest.fixture(scope="module")
def selected(register: RegisterPaths) -> Selected:
    return select(study_of(register), register, SETTINGS)


def study_of(register: RegisterPaths, people: int = 150) -> pa.Table:
    """A list of people who started 20 days after an event of 2015 to 2017."""
    events = pq.read_table(register.index_events)
    years = pc.year(events["index_date"])
    inside = pc.and_(
        pc.is_in(events["kind"], pa.array(["release", "community"])), pc.is_in(years, pa.array([2015, 2016, 2017]))
    )
    rows = events.filter(inside)
    _, first = np.unique(rows["register_key"].to_pylist(), return_index=True)
    rows = rows.take(pa.array(first[:people]))
    starts = [day + dt.timedelta(20) for day in rows["index_date"].to_pylist()]
    return pa.table(
        {
            "study_key": pa.array(range(10_000, 10_000 + rows.num_rows)),
            "register_key": rows["register_key"],
            "start_date": pa.array(starts, pa.date32()),
        }
    )


def scored(selected: Selected, register: RegisterPaths) -> RiskScore:
    found = fit_risk_score(selected.earlier, register, terms())
    assert found is not None
    return found


def terms() -> ScoreTerms:
    found = score_terms("justice")
    assert found is not None
    return found


def persons(events: pa.ChunkedArray, register: RegisterPaths) -> set[int]:
    table = pq.read_table(register.index_events, columns=["index_event_id", "person_number"])
    return set(table.filter(pc.is_in(table["index_event_id"], pc.unique(events)))["person_number"].to_pylist())


def test_nobody_of_the_study_is_fitted_on_and_all_fitted_on_are_of_earlier_years(
    selected: Selected, register: RegisterPaths
) -> None:
    compared = persons(selected.people["index_event_id"], register)
    apart = persons(selected.earlier["index_event_id"], register)
    assert len(apart) == len(set(selected.earlier["person_number"].to_pylist())) >= FEWEST
    assert not compared & apart
    assert pc.max(pc.cast(selected.earlier["index_year"], pa.int64())).as_py() < 2015


def test_outcomes_of_everyone_else_change_neither_score_nor_picture(
    selected: Selected, register: RegisterPaths
) -> None:
    before = scored(selected, register)
    outcomes = pq.read_table(register.outcomes)
    is_apart = pc.is_in(outcomes["index_event_id"], pc.unique(selected.earlier["index_event_id"]))
    turned = pc.subtract(pa.scalar(1, pa.int8()), outcomes["reoffending_rate"])
    place = outcomes.column_names.index("reoffending_rate")
    for other, changes in ((pc.invert(is_apart), False), (is_apart, True)):
        mixed = pc.if_else(other, turned, outcomes["reoffending_rate"])
        kept = register.outcomes.read_bytes()
        try:
            pq.write_table(outcomes.set_column(place, "reoffending_rate", mixed), register.outcomes)
            after = scored(selected, register)
        finally:
            register.outcomes.write_bytes(kept)
        assert (after != before) is changes
        assert (calibration_picture(after) != calibration_picture(before)) is changes
    people = add_risk_score(selected, before).people
    assert people.column_names[-1] == "risk_score"
    values = people["risk_score"].to_numpy()
    assert 0.0 < values.min() < values.max() < 1.0


def test_without_a_score_nobody_is_set_apart_and_the_treated_are_the_same(
    selected: Selected, register: RegisterPaths
) -> None:
    whole = select(study_of(register), register, replace(SETTINGS, set_apart=False))
    assert whole.earlier.num_rows == 0
    assert whole.people.num_rows > selected.people.num_rows
    ours, theirs = (s.people.filter(s.people["treated"]).drop_columns(["study_key"]) for s in (selected, whole))
    assert ours.equals(theirs)
    assert fit_risk_score(whole.earlier, register, terms()) is None


def test_lots_are_drawn_among_all_people_of_earlier_years() -> None:
    """Every event of a quarter of the people, at most MOST people; too few make none."""
    person = np.repeat(np.arange(4 * FEWEST), 3)
    rows = set_apart(person, np.random.default_rng(1))
    assert rows.size == 3 * FEWEST
    assert np.unique(person[rows]).size == FEWEST
    assert set_apart(person[:-3], np.random.default_rng(1)).size == 0
    assert set_apart(np.arange(5 * MOST), np.random.default_rng(1)).size == MOST


def test_whom_a_doubtful_entry_may_be_is_not_fitted_on_wherever_the_lot_fell(
    register: RegisterPaths, selected: Selected
) -> None:
    """Their outcomes would be opened before a design in which they are treated is frozen."""
    events = pq.read_table(register.index_events)
    apart = events.filter(pc.is_in(events["index_event_id"], selected.earlier["index_event_id"].combine_chunks()))
    keys = pc.unique(apart["register_key"]).take(pa.array(range(0, 60, 2)))
    doubt = pa.table(
        {
            "study_key": pa.array(range(1, 31), pa.int64()),
            "register_key": keys,
            "start_date": pa.array([dt.date(2016, 6, 1)] * 30),
            "start_known": pa.array([True] * 30),
        }
    )
    again = select(study_of(register), register, SETTINGS, doubt=doubt)
    left = set(again.earlier["person_number"].to_pylist())
    theirs = events.filter(pc.is_in(events["register_key"], keys))["person_number"].to_pylist()
    assert left == set(selected.earlier["person_number"].to_pylist()) - set(theirs)
    assert again.people.equals(selected.people)
    assert again.keys.equals(selected.keys)

"""Measures and sets of measures by name; and a set that is added as data alone."""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa
import pytest

from counterfoil.domains import load
from counterfoil.errors import UsageError
from counterfoil.outcomes.catalogue import Definition, catalogue_of
from counterfoil.outcomes.measures import Measure
from counterfoil.outcomes.measuring import FollowUp, take
from counterfoil.study.plan import DEFAULT_MEASURES, parse_plan
from counterfoil.units import Kind

CATALOGUE = catalogue_of("justice")


def test_the_headline_set_is_what_a_plan_measures_by_default() -> None:
    assert CATALOGUE.sets()["headline"] == DEFAULT_MEASURES == parse_plan({"title": "A"}, "plan").outcomes.measures


def test_every_offence_group_and_tier_has_its_measures() -> None:
    groups, tiers = load().codes["offence_group"], load().codes["tier"]
    found = CATALOGUE.definitions.keys()
    assert {f"{g}_reoffending_{what}" for g in groups for what in ("rate", "frequency")} <= found
    assert {f"{which}_reoffence_{t}_rate" for t in tiers for which in ("first", "worst")} <= found


def test_a_set_and_a_measure_can_be_asked_for_together_and_each_comes_once() -> None:
    assert CATALOGUE.resolve(["two_year", "headline", "two_year_reoffending_rate"]) == (
        "two_year_reoffending_rate",
        "two_year_reoffending_frequency",
        *DEFAULT_MEASURES,
    )


def test_all_is_the_register_s_measures_without_what_is_for_checks_only() -> None:
    every = CATALOGUE.resolve(["all"])
    assert every[:3] == DEFAULT_MEASURES
    assert not {"offended_year_before", "years_at_liberty", "reoffending_harm", "ever_employed"} & set(every)


def test_a_plan_may_name_one_set_without_a_list() -> None:
    assert parse_plan({"title": "A", "outcomes": {"measures": "all"}}, "plan").outcomes.measures == ("all",)


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(UsageError) as told:
        CATALOGUE.resolve(["reconviction"])
    assert "`reconviction`" in str(told.value)
    assert "reoffending_rate" in str(told.value)
    assert "the sets all, custody, employment" in str(told.value)


@pytest.mark.parametrize(("months", "label"), [(12, "One-year"), (24, "Two-year"), (18, "18-month")])
def test_a_label_says_the_follow_up(months: int, label: str) -> None:
    assert CATALOGUE.definitions["reoffending_rate"].labelled(months).label == f"{label} proven reoffending rate"


def test_a_measure_set_is_data() -> None:
    """Hospital stays: nothing but a script, a table and two definitions, through the same function."""
    definitions = [
        Definition(Measure("admitted", "Admitted", Kind.RATE), "stays_after", "count(*) > 0", "any stay"),
        Definition(Measure("nights", "Nights", Kind.DAYS), "stays_after", "sum(nights)", "nights", waiting_months=2),
    ]
    scripts = {
        10: (
            "windows",
            "CREATE OR REPLACE TABLE windows AS SELECT *, from_date + to_months(getvariable('follow_up_months'))"
            " AS until,"
            " DATE '2020-12-31' >= from_date"
            " + to_months(getvariable('follow_up_months') + getvariable('waiting_months'))"
            " AS covered FROM patients",
        ),
        20: (
            "stays_after",
            "CREATE OR REPLACE TABLE stays_after AS SELECT index_event_id, nights"
            " FROM windows JOIN stays USING (patient)"
            " WHERE day >= from_date AND day < until",
        ),
        30: ("never_asked_for", "SELECT no_such_column FROM windows"),
    }
    connection = duckdb.connect()
    day = dt.date
    patients = pa.table(
        {
            "index_event_id": [1, 2, 3],
            "patient": ["a", "b", "c"],
            "from_date": [day(2020, 1, 1)] * 2 + [day(2020, 11, 1)],
        }
    )
    stays = pa.table(
        {"patient": ["a", "a", "a"], "nights": [2, 3, 9], "day": [day(2020, 1, 1), day(2020, 1, 31), day(2020, 2, 1)]}
    )
    connection.register("patients", patients)
    connection.register("stays", stays)
    found = take(connection, scripts, definitions, FollowUp(1, 0)).to_pylist()
    assert [(row["admitted"], row["nights"]) for row in found] == [(1.0, 5.0), (0.0, 0.0), (0.0, None)]

"""The negative control: which covariates say nothing of the year before, and whom the check compares."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.cohort.shares import share_columns
from counterfoil.comparison import ComparisonSettings, compare
from counterfoil.comparison.values import Design
from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.domains.shares import load_shares
from counterfoil.outcomes.negative_control import negative_control_of
from counterfoil.study.negative_control import NAME, design_control

CONTROL = negative_control_of("justice")
REGISTER = (
    resources.files("counterfoil.domains.justice.register").joinpath("cohort_40_covariates.sql").read_text("utf-8")
)
# Read from what each is made of: counts or dates of offences or sanctions, up to the day before the index date.
OF_HISTORY = re.compile(r"^(n_previous_|n_sanctions|first_sanction|years_since|career_years|copas_|age_at_first)")


def register_covariates() -> set[str]:
    """The columns of the register's covariates, by the SQL that makes them."""
    made = REGISTER.split("CREATE TABLE covariates AS")[1].split("FROM described")[0]
    names = re.findall(r"(?:AS |^    )(\w+),?$", made, re.MULTILINE)
    return set(names) - {"index_event_id", "END"}


def test_nothing_that_counts_history_is_called_silent_and_all_else_is() -> None:
    assert CONTROL is not None
    every = register_covariates()
    assert len(every) > 30
    history = {name for name in every if OF_HISTORY.match(name)}
    assert {"copas_rate", "n_previous_theft", "n_sanctions_two_years"} <= history
    shares = {name for share in load_shares("justice") for name in share_columns(share)}
    assert CONTROL.silent == (every - history) | shares
    assert "risk_score" not in CONTROL.silent
    assert CONTROL.measure.name == "offended_year_before"


def _people() -> pa.Table:
    rng = np.random.default_rng(6)
    columns = {
        "treated": np.arange(4_000) < 300,
        "sex": rng.choice(["F", "M"], 4_000),
        "region": rng.choice(["north", "south"], 4_000),
        "copas_rate": rng.normal(size=4_000),
    }
    return pa.table(columns)


def test_the_check_compares_the_headlines_people_without_history() -> None:
    people = _people()
    settings = ComparisonSettings(
        covariates=("sex", "region", "copas_rate"), exact=("sex",), terms=("copas_rate^2",), references={"sex": "F"}
    )
    headline = compare(people, "treated", settings)
    lost = replace(headline, weight=np.where(np.arange(4_000) < 10, 0.0, headline.weight))
    (made,) = design_control(CONTROL, people, "treated", settings, lost, DEFAULT_SETTINGS)
    assert made.way.name == NAME
    assert (made.way.covariates, made.way.exact) == (("sex", "region"), ("sex",))
    assert np.array_equal(made.way.rows, ~lost.treated | (lost.weight > 0))
    assert made.comparison is not None
    assert made.comparison.settings.terms == ()
    assert not made.members()[:10].any()


def test_what_was_known_before_that_time_stands_for_the_history_that_is_left_out() -> None:
    people = _people()
    before = pa.table({"copas_rate_a_year_before": np.random.default_rng(7).normal(size=4_000)})
    settings = ComparisonSettings(covariates=("sex", "region", "copas_rate"))
    headline = compare(people, "treated", settings)
    (made,) = design_control(CONTROL, people, "treated", settings, headline, DEFAULT_SETTINGS, before)
    assert made.way.covariates == ("sex", "region", "copas_rate_a_year_before")
    assert made.comparison is not None
    silent = ComparisonSettings(covariates=("sex", "region"))
    headline = compare(people.select(["treated", "sex", "region"]), "treated", silent)
    (alone,) = design_control(CONTROL, people, "treated", silent, headline, DEFAULT_SETTINGS, before)
    assert alone.way.covariates == ("sex", "region")  # a plan without history has none put in


@pytest.mark.parametrize(
    "settings",
    [
        ComparisonSettings(covariates=("copas_rate",)),
        ComparisonSettings(covariates=("sex",), design=Design.RANDOMISED),
    ],
)
def test_there_is_no_check_where_nothing_is_left_or_lots_were_drawn(settings: ComparisonSettings) -> None:
    people = _people()
    used = people.select(["treated", *settings.covariates])
    headline = compare(used, "treated", settings)
    assert design_control(CONTROL, people, "treated", settings, headline, DEFAULT_SETTINGS) == ()
    assert design_control(None, people, "treated", settings, headline, DEFAULT_SETTINGS) == ()

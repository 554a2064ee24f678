"""A small version of `make simulate` (METHODS 5): sixty tables of each kind or fewer, with seeds of their own.

By the binomial law a 95% interval holds the truth in at least 50 of 60 draws with probability 0.9995, and a test at 5%
finds something in at most 10 of 60 draws of nothing as often.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulations import seeds
from simulations.counting import Mean, Share
from simulations.drawn_tables import N_POOL, N_TREATED, draw
from simulations.full_labs import Answer, full_labs, summary
from simulations.negative_control import CHOICES, Choice, count_flags
from simulations.tables import coverage, hidden_selection, link_errors

TABLES = 60
LEAST_COVERED, MOST_FOUND = 50, 10
OWN_SEEDS = 500  # added to those of the study


def quiet(what: str, done: float) -> None:
    """No progress."""


@pytest.fixture(scope="module")
def covered() -> dict[str, Any]:
    return coverage(TABLES, quiet, trying=OWN_SEEDS)


@pytest.mark.slow
def test_every_interval_holds_what_was_planted(covered: dict[str, Any]) -> None:
    held = {name: one["covers"]["held"] for name, one in covered["intervals"].items()}
    assert len(held) == 10
    assert min(held.values()) >= LEAST_COVERED


@pytest.mark.slow
def test_nothing_is_seldom_found_and_something_mostly_is(covered: dict[str, Any]) -> None:
    found = {name: one["significant"]["held"] for name, one in covered["intervals"].items()}
    assert max(n for name, n in found.items() if name.startswith(("null", "before"))) <= MOST_FOUND
    assert min(n for name, n in found.items() if name.startswith("rate")) > TABLES // 2


@pytest.mark.slow
def test_groups_differ_before_they_are_matched(covered: dict[str, Any]) -> None:
    """Else matching would have nothing to do, and the study nothing to show."""
    assert covered["as they stand"]["mean"] > 2.0
    assert abs(covered["intervals"]["null, compatible"]["miss"]["mean"]) < 1.0


@pytest.mark.slow
def test_errors_of_linking_leave_coverage_and_hidden_selection_shows_in_the_year_before() -> None:
    wrong = link_errors(TABLES // 2, quiet, trying=OWN_SEEDS)["intervals"]
    assert wrong["rate, compatible"]["covers"]["held"] >= TABLES // 2 - 6
    hidden = hidden_selection(10, quiet, trying=OWN_SEEDS)
    strongest = hidden["1.0"]["intervals"]
    assert strongest["null, compatible"]["miss"]["mean"] > 5.0
    assert strongest["before, compatible"]["significant"]["held"] >= 8


@pytest.mark.slow
def test_the_year_before_flags_choice_by_record_only_where_history_is_left_out() -> None:
    """By the binomial law a test at 5% flags at most 7 of 40 with probability 0.999. Who is chosen by the record and
    compared without it differs in it: were nothing flagged more often than that, the study would show nothing."""
    by_record = count_flags(CHOICES.index(Choice(0.6, 0.0)), 40, quiet, trying=OWN_SEEDS)
    assert by_record.with_history.of == by_record.without_history.of == 40
    assert by_record.with_history.held <= 7
    assert by_record.headline.held <= 7
    assert by_record.without_history.held > 7


def test_a_table_is_what_the_study_says_and_the_same_each_time() -> None:
    one, other = (draw(np.random.default_rng([seeds.TRYING_OUT, 1])) for _ in range(2))
    assert int(one.treated.sum()) == N_TREATED
    assert len(one.treated) == N_TREATED + N_POOL
    assert one.people.equals(other.people)
    assert np.array_equal(one.rate, other.rate)
    assert (one.rate_effect < 0.0).all()


def test_a_share_has_the_exact_binomial_interval() -> None:
    """Its ends by their definition: each leaves half of 1% for what was seen or more of it."""
    low, high = Share(95, 100).interval()
    assert stats.binom.sf(94, 100, low) == pytest.approx(0.005, rel=1e-9)
    assert stats.binom.cdf(95, 100, high) == pytest.approx(0.005, rel=1e-9)
    assert Share(0, 10).interval()[0] == 0.0
    assert Share(10, 10).interval()[1] == 1.0


def test_a_mean_is_a_mean() -> None:
    mean = Mean()
    for value in (1.0, 2.0, 3.0):
        mean.add(value)
    assert mean.as_json()["mean"] == 2.0
    assert json.dumps(mean.as_json())


def test_labs_that_are_stored_are_not_made_again() -> None:
    """Two labs, two programmes: three of four intervals hold the truth. A lab of 1 person could not be made."""
    answers = [
        Answer(2, "northgate", -9.0, -1.0, -5.0),
        Answer(2, "lantern", -3.0, 3.0, 0.0),
        Answer(1, "northgate", -9.0, -6.0, -5.0),
        Answer(1, "lantern", -3.0, 3.0, 0.0),
    ]
    stored = summary(answers, 1)
    assert [(a["seed"], a["programme"]) for a in stored["answers"]][:2] == [(1, "lantern"), (1, "northgate")]
    assert (stored["labs"], stored["northgate"]["held"], stored["lantern"]["held"]) == (2, 1, 2)
    assert full_labs([1, 2], 1, quiet, before=stored) == stored
    (one,) = {a["seed"] for a in full_labs([2], 1, quiet, before=stored)["answers"]}
    assert one == 2

"""R17 and R7 on other ways to compare: whole points, no people, and nobody to be had by taking one from another."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from counterfoil.comparison.values import Comparison
from counterfoil.disclosure import DEFAULT_SETTINGS, WayResult
from counterfoil.disclosure.cells import Rule
from counterfoil.disclosure.shown_beside import ProtectedWay
from counterfoil.disclosure.ways import Reading, protect_ways
from counterfoil.effect.values import Effect, Estimate, Group
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

RATE = Measure("back", "Back", Kind.RATE, noun="came back")
WHOLE = np.arange(1_000) < 400
OUTCOME = (np.arange(1_000) % 2 == 0).astype(np.float64)
READING = Reading(WHOLE, (), OUTCOME, submitted=500, size_is_shown=True, hidden=None)


def way(name: str, members: np.ndarray, *, events: int | None = None, rule: str = "") -> WayResult:
    n = int(members.sum())
    has = n // 2 if events is None else events
    rate = has / n
    treated = Group(n, float(n), rate, rate * (1 - rate), has)
    others = Group(2_000, 2_000.0, 0.55, 0.2475, 1_100)
    half = 100 * 1.96 * np.sqrt(treated.variance / n + others.variance / others.ess)
    difference = 100 * (rate - 0.55)
    found = Estimate(difference, difference - half, difference + half, 0.1, "welch", 1e6)
    comparison = SimpleNamespace(n_treated_matched=n, n_comparison=2_000, count=lambda _band: 1)
    effect = None if rule else Effect(RATE, treated, others, found)
    return WayResult(name, members, cast(Comparison, comparison), effect, rule)


def protected(*others: WayResult, **reading: Any) -> tuple[ProtectedWay, ...]:
    return protect_ways(way("headline", WHOLE), others, replace(READING, **reading), DEFAULT_SETTINGS)


def test_r17_the_same_people_compared_otherwise_are_shown_in_whole_points() -> None:
    first, second = protected(way("region", WHOLE))
    assert (first.is_headline, second.is_headline) == (True, False)
    for each in (first, second):
        assert all(
            cell.decimals == 0 and cell.value == round(cell.value or 0.5)
            for cell in (each.difference, each.low, each.high)
        )


@pytest.mark.parametrize(("left_out", "hidden"), [(0, None), (1, "R17"), (9, "R17"), (100, None)])
def test_r17_people_without_an_assessment_are_nobody_or_enough(left_out: int, hidden: str | None) -> None:
    members = WHOLE & (np.arange(1_000) >= left_out)
    assert protected(way("assessed", members))[1].hidden == hidden


def test_r17_two_runs_that_differ_by_a_few_are_not_both_shown() -> None:
    one, few = WHOLE & (np.arange(1_000) >= 100), WHOLE & (np.arange(1_000) >= 103)
    found = protected(way("assessed", one), way("needs", few))
    assert [each.hidden for each in found[1:]] == [None, "R17"]
    assert [each.hidden for each in protected(way("assessed", one), way("needs", one))[1:]] == [None, None]


def test_r17_beside_a_sub_analysis_that_is_shown() -> None:
    part = WHOLE & (np.arange(1_000) >= 100)
    run = WHOLE & (np.arange(1_000) >= 105)
    assert protected(way("assessed", run))[1].hidden is None
    assert protected(way("assessed", run), shown=(part,))[1].hidden == "R17"


def test_r03_a_rate_that_is_unsafe_hides_its_way() -> None:
    assert protected(way("region", WHOLE, events=9))[1].hidden == "R3"


def test_r07_where_the_size_is_hidden_a_narrow_interval_is_rounded_until_it_does_not_give_it_away() -> None:
    """By brute force: of every size that prints the same three numbers, the largest and the smallest are W apart."""
    for size_is_shown in (True, False):
        shown = protected(way("region", WHOLE), size_is_shown=size_is_shown)[1]
        if size_is_shown or shown.hidden:
            continue
        cells = (shown.difference, shown.low, shown.high)
        printed = np.array([cell.value for cell in cells], dtype=np.float64)
        step = next(s for s in (5, 2, 1) if np.all(printed % s == 0))
        agreeing = [n for n in range(30, 501) if _could_print(n, printed, step)]
        assert max(agreeing) - min(agreeing) >= DEFAULT_SETTINGS.min_width
        return
    assert shown.hidden == "R7"


def _could_print(n: int, printed: np.ndarray, step: int) -> bool:
    rate = np.arange(n + 1) / n
    half = 100 * 1.96 * np.sqrt(rate * (1 - rate) / max(n - 1, 1) + 0.2475 / 2_000)
    middle = 100 * (rate - 0.55)
    ends = np.stack([middle, middle - half, middle + half])
    return bool((np.abs(ends - printed[:, None]) <= step / 2).all(axis=0).any())


def test_a_hidden_headline_has_nothing_in_its_place() -> None:
    found = protected(way("region", WHOLE), way("assessed", WHOLE), hidden=Rule.R3)
    assert {each.hidden for each in found} == {"R3"}
    assert all(each.difference.value is None for each in found)


def test_what_was_stopped_before_outcomes_says_why_and_no_other_way_makes_no_picture() -> None:
    assert protected(way("region", WHOLE, rule="balance"))[1].hidden == "balance"
    assert protected() == ()

"""How far to trust it, as it may be shown: R17, R7, R6 and R2 on ways that leave people out, ratios and checks."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from counterfoil.comparison.values import BoolArray, Comparison
from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    HiddenBias,
    NoGamma,
    Placebos,
    Rule,
    TrustResult,
    Verdict,
    WayGroup,
    WayResult,
)
from counterfoil.disclosure.shown_beside import ProtectedTrust
from counterfoil.disclosure.sub_analyses import find_step, is_safe_beside, read
from counterfoil.disclosure.trust import PLACEBO_LEVEL, protect_trust
from counterfoil.disclosure.ways import Reading
from counterfoil.effect.values import Effect, Estimate, Group
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

RATE = Measure("back", "Back", Kind.RATE, noun="came back")
BEFORE = replace(RATE, name="before")
ROWS = 1_000
WHOLE: BoolArray = np.arange(ROWS) < 400
OUTCOME = (np.arange(ROWS) % 2 == 0).astype(np.float64)
READING = Reading(WHOLE, (), OUTCOME, submitted=500, size_is_shown=True, hidden=None)


def way(
    name: str,
    members: BoolArray = WHOLE,
    group: WayGroup = WayGroup.METHOD,
    *,
    measure: Measure = RATE,
    ess: float | None = None,
    points: float | None = None,
    label: str = "",
) -> WayResult:
    """Half of the members came back, beside 55 in every 100; `points`: another difference."""
    n = int(members.sum())
    treated = Group(n, float(n) if ess is None else ess, 0.5, 0.25, n // 2)
    others = Group(2_000, 2_000.0, 0.55, 0.2475, 1_100)
    half = 100 * 1.96 * np.sqrt(treated.variance / treated.ess + others.variance / others.ess)
    difference = -5.0 if points is None else points
    found = Estimate(difference, difference - half, difference + half, 0.1, "welch", 1e6)
    comparison = SimpleNamespace(n_treated_matched=n, n_comparison=2_000, count=lambda _band: 1)
    effect = Effect(measure, treated, others, found)
    return WayResult(name, members, cast(Comparison, comparison), effect, "", group, label)


def trust(
    *ways: WayResult, found: TrustResult | None = None, measures: Any = (RATE,), **reading: Any
) -> ProtectedTrust:
    """What is shown of them beside the headline."""
    result = replace(found or TrustResult(), ways=ways)
    headline = way("headline", group=WayGroup.COMPARISON)
    _, made = protect_trust(result, headline, (), replace(READING, **reading), DEFAULT_SETTINGS, measures=measures)
    assert made is not None
    return made


def without(first: int, last: int) -> BoolArray:
    """All but some of the whole."""
    rows = np.arange(ROWS)
    return WHOLE & ~((rows >= first) & (rows < last))


def site(first: int, last: int) -> WayResult:
    return way("site", without(first, last), WayGroup.SITE, label=f"{first} to {last}")


def hides(made: ProtectedTrust) -> list[str | None]:
    return [each.hidden for each in made.ways[1:]]


def test_r17_the_same_people_with_other_weights_are_shown_in_whole_points() -> None:
    made = trust(way("entropy", points=-6.4), way("nearest", points=-4.6))
    assert hides(made) == [None, None]
    assert [(each.difference.value, each.difference.decimals) for each in made.ways] == [(-5, 0), (-6, 0), (-5, 0)]


@pytest.mark.parametrize(("lost", "rule"), [(0, None), (6, "R17"), (12, "R17"), (20, None), (100, None)])
def test_r17_a_caliper_that_loses_a_few_is_not_shown(lost: int, rule: str | None) -> None:
    """Of 12 who are lost 6 came back: fewer than T of them, and of those who did not (R3)."""
    assert hides(trust(way("caliper", without(0, lost), WayGroup.CALIPER, label="0.01"))) == [rule]


def test_r17_two_calipers_that_lose_nearly_the_same_are_not_both_shown() -> None:
    two = [way("caliper", without(0, lost), WayGroup.CALIPER, label=str(lost)) for lost in (100, 106)]
    assert hides(trust(*two)) == [None, "R17"]


def test_r17_sites_left_out_one_at_a_time_must_not_leave_a_few_when_all_are_taken_away() -> None:
    """395 of 400 are at three sites: the whole less the three sites would be five people."""
    assert hides(trust(site(0, 130), site(130, 260), site(260, 395))) == [None, None, "R17"]
    assert hides(trust(site(0, 130), site(130, 260), site(260, 400))) == [None, None, None]


def test_r17_beside_too_many_populations_nothing_more_is_shown() -> None:
    parts = [np.arange(ROWS) // 40 == number for number in range(12)]
    assert is_safe_beside(parts[:11], parts[11], None, DEFAULT_SETTINGS)
    assert not is_safe_beside([*parts[:11], WHOLE], parts[11], None, DEFAULT_SETTINGS)


def test_r17_every_combination_is_looked_at() -> None:
    """An intruder who tries each sum and difference of sets by hand, without our algebra."""
    rng = np.random.default_rng(4)
    for _ in range(40):
        block = np.repeat(np.arange(9), rng.integers(3, 15, 9))
        shown = [np.isin(block, rng.choice(9, 4, replace=False)) for _ in range(2)]
        shown, new = [np.ones(len(block), np.bool_), *shown], np.isin(block, rng.choice(9, 5, replace=False))
        sizes = []
        for factors in itertools.product((-1, 0, 1), repeat=3):
            counted = sum(f * s.astype(int) for f, s in zip(factors, shown, strict=True)) + new.astype(int)
            sizes += [int((counted > 0).sum()), int((counted < 0).sum())]
        safe = not any(0 < size < DEFAULT_SETTINGS.min_difference for size in sizes)
        assert is_safe_beside(shown, new, None, DEFAULT_SETTINGS) is safe


def test_r07_a_second_interval_on_the_same_people_stands_beside_an_exact_size_only() -> None:
    assert hides(trust(way("entropy"), size_is_shown=False)) == ["R7"]


def test_r07_what_is_shown_of_the_same_people_is_read_together() -> None:
    """A first way of these people prints their difference; beside it a second must leave the size open too."""
    members = without(0, 100)
    first, second = way("assessed", members), way("needs", members)
    effect = first.effect
    assert effect is not None
    assert effect.compatible is not None
    alone = find_step(effect, effect.compatible, 500, DEFAULT_SETTINGS)
    assert alone is not None
    near = [n for n in range(30, 501) if read(effect, effect.compatible, step=alone).counts(n).any()]
    assert max(near) - min(near) >= DEFAULT_SETTINGS.min_width
    nothing_agrees = replace(read(effect, effect.compatible, step=1), shown=(40.0, 35.0, 45.0))
    assert find_step(effect, effect.compatible, 500, DEFAULT_SETTINGS, [nothing_agrees]) is None
    assert hides(trust(first, second)) == [None, None]  # the same three numbers say no more than once


def test_r06_people_who_count_unequally_are_shown_only_where_they_are_the_headlines() -> None:
    assert hides(trust(way("overlap", ess=300.0), way("overlap", without(0, 100), ess=200.0))) == [None, "R6"]


def test_a_hidden_headline_has_nothing_beside_it() -> None:
    found = TrustResult(bias=HiddenBias(2.0, 1.5, 1.3, None, 50), control=way("year_before", measure=BEFORE))
    made = trust(way("nearest"), found=found, hidden=Rule.R3)
    assert hides(made) == ["R3"]
    assert [cell.value for cell in (made.e_point, made.e_limit, made.gamma)] == [None] * 3
    assert made.control is not None
    assert made.control.hidden == "R3"


@pytest.mark.parametrize(
    ("exact", "speaking", "pairs", "e_limit", "gamma"),
    [
        (True, 50, WHOLE, 1.5, 1.3),
        (True, 9, WHOLE, 1.5, "R2"),
        (False, 50, WHOLE, "R7", "R7"),
        (True, 50, without(0, 6), 1.5, "R17"),
    ],
)
def test_r02_r07_ratios_stand_where_counts_and_sizes_allow(
    exact: bool, speaking: int, pairs: BoolArray, e_limit: float | str, gamma: float | str
) -> None:
    found = TrustResult(bias=HiddenBias(2.04, 1.52, 1.31, None, speaking))
    made = trust(way("nearest", pairs), found=found, size_is_shown=exact)
    for cell, expected in ((made.e_limit, e_limit), (made.gamma, gamma)):
        if isinstance(expected, str):
            assert cell.value is None
        else:
            assert (cell.value, cell.decimals) == (expected, 1)
    if exact and gamma != 1.3:
        assert made.gamma.rule is not None
        assert made.gamma.rule.value == gamma


@pytest.mark.parametrize(
    ("points", "verdict"), [(-9.0, Verdict.FEWER), (9.0, Verdict.MORE), (-2.0, Verdict.NOT_ENOUGH_EVIDENCE)]
)
def test_the_check_is_flagged_when_its_range_leaves_nothing_out(points: float, verdict: Verdict) -> None:
    control = way("year_before", group=WayGroup.CHECK, measure=BEFORE, points=points)
    made = trust(way("entropy"), found=TrustResult(control=control, control_outcome=OUTCOME))
    assert made.control is not None
    assert made.control.verdict is verdict
    assert made.is_flagged is (verdict is not Verdict.NOT_ENOUGH_EVIDENCE)


def test_r17_the_check_may_leave_out_a_few_unless_its_outcome_is_measured_too() -> None:
    """No other figure is of that outcome, so nothing can be taken from it; with one there is."""
    control = way("year_before", without(0, 6), WayGroup.CHECK, measure=BEFORE)
    found = TrustResult(control=control, control_outcome=OUTCOME)
    for measures, rule in (((RATE,), None), ((RATE, BEFORE), "R17")):
        made = trust(way("entropy"), found=found, measures=measures)
        assert made.control is not None
        assert made.control.hidden == rule


@pytest.mark.parametrize(
    ("p", "placebos"),
    [(None, Placebos.NONE), (PLACEBO_LEVEL, Placebos.AS_EXPECTED), (PLACEBO_LEVEL / 2, Placebos.ALARM)],
)
def test_of_placebos_only_whether_they_raise_an_alarm_is_told(p: float | None, placebos: Placebos) -> None:
    assert trust(way("entropy"), found=TrustResult(placebo_p=p)).placebos is placebos


def test_why_there_is_no_gamma_is_told() -> None:
    assert trust(found=TrustResult(bias=HiddenBias())).no_gamma is NoGamma.NO_PAIRS
    chance = HiddenBias(no_gamma=NoGamma.CHANCE)
    assert trust(found=TrustResult(bias=chance)).no_gamma is NoGamma.CHANCE

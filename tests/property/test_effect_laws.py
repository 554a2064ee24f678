"""Laws of the estimates: what may not change them, what must flip them, what they may never do."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison.values import BoolArray, Comparison, Design, FloatArray
from counterfoil.effect import Effect, Estimate, estimate, inconclusive
from counterfoil.effect.estimate import is_significant
from counterfoil.effect.score import wilson_limits
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure, Support
from counterfoil.units import Kind
from lib.designs import design_of

RATE = Measure(name="y", label="A rate", kind=Kind.RATE)
COUNT = Measure(name="y", label="A count", kind=Kind.COUNT)
DAYS = Measure(name="y", label="Days", kind=Kind.DAYS, support=Support.THOSE_WITH)
NEAR = 1e-9  # relative: the order of sums may move the last digits


def _draw(seed: int, n_treated: int, n_others: int) -> tuple[BoolArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    treated = np.arange(n_treated + n_others) < n_treated
    weight = np.where(treated, 1.0, rng.exponential(size=treated.size) + 1e-3)
    return treated, weight, (rng.random(treated.size) < 0.3).astype(float)


def _one(value: FloatArray, design: Comparison, measure: Measure = RATE) -> Effect:
    return estimate({"y": value}, design, [measure])[0]


def _numbers(result: Estimate | None) -> list[float]:
    assert result is not None
    return [result.difference, result.low, result.high, result.p]


groups = st.tuples(st.integers(0, 10_000), st.integers(2, 80), st.integers(3, 200))


@given(groups, st.floats(1e-6, 1e6))
@settings(max_examples=60, deadline=None)
def test_scale_of_the_weights_changes_nothing(drawn: tuple[int, int, int], factor: float) -> None:
    treated, weight, value = _draw(*drawn)
    value[0], value[-1] = 1.0, 1.0
    value[1], value[-2] = 0.0, 0.0
    before = _one(value, design_of(treated, weight))
    after = _one(value, design_of(treated, weight * factor))
    assert _numbers(after.compatible) == pytest.approx(_numbers(before.compatible), rel=1e-6, abs=1e-9)
    assert _numbers(after.score) == pytest.approx(_numbers(before.score), rel=1e-6, abs=1e-9)


@given(groups)
@settings(max_examples=60, deadline=None)
def test_swapping_the_groups_flips_the_sign(drawn: tuple[int, int, int]) -> None:
    treated, _, value = _draw(*drawn)
    value[0], value[1] = 1.0, 0.0
    one, other = _one(value, design_of(treated)), _one(value, design_of(~treated))
    for a, b in ((one.compatible, other.compatible), (one.score, other.score)):
        difference, low, high, p = _numbers(a)
        assert _numbers(b) == pytest.approx([-difference, -high, -low, p], rel=NEAR, abs=1e-9)


@given(groups)
@settings(max_examples=60, deadline=None)
def test_rate_laws(drawn: tuple[int, int, int]) -> None:
    treated, weight, value = _draw(*drawn)
    effect = _one(value, design_of(treated, weight))
    score = effect.score
    assert score is not None
    assert -100.0 <= score.low <= score.difference <= score.high <= 100.0
    assert is_significant(score) == (score.p < 0.05)
    assert effect.treated.events == int(value[treated].sum())
    assert 1.0 <= effect.comparison.ess <= effect.comparison.n + 1e-9
    if effect.compatible is not None:
        assert ("score" in effect.disagrees) == (is_significant(effect.compatible) != is_significant(score))


@given(groups)
@settings(max_examples=30, deadline=None)
def test_row_order_changes_no_more_than_the_last_digits(drawn: tuple[int, int, int]) -> None:
    treated, weight, value = _draw(*drawn)
    value[0], value[1] = 1.0, 0.0
    moved = np.random.default_rng(1).permutation(treated.size)
    before = _one(value, design_of(treated, weight), COUNT)
    after = _one(value[moved], design_of(treated[moved], weight[moved]), COUNT)
    assert _numbers(after.compatible) == pytest.approx(_numbers(before.compatible), rel=NEAR, abs=1e-9)


def test_a_weight_of_two_is_not_two_people() -> None:
    treated = np.array([True, True, False, False, False])
    effect = _one(np.array([0.0, 1, 0, 1, 1]), design_of(treated, np.array([1.0, 1, 2, 1, 1])))
    assert effect.comparison.n == 3
    assert effect.comparison.ess == pytest.approx(16 / 6)  # (2+1+1)^2 / (4+1+1)
    assert effect.comparison.value == pytest.approx(0.5)


def test_only_those_with_the_outcome_have_days() -> None:
    treated = np.array([True] * 4 + [False] * 4)
    days = np.array([100.0, 200.0, np.nan, np.nan, 50.0, 70.0, 90.0, np.nan])
    effect = _one(days, design_of(treated), DAYS)
    assert (effect.treated.n, effect.comparison.n) == (2, 3)
    assert (effect.treated.value, effect.comparison.value) == (150.0, 70.0)
    assert effect.score is None
    assert effect.treated.events == 2


def test_an_arrow_table_is_taken_with_nulls_and_booleans() -> None:
    treated = np.array([True] * 3 + [False] * 3)
    table = pa.table({"y": pa.array([True, False, None, True, True, False])})
    effect = estimate(table, design_of(treated), [RATE])[0]
    assert (effect.treated.n, effect.treated.value, effect.comparison.n) == (2, 0.5, 3)


@pytest.mark.parametrize(
    ("treated_values", "other_values"),
    [([1, 1, 1], [1, 1, 1]), ([0, 0], [0, 0, 0]), ([0, 0, 0], [1, 1, 1])],
    ids=["all reoffend", "none reoffend", "none against all"],
)
def test_no_spread_gives_no_welch_interval(treated_values: list[float], other_values: list[float]) -> None:
    treated = np.array([True] * len(treated_values) + [False] * len(other_values))
    effect = _one(np.array(treated_values + other_values, dtype=float), design_of(treated))
    assert effect.compatible is None
    assert effect.score is not None
    assert effect.score.low < effect.score.high
    assert effect.disagrees == ()


def test_one_person_has_no_variance_and_nobody_no_value() -> None:
    one = _one(np.array([1.0, 0.0, 1.0]), design_of(np.array([True, False, False])))
    assert one.compatible is None
    assert math.isnan(one.treated.variance)
    nobody = _one(np.array([np.nan, 0.0, 1.0]), design_of(np.array([True, False, False])))
    assert (nobody.treated.n, nobody.treated.events, nobody.score) == (0, 0, None)
    assert math.isnan(nobody.treated.value)


def test_a_trial_tests_rates_as_proportions_and_the_rest_by_welch() -> None:
    treated = np.arange(432) < 216
    trial = design_of(treated, kind=Design.RANDOMISED)
    arrested = np.concatenate([np.arange(216) < 48, np.arange(216) < 66]).astype(float)  # Rossi, METHODS 7
    rate, count = _one(arrested, trial).compatible, _one(arrested, trial, COUNT).compatible
    assert rate is not None
    assert count is not None
    assert (rate.method, round(rate.difference, 1), round(rate.p, 3)) == ("proportions", -8.3, 0.049)
    assert count.method == "welch"
    lone = _one(np.array([1.0, 0.0, 1.0]), design_of(np.array([True, False, False]), kind=Design.RANDOMISED))
    assert lone.compatible is None


def test_one_sided_spread_is_a_one_sample_test() -> None:
    effect = _one(np.array([1.0, 1, 1, 0, 1, 0, 1]), design_of(np.array([True] * 3 + [False] * 4)))
    assert effect.compatible is not None
    assert effect.compatible.df == pytest.approx(3.0)  # all the error is the four comparison people's


def test_matched_out_people_are_nowhere() -> None:
    treated = np.array([True, True, True, False, False, False])
    weight = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    effect = _one(np.array([0.0, 1, 1, 1, 0, 1]), design_of(treated, weight))
    assert (effect.treated.n, effect.treated.events, effect.comparison.n) == (2, 1, 2)


def test_columns_that_cannot_be_used_are_refused_all_at_once() -> None:
    design = design_of(np.array([True, False]))
    absent = Measure(name="absent", label="Absent", kind=Kind.DAYS)
    with pytest.raises(UsageError, match="`absent`"):
        estimate({"y": np.zeros(2)}, design, [RATE, absent])
    with pytest.raises(UsageError, match="0 or 1"):
        estimate({"y": np.array([0.0, 3.0])}, design, [RATE])
    with pytest.raises(UsageError, match="infinite"):
        estimate({"y": np.array([0.0, np.inf])}, design, [COUNT])
    with pytest.raises(UsageError, match="same rows"):
        estimate({"y": np.zeros(3)}, design, [RATE])


def test_wilson_by_hand() -> None:
    # Newcombe (1998, paper on one proportion): 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
    limits = wilson_limits(81 / 263, 263, 1.959964)
    assert (limits.low, limits.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    none = wilson_limits(0.0, 20, 1.959964)
    assert (none.low, none.high) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_newcombe_by_hand() -> None:
    # Newcombe (1998, paper on two proportions), 56/70 - 48/80: method 10 gives 0.0524 to 0.3339.
    treated = np.arange(150) < 70
    value = np.concatenate([np.arange(70) < 56, np.arange(80) < 48]).astype(float)
    score = _one(value, design_of(treated)).score
    assert score is not None
    assert (score.low, score.high) == pytest.approx((5.24, 33.39), abs=5e-3)


def test_inconclusive_says_what_it_rules_out() -> None:
    treated = np.arange(200) < 100
    value = np.concatenate([np.arange(100) < 35, np.arange(100) < 40]).astype(float)
    effect = _one(value, design_of(treated))
    said = inconclusive(effect)
    assert effect.compatible is not None
    assert said is not None
    assert (said.rules_out_below, said.rules_out_above) == (effect.compatible.low, effect.compatible.high)
    error = 100 * math.sqrt(0.35 * 0.65 / 99 + 0.40 * 0.60 / 99)
    assert said.smallest_detectable == pytest.approx(error * (1.959964 + 0.841621), rel=1e-6)
    assert said.people_needed == math.ceil(100 * (error * 2.801585 / 5) ** 2)
    assert said.more_people == said.people_needed - 100


def test_a_significant_result_and_no_difference_at_all() -> None:
    treated = np.arange(400) < 200
    clear = np.concatenate([np.arange(200) < 20, np.arange(200) < 120]).astype(float)
    assert inconclusive(_one(clear, design_of(treated))) is None
    same = np.concatenate([np.arange(200) < 60, np.arange(200) < 60]).astype(float)
    said = inconclusive(_one(same, design_of(treated)))
    assert said is not None
    assert (said.people_needed, said.more_people) == (None, None)


def test_a_weighted_rate_that_passes_one_by_its_last_digit_has_an_interval() -> None:
    limits = wilson_limits(math.nextafter(1.0, 2.0), 50.0, 1.96)
    assert 0.9 < limits.low < limits.high == 1.0

"""Laws of the adjusted estimates: what they may not depend on, what they recover, what they refuse, in which words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.frequency import adjusted_frequency
from counterfoil.effect.g_computation import Adjusted, ModelledOn, adjusted_mean, adjusted_rate
from counterfoil.effect.inputs import check_once
from counterfoil.effect.mean_model import RIDGE_NOTE, UNSEEN_NOTE
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.errors import Refused, UsageError
from counterfoil.logit import CodedDesign, Factor

NEAR = 1e-7  # relative; a fit stops within 1e-6 of a standard error of its top
SEEDS = st.integers(0, 10_000)


def _draw(seed: int, n: int = 400) -> tuple[FloatArray, BoolArray, FloatArray, FloatArray]:
    """Outcome, treated, weight, covariates: who is treated and who reoffends hang on the first covariate."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    treated = rng.random(n) < 1.0 / (1.0 + np.exp(-0.5 * x[:, 0]))
    outcome = (rng.random(n) < 1.0 / (1.0 + np.exp(-(x[:, 0] - 0.5)))).astype(float)
    return outcome, treated, np.where(treated, 1.0, rng.exponential(size=n) + 0.1), x


def _numbers(result: Inference) -> list[float]:
    return [result.estimate, result.low, result.high, result.p, result.error]


def _ways(outcome: FloatArray, treated: BoolArray, weight: FloatArray, x: FloatArray) -> list[Adjusted]:
    return [
        adjusted_rate(outcome, treated, weight, x),
        adjusted_mean(outcome, treated, weight, x),
        adjusted_frequency(outcome, treated, weight, x).adjusted,
    ]


@given(SEEDS, st.floats(1e-4, 1e4), st.floats(-1e3, 1e3))
@settings(max_examples=15, deadline=None)
def test_units_of_weights_and_covariates_change_nothing(seed: int, scale: float, shift: float) -> None:
    outcome, treated, weight, x = _draw(seed)
    for before, after in zip(
        _ways(outcome, treated, weight, x), _ways(outcome, treated, scale * weight, scale * x + shift), strict=True
    ):
        assert _numbers(after.difference) == pytest.approx(_numbers(before.difference), rel=1e-4, abs=1e-7)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_order_of_rows_and_repeated_columns_change_nothing(seed: int) -> None:
    outcome, treated, weight, x = _draw(seed)
    moved = np.random.default_rng(seed + 1).permutation(len(outcome))
    twice = np.column_stack([x, x[:, :1] + x[:, 1:2]])  # a combination of the columns before it
    for before, after in zip(
        _ways(outcome, treated, weight, x),
        _ways(outcome[moved], treated[moved], weight[moved], twice[moved]),
        strict=True,
    ):
        assert _numbers(after.difference) == pytest.approx(_numbers(before.difference), rel=1e-5, abs=NEAR)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_without_covariates_it_is_the_weighted_difference_however_it_is_modelled(seed: int) -> None:
    outcome, treated, weight, _ = _draw(seed)
    plain = np.average(outcome[treated], weights=weight[treated]) - np.average(
        outcome[~treated], weights=weight[~treated]
    )
    for way in ModelledOn:
        for result in (adjusted_rate, adjusted_mean):
            found = result(outcome, treated, weight, modelled_on=way, errors=ErrorKind.HC1).difference
            assert found.estimate == pytest.approx(plain, abs=1e-9)
            assert found.low < found.estimate < found.high


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_factors_are_their_indicators(seed: int) -> None:
    """A coded design is never made dense; a matrix of its indicators gives the same figures."""
    outcome, treated, weight, x = _draw(seed)
    rng = np.random.default_rng(seed + 2)
    codes = np.column_stack([rng.integers(0, 3, len(x)), rng.integers(0, 2, len(x))]).astype(np.int8)
    factors = (Factor("region", ("north", "south", "west")), Factor("sex", ("male", "female")))
    coded = CodedDesign(factors, codes, ("a", "b", "c"), np.ascontiguousarray(x))
    dense = np.column_stack([codes[:, 0] == 1, codes[:, 0] == 2, codes[:, 1] == 1, x]).astype(np.float64)
    for estimator in (adjusted_rate, adjusted_mean):
        for way in ModelledOn:
            ours = estimator(outcome, treated, weight, coded, modelled_on=way).difference
            theirs = estimator(outcome, treated, weight, dense, modelled_on=way).difference
            assert _numbers(ours) == pytest.approx(_numbers(theirs), rel=1e-6, abs=NEAR)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_everyone_a_cluster_is_hc1(seed: int) -> None:
    outcome, treated, weight, x = _draw(seed)
    alone = adjusted_rate(outcome, treated, weight, x, cluster=np.arange(len(outcome)))
    hc1 = adjusted_rate(outcome, treated, weight, x, errors=ErrorKind.HC1)
    assert alone.difference.error == pytest.approx(hc1.difference.error, rel=1e-9)
    assert alone.difference.kind is ErrorKind.CLUSTERED


def test_a_group_that_differs_in_a_covariate_is_adjusted_for_it() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=4_000)
    treated = rng.random(4_000) < 1.0 / (1.0 + np.exp(-x))
    y = 3.0 * x - 2.0 * treated + rng.normal(size=4_000)
    plain, adjusted = adjusted_mean(y, treated).difference, adjusted_mean(y, treated, None, x).difference
    assert plain.low > 0.0  # the wrong way round
    assert adjusted.low < -2.0 < adjusted.high
    assert adjusted.error < plain.error


def test_either_the_weights_or_the_model_may_be_wrong() -> None:
    """Doubly robust: true effect -0.1 on the treated; once only the weights are right, once only the model."""
    rng = np.random.default_rng(11)
    n = 40_000
    x = rng.integers(0, 2, n).astype(float)
    score = 0.2 + 0.4 * x
    treated = rng.random(n) < score
    y = (rng.random(n) < 0.3 + 0.3 * x - 0.1 * treated).astype(float)
    right = np.where(treated, 1.0, score / (1.0 - score))
    useless = rng.normal(size=n)
    for weight, covariate in ((right, useless), (np.ones(n), x)):
        found = adjusted_rate(y, treated, weight, covariate).difference
        assert found.low < -0.1 < found.high
    assert adjusted_rate(y, treated, None, useless).difference.low > -0.1  # neither is right


def test_hc3_is_wider_than_hc2_and_hc2_than_hc0() -> None:
    outcome, treated, weight, x = _draw(3, n=120)
    found = [
        adjusted_rate(outcome, treated, weight, x, errors=kind).difference.error
        for kind in (ErrorKind.HC0, ErrorKind.HC2, ErrorKind.HC3)
    ]
    assert found == sorted(found)


# ---- what cannot be estimated, each with its sentence ----


def test_everyone_reoffends() -> None:
    _, treated, weight, x = _draw(1)
    with pytest.raises(Refused, match="without the outcome: too few to adjust for covariates"):
        adjusted_rate(np.ones(len(treated)), treated, weight, x)
    with pytest.raises(Refused, match="do not differ from person to person"):
        adjusted_mean(np.ones(len(treated)), treated, weight)


def test_three_reoffenders() -> None:
    _, treated, weight, x = _draw(1)
    y = np.zeros(len(treated))
    y[np.flatnonzero(treated)[:3]] = y[np.flatnonzero(~treated)[:3]] = 1.0
    with pytest.raises(Refused, match="Fewer than 10 people in the treated group are with the outcome") as refused:
        adjusted_rate(y, treated, weight, x)
    assert refused.value.rule == "estimate"
    assert "3" not in str(refused.value)
    with pytest.raises(Refused, match="have a count above 0: too few for a ratio"):
        adjusted_frequency(y, treated, weight, x)


def test_what_was_not_measured_is_left_out_and_what_is_infinite_is_refused() -> None:
    outcome, treated, weight, x = _draw(2)
    unknown = outcome.copy()
    unknown[::7] = np.nan
    known = ~np.isnan(unknown)
    left_out = adjusted_rate(unknown, treated, weight, x).difference
    assert left_out == adjusted_rate(outcome[known], treated[known], weight[known], x[known]).difference
    unknown[0] = np.inf
    with pytest.raises(UsageError, match="infinite value"):
        adjusted_rate(unknown, treated, weight, x)
    x[3, 1] = np.nan
    with pytest.raises(UsageError, match="covariates hold values that are NaN"):
        adjusted_rate(outcome, treated, weight, x)


def test_all_problems_of_the_input_are_told_at_once() -> None:
    outcome, treated, weight, x = _draw(2)
    with pytest.raises(UsageError) as problems:
        adjusted_rate(outcome, treated[:-1], weight[:-2], x[:-3], cluster=np.arange(4))
    assert len(problems.value.problems) == 4
    with pytest.raises(UsageError, match="`weight` must be finite and not negative"):
        adjusted_rate(outcome, treated, -weight, x)
    with pytest.raises(UsageError, match="must be 0 or 1 for everyone"):
        adjusted_rate(outcome + 0.5, treated, weight, x)
    with pytest.raises(UsageError, match="holds values under 0"):
        adjusted_frequency(outcome - 1.0, treated, weight, x)


def test_nobody_on_one_side() -> None:
    outcome, _, weight, x = _draw(2)
    with pytest.raises(Refused, match="Too few people in the comparison group"):
        adjusted_rate(outcome, np.ones(len(outcome), bool), weight, x)


def test_an_outcome_that_a_characteristic_decides_is_kept_finite_and_told() -> None:
    outcome, treated, weight, x = _draw(4)
    decides = np.column_stack([x, outcome])
    for result in (
        adjusted_rate(outcome, treated, weight, decides),
        adjusted_frequency(outcome, treated, weight, decides),
    ):
        found = result.difference if isinstance(result, Adjusted) else result.adjusted.difference
        assert np.isfinite(_numbers(found)).all()
        assert -1.0 <= found.estimate <= 1.0
    assert RIDGE_NOTE in adjusted_rate(outcome, treated, weight, decides).notes


def test_a_level_with_no_event_in_a_frequency_is_kept_finite_and_told() -> None:
    outcome, treated, weight, _ = _draw(4)
    level = np.zeros(len(outcome))
    level[outcome == 0.0] = np.arange(np.count_nonzero(outcome == 0.0)) % 4 == 0
    found = adjusted_frequency(outcome, treated, weight, level).adjusted
    assert RIDGE_NOTE in found.notes
    assert np.isfinite(_numbers(found.difference)).all()


def test_a_characteristic_of_the_treated_only_is_told() -> None:
    outcome, treated, weight, x = _draw(4)
    only = np.where(treated, np.arange(len(outcome)) % 2, 0.0)
    found = adjusted_rate(outcome, treated, weight, np.column_stack([x, only]))
    assert UNSEEN_NOTE in found.notes
    assert found.difference.estimate == pytest.approx(adjusted_rate(outcome, treated, weight, x).difference.estimate)


def test_people_who_occur_twice_need_a_cluster() -> None:
    outcome, treated, weight, x = _draw(6)
    person = np.arange(len(outcome))
    check_once(person)
    twice = np.concatenate([person, person])
    with pytest.raises(UsageError, match="Some people occur more than once"):
        check_once(twice)
    once = adjusted_rate(outcome, treated, weight, x, cluster=person).difference
    again = adjusted_rate(
        np.tile(outcome, 2), np.tile(treated, 2), np.tile(weight, 2), np.tile(x, (2, 1)), cluster=twice
    ).difference
    assert again.estimate == pytest.approx(once.estimate, abs=NEAR)
    assert again.error == pytest.approx(once.error, rel=0.01)  # naively it would be smaller by the root of two

"""Laws of pooling: order, unit and place do not matter; nothing is claimed of two; agreement is not over-claimed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.effect.pooling import Study, pool, study_of_interval
from counterfoil.errors import UsageError

studies = st.lists(
    st.tuples(st.floats(-20, 20).map(lambda x: round(x, 2)), st.floats(0.5, 8).map(lambda x: round(x, 2))),
    min_size=3, max_size=9,
)  # fmt: skip


def named(pairs: list[tuple[float, float]]) -> list[Study]:
    return [Study(str(i), *pair) for i, pair in enumerate(pairs)]


@given(pairs=studies)
@settings(max_examples=60, deadline=None)
def test_order_place_and_unit_do_not_matter(pairs: list[tuple[float, float]]) -> None:
    plain = pool(named(pairs))
    back = pool(named(pairs[::-1]))
    moved = pool(named([(3.0 - 2.0 * y, 2.0 * e) for y, e in pairs]))
    assert back.mean.estimate == pytest.approx(plain.mean.estimate, abs=1e-7)
    assert moved.mean.estimate == pytest.approx(3.0 - 2.0 * plain.mean.estimate, abs=1e-6)
    assert moved.mean.tau2 == pytest.approx(4.0 * plain.mean.tau2, rel=1e-6, abs=1e-7)
    assert moved.i2 == pytest.approx(plain.i2, abs=1e-6)


@given(pairs=studies)
@settings(max_examples=60, deadline=None)
def test_intervals_hold_what_they_are_about(pairs: list[tuple[float, float]]) -> None:
    pooled = pool(named(pairs))
    mean = pooled.mean
    assert mean.low is not None
    assert mean.high is not None
    assert pooled.prediction_low is not None
    assert pooled.prediction_high is not None
    assert min(y for y, _ in pairs) - 1e-9 <= mean.estimate <= max(y for y, _ in pairs) + 1e-9
    assert pooled.prediction_low <= mean.low <= mean.estimate <= mean.high <= pooled.prediction_high
    assert 0.0 <= pooled.tau2_low <= pooled.tau2_high
    assert 0.0 <= pooled.i2_low <= pooled.i2_high < 1.0
    assert sum(pooled.shares) == pytest.approx(1.0)
    assert mean.factor >= 1.0  # so the error is never under that of fixed errors
    assert mean.error >= math.sqrt(1.0 / sum(1.0 / (e**2 + mean.tau2) for _, e in pairs)) * (1 - 1e-12)


@given(pairs=studies)
@settings(max_examples=60, deadline=None)
def test_no_other_variance_has_a_higher_restricted_likelihood(pairs: list[tuple[float, float]]) -> None:
    y, v = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]) ** 2

    def likelihood(tau2: float) -> float:
        """By the textbook: the normal density of k - 1 contrasts, through the covariance of their residuals."""
        k = len(y)
        contrasts = np.eye(k - 1, k) - np.eye(k - 1, k, 1)
        covariance = contrasts @ np.diag(v + tau2) @ contrasts.T
        z = contrasts @ y
        return float(-0.5 * (np.linalg.slogdet(covariance)[1] + z @ np.linalg.solve(covariance, z)))

    found = pool(named(pairs)).mean.tau2
    best = likelihood(found)
    assert all(likelihood(tau2) <= best + 1e-8 for tau2 in (0.0, *np.geomspace(0.01, 1000, 60)))


def test_equal_estimates_have_no_variance_between_them() -> None:
    pooled = pool(named([(-4.0, 2.0), (-4.0, 3.0), (-4.0, 1.5)]))
    assert (pooled.mean.tau2, pooled.check.tau2, pooled.i2, pooled.q) == (0.0, 0.0, 0.0, 0.0)
    assert pooled.mean.factor == 1.0
    # fixed effects: 1 / (1/4 + 1/9 + 1/2.25), and t of 2 degrees of freedom
    error = (1 / 4 + 1 / 9 + 1 / 2.25) ** -0.5
    assert pooled.mean.low == pytest.approx(-4.0 - 4.302653 * error, abs=1e-5)
    assert pooled.prediction_low == pytest.approx(pooled.mean.low)


def test_no_interval_for_two() -> None:
    pooled = pool(named([(-4.0, 2.0), (-6.0, 2.0)]))
    assert pooled.mean.estimate == pytest.approx(-5.0)
    assert (pooled.mean.low, pooled.mean.high, pooled.mean.p) == (None, None, None)
    assert (pooled.prediction_low, pooled.prediction_high) == (None, None)
    assert not pooled.disagrees


def test_an_error_comes_back_from_a_published_interval() -> None:
    study = study_of_interval("2017", -5.0, -8.92, -1.08)
    assert (study.estimate, study.error) == pytest.approx((-5.0, 2.0), abs=1e-4)
    with pytest.raises(UsageError, match="2017"):
        study_of_interval("2017", -5.0, -5.0, -5.0)


def test_mistakes_are_told_together() -> None:
    with pytest.raises(UsageError) as told:
        pool([Study("a", math.nan, 1.0)])
    assert len(told.value.problems) == 2
    with pytest.raises(UsageError, match="same name"):
        pool([Study("a", 1.0, 1.0), Study("a", 2.0, 1.0)])
    with pytest.raises(UsageError, match="over 0"):
        pool([Study("a", 1.0, 0.0), Study("b", 2.0, 1.0)])


def test_the_interval_holds_the_truth_95_times_in_100() -> None:
    """Five cohorts, true mean -5, spread 3, errors 1.5 to 3.5; seed fixed. The factor makes it a little cautious."""
    rng = np.random.default_rng(20260304)
    held, reach, errors = 0, 0, np.array([1.5, 2.0, 2.5, 3.0, 3.5])
    draws = 400
    for _ in range(draws):
        truth = rng.normal(-5.0, 3.0, 6)
        seen = rng.normal(truth[:5], errors)
        pooled = pool(named(list(zip(seen.tolist(), errors.tolist(), strict=True))))
        held += bool((pooled.mean.low or 0.0) <= -5.0 <= (pooled.mean.high or 0.0))
        reach += bool((pooled.prediction_low or 0.0) <= truth[5] <= (pooled.prediction_high or 0.0))
    # 99.9% of binomial(400, 0.95) draws are 365 or more
    assert held >= 365
    assert reach >= 350  # the prediction interval is known to be a little short with five (Partlett and Riley 2017)

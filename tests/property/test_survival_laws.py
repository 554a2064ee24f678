"""Laws of curves, restricted means and log-rank tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.kaplan_meier import kaplan_meier, restricted_means
from counterfoil.effect.log_rank import log_rank
from counterfoil.errors import Refused, UsageError

SEEDS = st.integers(0, 10_000)
NUDGE = 1e-6  # of a weight: a difference quotient of a smooth function is then right to about 1e-8


def _draw(seed: int, n: int = 120) -> tuple[FloatArray, BoolArray, BoolArray, FloatArray]:
    """Whole days (so that there are ties), a third of them cut off."""
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 60, n).astype(float)
    treated = np.arange(n) < n // 3
    time[0], time[-1] = 60.0, 60.0  # somebody of each group is followed to the end
    event = rng.random(n) < 0.7
    event[[0, -1]] = False
    return time, event, treated, rng.exponential(size=n) + 0.1


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_curve_falls_from_one_and_its_mean_is_the_area(seed: int) -> None:
    time, event, _, weight = _draw(seed)
    curve = kaplan_meier(time, event, weight)
    assert (np.diff(np.concatenate([[1.0], curve.survival])) <= 1e-15).all()
    assert (curve.survival >= 0.0).all()
    fine = np.linspace(0.0, 40.0, 400_001)[:-1] + 5e-5
    height = np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.time, fine, side="right")]
    assert curve.mean_until(40.0) == pytest.approx(height.mean() * 40.0, abs=1e-6)


@given(SEEDS, st.sampled_from([10.0, 30.0, 60.0]))
@settings(max_examples=15, deadline=None)
def test_the_error_is_what_each_person_moves_the_mean_by(seed: int, horizon: float) -> None:
    """The infinitesimal jackknife by its definition: nudge one weight at a time."""
    time, event, treated, weight = _draw(seed)
    found = restricted_means(time, event, treated, weight, horizon=horizon)
    squares = 0.0
    for person in np.flatnonzero(treated):
        ends = []
        for nudge in (NUDGE, -NUDGE):
            nudged = weight.copy()
            nudged[person] *= 1.0 + nudge
            ends.append(kaplan_meier(time[treated], event[treated], nudged[treated]).mean_until(horizon))
        squares += ((ends[0] - ends[1]) / (2.0 * NUDGE)) ** 2
    assert found.treated.error == pytest.approx(np.sqrt(squares), rel=1e-5)
    assert found.difference.error == pytest.approx(np.hypot(found.treated.error, found.comparison.error), rel=1e-12)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_without_censoring_it_is_the_mean_of_times(seed: int) -> None:
    time, event, treated, _ = _draw(seed)
    event[:] = True
    found = restricted_means(time, event, treated, horizon=60.0)
    assert found.treated.estimate == pytest.approx(time[treated].mean(), rel=1e-12)
    assert found.treated.error == pytest.approx(time[treated].std() / np.sqrt(treated.sum()), rel=1e-9)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_unit_of_time_scale_of_weights_and_order_change_nothing(seed: int) -> None:
    time, event, treated, weight = _draw(seed)
    moved = np.random.default_rng(seed + 1).permutation(len(time))
    days = restricted_means(time, event, treated, weight, horizon=50.0).difference
    weeks = restricted_means(
        time[moved] / 7.0, event[moved], treated[moved], 1e4 * weight[moved], horizon=50.0 / 7.0
    ).difference
    assert [7.0 * weeks.estimate, 7.0 * weeks.error, weeks.p] == pytest.approx(
        [days.estimate, days.error, days.p], rel=1e-9, abs=1e-12
    )
    first, second = (
        log_rank(time, event, treated, weight),
        log_rank(time[moved], event[moved], treated[moved], weight[moved]),
    )
    assert second.chi_square == pytest.approx(first.chi_square, rel=1e-9)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_swapping_the_groups_keeps_the_log_rank_and_flips_the_difference(seed: int) -> None:
    time, event, treated, weight = _draw(seed)
    for given_weight in (None, weight):
        one = log_rank(time, event, treated, given_weight)
        assert log_rank(time, event, ~treated, given_weight).chi_square == pytest.approx(one.chi_square, rel=1e-9)
        ours = restricted_means(time, event, treated, given_weight, horizon=55.0).difference
        theirs = restricted_means(time, event, ~treated, given_weight, horizon=55.0).difference
        assert theirs.estimate == pytest.approx(-ours.estimate, abs=1e-12)
        assert theirs.p == pytest.approx(ours.p, rel=1e-9)


def test_a_person_a_cluster_changes_nothing_and_pairs_do() -> None:
    time, event, treated, weight = _draw(8)
    alone = restricted_means(time, event, treated, weight, horizon=50.0, cluster=np.arange(len(time))).difference
    free = restricted_means(time, event, treated, weight, horizon=50.0).difference
    assert alone.error == pytest.approx(free.error, rel=0.01)  # G / (G - 1) apart
    assert log_rank(time, event, treated, weight, cluster=np.arange(len(time))).chi_square == pytest.approx(
        log_rank(time, event, treated, weight).chi_square, rel=1e-12
    )


def test_a_horizon_beyond_the_follow_up_is_refused() -> None:
    time, event, treated, _ = _draw(8)
    with pytest.raises(UsageError, match="within the follow-up of both groups"):
        restricted_means(time, event, treated, horizon=61.0)


def test_what_is_no_time_or_event_is_refused() -> None:
    time, event, treated, _ = _draw(8)
    with pytest.raises(UsageError, match="values under 0"):
        restricted_means(time - 10.0, event, treated, horizon=5.0)
    with pytest.raises(UsageError, match="`event` must be yes or no"):
        log_rank(time, np.where(event, 2, 0).astype(np.int64), treated)
    with pytest.raises(UsageError, match="`event` and `time` must have one value"):
        log_rank(time, event[:-1], treated)


def test_nobody_with_the_event_cannot_be_tested() -> None:
    time, event, treated, _ = _draw(8)
    with pytest.raises(Refused, match="No event happens while both groups are at risk"):
        log_rank(time, np.zeros_like(event), treated)
    with pytest.raises(Refused, match="do not differ from person to person"):
        restricted_means(time, np.zeros_like(event), treated, horizon=50.0)

"""Laws of Cox's regression."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.cox import Cox, Ties, cox
from counterfoil.effect.log_rank import log_rank
from counterfoil.effect.values import ErrorKind
from counterfoil.errors import Refused, UsageError

SEEDS = st.integers(0, 10_000)


def _draw(seed: int, n: int = 150) -> tuple[FloatArray, BoolArray, BoolArray, FloatArray]:
    rng = np.random.default_rng(seed)
    return (
        rng.integers(1, 40, n).astype(float),
        rng.random(n) < 0.6,
        np.arange(n) % 3 == 0,
        rng.exponential(size=n) + 0.1,
    )


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_scale_of_weights_unit_of_time_and_order_change_nothing(seed: int) -> None:
    time, event, treated, weight = _draw(seed)
    moved = np.random.default_rng(seed + 1).permutation(len(time))
    one = cox(time, event, treated, weight).treatment
    other = cox(7.0 * time[moved] + 3.0, event[moved], treated[moved], 50.0 * weight[moved]).treatment
    assert [other.estimate, other.error] == pytest.approx([one.estimate, one.error], rel=1e-7, abs=1e-9)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_whole_weights_are_people_to_breslow(seed: int) -> None:
    time, event, treated, _ = _draw(seed, n=60)
    twice = np.random.default_rng(seed).integers(1, 4, len(time))
    people = np.repeat(np.arange(len(time)), twice)
    weighted = cox(time, event, treated, twice.astype(float), ties=Ties.BRESLOW)
    repeated = cox(time[people], event[people], treated[people], cluster=people, ties=Ties.BRESLOW)
    assert weighted.treatment.estimate == pytest.approx(repeated.treatment.estimate, rel=1e-8, abs=1e-9)
    assert weighted.treatment.error == pytest.approx(repeated.treatment.error, rel=1e-8)
    assert repeated.treatment.kind is ErrorKind.CLUSTERED


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_without_ties_efron_is_breslow(seed: int) -> None:
    time, event, treated, weight = _draw(seed)
    apart = time + np.arange(len(time)) / 1_000.0
    both = [cox(apart, event, treated, weight, ties=ties).treatment for ties in Ties]
    assert both[0].estimate == pytest.approx(both[1].estimate, rel=1e-9)
    assert both[0].error == pytest.approx(both[1].error, rel=1e-9)


def test_it_finds_the_hazard_ratio_that_was_put_in() -> None:
    rng = np.random.default_rng(2)
    treated = np.arange(6_000) % 2 == 0
    x = rng.normal(size=6_000)
    time = np.ceil(rng.exponential(size=6_000) * 100.0 / np.exp(-0.4 * treated + 0.5 * x))
    found = cox(np.minimum(time, 365.0), time <= 365.0, treated, None, x, robust=True)
    assert found.treatment.low < -0.4 < found.treatment.high
    assert abs(found.coef[1] - 0.5) < 4.0 * found.error[1]
    assert found.error == pytest.approx(found.naive_error, rel=0.1)


def test_a_hazard_ratio_and_the_log_rank_agree_on_significance() -> None:
    time, event, treated, weight = _draw(4)
    found, test = cox(time, event, treated, weight).treatment, log_rank(time, event, treated, weight)
    assert found.p == pytest.approx(test.p, abs=0.03)


def test_what_cannot_be_fitted_says_why() -> None:
    time, event, treated, _ = _draw(4)
    with pytest.raises(Refused, match="Nobody has the event"):
        cox(time, np.zeros_like(event), treated)
    with pytest.raises(Refused, match="No finite hazard ratio is the likeliest"):
        cox(time, event & ~treated, treated)
    with pytest.raises(UsageError, match="the same for everyone, or follows from the others"):
        cox(time, event, treated, None, treated.astype(float))


def test_it_names_its_ties() -> None:
    found: Cox = cox(*_draw(4)[:3])
    assert found.ties is Ties.EFRON
    assert found.treatment.kind is ErrorKind.MODEL

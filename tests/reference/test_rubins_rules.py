"""Rubin's rules, worked by hand from Rubin (1987) and Barnard and Rubin (1999), in fractions."""

from __future__ import annotations

import math

import pytest

from counterfoil.effect.combining import combine, combine_estimates
from counterfoil.effect.values import Estimate
from counterfoil.errors import UsageError


def test_three_draws_by_hand() -> None:
    # mean 2, between 1, total 2 + 4/3; share (4/3)/(10/3); df 1 / (1/12.5 + 1/((21/23) * 20 * 0.6))
    found = combine([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], df=20.0)
    df = 1.0 / (0.08 + 23.0 / 252.0)
    assert found.estimate == pytest.approx(2.0)
    assert (found.within, found.between) == pytest.approx((2.0, 1.0))
    assert found.total == pytest.approx(10.0 / 3.0)
    assert found.share == pytest.approx(0.4)
    assert found.df == pytest.approx(df)
    assert found.missing == pytest.approx((2.0 / 3.0 + 2.0 / (df + 3.0)) / (5.0 / 3.0))


def test_large_samples_have_rubins_first_degrees_of_freedom() -> None:
    assert combine([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]).df == pytest.approx(2.0 / 0.4**2)


def test_interval_is_students() -> None:
    # df 12.5 lies between the tables' 12 (2.1788) and 13 (2.1604)
    found = combine([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    half = (found.high - found.low) / 2.0 / math.sqrt(10.0 / 3.0)
    assert 2.1604 < half < 2.1788


def test_draws_that_are_alike_add_nothing() -> None:
    found = combine([0.1] * 20, [4.0] * 20, df=30.0)
    assert found.share == 0.0
    assert found.missing == 0.0
    assert found.df == 30.0
    assert (found.low, found.high) == pytest.approx(
        (0.1 - 2.0423 * 2.0, 0.1 + 2.0423 * 2.0), abs=1e-3
    )  # t table, 30 df


def test_estimates_give_their_errors_back() -> None:
    one = Estimate(difference=1.0, low=1.0 - 2.0423 * 3.0, high=1.0 + 2.0423 * 3.0, p=0.7, method="welch", df=30.0)
    assert combine_estimates([one, one]).within == pytest.approx(9.0, abs=1e-3)


@pytest.mark.parametrize("given", [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [1.0, 0.0])])
def test_what_cannot_be_combined(given: tuple[list[float], list[float]]) -> None:
    with pytest.raises(UsageError):
        combine(*given)

"""Points and tails of the normal and of t are those of scipy's distributions."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from counterfoil.effect.tails import beyond_normal, beyond_t, normal_point, point_of_t

SHARES = (1e-9, 0.025, 0.5, 0.8, 0.975, 1.0 - 1e-12)
VALUES = (-3.0, 0.0, 1e-6, 0.7, 1.96, 8.0, 45.0)


@pytest.mark.parametrize("df", [0.4, 1.0, 2.5, 19.0, 800.3, 76_000.0, 1e9])
def test_t(df: float) -> None:
    assert [point_of_t(share, df) for share in SHARES] == [float(stats.t.ppf(share, df)) for share in SHARES]
    assert [beyond_t(value, df) for value in VALUES] == [float(stats.t.sf(value, df)) for value in VALUES]


def test_t_of_endless_degrees_is_the_normal() -> None:
    """scipy's t has another last digit there than its normal."""
    for share in SHARES:
        assert point_of_t(share, math.inf) == pytest.approx(float(stats.t.ppf(share, math.inf)), rel=1e-15, abs=1e-15)
    for value in VALUES:
        assert beyond_t(value, math.inf) == pytest.approx(float(stats.t.sf(value, math.inf)), rel=1e-15)


def test_normal() -> None:
    assert [normal_point(share) for share in SHARES] == [float(stats.norm.ppf(share)) for share in SHARES]
    assert [beyond_normal(value) for value in VALUES] == [float(stats.norm.sf(value)) for value in VALUES]

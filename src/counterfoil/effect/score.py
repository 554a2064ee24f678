"""Newcombe's hybrid score interval for a difference of rates (Newcombe 1998, Statistics in Medicine 17, method 10).

Each rate has its Wilson interval, which stays inside 0-1 and does not collapse at 0 or 1; the two are joined by
squares. A weighted comparison group enters with its effective n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import optimize, stats

from counterfoil.effect.values import Estimate, Group
from counterfoil.effect.welch import LEVEL
from counterfoil.units import Kind, difference_scale

LARGEST_Z = 1e4  # beyond any test; every interval holds 0 long before


@dataclass(frozen=True, slots=True)
class Limits:
    """Two ends of an interval, in the unit of what they bound."""

    low: float
    high: float


def wilson_limits(rate: float, n: float, z: float) -> Limits:
    """Wilson's interval for a rate (0-1) seen among `n` people (need not be whole; infinite gives the rate itself)."""
    if math.isinf(n):
        return Limits(rate, rate)
    centre = rate + z * z / (2.0 * n)
    spread = max(0.0, rate * (1.0 - rate))  # a weighted mean of ones may pass 1 by its last digit
    half = z * math.sqrt(spread / n + z * z / (4.0 * n * n))
    divisor = 1.0 + z * z / n
    return Limits(max(0.0, (centre - half) / divisor), min(1.0, (centre + half) / divisor))


def newcombe_limits(treated: Group, comparison: Group, z: float) -> Limits:
    """The interval for the difference of two rates, 0-1 scale, at `z` standard errors."""
    one = wilson_limits(treated.value, treated.ess, z)
    two = wilson_limits(comparison.value, comparison.ess, z)
    difference = treated.value - comparison.value
    below = math.hypot(treated.value - one.low, two.high - comparison.value)
    above = math.hypot(one.high - treated.value, comparison.value - two.low)
    return Limits(difference - below, difference + above)


def score_estimate(treated: Group, comparison: Group) -> Estimate | None:
    """Treated minus comparison rate, in points. `p` is 1 minus the level at which the interval first reaches 0."""
    if treated.n == 0 or comparison.n == 0:
        return None
    limits = newcombe_limits(treated, comparison, float(stats.norm.ppf(0.5 + LEVEL / 2.0)))
    scale = difference_scale(Kind.RATE)
    return Estimate(
        difference=scale * (treated.value - comparison.value),
        low=scale * limits.low,
        high=scale * limits.high,
        p=_p_by_inversion(treated, comparison),
        method="score",
    )


def _p_by_inversion(treated: Group, comparison: Group) -> float:
    difference = treated.value - comparison.value
    if difference == 0.0:
        return 1.0

    def nearest_end(z: float) -> float:
        limits = newcombe_limits(treated, comparison, z)
        return limits.low if difference > 0.0 else -limits.high

    if nearest_end(LARGEST_Z) >= 0.0:
        return 0.0
    return 2.0 * float(stats.norm.sf(optimize.brentq(nearest_end, 0.0, LARGEST_Z, xtol=1e-12)))

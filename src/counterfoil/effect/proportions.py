"""Two proportions of a trial, as R's `prop.test(correct = FALSE)` and most trial reports give them.

In a trial nobody is weighted, so the rates are plain binomials: the interval is the unpooled normal one, p is that of
the pooled chi-square test. (A matched design keeps Welch, which is the Justice Data Lab's test: docs/decisions.)
"""

from __future__ import annotations

import math

from scipy import stats

from counterfoil.effect.values import Estimate, Group
from counterfoil.effect.welch import LEVEL
from counterfoil.units import Kind, difference_scale


def proportions_estimate(treated: Group, comparison: Group) -> Estimate | None:
    """Treated minus comparison rate in points; None when a group has fewer than two people, or nobody differs."""
    if treated.n < 2 or comparison.n < 2:
        return None
    unpooled = _binomial(treated.value) / treated.n + _binomial(comparison.value) / comparison.n
    together = (treated.value * treated.n + comparison.value * comparison.n) / (treated.n + comparison.n)
    pooled = _binomial(together) * (1.0 / treated.n + 1.0 / comparison.n)
    if unpooled <= 0.0 or pooled <= 0.0:
        return None  # an interval of no width would claim certainty
    difference, scale = treated.value - comparison.value, difference_scale(Kind.RATE)
    half = float(stats.norm.ppf(0.5 + LEVEL / 2.0)) * math.sqrt(unpooled)
    return Estimate(
        difference=scale * difference,
        low=scale * (difference - half),
        high=scale * (difference + half),
        p=2.0 * float(stats.norm.sf(abs(difference) / math.sqrt(pooled))),
        method="proportions",
    )


def _binomial(rate: float) -> float:
    return rate * (1.0 - rate)

"""Welch's test with Kish's effective n: the Justice Data Lab's test, unpooled (EVALUATION A12).

Unpooled because the published verdicts fit it in 11 rows of 11 and a pooled test in 10 ("Checking published results").
"""

from __future__ import annotations

import math

from counterfoil.effect.groups import has_variance
from counterfoil.effect.tails import beyond_t, point_of_t
from counterfoil.effect.values import Estimate, Group
from counterfoil.units import Kind, difference_scale

LEVEL = 0.95  # of every interval; 1 - LEVEL is the level of every test


def welch_estimate(treated: Group, comparison: Group, kind: Kind) -> Estimate | None:
    """Treated minus comparison with a t interval; None when a variance is undefined or nobody differs from anybody.

    A comparison group that is very large is said with `ess = math.inf`: its part of the error is then 0.
    """
    if not (_has_spread(treated) and _has_spread(comparison)):
        return None
    part_treated = treated.variance / treated.ess
    part_comparison = comparison.variance / comparison.ess
    squared_error = part_treated + part_comparison
    if squared_error <= 0.0:
        return None  # an interval of no width would claim certainty
    df = squared_error**2 / (part_treated**2 / (treated.ess - 1.0) + part_comparison**2 / (comparison.ess - 1.0))
    return _t_estimate(treated.value - comparison.value, math.sqrt(squared_error), df, difference_scale(kind))


def _has_spread(group: Group) -> bool:
    return has_variance(group.n, group.ess)


def _t_estimate(difference: float, error: float, df: float, scale: float) -> Estimate:
    half = point_of_t(0.5 + LEVEL / 2.0, df) * error
    return Estimate(
        difference=scale * difference,
        low=scale * (difference - half),
        high=scale * (difference + half),
        p=2.0 * beyond_t(abs(difference) / error, df),
        method="welch",
        df=df,
    )

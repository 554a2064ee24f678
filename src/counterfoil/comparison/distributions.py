"""How far apart two weighted distributions of one number lie: variances and the largest gap between their shares.

The gap (Kolmogorov-Smirnov) needs no sorting of the pool. Between two neighbouring treated values the treated share
stands still and the pool's only grows, so the largest gap is found at a treated value or just before one: it is
enough to know between which treated values each person lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.logit.compiling import compiled


@dataclass(frozen=True, slots=True)
class Spread:
    """One number, treated against comparison. Variances are for reliability weights; NaN for a single person."""

    treated_variance: float
    comparison_variance: float
    ks: float  # largest gap between the two cumulative shares, 0-1


def compare_spreads(values: FloatArray, treated: BoolArray, weight: FloatArray, means: FloatArray) -> Spread:
    """`values`, `treated`, `weight` have one entry a person; `means` are the weighted means (comparison, treated)."""
    points = np.unique(values[treated])
    sums, shares = np.zeros((2, 3)), np.zeros((2, 2 * len(points) + 1))
    _add_people(values, treated, weight, means, points, sums, shares)
    cumulative = np.cumsum(shares, axis=1) / sums[:, :1]
    return Spread(
        treated_variance=_variance(sums[1]),
        comparison_variance=_variance(sums[0]),
        ks=float(np.abs(cumulative[1] - cumulative[0]).max()),
    )


def _variance(sums: FloatArray) -> float:
    """Unbiased for reliability weights: sum w d^2 * W / (W^2 - sum w^2); the usual n - 1 formula for weights of 1."""
    total, squares, deviations = (float(value) for value in sums)
    room = total * total - squares
    return deviations * total / room if room > 1e-12 * total * total else np.nan


@compiled
def _add_people(  # pragma: no cover - compiled
    values: FloatArray,
    treated: BoolArray,
    weight: FloatArray,
    means: FloatArray,
    points: FloatArray,
    sums: FloatArray,
    shares: FloatArray,
) -> None:
    """Add each person to the group's sums (weight, weight squared, weighted squared deviation) and to its bucket:
    2k is between treated values k - 1 and k, 2k + 1 is at treated value k."""
    n_points = len(points)
    for i in range(len(values)):
        w, x = weight[i], values[i]
        if w == 0.0:
            continue
        group = 1 if treated[i] else 0
        sums[group, 0] += w
        sums[group, 1] += w * w
        sums[group, 2] += w * (x - means[group]) ** 2
        low, size = 0, n_points
        while size > 0:
            half = size >> 1
            if points[low + half] < x:
                low += half + 1
                size -= half + 1
            else:
                size = half
        at = 1 if low < n_points and points[low] == x else 0
        shares[group, 2 * low + at] += w

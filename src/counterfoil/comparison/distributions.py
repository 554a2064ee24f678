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


def compare_spreads(
    values: FloatArray, treated: BoolArray, weight: FloatArray, means: FloatArray
) -> tuple[Spread, Spread]:
    """Before (everyone once) and after (under `weight`), in one pass.

    `values`, `treated`, `weight` have one entry a person; `means` is (before or after, comparison or treated).
    """
    sums, shares = _added(values, treated, weight, means, with_before=True)
    return _spread(sums[0], shares[0]), _spread(sums[1], shares[1])


def spread_under(values: FloatArray, treated: BoolArray, weight: FloatArray, means: FloatArray) -> Spread:
    """After alone: nobody without a weight is looked at. `means` is (comparison or treated)."""
    sums, shares = _added(values, treated, weight, np.stack([means, means]), with_before=False)
    return _spread(sums[1], shares[1])


def _added(
    values: FloatArray, treated: BoolArray, weight: FloatArray, means: FloatArray, *, with_before: bool
) -> tuple[FloatArray, FloatArray]:
    points = np.unique(values[treated])
    sums, shares = np.zeros((2, 2, 3)), np.zeros((2, 2, 2 * len(points) + 1))
    _add_people(values, treated, weight, means, points, with_before, sums, shares)
    return sums, shares


def group_variances(numeric: FloatArray, treated: BoolArray, means: FloatArray) -> FloatArray:
    """Sample variance (n - 1) of each number in each group; both arrays are (comparison or treated, number).

    Exactly 0 for a constant, whose computed variance may be a rounding error above it.
    """
    sums = np.zeros((2, 1 + numeric.shape[1]))
    lowest, highest = np.full_like(means, np.inf), np.full_like(means, -np.inf)
    _add_deviations(numeric, treated, means, sums, lowest, highest)
    variances: FloatArray = sums[:, 1:] / (sums[:, :1] - 1.0)
    return np.where(lowest == highest, 0.0, variances)


def _spread(sums: FloatArray, shares: FloatArray) -> Spread:
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
    with_before: bool,
    sums: FloatArray,
    shares: FloatArray,
) -> None:
    """Add each person to the group's sums (weight, weight squared, weighted squared deviation) and to its bucket:
    2k is between treated values k - 1 and k, 2k + 1 is at treated value k."""
    n_points = len(points)
    for i in range(len(values)):
        x, w = values[i], weight[i]
        if not (with_before or w > 0.0):
            continue
        group = 1 if treated[i] else 0
        low, size = 0, n_points
        while size > 0:
            half = size >> 1
            if points[low + half] < x:
                low += half + 1
                size -= half + 1
            else:
                size = half
        bucket = 2 * low + (1 if low < n_points and points[low] == x else 0)
        if with_before:
            shares[0, group, bucket] += 1.0
            sums[0, group, 0] += 1.0
            sums[0, group, 1] += 1.0
            sums[0, group, 2] += (x - means[0, group]) ** 2
        if w > 0.0:
            shares[1, group, bucket] += w
            sums[1, group, 0] += w
            sums[1, group, 1] += w * w
            sums[1, group, 2] += w * (x - means[1, group]) ** 2


@compiled
def _add_deviations(  # pragma: no cover - compiled
    numeric: FloatArray,
    treated: BoolArray,
    means: FloatArray,
    sums: FloatArray,
    lowest: FloatArray,
    highest: FloatArray,
) -> None:
    """Count each group, add its squared deviations, note its smallest and largest value of each number."""
    for i in range(len(numeric)):
        group = 1 if treated[i] else 0
        sums[group, 0] += 1.0
        for j in range(numeric.shape[1]):
            x = numeric[i, j]
            sums[group, 1 + j] += (x - means[group, j]) ** 2
            lowest[group, j] = min(lowest[group, j], x)
            highest[group, j] = max(highest[group, j], x)

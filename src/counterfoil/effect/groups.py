"""One side of one measure: from arrays to a `Group`. Weights are reliability weights, so only their ratios matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray, IntArray
from counterfoil.effect.values import Group


def kish_ess(weight: FloatArray) -> float:
    """Kish's effective sample size, in people: (sum of w)^2 / sum of w^2; 0 when nobody has a weight."""
    if weight.size == 0:
        return 0.0
    share = weight / weight.max()  # so that very large or small weights neither overflow nor vanish
    return float(share.sum() ** 2 / (share * share).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Who counts on one side: their rows, weights, shares of the weight and effective number. The same for every
    measure that nobody of them lacks."""

    rows: IntArray
    weight: FloatArray
    share: FloatArray
    ess: float

    def those(self, known: BoolArray) -> Side:
        """Some of them."""
        return _side(self.rows[known], self.weight[known])


def side_of(weight: FloatArray, within: BoolArray) -> Side:
    """Those `within` who have a weight."""
    rows = np.flatnonzero(within & (weight > 0))
    return _side(rows, weight[rows])


def _side(rows: IntArray, weight: FloatArray) -> Side:
    return Side(rows, weight, weight / weight.sum() if rows.size else weight, kish_ess(weight))


def group_of(value: FloatArray, side: Side) -> Group:
    """Those of a side who have a value. The variance is one person's, with n - 1 read as ess - 1."""
    y = value[side.rows]
    unknown = np.isnan(y)
    if unknown.any():
        side, y = side.those(~unknown), y[~unknown]
    events = int(np.count_nonzero(y))
    sizes = np.abs(y)
    total = float(sizes.sum())
    largest = float(sizes.max()) / total if total > 0 else None
    if y.size == 0:
        return Group(n=0, ess=0.0, value=float("nan"), variance=float("nan"), events=events)
    same = bool(y.min() == y.max())  # then rounding must not make a difference, nor a spread
    mean = float(y[0]) if same else float((side.share * y).sum())
    spread = 0.0 if same else float((side.share * (y - mean) ** 2).sum())
    variance = spread * side.ess / (side.ess - 1.0) if has_variance(int(y.size), side.ess) else float("nan")
    return Group(n=int(y.size), ess=side.ess, value=mean, variance=variance, events=events, largest=largest)


def has_variance(n: int, ess: float) -> bool:
    """Two people, and not all the weight on one of them."""
    return n >= 2 and ess - 1.0 > 1e-9

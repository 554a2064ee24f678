"""One side of one measure: from arrays to a `Group`. Weights are reliability weights, so only their ratios matter."""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.values import Group


def kish_ess(weight: FloatArray) -> float:
    """Kish's effective sample size, in people: (sum of w)^2 / sum of w^2; 0 when nobody has a weight."""
    if weight.size == 0:
        return 0.0
    share = weight / weight.max()  # so that very large or small weights neither overflow nor vanish
    return float(share.sum() ** 2 / (share * share).sum())


def group_of(value: FloatArray, weight: FloatArray, within: BoolArray) -> Group:
    """Those `within` who have a weight and a value. The variance is one person's, with n - 1 read as ess - 1."""
    used = within & (weight > 0) & ~np.isnan(value)
    y, w = value[used], weight[used]
    events = int(np.count_nonzero(y))
    total = float(np.abs(y).sum())
    largest = float(np.abs(y).max()) / total if total > 0 else None
    if y.size == 0:
        return Group(n=0, ess=0.0, value=float("nan"), variance=float("nan"), events=events)
    share = w / w.sum()
    same = bool(y.min() == y.max())  # then rounding must not make a difference, nor a spread
    mean = float(y[0]) if same else float((share * y).sum())
    ess = kish_ess(w)
    spread = 0.0 if same else float((share * (y - mean) ** 2).sum())
    variance = spread * ess / (ess - 1.0) if has_variance(int(y.size), ess) else float("nan")
    return Group(n=int(y.size), ess=ess, value=mean, variance=variance, events=events, largest=largest)


def has_variance(n: int, ess: float) -> bool:
    """Two people, and not all the weight on one of them."""
    return n >= 2 and ess - 1.0 > 1e-9

"""Rubin's rules: one estimate from several, made on several draws of what is not known for sure.

Sources: Rubin (1987), Multiple Imputation for Nonresponse in Surveys; degrees of freedom as Barnard and Rubin (1999),
Biometrika 86(4). Here the draws are of links: who each entry of a list is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from counterfoil.effect.tails import beyond_t, point_of_t
from counterfoil.effect.values import Estimate
from counterfoil.effect.welch import LEVEL
from counterfoil.errors import UsageError

FEWEST_DRAWS = 2  # a variance between draws needs two


@dataclass(frozen=True, slots=True)
class Combined:
    """Several estimates as one, in their own unit; interval and p at 95% by Student's t with `df`.

    `share`: of the total variance, what comes between the draws (0-1). `missing`: the fraction of missing information.
    """

    estimate: float
    low: float
    high: float
    p: float
    within: float  # mean squared error of the single estimates
    between: float  # variance of the estimates over the draws
    total: float
    df: float
    share: float
    missing: float
    draws: int


def combine(estimates: Sequence[float], variances: Sequence[float], df: float = math.inf) -> Combined:
    """Combine estimates with their squared errors. `df`: what one estimate would have if nothing were drawn.

    UsageError for fewer than two, for lengths that differ and for a variance that is not over 0.
    """
    values, squares, m = np.asarray(estimates, np.float64), np.asarray(variances, np.float64), len(estimates)
    if m < FEWEST_DRAWS or values.shape != squares.shape:
        raise UsageError(f"To combine draws takes {FEWEST_DRAWS} or more, each an estimate and a variance.")
    if not (np.isfinite(values).all() and np.isfinite(squares).all() and (squares > 0).all()):
        raise UsageError("A draw has no finite estimate, or a variance that is not over 0.")
    within = float(squares.mean())
    # draws that are all alike have no variance, not the rounding of their mean
    between = 0.0 if bool((values == values[0]).all()) else float(values.var(ddof=1))
    added = (1.0 + 1.0 / m) * between
    total = within + added
    share, ratio = added / total, added / within
    freedom = _freedom(share, m, df)
    centre = float(values[0]) if between == 0.0 else float(values.mean())
    error = math.sqrt(total)
    half = point_of_t(0.5 + LEVEL / 2.0, freedom) * error
    missing = (ratio + 2.0 / (freedom + 3.0)) / (1.0 + ratio) if share > 0.0 else 0.0
    p = 2.0 * beyond_t(abs(centre) / error, freedom)
    return Combined(centre, centre - half, centre + half, p, within, between, total, freedom, share, missing, m)


def combine_estimates(estimates: Sequence[Estimate]) -> Combined:
    """The same from intervals: an estimate's squared error is that of its interval and degrees of freedom."""
    dfs = [math.inf if each.df is None else each.df for each in estimates]
    squares = [_error_of(each, df) ** 2 for each, df in zip(estimates, dfs, strict=True)]
    finite = [df for df in dfs if math.isfinite(df)]
    return combine([each.difference for each in estimates], squares, float(np.mean(finite)) if finite else math.inf)


def _error_of(estimate: Estimate, df: float) -> float:
    return (estimate.high - estimate.low) / (2.0 * point_of_t(0.5 + LEVEL / 2.0, df))


def _freedom(share: float, m: int, df: float) -> float:
    if share == 0.0:
        return df
    old = (m - 1.0) / share**2
    if math.isinf(df):
        return old
    observed = (df + 1.0) / (df + 3.0) * df * (1.0 - share)
    return old * observed / (old + observed)

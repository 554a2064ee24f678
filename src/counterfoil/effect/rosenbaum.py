"""Rosenbaum's bounds: how far pairs could have differed in their odds of treatment before the answer would change.

Gamma 1: in each pair either was as likely to be treated. Gamma 2: a hidden difference made one of them up to twice as
likely. Rosenbaum (2002), Observational Studies, 4.2-4.3; Rosenbaum (2007), Biometrics 63(2) for the M-statistic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from counterfoil.comparison.values import FloatArray
from counterfoil.errors import UsageError

LEVEL = 0.05  # one side of a two-sided 10%, as sensitivity analyses are reported (Rosenbaum 2002)
LARGEST = 20.0  # a Gamma beyond this is "over 20"
STEPS = 60  # halvings; Gamma is then exact to a double


@dataclass(frozen=True, slots=True)
class Bounds:
    """The p-value of one side, at its smallest and largest, under any hidden difference up to Gamma."""

    gamma: float
    low: float
    high: float


def bounds_binary(discordant_for: int, discordant_against: int, gamma: float) -> Bounds:
    """Pairs where only one had the outcome (McNemar). `for`: those that speak for the effect that is tested.

    P(T >= t), the observed number itself included; rbounds 2.2 leaves it out.
    """
    _check(gamma)
    pairs = discordant_for + discordant_against
    if min(discordant_for, discordant_against) < 0:
        raise UsageError("Numbers of pairs cannot be under 0.")
    low, high = (float(stats.binom.sf(discordant_for - 1, pairs, p)) for p in _chances(gamma))
    return Bounds(gamma, low, high)


def bounds_signed_rank(differences: FloatArray, gamma: float) -> Bounds:
    """Wilcoxon's signed-rank test that differences (treated minus partner, one a pair) lie over 0.

    Differences of 0 are dropped, ties share their mean rank, the law is normal.
    """
    _check(gamma)
    kept = _usable(differences)
    return _bounds(np.sign(kept), stats.rankdata(np.abs(kept)), gamma)


def bounds_m(differences: FloatArray, gamma: float, *, inner: float = 0.0, trim: float = 2.5) -> Bounds:
    """Huber and Maritz's M-statistic that differences lie over 0: each counts by its size over the median size.

    Sizes under `inner` count nothing, those over `trim` count as `trim`; infinite `trim` is the permutation t test.
    """
    _check(gamma)
    values = np.asarray(differences, np.float64)
    scale = float(np.median(np.abs(values))) if len(values) else 0.0
    if not np.isfinite(values).all() or scale <= 0.0:
        raise UsageError("Differences must be finite, and more than half of them other than 0.")
    size = np.abs(values) / scale
    if math.isfinite(trim):
        score = trim * np.clip((size - inner) / (trim - inner), 0.0, 1.0)
    else:
        score = np.maximum(size - inner, 0.0)
    return _bounds(np.sign(values), score, gamma)


def gamma_at(bounds: Callable[[float], Bounds], *, level: float = LEVEL) -> float | None:
    """The smallest Gamma at which the largest p reaches `level`; None when it is reached without any hidden difference.

    `LARGEST` means that Gamma or more.
    """
    if bounds(1.0).high >= level:
        return None
    if bounds(LARGEST).high < level:
        return LARGEST
    low, high = 1.0, LARGEST
    for _ in range(STEPS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if bounds(middle).high >= level else (middle, high)
    return high


def _check(gamma: float) -> None:
    if not 1.0 <= gamma < math.inf:
        raise UsageError(f"Gamma is {gamma:g}; it must be 1 or more.")


def _usable(differences: FloatArray) -> FloatArray:
    values = np.asarray(differences, np.float64)
    if not np.isfinite(values).all() or not values.any():
        raise UsageError("Differences must be finite, and one of them at least other than 0.")
    kept: FloatArray = values[values != 0.0]
    return kept


def _chances(gamma: float) -> tuple[float, float]:
    """Of the likelier side, at the smallest and at the largest."""
    return 1.0 / (1.0 + gamma), gamma / (1.0 + gamma)


def _bounds(sign: FloatArray, score: FloatArray, gamma: float) -> Bounds:
    """Normal law of the sum of scores of positive pairs; zeros count for nothing on either side."""
    counted = np.where(sign == 0.0, 0.0, score)
    total, squares = math.fsum(counted), math.fsum(counted**2)
    observed = math.fsum(counted[sign > 0])
    low, high = (
        float(special.ndtr(-(observed - p * total) / math.sqrt(p * (1.0 - p) * squares))) for p in _chances(gamma)
    )
    return Bounds(gamma, low, high)

"""Errors of nearest matching with replacement (Abadie and Imbens 2006, Econometrica 74; bias correction 2011, JBES 29).

A comparison person who stands for several treated people makes their differences hang together, which neither a pair's
nor a person's squares see, and the bootstrap is not valid here (Abadie and Imbens 2008). The variance of the effect on
the treated is

    ( sum over treated of (difference - mean)^2  +  sum over comparison people of (K^2 - K') s^2 ) / treated^2

with K the sum and K' the sum of squares of the shares that a person carries, and s^2 the variance of outcomes among
people alike: each person's and their nearest few's in the same group. The score is taken as known.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.influence import ESTIMATE_RULE, with_interval
from counterfoil.effect.inputs import check_sides
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.errors import Refused, UsageError

IntArray = npt.NDArray[np.int64]
NEIGHBOURS = 4  # people alike who tell a variance, beside the person; Abadie and Imbens's own choice


def abadie_imbens(
    outcome: FloatArray,
    treated: BoolArray,
    score: FloatArray,
    pair_treated: IntArray,
    pair_comparison: IntArray,
    share: FloatArray,
    *,
    predicted: FloatArray | None = None,
    neighbours: int = NEIGHBOURS,
    tie: float = 0.0,
) -> Inference:
    """Mean difference of the treated from their partners, in the outcome's unit.

    One entry a pair: rows of the treated person and the partner, and the part of the treated person's weight of 1 that
    the partner carries. `predicted`: everyone's outcome without treatment by a model; differences are then corrected
    for how partners differ in it. People alike are the nearest on `score` and those as near, squared distances within
    `tie` counting as the same. Pairs with an unmeasured outcome are left out; the others carry their share.
    """
    values = np.asarray(outcome, np.float64)
    _check(values, treated, score, pair_treated, pair_comparison, share)
    adjusted: FloatArray = values if predicted is None else values - np.asarray(predicted, np.float64)
    known = ~(np.isnan(adjusted[pair_treated]) | np.isnan(adjusted[pair_comparison]))
    one, other, part = pair_treated[known], pair_comparison[known], np.asarray(share, np.float64)[known]
    used, n = np.unique(one), len(values)
    check_sides(np.repeat([True, False], [len(used), len(np.unique(other))]), "outcome")
    part = part / np.bincount(one, weights=part, minlength=n)[one]
    differences = adjusted[used] - np.bincount(one, weights=part * adjusted[other], minlength=n)[used]
    estimate = float(differences.mean())
    pool = np.flatnonzero(~np.asarray(treated, np.bool_) & ~np.isnan(values))
    alike = variance_among_alike(values[pool], np.asarray(score, np.float64)[pool], neighbours=neighbours, tie=tie)
    carried = np.bincount(other, weights=part, minlength=n) ** 2 - np.bincount(other, weights=part**2, minlength=n)
    variance = float(((differences - estimate) ** 2).sum() + (carried[pool] * alike).sum()) / len(used) ** 2
    return with_interval(estimate, math.sqrt(max(0.0, variance)), ErrorKind.ABADIE_IMBENS)


def variance_among_alike(values: FloatArray, score: FloatArray, *, neighbours: int, tie: float) -> FloatArray:
    """Each person's sample variance of `values` over themselves and their nearest in `score`, ties included.

    The nearest on a line are a run of the sorted scores, so a variance is a difference of running sums.
    """
    if len(values) <= neighbours:
        raise Refused("Too few comparison people to tell how outcomes vary among people alike.", rule=ESTIMATE_RULE)
    order = np.argsort(score, kind="stable")
    sorted_score, centred = score[order], values[order] - values.mean()
    first = _first_of_nearest(sorted_score, neighbours + 1)
    ends = np.maximum(sorted_score - sorted_score[first], sorted_score[first + neighbours] - sorted_score)
    reach = np.sqrt(ends**2 + tie)
    low = np.minimum(first, np.searchsorted(sorted_score, sorted_score - reach, side="left"))
    high = np.maximum(first + neighbours + 1, np.searchsorted(sorted_score, sorted_score + reach, side="right"))
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    count = high - low
    mean = (sums[high] - sums[low]) / count
    spread = (squares[high] - squares[low] - count * mean**2) / (count - 1)
    alike = np.empty(len(values))
    alike[order] = np.maximum(spread, 0.0)
    return alike


def _first_of_nearest(sorted_score: FloatArray, size: int) -> IntArray:
    """For each score the start of the run of `size` sorted scores (its own among them) whose far end is nearest."""
    n = len(sorted_score)
    first = np.clip(np.arange(n) - size + 1, 0, n - size)
    while True:
        following = np.minimum(first + size, n - 1)
        nearer = (first + size < n) & (sorted_score[following] - sorted_score < sorted_score - sorted_score[first])
        if not nearer.any():
            return first
        first = first + nearer


def _check(
    outcome: FloatArray,
    treated: BoolArray,
    score: FloatArray,
    pair_treated: IntArray,
    pair_comparison: IntArray,
    share: FloatArray,
) -> None:
    problems = []
    if not len(outcome) == len(treated) == len(score):
        problems.append("`outcome`, `treated` and `score` must have one value for each person.")
    if not len(pair_treated) == len(pair_comparison) == len(share):
        problems.append("Each pair needs a treated person, a comparison person and a share.")
    if not problems and len(share):
        is_treated = np.asarray(treated, np.bool_)
        if not is_treated[pair_treated].all() or is_treated[pair_comparison].any():
            problems.append("A pair must be of a treated person and a comparison person, in that order.")
        if not (np.isfinite(share).all() and (np.asarray(share) > 0).all()):
            problems.append("Shares must be finite and above 0.")
        if np.isinf(outcome).any() or not np.isfinite(score).all():
            problems.append("Outcomes must not be infinite, and scores must be finite for everyone.")
    if problems:
        raise UsageError(*problems)

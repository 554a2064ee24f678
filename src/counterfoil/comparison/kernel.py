"""Kernel matching with replacement: everyone in reach shares the treated person's weight, nearer people getting more.

The Epanechnikov kernel 1 - (d / h)^2 is a polynomial, so the sum over a run of sorted scores comes from running sums of
1, u and u^2. To lose no digits, scores are cut into cells as wide as the bandwidth and u is the distance from the
middle of the own cell: a run crosses four cells at most, and nothing in it is large. Two passes, no list of pairs: what
each treated person's kernel adds up to, then what each pool member gets from all of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from counterfoil.comparison.made import Groups, Made, no_overlap
from counterfoil.comparison.methods import Kernel
from counterfoil.comparison.propensity import Propensity, measure
from counterfoil.comparison.radius import match_radius
from counterfoil.comparison.scores import SortedScores, sort_scores
from counterfoil.comparison.values import BoolArray, FloatArray, IntArray
from counterfoil.logit.compiling import compiled

FEW = 48  # a run this short is added one by one
# A treated person all of whose neighbours lie at the rim of the bandwidth divides by next to nothing: added one by one.
RIM = 1e-4  # of the kernel's height, a neighbour


def make_kernel(groups: Groups, method: Kernel, propensity: Propensity) -> Made:
    """Refused when no treated person has anybody within the bandwidth."""
    measured = measure(propensity, groups.treated, method.ruler)
    people = sort_scores(measured.score, groups.treated, groups.stratum, measured.inside)
    bandwidth = method.bandwidth * measured.unit
    weight = match_kernel(people, bandwidth)
    if not weight.any():
        raise no_overlap(
            "no treated person has anybody within the bandwidth, of the same exact factors.",
            "Use a wider bandwidth, fewer exact factors or another pool.",
        )
    in_sd = bandwidth / measured.sd if measured.sd > 0.0 else None
    return Made(weight, propensity, caliper_sd=in_sd, caliper=bandwidth)


def match_kernel(people: SortedScores, bandwidth: float) -> FloatArray:
    """1 for a treated person with somebody nearer than `bandwidth` (in the score's unit), the shared weight for a
    comparison person, else 0. The comparison weights add up to the number of matched treated people."""
    weight = np.zeros(people.rows)
    if not len(people.pool_rows) or not len(people.treated_rows):
        return weight
    if bandwidth == 0.0:  # the score is the same for everyone in its unit: only equal scores are near, and all alike
        return match_radius(people, 0.0)
    pool = _other_side(people)
    gain = np.zeros(len(people.treated_rows))
    shared = np.zeros(len(people.pool_rows))
    ones = np.ones(len(people.pool_rows))
    lists = (people.treated_score, people.treated_first, people.treated_last, people.pool_score)
    rim = np.zeros(len(gain), np.bool_)
    matched = np.zeros(len(gain), np.bool_)
    _add_up(*lists, ones, bandwidth, gain)
    _divide(*lists, bandwidth, gain, rim, matched, shared)
    back = (pool.treated_score, pool.treated_first, pool.treated_last, pool.pool_score)
    received = np.zeros_like(shared)
    _add_up(*back, np.where(rim | ~matched, 0.0, gain), bandwidth, received)
    weight[people.pool_rows] = shared + np.maximum(received, 0.0)
    weight[people.treated_rows[matched]] = 1.0
    return weight


def _other_side(people: SortedScores) -> SortedScores:
    """The pool in the place of the treated: for each pool member, the run of treated people of the same stratum."""
    first, last = np.zeros(len(people.pool_rows), np.int64), np.zeros(len(people.pool_rows), np.int64)
    _swap_runs(people.treated_first, people.treated_last, first, last)
    return replace(
        people,
        treated_rows=people.pool_rows,
        treated_score=people.pool_score,
        treated_first=first,
        treated_last=last,
        pool_rows=people.treated_rows,
        pool_score=people.treated_score,
    )


@compiled
def _swap_runs(  # pragma: no cover - compiled
    treated_first: IntArray, treated_last: IntArray, first: IntArray, last: IntArray
) -> None:
    """Treated people of one stratum stand together and share their run in the pool."""
    t, n = 0, len(treated_first)
    while t < n:
        end = t + 1
        while end < n and treated_first[end] == treated_first[t] and treated_last[end] == treated_last[t]:
            end += 1
        for i in range(treated_first[t], treated_last[t]):
            first[i], last[i] = t, end
        t = end


@compiled
def _add_up(  # pragma: no cover - compiled
    at: FloatArray,
    first: IntArray,
    last: IntArray,
    score: FloatArray,
    mass: FloatArray,
    h: float,
    total: FloatArray,
) -> None:
    """`total[t]`: sum of mass times kernel over the people of the run of t who are nearer than h."""
    n = len(score)
    lowest = min(at.min(), score.min())
    sums = np.zeros((n, 3))  # running from the beginning of the own cell (of the own run of scores)
    cell = np.zeros(n, np.int64)
    for i in range(n):
        cell[i] = int(np.floor((score[i] - lowest) / h))
        u = score[i] - lowest - (cell[i] + 0.5) * h
        same = i > 0 and cell[i] == cell[i - 1] and score[i] >= score[i - 1]
        for power in range(3):
            sums[i, power] = mass[i] * u**power + (sums[i - 1, power] if same else 0.0)
    begins = np.zeros(n, np.int64)  # of the cell that i lies in
    ends = np.zeros(n, np.int64)
    for i in range(n):
        same = i > 0 and cell[i] == cell[i - 1] and score[i] >= score[i - 1]
        begins[i] = begins[i - 1] if same else i
    for i in range(n - 1, -1, -1):
        same = i < n - 1 and begins[i + 1] == begins[i]
        ends[i] = ends[i + 1] if same else i + 1
    for t in range(len(at)):
        low = _first_within(score, first[t], last[t], at[t], h)
        high = _past_within(score, low, last[t], at[t], h)
        if high - low <= FEW:
            for i in range(low, high):
                d = abs(score[i] - at[t])
                total[t] += mass[i] * ((h - d) / h) * ((h + d) / h)
            continue
        i = low
        while i < high:
            end = min(ends[i], high)
            v = at[t] - lowest - (cell[i] + 0.5) * h
            s0, s1, s2 = sums[end - 1, 0], sums[end - 1, 1], sums[end - 1, 2]
            if i > begins[i]:
                s0, s1, s2 = s0 - sums[i - 1, 0], s1 - sums[i - 1, 1], s2 - sums[i - 1, 2]
            total[t] += s0 - (s2 - 2.0 * v * s1 + v * v * s0) / (h * h)
            i = end


@compiled
def _first_within(  # pragma: no cover - compiled
    score: FloatArray, low: int, high: int, at: float, h: float
) -> int:
    """First place in [low, high) whose score is nearer than h to `at`, or above it."""
    while low < high:
        middle = (low + high) >> 1
        if score[middle] < at and at - score[middle] >= h:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _past_within(  # pragma: no cover - compiled
    score: FloatArray, low: int, high: int, at: float, h: float
) -> int:
    """First place in [low, high) whose score lies h or more above `at`."""
    while low < high:
        middle = (low + high) >> 1
        if score[middle] <= at or score[middle] - at < h:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _divide(  # pragma: no cover - compiled
    at: FloatArray,
    first: IntArray,
    last: IntArray,
    score: FloatArray,
    h: float,
    gain: FloatArray,
    rim: BoolArray,
    matched: BoolArray,
    shared: FloatArray,
) -> None:
    """Turn each treated person's sum into what one unit of kernel is worth. Whoever has only neighbours at the rim
    gives their weight out here, one by one, so that their large worth spoils no running sum."""
    for t in range(len(at)):
        low = _first_within(score, first[t], last[t], at[t], h)
        high = _past_within(score, low, last[t], at[t], h)
        if high <= low:
            continue
        matched[t] = True
        if gain[t] > RIM * (high - low):
            gain[t] = 1.0 / gain[t]
            continue
        rim[t] = True
        exact = 0.0
        for i in range(low, high):
            d = abs(score[i] - at[t])
            exact += ((h - d) / h) * ((h + d) / h)
        if exact <= 0.0:
            matched[t] = False
            continue
        for i in range(low, high):
            d = abs(score[i] - at[t])
            shared[i] += ((h - d) / h) * ((h + d) / h) / exact

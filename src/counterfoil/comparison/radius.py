"""Radius matching with replacement: every comparison person within the caliper shares the treated person's weight.

A treated person with k people in reach gives each of them 1/k. Nobody's partners are listed: on sorted scores the
partners are a run, so a weight is a running sum of what begins and ends there.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.scores import SortedScores, common_support, sort_scores
from counterfoil.comparison.values import BoolArray, FloatArray, IntArray
from counterfoil.logit.compiling import compiled


def match_radius(people: SortedScores, caliper: float) -> FloatArray:
    """A weight for each person: 1 for a treated person with somebody within `caliper` (in the score's unit, both
    ends included), the shared weight for a comparison person, else 0. The comparison weights add up to the number of
    matched treated people."""
    weight = np.zeros(people.rows)
    matched = np.zeros(len(people.treated_rows), np.bool_)
    shared = np.zeros(len(people.pool_rows))
    _share_weights(
        *(people.treated_score, people.treated_first, people.treated_last, people.pool_score),
        *(caliper, matched, shared),
    )
    weight[people.pool_rows] = shared
    weight[people.treated_rows[matched]] = 1.0
    return weight


def match_radius_psmatch2(propensity: FloatArray, treated: BoolArray, caliper: float) -> FloatArray:
    """Radius matching as Stata's `psmatch2, radius caliper() common ate`: on the probability itself, after leaving out
    whoever lies outside the other group's range."""
    inside = common_support(propensity, treated)
    return match_radius(sort_scores(propensity, treated, inside=inside), caliper)


@compiled
def _share_weights(  # pragma: no cover - compiled
    treated_score: FloatArray,
    treated_first: IntArray,
    treated_last: IntArray,
    pool_score: FloatArray,
    caliper: float,
    matched: BoolArray,
    shared: FloatArray,
) -> None:
    """Fill `matched` and `shared`. Runs only move forward, so this is one walk over both sorted lists."""
    n = len(pool_score)
    starts, gains = np.zeros(n + 1, np.int64), np.zeros(n + 1)
    low = high = 0
    for t in range(len(treated_score)):
        low, high = max(low, treated_first[t]), max(high, treated_first[t])
        while low < treated_last[t] and treated_score[t] - pool_score[low] > caliper:
            low += 1
        high = max(high, low)
        while high < treated_last[t] and pool_score[high] - treated_score[t] <= caliper:
            high += 1
        if high > low:
            matched[t] = True
            starts[low] += 1
            starts[high] -= 1
            gains[low] += 1.0 / (high - low)
            gains[high] -= 1.0 / (high - low)
    _run_sums(starts, gains, shared)


@compiled
def _run_sums(starts: IntArray, gains: FloatArray, shared: FloatArray) -> None:  # pragma: no cover - compiled
    """Running sums of `gains`, compensated (Neumaier 1974); exactly 0 where nobody reaches, which `starts` counts."""
    reach = 0
    total = lost = 0.0
    for i in range(len(shared)):
        reach += starts[i]
        added = total + gains[i]
        lost += (total - added) + gains[i] if abs(total) >= abs(gains[i]) else (gains[i] - added) + total
        total = added
        if reach == 0:
            total = lost = 0.0
        else:
            shared[i] = total + lost

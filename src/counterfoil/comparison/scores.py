"""Scores in order, for every method that looks for people nearby: sorted once, O(n log n), never a distance matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class SortedScores:
    """People in order of (stratum, score), sorted once for every caliper. Rows are positions in the people table."""

    treated_rows: IntArray
    treated_score: FloatArray
    treated_first: IntArray  # where this treated person's stratum begins in the pool
    treated_last: IntArray  # and ends
    pool_rows: IntArray
    pool_score: FloatArray
    rows: int


def sort_scores(
    score: FloatArray,
    treated: BoolArray,
    stratum: IntArray | None = None,
    inside: BoolArray | None = None,
    near: IntArray | None = None,
) -> SortedScores:
    """`score` in any unit; `stratum` is the combination of exact factors (none: all in one); `inside` says who takes
    part (none: everyone). `near`: all rows in an order that is nearly the scores', which is sorted sooner; people with
    one score then stand in that order."""
    there = np.ones(len(score), np.bool_) if inside is None else inside
    treated_rows, pool_rows = (_sorted_rows(_of(near, side & there), score, stratum) for side in (treated, ~treated))
    if stratum is None:
        first = np.zeros(len(treated_rows), np.int64)
        last = np.full(len(treated_rows), len(pool_rows), np.int64)
    else:
        pool_stratum = stratum[pool_rows]
        first = np.searchsorted(pool_stratum, stratum[treated_rows], side="left").astype(np.int64)
        last = np.searchsorted(pool_stratum, stratum[treated_rows], side="right").astype(np.int64)
    return SortedScores(treated_rows, score[treated_rows], first, last, pool_rows, score[pool_rows], len(score))


def common_support(score: FloatArray, treated: BoolArray) -> BoolArray:
    """Whether each person's score lies within the range of the other group's scores."""
    inside = np.ones(len(score), np.bool_)
    for group in (treated, ~treated):
        other = score[~group]
        inside[group] = (score[group] >= other.min()) & (score[group] <= other.max())
    return inside


def _of(near: IntArray | None, there: BoolArray) -> IntArray:
    return np.flatnonzero(there) if near is None else near[there[near]]


def _sorted_rows(rows: IntArray, score: FloatArray, stratum: IntArray | None) -> IntArray:
    if stratum is None:
        return rows[np.argsort(score[rows], kind="stable")]
    return rows[np.lexsort((score[rows], stratum[rows]))]

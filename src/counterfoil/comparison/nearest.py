"""Nearest-neighbour matching on a score: k:1, with or without replacement, as MatchIt's `method = "nearest"`.

The pool is sorted once by (stratum, score, row). A treated person finds their place by halving; their nearest free
neighbours are the next free places on either side. Without replacement two arrays of "next free place" (union-find)
jump over whoever is taken, so that a crowd of taken neighbours costs nothing: O(n log n) in all.

Ties. Of two people equally far away, the one with the lower score is taken. Of several with that one score, those who
stand before the treated person in the order of rows come first, the nearest first, then those after. `compare` puts
the rows in an order that depends on who people are and not on where they stand (`Ties.PERSON`).
"""

from __future__ import annotations

import heapq

import numpy as np
import pyarrow.compute as pc

from counterfoil.comparison.made import Groups, Made, no_overlap, number_pairs
from counterfoil.comparison.methods import Nearest, Order, Ties
from counterfoil.comparison.propensity import Propensity, measure
from counterfoil.comparison.scores import SortedScores, sort_scores
from counterfoil.comparison.values import FloatArray, IntArray, Pairs
from counterfoil.logit import hash_people
from counterfoil.logit.compiling import compiled

# Scores that differ by less are one score when ties are shared: what rounding in a score can come to.
SAME_SCORE = 1e-12


def make_nearest(groups: Groups, method: Nearest, propensity: Propensity) -> Made:
    """Pairs, and weights from them. Refused when nobody has a partner within the caliper."""
    measured = measure(propensity, groups.treated, method.ruler)
    people = sort_scores(measured.score, groups.treated, groups.stratum, measured.inside)
    caliper = np.inf if method.caliper is None else method.caliper * measured.unit
    pairs = match_nearest(people, caliper, method)
    if not len(pairs.treated):
        raise no_overlap(
            "no treated person has anybody within the caliper, of the same exact factors.",
            "Use a wider caliper, fewer exact factors or another pool.",
        )
    rows = len(groups.treated)
    return Made(
        weight=weigh_pairs(pairs, rows),
        propensity=propensity,
        pair=None if method.replace else number_pairs(pairs, rows),
        pairs=pairs,
        caliper_sd=None if method.caliper is None or measured.sd == 0.0 else caliper / measured.sd,
        caliper=None if method.caliper is None else caliper,
    )


def order_of_people(groups: Groups, key: str | None) -> IntArray:
    """An order of the rows that does not depend on where they stand: by `key`, else by a hash of what each row holds.

    Without a key, people whose covariates, exact factors and treatment are all the same keep the order of their rows.
    """
    if key is not None:
        return np.asarray(pc.sort_indices(groups.people[key]), np.int64)
    hashes = hash_people(groups.covariates.design)
    side = groups.treated.astype(np.uint64)
    strata = side if groups.stratum is None else side + np.uint64(2) * groups.stratum.astype(np.uint64)
    return np.lexsort((strata, hashes)).astype(np.int64)


def match_nearest(people: SortedScores, caliper: float, method: Nearest) -> Pairs:
    """Who is matched with whom; `caliper` is in the score's unit, its end included."""
    if method.ties is Ties.SHARE:
        return _shared_pairs(people, caliper, method.ratio)
    place = np.empty((len(people.treated_rows), method.ratio), np.int64)
    lists = (people.treated_score, people.treated_rows, people.treated_first, people.treated_last)
    pool = (people.pool_score, people.pool_rows)
    if method.replace:
        _match_again(*lists, *pool, caliper, place)
    elif method.order is Order.CLOSEST:
        by_row = np.argsort(people.treated_rows, kind="stable").astype(np.int64)
        _match_closest(by_row, *lists, *pool, caliper, place)
    else:
        _match_once(_turns(people, method.order), *lists, *pool, caliper, place)
    return _pairs(people, place)


def weigh_pairs(pairs: Pairs, rows: int) -> FloatArray:
    """1 for each treated person with a partner; each partner carries a part of it, and parts add up."""
    weight = np.zeros(rows)
    np.add.at(weight, pairs.comparison, pairs.share)
    weight[pairs.treated] = 1.0
    return weight


def _turns(people: SortedScores, order: Order) -> IntArray:
    """Positions among the sorted treated, in the order in which they choose; equal scores by row."""
    by = {
        Order.LARGEST: (people.treated_rows, -people.treated_score),
        Order.SMALLEST: (people.treated_rows, people.treated_score),
        Order.DATA: (people.treated_rows,),
    }[order]
    return np.lexsort(by).astype(np.int64)


def _pairs(people: SortedScores, place: IntArray) -> Pairs:
    who, rank = np.nonzero(place >= 0)
    there = place[who, rank]
    partners = np.count_nonzero(place >= 0, axis=1)
    return Pairs.in_order(
        treated=people.treated_rows[who],
        comparison=people.pool_rows[there],
        rank=rank.astype(np.int64) + 1,
        distance=np.abs(people.treated_score[who] - people.pool_score[there]),
        share=1.0 / partners[who],
    )


def _shared_pairs(people: SortedScores, caliper: float, ratio: int) -> Pairs:
    """Everyone as near as the `ratio`-th nearest, with equal parts; all of them have the rank of their distance."""
    first, last = _shared_runs(people, caliper, ratio)
    count = last - first
    who = np.repeat(np.arange(len(count)), count)
    there = np.arange(len(who)) - np.repeat(np.cumsum(count) - count, count) + first[who]
    distance = np.abs(people.treated_score[who] - people.pool_score[there])
    nearest_first = np.lexsort((people.pool_rows[there], distance, who))
    who, there, distance = who[nearest_first], there[nearest_first], distance[nearest_first]
    rank = np.arange(len(who)) - np.repeat(np.cumsum(count) - count, count) + 1
    return Pairs.in_order(people.treated_rows[who], people.pool_rows[there], rank, distance, 1.0 / count[who])


def _shared_runs(people: SortedScores, caliper: float, ratio: int) -> tuple[IntArray, IntArray]:
    first, last = np.zeros_like(people.treated_first), np.zeros_like(people.treated_last)
    lists = (people.treated_score, people.treated_first, people.treated_last, people.pool_score)
    _find_runs(*lists, caliper, ratio, SAME_SCORE, first, last)
    return first, last


@compiled
def _find(place: IntArray, i: int) -> int:  # pragma: no cover - compiled
    """The free place that `i` leads to; the way there becomes shorter."""
    root = i
    while place[root] != root:
        root = place[root]
    while place[i] != root:
        place[i], i = root, place[i]
    return root


@compiled
def _bisect(  # pragma: no cover - compiled
    pool_score: FloatArray, pool_rows: IntArray, low: int, high: int, score: float, row: int
) -> int:
    """First place in [low, high) whose (score, row) comes after these."""
    while low < high:
        middle = (low + high) >> 1
        if pool_score[middle] < score or (pool_score[middle] == score and pool_rows[middle] < row):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _nearest_free(  # pragma: no cover - compiled
    before: IntArray,
    after: IntArray,
    pool_score: FloatArray,
    place: int,
    first: int,
    last: int,
    score: float,
    caliper: float,
) -> int:
    """The nearest free place within the caliper, -1 for none. `before[j + 1]` leads to the nearest free place at or
    below j (0: none), `after[j]` to the nearest at or above it."""
    low, high = _find(before, place) - 1, _find(after, place)
    down = score - pool_score[low] if low >= first else np.inf
    up = pool_score[high] - score if high < last else np.inf
    if min(down, up) == np.inf or min(down, up) > caliper:
        return -1
    return low if down <= up else high


@compiled
def _match_once(  # pragma: no cover - compiled
    turns: IntArray,
    score: FloatArray,
    row: IntArray,
    first: IntArray,
    last: IntArray,
    pool_score: FloatArray,
    pool_rows: IntArray,
    caliper: float,
    place: IntArray,
) -> None:
    """Without replacement, in rounds. Fill `place` (treated, rank) with places in the pool, -1 for none."""
    before, after = np.arange(len(pool_score) + 1), np.arange(len(pool_score) + 1)
    done = np.zeros(len(score), np.bool_)
    place[:] = -1
    for rank in range(place.shape[1]):
        for t in turns:
            if done[t]:
                continue
            start = _bisect(pool_score, pool_rows, first[t], last[t], score[t], row[t])
            j = _nearest_free(before, after, pool_score, start, first[t], last[t], score[t], caliper)
            if j < 0:
                done[t] = True
                continue
            place[t, rank] = j
            before[j + 1], after[j] = j, j + 1


@compiled
def _match_closest(  # pragma: no cover - compiled
    by_row: IntArray,
    score: FloatArray,
    row: IntArray,
    first: IntArray,
    last: IntArray,
    pool_score: FloatArray,
    pool_rows: IntArray,
    caliper: float,
    place: IntArray,
) -> None:
    """The same, the closest pair of all first. A pair whose partner has been taken goes back into the heap with the
    next nearest. Of equally close pairs the one that went back last is first, then those that never did, by row."""
    before, after = np.arange(len(pool_score) + 1), np.arange(len(pool_score) + 1)
    start = np.empty(len(score), np.int64)
    for t in range(len(score)):
        start[t] = _bisect(pool_score, pool_rows, first[t], last[t], score[t], row[t])
    taken = np.zeros(len(pool_score), np.bool_)
    place[:] = -1
    for rank in range(place.shape[1]):
        back = 0
        heap = [(0.0, 0, 0, 0)]
        heap.pop()
        for turn in range(len(by_row)):
            t = by_row[turn]
            if rank == 0 or place[t, rank - 1] >= 0:
                j = _nearest_free(before, after, pool_score, start[t], first[t], last[t], score[t], caliper)
                if j >= 0:
                    heap.append((abs(pool_score[j] - score[t]), turn, t, j))
        heapq.heapify(heap)
        while len(heap) > 0:
            _, _, t, j = heapq.heappop(heap)
            if taken[j]:
                j = _nearest_free(before, after, pool_score, start[t], first[t], last[t], score[t], caliper)
                if j >= 0:
                    back -= 1
                    heapq.heappush(heap, (abs(pool_score[j] - score[t]), back, t, j))
                continue
            place[t, rank] = j
            taken[j] = True
            before[j + 1], after[j] = j, j + 1


@compiled
def _match_again(  # pragma: no cover - compiled
    score: FloatArray,
    row: IntArray,
    first: IntArray,
    last: IntArray,
    pool_score: FloatArray,
    pool_rows: IntArray,
    caliper: float,
    place: IntArray,
) -> None:
    """With replacement: walk away from the treated person's place on both sides."""
    place[:] = -1
    for t in range(len(score)):
        high = _bisect(pool_score, pool_rows, first[t], last[t], score[t], row[t])
        low = high - 1
        for rank in range(place.shape[1]):
            down = score[t] - pool_score[low] if low >= first[t] else np.inf
            up = pool_score[high] - score[t] if high < last[t] else np.inf
            if min(down, up) == np.inf or min(down, up) > caliper:
                break
            if down <= up:
                place[t, rank] = low
                low -= 1
            else:
                place[t, rank] = high
                high += 1


@compiled
def _find_runs(  # pragma: no cover - compiled
    score: FloatArray,
    first: IntArray,
    last: IntArray,
    pool_score: FloatArray,
    caliper: float,
    ratio: int,
    same: float,
    run_first: IntArray,
    run_last: IntArray,
) -> None:
    """The run of places that are no farther than the `ratio`-th nearest place, and within the caliper."""
    for t in range(len(score)):
        low, high = first[t], last[t]
        while low < high:
            middle = (low + high) >> 1
            if pool_score[middle] < score[t]:
                low = middle + 1
            else:
                high = middle
        low, reach = high - 1, -1.0
        for _ in range(ratio):
            down = score[t] - pool_score[low] if low >= first[t] else np.inf
            up = pool_score[high] - score[t] if high < last[t] else np.inf
            if min(down, up) == np.inf or min(down, up) > caliper:
                break
            reach = min(down, up)
            if down <= up:
                low -= 1
            else:
                high += 1
        if reach >= 0.0:
            while low >= first[t] and score[t] - pool_score[low] <= min(reach + same, caliper):
                low -= 1
            while high < last[t] and pool_score[high] - score[t] <= min(reach + same, caliper):
                high += 1
        run_first[t], run_last[t] = low + 1, max(high, low + 1)

"""Compiled loops over links: union-find at falling thresholds, and joining with guards. Linear time, plain arrays.

A *forest* holds for each record its parent; the root of a cluster is its smallest record number, so that a label is a
root. Members of a cluster stand in a ring (`ring[i]` is the next member), which two clusters join by one swap.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Bits = npt.NDArray[np.float64]
Marks = npt.NDArray[np.int8]

NOTHING = -1  # code of a record that has no value

# What spoke against a link, as small numbers; the names are those of `clusters.Guard`, in this order.
UNIQUE, BIRTHS, TWINS, SAME_DAY, SIZE, DECISION = range(6)
NO_GUARD, STANDS, LEFT_OUT = -1, 1, 0


@nb.njit(nogil=True, cache=True)
def find(parent: Longs, record: int) -> int:
    """The root of a record; halves the path to it."""
    while parent[record] != record:
        parent[record] = parent[parent[record]]
        record = parent[record]
    return record


@nb.njit(nogil=True, cache=True)
def join_all(parent: Longs, left: Longs, right: Longs, weight: Bits, low: float, high: float) -> None:
    """Join the ends of every link of `low` bits and more, and less than `high`."""
    for link in range(left.size):
        if low <= weight[link] < high:
            one, other = find(parent, left[link]), find(parent, right[link])
            if one < other:
                parent[other] = one
            elif other < one:
                parent[one] = other


@nb.njit(nogil=True, cache=True)
def flatten(parent: Longs) -> None:
    """Point every record at its root."""
    for record in range(parent.size):
        parent[record] = find(parent, record)


@nb.njit(nogil=True, cache=True)
def _is_slip(one: int, other: int) -> bool:
    """Whether two dates, as YYYYMMDD, could be one written wrongly: day and month swapped, one digit other, two
    neighbouring digits transposed."""
    if one // 10000 == other // 10000 and one // 100 % 100 == other % 100 and one % 100 == other // 100 % 100:
        return True
    differing, first, last = 0, -1, -1
    a, b = one, other
    for place in range(8):
        if a % 10 != b % 10:
            differing += 1
            first = place if first < 0 else first
            last = place
        a //= 10
        b //= 10
    if differing <= 1:
        return True
    if differing != 2 or last != first + 1:
        return False
    low, high = 10**first, 10**last
    return bool((one // low) % 10 == (other // high) % 10 and (one // high) % 10 == (other // low) % 10)


@nb.njit(nogil=True, cache=True)
def _holds(ring: Longs, codes: Ints, member: int, code: int) -> bool:
    at = member
    while True:
        if codes[at] == code:
            return True
        at = ring[at]
        if at == member:
            return False


@nb.njit(nogil=True, cache=True)
def _clash(ring: Longs, codes: Ints, are_dates: bool, one: int, other: int) -> bool:
    """Whether joining two clusters brings two values together that were apart and cannot be one person's."""
    a = one
    while True:
        if codes[a] != NOTHING and not _holds(ring, codes, other, codes[a]):
            b = other
            while True:
                differ = codes[b] != NOTHING and not (are_dates and _is_slip(codes[a], codes[b]))
                if differ and not _holds(ring, codes, one, codes[b]):
                    return True
                b = ring[b]
                if b == other:
                    break
        a = ring[a]
        if a == one:
            return False


@nb.njit(nogil=True, cache=True)
def _forbids(parent: Longs, ring: Longs, start: Longs, partner: Longs, reason: Marks, one: int, other: int) -> int:
    """Why no member of `one` may be with one of `other`, or NO_GUARD."""
    at = one
    while True:
        for place in range(start[at], start[at + 1]):
            if find(parent, partner[place]) == other:
                return int(reason[place])
        at = ring[at]
        if at == one:
            return NO_GUARD


@nb.njit(nogil=True, cache=True)
def join_with_care(
    parent: Longs,
    ring: Longs,
    size: Longs,
    left: Longs,
    right: Longs,
    weight: Bits,
    decided: float,
    largest: int,
    codes: Ints,
    are_dates: npt.NDArray[np.bool_],
    start: Longs,
    partner: Longs,
    reason: Marks,
    guard: Marks,
    verdict: Marks,
) -> None:
    """Join the ends of links in the order given, where no guard speaks against it.

    `codes` has one row a guarded column: the number of each record's value, or a date as YYYYMMDD. `start`, `partner`
    and `reason` list for each record those it may not be with. `guard` and `verdict` are filled: what spoke against a
    link, and whether it was left out or stands. Links of `decided` bits and more were ruled by a person: no guard but
    another ruling speaks against those.
    """  # fmt: skip
    for link in range(left.size):
        guard[link] = NO_GUARD
        verdict[link] = STANDS
        one, other = find(parent, left[link]), find(parent, right[link])
        if one == other:
            continue
        small, big = (one, other) if size[one] <= size[other] else (other, one)
        ruled = weight[link] >= decided
        against = NO_GUARD
        if not ruled and size[one] + size[other] > largest:
            against = SIZE
        if against == NO_GUARD and start[start.size - 1] > 0:
            against = _forbids(parent, ring, start, partner, reason, small, big)
            if ruled and against != DECISION:
                against = NO_GUARD
        if against == NO_GUARD and not ruled:
            for column in range(codes.shape[0]):
                if _clash(ring, codes[column], are_dates[column], small, big):
                    guard[link] = BIRTHS if are_dates[column] else UNIQUE
                    compared = codes[column, left[link]] != NOTHING and codes[column, right[link]] != NOTHING
                    if not compared:
                        against = guard[link]
                        break
        if against != NO_GUARD:
            guard[link] = against
            verdict[link] = LEFT_OUT
            continue
        root, gone = min(one, other), max(one, other)
        parent[gone] = root
        size[root] += size[gone]
        ring[root], ring[gone] = ring[gone], ring[root]


@nb.njit(nogil=True, cache=True)
def find_bridges(start: Longs, target: Longs, link: Longs, cluster_size: Longs, smaller: Longs) -> None:
    """For each link that is a bridge, the records on its smaller side; 0 for others. Tarjan's low points, no recursion.

    `start`, `target` and `link` are the links from each record, both ways; `cluster_size` the records of its cluster.
    """
    records = start.size - 1
    order = np.full(records, -1, dtype=np.int64)
    low = np.zeros(records, dtype=np.int64)
    below = np.ones(records, dtype=np.int64)
    by = np.full(records, -1, dtype=np.int64)
    place = start[:-1].copy()
    stack = np.empty(records, dtype=np.int64)
    clock = 0
    for root in range(records):
        if order[root] >= 0 or start[root] == start[root + 1]:
            continue
        top = 0
        stack[0] = root
        order[root] = low[root] = clock
        clock += 1
        while top >= 0:
            here = stack[top]
            if place[here] < start[here + 1]:
                at = place[here]
                place[here] += 1
                there = target[at]
                if order[there] < 0:
                    order[there] = low[there] = clock
                    clock += 1
                    by[there] = link[at]
                    top += 1
                    stack[top] = there
                elif link[at] != by[here]:
                    low[here] = min(low[here], order[there])
            else:
                top -= 1
                if top >= 0:
                    above = stack[top]
                    low[above] = min(low[above], low[here])
                    below[above] += below[here]
                    if low[here] > order[above]:
                        smaller[by[here]] = min(below[here], cluster_size[here] - below[here])

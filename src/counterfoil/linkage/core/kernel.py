"""The loop over candidate pairs: skip what an earlier rule made, bound the weight, compare the rest, keep what counts.

Weights are added in the order of the model, prior first, so that a pair weighs the same to the last bit whoever scores
it and whatever was skipped on the way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from counterfoil.linkage.core.compiling import compiled_inline, compiled_lean
from counterfoil.linkage.core.interpret import adjustment, as_long, level_from, level_from_apart
from counterfoil.linkage.core.layout import Flags, Floats, Ints, Longs, Program, Values, Weights
from counterfoil.linkage.core.screens import NO_SCREEN, Words, are_apart

MEMO_BITS = 13  # remembered pairs of a comparison: more miss the processor's cache more than they save
SLACK = 1e-6  # bits by which a bound must miss the threshold: more than any rounding of its sum
LEVEL_BITS = 4  # of a packed level: at most 16 levels, at most 16 comparisons


class Side(NamedTuple):
    """The encoded table as the loop reads it."""

    tuple_of: Ints  # (places, C) in the order of the block; below zero where absent
    left_keys: Ints  # (places, earlier rules)
    right_keys: Ints
    record: Ints  # (places,)
    group: Ints  # (places,) or empty
    fresh: Flags  # (places,) or empty


class Own(NamedTuple):
    """What is known of each tuple alone."""

    first: Longs
    level: Ints
    weight: Floats
    best: Floats
    order: Longs  # comparisons, those that tell most for least first
    start: Longs  # of two different tuples: the first operation of each comparison, as in `Screens`
    apart: Longs
    screened: Longs
    need: Floats
    screen: Words


class Memo(NamedTuple):
    """Levels of the last pairs of tuples, for each comparison."""

    key: npt.NDArray[np.uint64]  # (C, 2 ** MEMO_BITS)
    level: npt.NDArray[np.int8]


class Out(NamedTuple):
    """Where pairs go."""

    left: Ints
    right: Ints
    weight: Floats
    levels: npt.NDArray[np.uint64]


def new_memo(comparisons: int) -> Memo:
    """An empty one."""
    size = 1 << MEMO_BITS
    nothing = np.uint64(0xFFFFFFFFFFFFFFFF)
    return Memo(np.full((comparisons, size), nothing), np.zeros((comparisons, size), np.int8))


def new_out(capacity: int) -> Out:
    """Room for `capacity` pairs."""
    ends = np.empty((2, capacity), np.int32)
    return Out(ends[0], ends[1], np.empty(capacity), np.empty(capacity, np.uint64))


@compiled_inline
def recalled(c: int, x: int, y: int, own: Own, memo: Memo) -> tuple[int, int]:
    """(level, operation to begin with) of different tuples x and y that both have values; level -1: not known yet."""
    at = own.start[c]
    if own.screened[c] != NO_SCREEN:
        one, other = own.screen[own.first[c] + x], own.screen[own.first[c] + y]
        if are_apart(own.screened[c], one, other, own.need[c]):
            at = own.apart[c]
            if at < 0:
                return int(-at - 1), at
    key, slot = _slot(x, y)
    return (int(memo.level[c, slot]) if memo.key[c, slot] == key else -1), at


@compiled_inline
def _slot(x: int, y: int) -> tuple[np.uint64, np.uint64]:
    """The number of a pair, and its place in a memo."""
    key = (np.uint64(x) << np.uint64(32)) | np.uint64(y)
    return key, (key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - MEMO_BITS)


@compiled_inline
def remember(c: int, x: int, y: int, level: int, memo: Memo) -> None:
    """Keep the level of a pair until another takes its place."""
    key, slot = _slot(x, y)
    memo.key[c, slot] = key
    memo.level[c, slot] = level


@compiled_inline
def level_with_memo(c: int, x: int, y: int, program: Program, values: Values, own: Own, memo: Memo) -> int:
    """The level of different tuples x (left) and y (right) that both have values, remembered."""
    level, at = recalled(c, x, y, own, memo)
    if level < 0:
        level = level_from(at, c, x, y, program, values)
        remember(c, x, y, level, memo)
    return level


@compiled_inline
def level_with_memo_apart(c: int, x: int, y: int, program: Program, values: Values, own: Own, memo: Memo) -> int:
    """`level_with_memo` that calls the conditions, where compiling them in place is not worth the wait."""
    level, at = recalled(c, x, y, own, memo)
    if level < 0:
        level = level_from_apart(at, c, x, y, program, values)
        remember(c, x, y, level, memo)
    return level


@compiled_inline
def was_made(p: int, at: int, left: Side, right: Side, swapped: bool, earlier: int) -> bool:
    """Whether a rule before makes the pair of places; `swapped`: the record at the right place is the left one."""
    for r in range(earlier):
        if swapped:
            made = right.left_keys[at, r] >= 0 and right.left_keys[at, r] == left.right_keys[p, r]
        else:
            made = left.left_keys[p, r] >= 0 and left.left_keys[p, r] == right.right_keys[at, r]
        if made:
            return True
    return False


@compiled_lean
def score_places(
    p: int,
    end: int,
    q: int,
    low: Longs,
    high: Longs,
    left: Side,
    right: Side,
    one_order: bool,
    earlier: int,
    program: Program,
    weights: Weights,
    values: Values,
    own: Own,
    threshold: float,
    memo: Memo,
    out: Out,
    counted: Longs,
    level: Longs,
) -> tuple[int, int, int]:
    """Score the pairs of places p to `end`, from its q-th partner on (-1: its first), into `out`.

    Returns how many were kept and where to go on: (kept, p, q); p is `end` when all is done. `counted` grows by pairs
    scored and by pairs that a bound ruled out. `level` is room for one level of each comparison.
    """
    comparisons = program.levels.size
    kept = 0
    while p < end:
        at = low[p] if q < 0 else q
        q = -1
        while at < high[p]:
            if kept == out.weight.size:
                return kept, p, at
            i, j = left.record[p], right.record[at]
            swapped = i > j
            if swapped and not one_order:
                at += 1
                continue
            if i == j or (left.group.size and left.group[p] == right.group[at]):
                at += 1
                continue
            if not one_order and left.fresh.size and not (left.fresh[p] or right.fresh[at]):
                at += 1
                continue
            if was_made(p, at, left, right, swapped, earlier):
                at += 1
                continue
            counted[0] += 1
            bound = weights.prior
            for c in range(comparisons):
                x, y = as_long(left.tuple_of[p, c]), as_long(right.tuple_of[at, c])
                if x < 0 or y < 0:
                    level[c] = program.absent_level[c]
                    bound += weights.base[c, program.absent_level[c]]
                elif x == y:
                    level[c] = own.level[own.first[c] + x]
                    bound += own.weight[own.first[c] + x]
                else:
                    level[c] = -1
                    bound += own.best[c]
            if bound < threshold - SLACK:
                counted[1] += 1
                at += 1
                continue
            enough = True
            for place in range(comparisons):
                c = own.order[place]
                if level[c] >= 0:
                    continue
                x, y = as_long(left.tuple_of[p, c]), as_long(right.tuple_of[at, c])
                if swapped:
                    x, y = y, x
                found = level_with_memo(c, x, y, program, values, own, memo)
                level[c] = found
                gain = weights.base[c, found]
                if weights.tf_input[c, found] >= 0:
                    gain += adjustment(c, found, x, y, program, weights, values)
                bound += gain - own.best[c]
                if bound < threshold - SLACK:
                    enough = False
                    break
            if enough:
                total = weights.prior
                packed = np.uint64(0)
                for c in range(comparisons):
                    x, y = as_long(left.tuple_of[p, c]), as_long(right.tuple_of[at, c])
                    k = level[c]
                    if x < 0 or y < 0:
                        total += weights.base[c, k]
                    elif x == y:
                        total += own.weight[own.first[c] + x]
                    else:
                        if swapped:
                            x, y = y, x
                        total += weights.base[c, k]
                        if weights.tf_input[c, k] >= 0:
                            total += adjustment(c, k, x, y, program, weights, values)
                    packed = (packed << np.uint64(LEVEL_BITS)) | np.uint64(k)
                if total >= threshold:
                    out.left[kept] = j if swapped else i
                    out.right[kept] = i if swapped else j
                    out.weight[kept] = total
                    out.levels[kept] = packed
                    kept += 1
            at += 1
        p += 1
    return kept, p, -1

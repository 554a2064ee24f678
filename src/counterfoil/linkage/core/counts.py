"""How often each pattern of levels occurs among pairs: all that learning needs of them, counted by compiled code."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from counterfoil.linkage.core.blocks import Block
from counterfoil.linkage.core.compiling import compiled_lean
from counterfoil.linkage.core.conditions import NotExpressible
from counterfoil.linkage.core.encode import Encoded
from counterfoil.linkage.core.interpret import adjustment, as_long
from counterfoil.linkage.core.kernel import Memo, Own, Side, level_with_memo_apart, new_memo, was_made
from counterfoil.linkage.core.layout import NO_INPUT, Floats, Ints, Longs, Program, Values, Weights
from counterfoil.linkage.core.score import side_of, units
from counterfoil.linkage.core.splink_json import CoreModel

MOST_PATTERNS = 1 << 24  # of one session; a model with more is left to the other engine
_BLOCK_UNIT = 250_000  # pairs of a block that a thread takes at a time
_SAMPLE_UNIT = 64  # records of a sample that a thread takes at a time


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns of some comparisons that occur: `levels` (P, A), how many pairs have each, and pairs in all.

    With term frequencies, `pattern` and `rarity` say for each pair its pattern and the bits that frequencies add.
    """

    comparisons: tuple[int, ...]
    levels: Ints
    counts: Floats
    pattern: Ints | None = None
    rarity: Floats | None = None

    @property
    def pairs(self) -> int:
        """How many pairs were counted."""
        return int(self.counts.sum())


def strides_of(model: CoreModel, comparisons: Sequence[int]) -> Longs | None:
    """What one level of each comparison adds to the number of a pattern; None when there are too many patterns."""
    sizes = [int(model.program.levels[c]) for c in comparisons]
    strides = np.ones(len(sizes), dtype=np.int64)
    for i in range(len(sizes) - 2, -1, -1):
        strides[i] = strides[i + 1] * sizes[i + 1]
    return None if strides[0] * sizes[0] > MOST_PATTERNS else strides


def count_block(
    encoded: Encoded,
    model: CoreModel,
    own: Own,
    ordered: Block,
    comparisons: Sequence[int],
    *,
    rarity: bool,
    threads: int,
) -> Patterns:
    """Patterns of all pairs of one block order. The answer does not depend on `threads`."""
    strides = strides_of(model, comparisons)
    if strides is None:
        raise NotExpressible("training", f"more than {MOST_PATTERNS:,} patterns of levels in one block")
    left = side_of(encoded, ordered.left, 0, None, None)
    right = left if ordered.one_order else side_of(encoded, ordered.right, 0, None, None)
    active = np.array(comparisons, dtype=np.int64)
    size = int(strides[0] * model.program.levels[comparisons[0]])

    tallies: list[Longs] = []  # one a thread
    local = threading.local()

    def work(part: tuple[int, int]) -> tuple[Ints, Floats]:
        if not hasattr(local, "counts"):
            local.counts, local.memo = np.zeros(size, np.int64), new_memo(len(model.comparisons))
            tallies.append(local.counts)
        first, last = part
        room = int((ordered.high[first:last] - ordered.low[first:last]).sum()) if rarity else 0
        pattern, bits = np.empty(room, np.int32), np.empty(room)
        made = count_places(
            first, last, ordered.low, ordered.high, left, right, ordered.one_order, active, strides, model.program,
            model.weights, encoded.values, own, local.memo, local.counts, pattern, bits,
        )  # fmt: skip
        return pattern[:made], bits[:made]

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(work, units(ordered, _BLOCK_UNIT)))
    total = np.sum([np.zeros(size, np.int64), *tallies], axis=0)
    found = np.flatnonzero(total)
    levels = _levels(found, strides, model, comparisons)
    if not rarity:
        return Patterns(tuple(comparisons), levels, total[found].astype(np.float64))
    place = np.zeros(size, np.int32)
    place[found] = np.arange(found.size)
    pattern = np.concatenate([place[part] for part, _ in parts]) if parts else np.empty(0, np.int32)
    bits = np.concatenate([part for _, part in parts]) if parts else np.empty(0)
    return Patterns(tuple(comparisons), levels, total[found].astype(np.float64), pattern, bits)


def _levels(found: Longs, strides: Longs, model: CoreModel, comparisons: Sequence[int]) -> Ints:
    columns = [found // strides[i] % int(model.program.levels[c]) for i, c in enumerate(comparisons)]
    return np.stack(columns, axis=1).astype(np.int32) if columns else np.empty((found.size, 0), np.int32)


@compiled_lean
def count_places(
    p: int,
    end: int,
    low: Longs,
    high: Longs,
    left: Side,
    right: Side,
    one_order: bool,
    active: Longs,
    strides: Longs,
    program: Program,
    weights: Weights,
    values: Values,
    own: Own,
    memo: Memo,
    counts: Longs,
    pattern: Ints,
    bits: Floats,
) -> int:
    """Count the pairs of places p to `end`; where `pattern` has room, each pair's pattern and bits of rarity too."""
    made = 0
    keep = pattern.size > 0
    for place in range(p, end):
        for at in range(low[place], high[place]):
            swapped = left.record[place] > right.record[at]
            if left.record[place] == right.record[at] or (swapped and not one_order):
                continue
            number = 0
            rare = 0.0
            for a in range(active.size):
                c = active[a]
                x, y = as_long(left.tuple_of[place, c]), as_long(right.tuple_of[at, c])
                if swapped:
                    x, y = y, x
                if x < 0 or y < 0:
                    level = program.absent_level[c]
                elif x == y:
                    level = own.level[own.first[c] + x]
                else:
                    level = level_with_memo_apart(c, x, y, program, values, own, memo)
                number += level * strides[a]
                if keep and x >= 0 and y >= 0 and weights.tf_input[c, level] != NO_INPUT:
                    rare += adjustment(c, level, x, y, program, weights, values)
            counts[number] += 1
            if keep:
                pattern[made] = number
                bits[made] = rare
                made += 1
    return made


def count_sample(
    encoded: Encoded, model: CoreModel, own: Own, sample: Longs, groups: Ints | None, *, threads: int
) -> Longs:
    """(C, L) how often each level of each comparison occurs among all pairs of the sampled records.

    With `groups` only pairs of different groups count.
    """
    tuple_of = np.ascontiguousarray(encoded.tuple_of[:, sample].T)
    width = int(model.program.levels.max())
    given = np.empty(0, np.int32) if groups is None else groups[sample].astype(np.int32)

    def work(first: int) -> Longs:
        counts = np.zeros((len(model.program.levels), width), np.int64)
        last = min(first + _SAMPLE_UNIT, len(sample))
        memo = new_memo(len(model.program.levels))
        count_all(first, last, tuple_of, given, model.program, encoded.values, own, memo, counts)
        return counts

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(work, range(0, len(sample), _SAMPLE_UNIT)))
    none = np.zeros((len(model.program.levels), width), np.int64)
    total: Longs = np.sum([none, *parts], axis=0)
    return total


@compiled_lean
def count_all(
    first: int,
    last: int,
    tuple_of: Ints,
    group: Ints,
    program: Program,
    values: Values,
    own: Own,
    memo: Memo,
    counts: Longs,
) -> None:
    """Levels of every pair of a record `first` to `last` with a later one."""
    for i in range(first, last):
        for j in range(i + 1, tuple_of.shape[0]):
            if group.size and group[i] == group[j]:
                continue
            for c in range(program.levels.size):
                x, y = as_long(tuple_of[i, c]), as_long(tuple_of[j, c])
                if x < 0 or y < 0:
                    level = program.absent_level[c]
                elif x == y:
                    level = own.level[own.first[c] + x]
                else:
                    level = level_with_memo_apart(c, x, y, program, values, own, memo)
                counts[c, level] += 1


def count_made(encoded: Encoded, blocks: Sequence[Block]) -> int:
    """Different pairs that some rule makes; `blocks` are the orders of the first rules of the encoded table."""
    total = 0
    for number, ordered in enumerate(blocks):
        left = side_of(encoded, ordered.left, number, None, None)
        right = left if ordered.one_order else side_of(encoded, ordered.right, number, None, None)
        total += count_new(ordered.low, ordered.high, left, right, ordered.one_order, number)
    return total


@compiled_lean
def count_new(low: Longs, high: Longs, left: Side, right: Side, one_order: bool, earlier: int) -> int:
    """Pairs of a block order that no earlier rule makes."""
    total = 0
    for p in range(low.size):
        for at in range(low[p], high[p]):
            i, j = left.record[p], right.record[at]
            swapped = i > j
            if i == j or (swapped and not one_order):
                continue
            if not was_made(p, at, left, right, swapped, earlier):
                total += 1
    return total

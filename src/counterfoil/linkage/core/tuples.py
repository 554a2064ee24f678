"""What is known of a tuple alone: whether it decides for the null level, and what it is against itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.interpret import adjustment, level_apart
from counterfoil.linkage.core.layout import NO_INPUT, Floats, Ints, Longs, Program, Values, Weights

_UNIT = 50_000  # tuples


@compiled
def fill_own(
    c: int,
    low: int,
    high: int,
    program: Program,
    weights: Weights,
    values: Values,
    first: Longs,
    own_level: Ints,
    own_weight: Floats,
    absent: Ints,
) -> None:
    """Fill in for the tuples `low` to `high` of comparison c."""
    given = program.absent_input[c]
    for x in range(low, high):
        at = first[c] + x
        if given != NO_INPUT and values.cells[values.first_cell[c] + x * program.width[c] + given] == 1.0:
            absent[at] = 1
            own_level[at] = program.absent_level[c]
        else:
            absent[at] = 0
            own_level[at] = level_apart(c, x, x, program, values)
        level = own_level[at]
        own_weight[at] = weights.base[c, level] + adjustment(c, level, x, x, program, weights, values)


def self_levels(
    program: Program, weights: Weights, values: Values, first: Longs, threads: int
) -> tuple[Ints, Floats, Ints]:
    """(level against itself, its weight in bits, whether it decides for the null level) of every tuple."""
    total = int(first[-1])
    own_level, own_weight = np.zeros(total, np.int32), np.zeros(total)
    absent = np.zeros(total, np.int32)

    def fill(part: tuple[int, int, int]) -> None:
        fill_own(*part, program, weights, values, first, own_level, own_weight, absent)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, _parts(first)))
    return own_level, own_weight, absent


def _parts(first: Longs) -> Iterator[tuple[int, int, int]]:
    """(comparison, its first tuple, its last and one) of parts that a thread takes at a time."""
    for c, count in enumerate(np.diff(first).tolist()):
        for low in range(0, count, _UNIT):
            yield c, low, min(low + _UNIT, count)

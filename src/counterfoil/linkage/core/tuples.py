"""What is known of a tuple alone: whether it decides for the null level, and what it is against itself."""

from __future__ import annotations

import numpy as np

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.interpret import adjustment, level_apart
from counterfoil.linkage.core.layout import NO_INPUT, Floats, Ints, Longs, Program, Values, Weights


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


def self_levels(program: Program, weights: Weights, values: Values, first: Longs) -> tuple[Ints, Floats, Ints]:
    """(level against itself, its weight in bits, whether it decides for the null level) of every tuple."""
    total = int(first[-1])
    own_level, own_weight = np.zeros(total, np.int32), np.zeros(total)
    absent = np.zeros(total, np.int32)
    for c in range(len(first) - 1):
        count = int(first[c + 1] - first[c])
        fill_own(c, 0, count, program, weights, values, first, own_level, own_weight, absent)
    return own_level, own_weight, absent

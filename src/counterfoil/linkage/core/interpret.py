"""The compiled code that runs a `Program`: one signature for all models, so that numba's disk cache serves each.

An operation is one row: it finds a value, compares it with another, and says which operation is next when the
comparison is true and when it is not (false or null). A next one below zero is the level, as -(level + 1).
Values of two sides that have no operation of their own are found by a stack machine, `value_of`.
"""

from __future__ import annotations

import math

import numpy as np

from counterfoil.linkage.core.characters import SHORT, jaccard
from counterfoil.linkage.core.comparators import bound_of_letters, jaro, jaro_short, jaro_winkler, with_prefix
from counterfoil.linkage.core.compiling import compiled, compiled_exactly, compiled_inline, compiled_lean
from counterfoil.linkage.core.edits import damerau_within, levenshtein_within
from counterfoil.linkage.core.layout import NO_INPUT, NO_LEVEL, Program, Values, Weights
from counterfoil.linkage.core.strings import WIDE

# Columns of an operation. A and B are inputs: twice the number of the input, and one more for the right side.
OPERATION, A, B, COMPARE, NUMBER, LIMIT, SLOT, ON_TRUE, ON_FALSE = range(9)
COLUMNS = 9
SLOTS = 4  # values that are remembered within one comparison
DEPTH = 32  # of the stack
NO_SLOT = -1
NO_LIMIT = -1

# How two values compare. Null is NaN: only the last two are ever true of it.
EQUAL, OTHER, LESS, AT_MOST, MORE, AT_LEAST, DISTINCT, NOT_DISTINCT = range(8)

# Operations that compare a cell with a cell, a cell with a number, the distance of two numbers with a number.
PAIR, CELL, DISTANCE, VALUE = range(4)
# Functions of two texts or lists, in operations and on the stack.
JARO_WINKLER, JARO, LEVENSHTEIN, DAMERAU, JACCARD, HAS_ANY, CONTAINS, COMMON = range(4, 12)
# On the stack alone.
(
    PUSH_CELL, PUSH_NUMBER, ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, NEGATIVE, ABSOLUTE, ROOT, SINE, COSINE, ARC_SINE,
    ARC_COSINE, ARC_TANGENT, RADIANS, LEAST, GREATEST, COALESCE, AS_SINGLE, AS_WHOLE, COMPARED, AND, OR, NOT, CHOOSE,
    LEAST_PAIR, GREATEST_PAIR,
) = range(12, 40)  # fmt: skip

_UNSET = -5.0  # no function gives it
_BELOW = -1.0  # in place of a similarity that is under every constant it is compared with


@compiled_inline
def compared(how: int, one: float, other: float) -> bool:
    """Whether the comparison is true; false when it is false or null."""
    if how == EQUAL:
        return one == other
    if how == OTHER:
        return one < other or one > other
    if how == LESS:
        return one < other
    if how == AT_MOST:
        return one <= other
    if how == MORE:
        return one > other
    if how == AT_LEAST:
        return one >= other
    same = one == other or (math.isnan(one) and math.isnan(other))
    return same if how == NOT_DISTINCT else not same


@compiled_inline
def _of_texts(function: int, one: int, other: int, limit: float, values: Values) -> float:
    """A function of two texts given by number. Below or above `limit` its value only has to be on the right side."""
    a, b = values.text_start[one], values.text_start[other]
    a_length, b_length = values.text_start[one + 1] - a, values.text_start[other + 1] - b
    text = values.text
    if one == other and a_length > 0:
        return 0.0 if function in (LEVENSHTEIN, DAMERAU) else 1.0
    if function in (JARO_WINKLER, JARO):
        a_letters, b_letters = values.letters[one], values.letters[other]
        if a_letters == WIDE or b_letters == WIDE or max(a_length, b_length) > SHORT:
            if function == JARO:
                return jaro(text, a, a_length, b, b_length)
            return jaro_winkler(text, a, a_length, b, b_length)
        if limit > 0.0 and bound_of_letters(text, a, a_length, a_letters, b, b_length, b_letters) < limit:
            return _BELOW
        found = jaro_short(text, a, a_length, b, b_length)
        return found if function == JARO else with_prefix(found, text, a, a_length, b, b_length)
    if function in (LEVENSHTEIN, DAMERAU):
        bound = a_length + b_length if limit < 0.0 else int(limit)
        if function == LEVENSHTEIN:
            return float(levenshtein_within(text, a, a_length, b, b_length, bound))
        return float(damerau_within(text, a, a_length, b, b_length, bound))
    return jaccard(text, a, a_length, b, b_length)


@compiled_lean
def _holds(values: Values, of: int, text: int) -> bool:
    for at in range(values.list_start[of], values.list_start[of + 1]):  # noqa: SIM110 - compiled
        if values.lists[at] == text:
            return True
    return False


@compiled_lean
def _common(values: Values, one: int, other: int, most: int) -> int:
    """How many different texts two lists share; stops at `most`."""
    found = 0
    for at in range(values.list_start[one], values.list_start[one + 1]):
        text = values.lists[at]
        if text < 0 or not _holds(values, other, text):
            continue
        seen = False
        for before in range(values.list_start[one], at):
            if values.lists[before] == text:
                seen = True
                break
        if not seen:
            found += 1
            if found == most:
                return found
    return found


@compiled_inline
def _of_two(function: int, one: float, other: float, limit: float, values: Values) -> float:
    """A function of two cells. Null when either is, save where DuckDB has it that a list shares nothing with null."""
    if math.isnan(one):
        return np.nan
    if math.isnan(other):
        if function == COMMON:
            return 0.0
        empty = function == CONTAINS and values.list_start[int(one)] == values.list_start[int(one) + 1]
        return 0.0 if empty else np.nan
    if function <= JACCARD:
        return _of_texts(function, int(one), int(other), limit, values)
    if function == HAS_ANY:
        return float(_common(values, int(one), int(other), 1))
    if function == CONTAINS:
        return 1.0 if _holds(values, int(one), int(other)) else 0.0
    return float(_common(values, int(one), int(other), -1))


@compiled
def _of_lists(function: int, one: float, other: float, least: bool, values: Values) -> float:
    """The least or greatest value of a function over all pairs of elements; null when there are none."""
    best = np.nan
    if math.isnan(one) or math.isnan(other):
        return best
    i, j = int(one), int(other)
    for p in range(values.list_start[i], values.list_start[i + 1]):
        for q in range(values.list_start[j], values.list_start[j + 1]):
            a, b = values.lists[p], values.lists[q]
            if a < 0 or b < 0:
                continue
            found = _of_texts(function, a, b, -1.0, values)
            if math.isnan(best) or (found < best if least else found > best):
                best = found
    return best


@compiled_lean
def _known(found: float, given: float) -> float:
    """No number that is not null: DuckDB takes it as greater than all, as infinity is."""
    return np.inf if math.isnan(found) and not math.isnan(given) else found


@compiled_exactly
def _of_one(operation: int, given: float) -> float:
    if operation == NEGATIVE:
        return -given
    if operation == ABSOLUTE:
        return abs(given)
    if operation == ROOT:
        return _known(np.sqrt(given), given)
    if operation == SINE:
        return math.sin(given)
    if operation == COSINE:
        return math.cos(given)
    if operation == ARC_SINE:
        return _known(np.arcsin(given), given)
    if operation == ARC_COSINE:
        return _known(np.arccos(given), given)
    if operation == ARC_TANGENT:
        return math.atan(given)
    if operation == RADIANS:
        return given * (math.pi / 180.0)
    if operation == AS_SINGLE:
        return float(np.float32(given))
    if operation == AS_WHOLE:
        return float(np.rint(given))
    if math.isnan(given):
        return given
    return 1.0 if given == 0.0 else 0.0  # NOT


@compiled_exactly
def _of_numbers(operation: int, one: float, other: float) -> float:
    if operation == ADD:
        return one + other
    if operation == SUBTRACT:
        return one - other
    if operation == MULTIPLY:
        return one * other
    if operation == DIVIDE:
        if math.isnan(one) or math.isnan(other):
            return np.nan
        return _known(one / other, 0.0)
    if operation == POWER:
        return _known(one**other, one + other)
    if operation in (LEAST, GREATEST):
        if math.isnan(one) or math.isnan(other):
            return other if math.isnan(one) else one
        return min(one, other) if operation == LEAST else max(one, other)
    if operation == COALESCE:
        return other if math.isnan(one) else one
    if operation == AND:
        if one == 0.0 or other == 0.0:
            return 0.0
        return np.nan if math.isnan(one) or math.isnan(other) else 1.0
    if (one != 0.0 and not math.isnan(one)) or (other != 0.0 and not math.isnan(other)):
        return 1.0
    return np.nan if math.isnan(one) or math.isnan(other) else 0.0  # OR


@compiled
def value_of(start: int, end: int, left: int, right: int, program: Program, values: Values) -> float:
    """Run operations `start` to `end` on a stack; what is left on it."""
    stack = np.empty(DEPTH)
    top = -1
    for at in range(start, end):
        operation = program.operations[at, OPERATION]
        operand = program.operations[at, A]
        if operation == PUSH_CELL:
            top += 1
            stack[top] = values.cells[(right if operand & 1 else left) + (operand >> 1)]
        elif operation == PUSH_NUMBER:
            top += 1
            stack[top] = program.numbers[program.operations[at, NUMBER]]
        elif operation == CHOOSE:  # otherwise, chosen, condition
            top -= 2
            if stack[top + 2] != 0.0 and not math.isnan(stack[top + 2]):
                stack[top] = stack[top + 1]
        elif operation == COMPARED:
            top -= 1
            how = program.operations[at, COMPARE]
            if how < DISTINCT and (math.isnan(stack[top]) or math.isnan(stack[top + 1])):
                stack[top] = np.nan
            else:
                stack[top] = 1.0 if compared(how, stack[top], stack[top + 1]) else 0.0
        elif operation < PUSH_CELL:
            top -= 1
            stack[top] = _of_two(operation, stack[top], stack[top + 1], -1.0, values)
        elif operation in (LEAST_PAIR, GREATEST_PAIR):
            top -= 1
            stack[top] = _of_lists(operand, stack[top], stack[top + 1], operation == LEAST_PAIR, values)
        elif ADD <= operation <= POWER or LEAST <= operation <= COALESCE or AND <= operation <= OR:
            top -= 1
            stack[top] = _of_numbers(operation, stack[top], stack[top + 1])
        else:
            stack[top] = _of_one(operation, stack[top])
    return float(stack[0])


@compiled_inline
def as_long(number: int) -> int:
    """A tuple's number in 64 bits: for each width that comes in the conditions are compiled anew, in half a minute."""
    return int(np.int64(number))


@compiled_inline
def level_of(c: int, x: int, y: int, program: Program, values: Values) -> int:
    """The first level of comparison c that holds for left tuple x and right tuple y."""
    return level_from(program.first[c, 0], c, x, y, program, values)


@compiled_inline
def level_from(at: int, c: int, x: int, y: int, program: Program, values: Values) -> int:
    """`level_of` from operation `at` on, where those before it are known to be false; `at` may be a level."""
    left = values.first_cell[c] + x * program.width[c]
    right = values.first_cell[c] + y * program.width[c]
    operations = program.operations
    kept0, kept1, kept2, kept3 = _UNSET, _UNSET, _UNSET, _UNSET
    while at >= 0:
        operation, p, q = operations[at, OPERATION], operations[at, A], operations[at, B]
        number = operations[at, NUMBER]
        if operation <= DISTANCE:
            found = values.cells[(right if p & 1 else left) + (p >> 1)]
            if operation == CELL:
                against = program.numbers[number]
            elif operation == PAIR:
                against = values.cells[(right if q & 1 else left) + (q >> 1)]
            else:
                found = abs(found - values.cells[(right if q & 1 else left) + (q >> 1)])
                against = program.numbers[number]
        else:
            slot = operations[at, SLOT]
            found = _UNSET
            if slot == 0:
                found = kept0
            elif slot == 1:
                found = kept1
            elif slot == 2:
                found = kept2
            elif slot == 3:
                found = kept3
            if found == _UNSET:
                if operation == VALUE:
                    found = value_of(p, q, left, right, program, values)
                else:
                    limit = operations[at, LIMIT]
                    one = values.cells[(right if p & 1 else left) + (p >> 1)]
                    other = values.cells[(right if q & 1 else left) + (q >> 1)]
                    found = _of_two(operation, one, other, program.numbers[limit] if limit >= 0 else -1.0, values)
                if slot == 0:
                    kept0 = found
                elif slot == 1:
                    kept1 = found
                elif slot == 2:
                    kept2 = found
                elif slot == 3:
                    kept3 = found
            against = program.numbers[number]
        holds = compared(operations[at, COMPARE], found, against)
        at = int(operations[at, ON_TRUE] if holds else operations[at, ON_FALSE])
    return int(-at - 1)


@compiled_lean
def level_apart(c: int, x: int, y: int, program: Program, values: Values) -> int:
    """`level_of` as a call: for loops that are not the one over all pairs, which would be compiled long for nothing."""
    return level_of(c, x, y, program, values)


@compiled_lean
def level_from_apart(at: int, c: int, x: int, y: int, program: Program, values: Values) -> int:
    """`level_from` as a call."""
    return level_from(at, c, x, y, program, values)


@compiled_inline
def adjustment(c: int, level: int, x: int, y: int, program: Program, weights: Weights, values: Values) -> float:
    """Bits that a level gains (or loses) because its value is rare (or common); 0 when no frequency is known."""
    given = weights.tf_input[c, level]
    if given == NO_INPUT:
        return 0.0
    base, width = values.first_cell[c], program.width[c]
    one = values.cells[base + x * width + given]
    other = values.cells[base + y * width + given]
    if math.isnan(one):
        one = other
    if math.isnan(other):
        other = one
    if math.isnan(one):
        return 0.0
    commonest = max(one, other, weights.tf_floor[c, level])
    return float(weights.tf_weight[c, level] * (weights.tf_log_u[c, level] - commonest))


def warm() -> None:
    """Compile, or read the disk cache, before threads start."""
    program = Program(
        operations=np.full((1, COLUMNS), -1, np.int32),
        numbers=np.zeros(1),
        first=np.full((1, 2), -1, np.int64),
        levels=np.ones(1, np.int64),
        width=np.ones(1, np.int64),
        absent_level=np.full(1, NO_LEVEL, np.int64),
        absent_input=np.full(1, NO_INPUT, np.int64),
    )
    none = np.full((1, 1), NO_INPUT, np.int64)
    weights = Weights(0.0, np.zeros((1, 1)), none, np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)))
    values = Values(
        cells=np.zeros(1),
        first_cell=np.zeros(2, np.int64),
        tuples=np.ones(1, np.int64),
        text=np.zeros(1, np.uint8),
        text_start=np.zeros(1, np.int64),
        letters=np.zeros(0, np.uint64),
        lists=np.zeros(0, np.int32),
        list_start=np.zeros(1, np.int64),
    )
    level_of(0, 0, 0, program, values)
    adjustment(0, 0, 0, 0, program, weights, values)

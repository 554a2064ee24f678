"""What is known of two different tuples before a comparison's conditions are run, so that most never are.

Two tuples that both have a value do not meet the null level, and those of one text column are not equal. Where the
first condition left asks for one edit or for a similarity of Jaro and Winkler, a word a tuple tells most texts that do
not meet it apart, and no text is opened:

* one edit, or one swap of neighbours, leaves the first three bytes or the last three as they were;
* of the characters of one text no more can match than occur in the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counterfoil.linkage.core import interpret as run
from counterfoil.linkage.core.characters import SHORT
from counterfoil.linkage.core.comparators import BONUS, PREFIX, ones
from counterfoil.linkage.core.comparators import SLACK as ROUNDING
from counterfoil.linkage.core.compiling import compiled, compiled_inline
from counterfoil.linkage.core.layout import NO_INPUT, Floats, Kind, Longs, Values
from counterfoil.linkage.core.splink_json import CoreModel
from counterfoil.linkage.core.strings import WIDE

NO_SCREEN, ONE_EDIT, LETTERS = range(3)
ENDS = 3  # bytes at either end of a text that one edit leaves alone at one of them
_SHORTEST = {run.LEVENSHTEIN: 6, run.DAMERAU: 7}  # bytes of a text both of whose ends one edit cannot reach
_IS_ABSENT = ((run.OTHER, 0.0), (run.EQUAL, 1.0))  # what asks whether a yes or no, 1 or 0, is yes
PASSES = np.uint64(0)  # of a text that the screen says nothing of

Words = npt.NDArray[np.uint64]
Row = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Screens:
    """For each comparison where to begin for two different tuples that have values, and where when they are apart.

    Operations of the program, or below zero levels as there. `kind` says what `screen`, one word a tuple of all
    comparisons, holds; `need` (C, 5) the least Jaro similarity that counts for texts that share 0 to 4 first letters.
    """

    start: Longs
    apart: Longs
    kind: Longs
    need: Floats
    screen: Words


def screens_of(model: CoreModel, values: Values, first: Longs) -> Screens:
    """`first`: where the tuples of each comparison begin among all."""
    count = len(model.comparisons)
    start = np.array([_start(model, c, int(model.program.first[c, 0])) for c in range(count)], np.int64)
    kind = np.array([_kind(model, int(at)) for at in start], np.int64)
    apart, need = start.copy(), np.zeros((count, 1 + PREFIX))
    screen = np.zeros(int(first[-1]) if kind.any() else 0, np.uint64)
    for c in np.flatnonzero(kind).tolist():
        row = model.program.operations[start[c]]
        own = screen[first[c] : first[c + 1]]
        if kind[c] == ONE_EDIT:
            fill_ends(c, int(row[run.A]) >> 1, values, model.program.width, _SHORTEST[int(row[run.OPERATION])], own)
        else:
            fill_letters(c, int(row[run.A]) >> 1, values, model.program.width, own)
            need[c] = _needed(row, float(model.program.numbers[row[run.LIMIT]]))
        apart[c] = _start(model, c, int(row[run.ON_FALSE]), below=row)
    return Screens(start, apart, kind, need, screen)


def _start(model: CoreModel, c: int, at: int, below: Row | None = None) -> int:
    """The first operation from `at` on whose answer is not known to be false, or a level.

    `below`: an operation whose value is under every constant that it is compared with.
    """
    operations = model.program.operations
    while at >= 0 and (_is_false(model, c, operations[at]) or _is_below(operations[at], below)):
        at = int(operations[at, run.ON_FALSE])
    return at


def _is_false(model: CoreModel, c: int, row: Row) -> bool:
    if row[run.OPERATION] == run.CELL:
        asked = (int(row[run.COMPARE]), float(model.program.numbers[row[run.NUMBER]]))
        return bool(row[run.A] >> 1 == model.program.absent_input[c] != NO_INPUT and asked in _IS_ABSENT)
    if row[run.OPERATION] != run.PAIR or row[run.COMPARE] != run.EQUAL:
        return False
    return _are_sides(row) and _is_the_column(model, c, int(row[run.A]) >> 1)


def _is_below(row: Row, below: Row | None) -> bool:
    if below is None or below[run.LIMIT] < 0 or row[run.COMPARE] not in (run.AT_LEAST, run.MORE):
        return False
    same = [run.OPERATION, run.A, run.B, run.LIMIT]
    return bool(np.array_equal(row[same], below[same]))


def _are_sides(row: Row) -> bool:
    """Whether an operation is given one input of both sides."""
    return bool(row[run.A] >> 1 == row[run.B] >> 1 and row[run.A] != row[run.B])


def _is_the_column(model: CoreModel, c: int, number: int) -> bool:
    """Whether the input is the text of the one column that a comparison reads, so that no two tuples share it."""
    columns = {column.lower() for item in model.inputs[c] for column in item.columns}
    item = model.inputs[c][number]
    return len(columns) == 1 and item.kind is Kind.TEXT and item.sql.strip('"').lower() in columns


def _kind(model: CoreModel, at: int) -> int:
    if at < 0 or not _are_sides(row := model.program.operations[at]):
        return NO_SCREEN
    function, how = int(row[run.OPERATION]), int(row[run.COMPARE])
    if function in _SHORTEST and how == run.AT_MOST and model.program.numbers[row[run.NUMBER]] == 1.0:
        return ONE_EDIT
    if function in (run.JARO, run.JARO_WINKLER) and how in (run.AT_LEAST, run.MORE) and row[run.LIMIT] >= 0:
        return LETTERS
    return NO_SCREEN


def _needed(row: Row, limit: float) -> Floats:
    """The least Jaro similarity with which texts that share 0 to 4 first letters can reach `limit`."""
    bonus = BONUS * np.arange(1 + PREFIX) * (row[run.OPERATION] == run.JARO_WINKLER)
    needed: Floats = (limit - bonus) / (1.0 - bonus) - ROUNDING
    return needed


@compiled
def fill_ends(c: int, given: int, values: Values, width: Longs, shortest: int, screen: Words) -> None:
    """The first and last bytes of every tuple of comparison c, whose text is input `given`."""
    for x in range(screen.size):
        cell = values.cells[values.first_cell[c] + x * width[c] + given]
        if np.isnan(cell):
            continue
        text = int(cell)
        low, high = values.text_start[text], values.text_start[text + 1]
        if values.letters[text] == WIDE or high - low < shortest:
            continue
        word = np.uint64(1) << np.uint64(16 * ENDS)
        for k in range(ENDS):
            word |= np.uint64(values.text[low + k]) << np.uint64(8 * k)
            word |= np.uint64(values.text[high - 1 - k]) << np.uint64(8 * (ENDS + k))
        screen[x] = word


@compiled
def fill_letters(c: int, given: int, values: Values, width: Longs, screen: Words) -> None:
    """Which letters occur (32 bits, modulo 32), how many there are (8), and the first four (6 bits each)."""
    for x in range(screen.size):
        cell = values.cells[values.first_cell[c] + x * width[c] + given]
        if np.isnan(cell):
            continue
        text = int(cell)
        low, high = values.text_start[text], values.text_start[text + 1]
        if values.letters[text] == WIDE or high - low > SHORT:
            continue
        word = np.uint64(high - low) << np.uint64(32)
        for at in range(low, high):
            word |= np.uint64(1) << np.uint64(values.text[at] & 31)
        for k in range(min(PREFIX, high - low)):
            word |= np.uint64(values.text[low + k] & 63) << np.uint64(40 + 6 * k)
        screen[x] = word


@compiled_inline
def are_apart(kind: int, one: np.uint64, other: np.uint64, need: Floats) -> bool:
    """Whether two texts surely do not meet the condition that the screen is for."""
    if one == PASSES or other == PASSES:
        return False
    if kind == ONE_EDIT:
        differs = one ^ other
        return bool((differs & np.uint64(0xFFFFFF)) != 0 and (differs & np.uint64(0xFFFFFF000000)) != 0)
    a_length = np.int64((one >> np.uint64(32)) & np.uint64(0xFF))
    b_length = np.int64((other >> np.uint64(32)) & np.uint64(0xFF))
    a_letters, b_letters = one & np.uint64(0xFFFFFFFF), other & np.uint64(0xFFFFFFFF)
    most = min(a_length - ones(a_letters & ~b_letters), b_length - ones(b_letters & ~a_letters))
    if most <= 0:
        return True
    differs = (one ^ other) >> np.uint64(40)
    same = 0
    while same < PREFIX and same < a_length and same < b_length and not differs & np.uint64(63):
        differs >>= np.uint64(6)
        same += 1
    return bool(most * (a_length + b_length) < (3.0 * need[same] - 1.0) * (a_length * b_length))


__all__ = ["LETTERS", "NO_SCREEN", "ONE_EDIT", "Screens", "are_apart", "screens_of"]

"""How a model and a table lie in memory for the compiled code: plain arrays in named tuples, which numba takes so.

A *comparison* of the model reads one or more *inputs*: SQL expressions over one record (`surname`,
`substr(surname, 1, 2)`, `epoch(try_strptime(dob, '%Y-%m-%d'))`). DuckDB evaluates them, so what they mean is DuckDB's.
All inputs of one comparison together are a record's *tuple* for it; tuples are numbered, and a pair's level is a
function of two tuple numbers. So a pair is compared by integers, and levels can be remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

NO_INPUT = -1
NO_LEVEL = -1
MISSING = -1  # tuple number of no tuple; key of a record that a blocking rule leaves out


class Kind(Enum):
    """What an input's cell holds. A null is NaN in each."""

    NUMBER = "number"  # itself: numbers, dates as days, times as seconds, booleans as 0 and 1
    TEXT = "text"  # its number in the text store; equal text has equal numbers
    TEXTS = "texts"  # its number in the list store, whose elements are numbers of texts
    FREQUENCY = "frequency"  # log2 of the share of records that hold the value of a column


@dataclass(frozen=True, slots=True)
class Input:
    """One side of a comparison: a DuckDB expression over `columns` (names without _l and _r)."""

    sql: str
    kind: Kind
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleKeys:
    """A blocking rule: `left` expressions of one record equal `right` expressions of the other, one by one."""

    sql: str
    left: tuple[str, ...]
    right: tuple[str, ...]

    @property
    def is_symmetric(self) -> bool:
        """Whether both sides are the same expressions."""
        return self.left == self.right


class Program(NamedTuple):
    """The conditions of all levels as one list of operations; C comparisons, at most L levels each.

    The operations of level k of comparison c are first[c, k] up to first[c, k + 1]; each says where to go on when its
    comparison is true and when it is not. The last level, which is ELSE, has none.
    """

    operations: Ints  # (n, 9): the columns that `interpret` names
    numbers: Floats  # constants
    first: Longs  # (C, L + 1)
    levels: Longs  # (C,) how many levels each comparison has
    width: Longs  # (C,) how many inputs
    absent_level: Longs  # (C,) the null level, or NO_LEVEL
    absent_input: Longs  # (C,) the input that is 1 when this side alone decides for the null level, or NO_INPUT


class Weights(NamedTuple):
    """What levels weigh, in bits (log2)."""

    prior: float
    base: Floats  # (C, L) log2(m / u); 0 at the null level
    tf_input: Longs  # (C, L) input that holds the log2 frequency, or NO_INPUT
    tf_weight: Floats  # (C, L) how much of the adjustment counts
    tf_log_u: Floats  # (C, L) log2 u of the exact level that the adjustment is measured from
    tf_floor: Floats  # (C, L) log2 of the least frequency that counts; -inf when there is none


class Values(NamedTuple):
    """The distinct tuples of every comparison, and the texts and lists that they hold.

    Cell of input i of tuple x of comparison c: cells[first_cell[c] + x * width[c] + i].
    """

    cells: Floats
    first_cell: Longs  # (C + 1,)
    tuples: Longs  # (C,) how many tuples each comparison has
    text: Bytes  # UTF-8 of all texts one after the other, each once
    text_start: Longs  # (texts + 1,)
    letters: npt.NDArray[np.uint64]  # (texts,) one bit for each byte, modulo 64, that occurs; all where not ASCII
    lists: Ints  # numbers of texts, all lists one after the other
    list_start: Longs  # (lists + 1,)

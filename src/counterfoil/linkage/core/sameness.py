"""Which rows of two ordered tables are the same, value by value: one pass over both, and nothing is hashed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from counterfoil.linkage.core.cells import Column, as_text, combined, text_buffers
from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.layout import Bytes, Flags, Longs


class Texts(NamedTuple):
    """Texts one after the other, where each begins (one more than there are), and which are none."""

    text: Bytes
    start: Longs
    there: Flags


def same_rows(old: pa.Table, new: pa.Table, name: str, columns: Sequence[str]) -> Longs:
    """For each row of `old` the row of `new` that has its `name` and the same in all `columns`, or -1.

    Both are ordered by the bytes of `name`, a column of texts none of which occurs twice. Null is the same as null.
    """
    found = same_names(_texts(old[name]), _texts(new[name]))
    for column in columns:
        one, other = combined(old[column]), combined(new[column])
        if _are_texts(one.type) and _are_texts(other.type):
            drop_other_lists(*_lists(one), *_lists(other), found)
        else:
            drop_others(_texts(one), _texts(other), found)
    return found


def _are_texts(kind: pa.DataType) -> bool:
    """Whether values are lists of texts."""
    return bool(pa.types.is_list(kind) and pa.types.is_string(kind.value_type))


def _texts(values: Column) -> Texts:
    texts = as_text(values)
    text, start = text_buffers(texts)
    text = text.view()
    text.flags.writeable = False  # as Arrow's own are: compiled once for both
    return Texts(text, start, texts.is_valid().to_numpy(zero_copy_only=False))


def _lists(lists: pa.Array) -> tuple[Longs, Flags, Texts]:
    """Where each list begins among the elements of all, which are none, and the elements."""
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return start, lists.is_valid().to_numpy(zero_copy_only=False), _texts(lists.flatten())


@compiled
def order_of(one: Texts, i: int, other: Texts, j: int) -> int:
    """Below 0, 0 or above 0 as text i comes before, is, or comes after text j, by its bytes."""
    a, b = one.start[i], other.start[j]
    length, more = one.start[i + 1] - a, other.start[j + 1] - b
    for k in range(min(length, more)):
        if one.text[a + k] != other.text[b + k]:
            return -1 if one.text[a + k] < other.text[b + k] else 1
    return int(length - more)


@compiled
def same_names(old: Texts, new: Texts) -> Longs:
    """For each of some ordered texts its number among others, or -1."""
    found = np.full(old.there.size, -1, np.int64)
    i, j = 0, 0
    while i < old.there.size and j < new.there.size:
        order = order_of(old, i, new, j)
        if order == 0:
            found[i] = j
        i += order <= 0
        j += order >= 0
    return found


@compiled
def drop_others(old: Texts, new: Texts, found: Longs) -> None:
    """Set `found` to -1 where the text of a row is not that of the row that was found for it."""
    for i in range(found.size):
        j = found[i]
        if j >= 0 and (old.there[i] != new.there[j] or (old.there[i] and order_of(old, i, new, j) != 0)):
            found[i] = -1


@compiled
def drop_other_lists(
    start: Longs, there: Flags, old: Texts, new_start: Longs, new_there: Flags, new: Texts, found: Longs
) -> None:
    """The same for lists of texts."""
    for i in range(found.size):
        j = found[i]
        if j < 0 or (not there[i] and not new_there[j]):
            continue
        if there[i] != new_there[j] or start[i + 1] - start[i] != new_start[j + 1] - new_start[j]:
            found[i] = -1
            continue
        for k in range(start[i + 1] - start[i]):
            a, b = start[i] + k, new_start[j] + k
            if old.there[a] != new.there[b] or (old.there[a] and order_of(old, a, new, b) != 0):
                found[i] = -1
                break

"""The arrays of an index with room behind its values, where the tuples, texts and lists of new records are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from counterfoil.linkage.core.hashing import find_lists
from counterfoil.linkage.core.index import ROOM, Array, Index, with_room
from counterfoil.linkage.core.layout import Bytes, Floats, Ints, Longs, Values
from counterfoil.linkage.core.strings import find_texts, letters_of


@dataclass(frozen=True, slots=True)
class Reach:
    """What one rule brings: the entries whose key a record has, and where its records stand in the rule's order."""

    asked: int  # entries that have a key, whether or not a record does
    entry: Longs
    low: Longs
    high: Longs
    largest: int  # records, or entries, that share one key that both sides have

    @property
    def pairs(self) -> int:
        """Pairs that the rule makes by itself."""
        return int((self.high - self.low).sum())


@dataclass(frozen=True, slots=True)
class Asked:
    """New records ready to be scored: their tuples, and what each rule brings."""

    tuples: Longs  # (entries, comparisons)
    rules: tuple[Reach, ...]


class Room:
    """Room behind the values of an index; what is written takes the place of what was written before."""

    def __init__(self, index: Index) -> None:
        self._index, self._arrays = index, dict(index.arrays)

    def space(self, name: str, needed: int) -> Array:
        """The array with room for `needed` elements behind the table's own."""
        used = self._index.used[name]
        if used + needed > len(self._arrays[name]):
            self._arrays[name] = with_room(self._arrays[name][:used], max(2 * needed, ROOM[name]))
        return self._arrays[name]

    def values(self) -> Values:
        """As the compiled code takes them."""
        of = self._arrays
        return Values(
            cells=of["cells"],
            first_cell=of["first_cell"],
            tuples=of["first_cell"],
            text=of["text"],
            text_start=of["text_start"],
            letters=of["letters"],
            lists=of["lists"],
            list_start=of["list_start"],
        )

    def add_tuples(self, columns: Sequence[Sequence[Floats | float]], count: int) -> Longs:
        """Write the cells of each input of each comparison; the tuples' numbers, shape (entries, comparisons)."""
        first, widths = self._arrays["first_cell"], [len(each) for each in columns]
        cells = self.space("cells", sum((count + 1) * width for width in widths))
        tuples = np.empty((count, len(widths)), np.int64)
        end = self._index.used["cells"]
        for c, (width, inputs) in enumerate(zip(widths, columns, strict=True)):
            number = -(-(end - int(first[c])) // width)  # the first whose cells lie behind all others
            start = int(first[c]) + number * width
            end = start + count * width
            own = cells[start:end].reshape(count, width)
            for i, values in enumerate(inputs):
                own[:, i] = values
            tuples[:, c] = number + np.arange(count)
        return tuples

    def number_texts(self, wanted: Bytes, wanted_start: Longs) -> Longs:
        """The number of each text. Those that the table does not have are added behind its own; each comes once."""
        index, used = self._index.arrays, self._index.used
        number = find_texts(index["text_slots"], index["text"], index["text_start"], wanted, wanted_start)
        new = np.flatnonzero(number < 0)
        if new.size:
            number[new] = used["letters"] + np.arange(new.size)
            text, start = _some(wanted, wanted_start, new)
            size = int(start[-1])
            self.space("text", size)[used["text"] : used["text"] + size] = text[:size]
            place = used["text_start"] - 1
            self.space("text_start", new.size)[place : place + new.size + 1] = used["text"] + start
            letters = self.space("letters", new.size)
            letters[used["letters"] : used["letters"] + new.size] = letters_of(text, start)
        return number

    def number_lists(self, wanted: Ints, start: Longs) -> Longs:
        """The number of each list of numbers of texts. An equal list of the table has the same; others are added."""
        index, used = self._index.arrays, self._index.used
        number = find_lists(index["list_slots"], index["lists"], index["list_start"], wanted, start)
        behind = used["list_start"] - 1
        number = np.where(number < 0, behind + np.arange(len(number)), number)
        self.space("lists", len(wanted))[used["lists"] : used["lists"] + len(wanted)] = wanted
        self.space("list_start", len(number))[behind : behind + len(start)] = used["lists"] + start
        return number


def _some(text: Bytes, start: Longs, which: Longs) -> tuple[Bytes, Longs]:
    """Some of the texts, one after the other."""
    size = start[which + 1] - start[which]
    upto = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    if not upto[-1]:
        return np.zeros(1, np.uint8), upto
    return text[np.arange(upto[-1]) + np.repeat(start[which] - upto[:-1], size)], upto

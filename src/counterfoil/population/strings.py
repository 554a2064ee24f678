"""Text columns as numbers: each distinct string once, so that work is done per distinct value and not per person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ids = npt.NDArray[np.int32]
NO_TEXT = -1

_BASE = 1 << 31  # above every id, so that a pair of ids is one int64


class StringPool:
    """Distinct strings, numbered in the order of their first use. An id of NO_TEXT stands for no text."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._ids: dict[str, int] = {}

    def text(self, number: int) -> str:
        """The string of one id; empty for NO_TEXT."""
        return self._texts[number] if number >= 0 else ""

    def id(self, text: str) -> int:
        """The id of a string, new if it is; NO_TEXT for an empty one."""
        if not text:
            return NO_TEXT
        found = self._ids.get(text)
        if found is None:
            found = self._ids[text] = len(self._texts)
            self._texts.append(text)
        return found

    def ids(self, texts: Iterable[str]) -> Ids:
        """The ids of some strings."""
        return np.array([self.id(text) for text in texts], np.int32)

    def map(self, ids: Ids, change: Callable[[str], str]) -> Ids:
        """Change each distinct string once."""
        distinct, place = np.unique(ids, return_inverse=True)
        return self.ids(change(self.text(number)) for number in distinct)[place]

    def combine(self, first: Ids, second: npt.NDArray[np.int32], change: Callable[[str, int], str]) -> Ids:
        """Change each distinct pair of a string and a number once. `second` is not negative, or is an id."""
        pairs = (first.astype(np.int64) + 1) * _BASE + (second.astype(np.int64) + 1)
        distinct, place = np.unique(pairs, return_inverse=True)
        changed = [change(self.text(int(pair // _BASE) - 1), int(pair % _BASE) - 1) for pair in distinct]
        return self.ids(changed)[place]

    def join(self, first: Ids, second: Ids, between: str) -> Ids:
        """The two strings with `between` in the middle; the other one alone where one has no text."""
        return self.combine(first, second, lambda a, b: between.join(t for t in (a, self.text(b)) if t))

    def to_arrow(self, ids: Ids) -> pa.Array:
        """A string column; NO_TEXT becomes null."""
        return decode(ids, self._texts)


def decode(codes: npt.NDArray[np.integer], values: Sequence[str]) -> pa.Array:
    """A string column from positions in `values`; a negative position becomes null."""
    positions = pa.array(codes.astype(np.int32), pa.int32(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(positions, pa.array(values, pa.string())).cast(pa.string())


def digits(numbers: npt.NDArray[np.integer], width: int = 0) -> pa.Array:
    """Whole numbers as text, with leading zeros up to `width`."""
    text = pc.cast(pa.array(numbers), pa.string())
    return pc.utf8_lpad(text, width, "0") if width else text


def glue(*columns: pa.Array | str) -> pa.Array:
    """Text columns and constants one after another; null where one is null."""
    return pc.binary_join_element_wise(*columns, "")

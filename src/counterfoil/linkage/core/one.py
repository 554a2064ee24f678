"""One new record as the searcher takes it, from plain values: what its keys bring, and its tuples.

The same as for many, without an Arrow array for every value of one row.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.encode import as_numbers, as_text
from counterfoil.linkage.core.hashing import Hashes, hashes_of, ranges_of
from counterfoil.linkage.core.index import Index
from counterfoil.linkage.core.layout import Bytes, Flags, Floats, Kind, Longs
from counterfoil.linkage.core.room import Asked, Reach, Room
from counterfoil.linkage.core.splink_json import CoreModel

_EPOCH = dt.date(1970, 1, 1).toordinal()
_EXACT = 2**53  # whole numbers below it are exact in double precision
_FIRST_YEAR = 1000  # years of four digits
_NO_ENTRY = np.empty(0, np.int64)


class OneRecord:
    """Takes the values of a model's expressions for one record at a time.

    `parts`: the expressions of each rule's key; `rare`: the expression of each frequency column; `kinds` of inputs;
    `types`: Arrow's type of each expression.
    """

    def __init__(
        self,
        index: Index,
        model: CoreModel,
        room: Room,
        *,
        parts: Sequence[Sequence[str]],
        rare: Mapping[str, str],
        kinds: Mapping[str, Kind],
        types: Mapping[str, pa.DataType],
    ) -> None:
        self._index, self._model, self._room, self._kinds, self._types = index, model, room, kinds, types
        keys = [*parts, *([sql] for sql in rare.values())]
        self._hashed = list(dict.fromkeys(sql for own in keys for sql in own))
        place = {sql: i for i, sql in enumerate(self._hashed)}
        self._parts = np.array([place[sql] for own in keys for sql in own], np.int64)
        self._first = np.cumsum([0, *(len(own) for own in keys)]).astype(np.int64)
        self._rules, self._rare = len(parts), list(rare)
        self._texts = list(dict.fromkeys([*self._hashed, *(sql for sql, kind in kinds.items() if kind is Kind.TEXT)]))

    def asked(self, found: Mapping[str, Any]) -> Asked:
        """Ready to be scored. `found`: the value of each expression."""
        texts = {sql: text_of(found[sql], self._types[sql]) for sql in self._texts}
        of_keys = [texts[sql] for sql in self._hashed]
        held = np.array([text is not None for text in of_keys], np.bool_)
        hashes = hashes_of(*buffers_of([text or "" for text in of_keys]))
        keys, whole = keys_of(hashes, held, self._parts, self._first)
        rules = tuple(
            self._reach(r, keys[r : r + 1], whole[r : r + 1]) if asked else Reach(0, _NO_ENTRY, _NO_ENTRY, _NO_ENTRY, 0)
            for r, asked in enumerate(whole[: self._rules].tolist())
        )
        shares = {
            column: self._log_share(f, keys[at : at + 1], whole[at : at + 1])
            for f, (at, column) in enumerate(enumerate(self._rare, self._rules))
        }
        return Asked(self._tuples(found, texts, shares), rules)

    def _reach(self, rule: int, key: Hashes, held: Flags) -> Reach:
        low, high = ranges_of(self._index.arrays[f"keys_{rule:02}"], key, held)
        if high[0] == low[0]:
            return Reach(1, _NO_ENTRY, _NO_ENTRY, _NO_ENTRY, 0)
        return Reach(1, np.zeros(1, np.int64), low, high, int(high[0] - low[0]))

    def _log_share(self, number: int, key: Hashes, held: Flags) -> float:
        low, high = ranges_of(self._index.arrays[f"rarity_{number:02}"], key, held)
        return float(self._index.arrays[f"log_share_{number:02}"][low[0]]) if high[0] > low[0] else math.nan

    def _tuples(self, found: Mapping[str, Any], texts: Mapping[str, str | None], shares: Mapping[str, float]) -> Longs:
        numbers = self._numbers(found, texts)
        columns: list[list[Floats | float]] = [
            [shares[item.columns[0]] if item.kind is Kind.FREQUENCY else numbers[item.sql] for item in inputs]
            for inputs in self._model.inputs
        ]
        return self._room.add_tuples(columns, 1)

    def _numbers(self, found: Mapping[str, Any], texts: Mapping[str, str | None]) -> dict[str, float]:
        """What the cell of each input holds."""
        of = {sql: [texts[sql]] for sql, kind in self._kinds.items() if kind is Kind.TEXT}
        lists = {sql: found[sql] or [] for sql, kind in self._kinds.items() if kind is Kind.TEXTS}
        wanted = list(dict.fromkeys(text for each in (*of.values(), *lists.values()) for text in each))
        plain = [text for text in wanted if text is not None]
        number = dict(zip(plain, self._room.number_texts(*buffers_of(plain)).tolist(), strict=True))
        done = {sql: math.nan if text is None else float(number[text]) for sql, (text,) in of.items()}
        for sql, kind in self._kinds.items():
            if kind is Kind.NUMBER:
                done[sql] = number_of(found[sql], self._types[sql])
        return done | self._list_numbers(found, {sql: [number.get(x, -1) for x in lists[sql]] for sql in lists})

    def _list_numbers(self, found: Mapping[str, Any], lists: Mapping[str, Sequence[int]]) -> dict[str, float]:
        if not lists:
            return {}
        elements = np.array([element for each in lists.values() for element in each], np.int32)
        start = np.cumsum([0, *(len(each) for each in lists.values())]).astype(np.int64)
        numbers = self._room.number_lists(elements, start).tolist()
        return {
            sql: math.nan if found[sql] is None else float(number) for sql, number in zip(lists, numbers, strict=True)
        }


def can_be_taken(types: Mapping[str, pa.DataType], kinds: Mapping[str, Kind]) -> bool:
    """Whether one record's values of these types can be handed over one by one."""
    return all(_is_plain(kind, kinds.get(sql)) for sql, kind in types.items())


def _is_plain(type_: pa.DataType, kind: Kind | None) -> bool:
    if kind is Kind.TEXTS:
        return bool(pa.types.is_list(type_) and _is_text(type_.value_type))
    whole = pa.types.is_signed_integer(type_) or pa.types.is_boolean(type_) or pa.types.is_date32(type_)
    if kind is Kind.NUMBER:
        return bool(whole or pa.types.is_float64(type_))
    return bool(whole or _is_text(type_))


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def text_of(value: Any, kind: pa.DataType) -> str | None:
    """A value as text that is equal when two are; as `as_text` has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, dt.date) and value.year >= _FIRST_YEAR:
        return value.isoformat()
    found: str | None = as_text(pa.array([value], kind))[0].as_py()
    return found


def number_of(value: Any, kind: pa.DataType) -> float:
    """A value as the core compares its size; as `as_numbers` has it."""
    if value is None:
        return math.nan
    if isinstance(value, dt.date):
        return float(value.toordinal() - _EPOCH)
    if isinstance(value, int) and abs(value) < _EXACT:
        return float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    return float(as_numbers(pa.array([value], kind))[0])


def buffers_of(texts: Sequence[str]) -> tuple[Bytes, Longs]:
    """The bytes of texts, one after the other, and where each begins (one more than there are)."""
    each = [text.encode() for text in texts]
    start = np.cumsum([0, *map(len, each)]).astype(np.int64)
    return np.frombuffer(b"".join(each) or b"\x00", np.uint8).copy(), start


@compiled
def keys_of(hashes: Hashes, held: Flags, parts: Longs, first: Longs) -> tuple[Hashes, Flags]:
    """`mixed` of several keys: parts first[k] to first[k + 1] of key k, by their place among the hashes."""
    keys = np.zeros(first.size - 1, np.uint64)
    whole = np.ones(first.size - 1, np.bool_)
    for k in range(first.size - 1):
        total = np.uint64(0)
        for at in range(first[k], first[k + 1]):
            whole[k] = whole[k] and held[parts[at]]
            total = (total ^ hashes[parts[at]]) * np.uint64(0x9E3779B97F4A7C15)
            total ^= total >> np.uint64(29)
        total *= np.uint64(0xD6E8FEB86659FD93)
        keys[k] = total ^ (total >> np.uint64(32))
    return keys, whole

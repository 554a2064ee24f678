"""The records of a table in the order of the hashes of their keys: which blocks a rule makes, and who stands in them.

One hash of each column and one sort a rule serve all that asks about blocks before a pair is made: how many pairs there
are, which blocks are hot, which records share one with a new record; and the index that is kept holds the same order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import duckdb
import numpy as np
import pyarrow as pa

from counterfoil.linkage.core.cells import Column, as_text, dictionary, text_buffers
from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.hashing import Hashes, hashes_of, mix_in, mixed_out
from counterfoil.linkage.core.layout import Flags, Ints, Longs, RuleKeys
from counterfoil.linkage.core.reader import Resources, column_of
from counterfoil.linkage.core.sorting import sort_with
from counterfoil.warehouse import connect

Hashed: TypeAlias = tuple[Hashes, Flags]  # of each record, and whether it has a value
Types: TypeAlias = tuple[tuple[str, ...], ...]  # DuckDB's type in which each part of each rule's key is hashed


@dataclass(frozen=True, slots=True)
class Order:
    """The records that have a key, by its hash; those of one hash in order of their numbers."""

    hashes: Hashes
    records: Ints


@dataclass(frozen=True, slots=True)
class RuleOrder:
    """Both sides of a rule: the same order where they are the same expressions."""

    left: Order
    right: Order

    @property
    def is_one(self) -> bool:
        """Whether both sides are the same."""
        return self.left is self.right

    def counted(self) -> tuple[int, int]:
        """Pairs that the rule makes (of two sides: at most), and records of its largest block that makes any."""
        if self.is_one:
            pairs, largest = count_runs(self.left.hashes)
        else:
            pairs, largest = count_across(self.left.hashes, self.right.hashes)
        return int(pairs), int(largest)

    def in_larger(self, limit: int) -> Longs:
        """The records of blocks of more than `limit` records, in order."""
        return np.sort(in_larger_runs(self.left.hashes, self.left.records, limit))

    def mark_near(self, fresh: Flags, found: Flags) -> None:
        """Set `found` for the records that share a block with a fresh one."""
        if self.is_one:
            mark_runs(self.left.hashes, self.left.records, fresh, found)
        else:
            mark_across(
                self.left.hashes, self.left.records, self.right.hashes, self.right.records, fresh, found
            )  # fmt: skip


class Keys:
    """Hashes of the parts of keys of one table. `schema`: of the columns that rules read."""

    def __init__(self, table: pa.Table, schema: pa.Schema, resources: Resources) -> None:
        self._table, self._schema, self._resources = table, schema, resources
        connection = connect(threads=1)
        try:
            connection.register("indexed", schema.empty_table())
            self._types = types_of(connection)
        finally:
            connection.close()
        self._held: dict[str, Hashed] = {}

    def orders(self, rules: Sequence[RuleKeys], types: Types) -> Iterator[RuleOrder]:
        """The order of each rule, several rules at a time."""
        sides = [
            [[part_sql(part, kind, self._types) for part, kind in zip(side, kinds, strict=True)] for side in both]
            for both, kinds in zip(((rule.left, rule.right) for rule in rules), types, strict=True)
        ]
        used = Counter(part for both in sides for part in {each for side in both for each in side})
        self._hold([part for part, times in used.items() if times > 1])
        with ThreadPoolExecutor(self._resources.threads) as pool:
            yield from pool.map(self._order, sides)
        self._held.clear()

    def _hold(self, parts: Sequence[str]) -> None:
        with ThreadPoolExecutor(self._resources.threads) as pool:
            self._held = dict(zip(parts, pool.map(self._hashed, parts), strict=True))

    def _order(self, both: Sequence[Sequence[str]]) -> RuleOrder:
        left = self._sorted(both[0])
        return RuleOrder(left, left if both[0] == both[1] else self._sorted(both[1]))

    def _sorted(self, parts: Sequence[str]) -> Order:
        keys, whole = np.zeros(self._table.num_rows, np.uint64), np.ones(self._table.num_rows, np.bool_)
        for part in parts:
            hashes, held = self._held.get(part) or self._hashed(part)
            mix_in(keys, whole, hashes, held)
        mixed_out(keys)
        return in_order(keys, whole)

    def _hashed(self, sql: str) -> Hashed:
        """Of a column as it is, or of what DuckDB makes of an expression."""
        at = self._schema.get_field_index(sql)
        if at >= 0:
            return _hashed(column_of(self._table, sql).cast(self._schema.field(at).type))
        connection = connect(threads=self._resources.threads, memory_limit=self._resources.memory)
        try:
            connection.register("indexed", self._table)
            return _hashed(connection.sql(f"SELECT {sql} AS part FROM indexed").to_arrow_table()["part"])
        finally:
            connection.close()


def in_order(hashes: Hashes, held: Flags) -> Order:
    """What is held, by its hash."""
    rows = np.flatnonzero(held).astype(np.int32)
    ordered = hashes[rows]
    sort_with(ordered, rows)
    return Order(ordered, rows)


def _hashed(values: Column) -> Hashed:
    """Texts one by one; of other values each once."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        texts = as_text(values)
        return hashes_of(*text_buffers(texts)), _is_there(texts)
    codes, each = dictionary(values)
    texts = as_text(each)
    return hashes_of(*text_buffers(texts.fill_null("")))[codes], _is_there(texts)[codes]


def _is_there(texts: pa.Array) -> Flags:
    found: Flags = texts.is_valid().to_numpy(zero_copy_only=False)
    return found


def types_of(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """DuckDB's type of each column of `indexed`."""
    return {str(row[0]): str(row[1]) for row in connection.execute("DESCRIBE indexed").fetchall()}


def part_sql(part: str, kind: str, types: Mapping[str, str]) -> str:
    """The part of a key as a column, or as an expression whose text is equal when two parts are.

    Zero of either sign is one value. A list has no text that tells it from every other, so its hash stands for it, and
    beside it where it holds nothing: DuckDB's hash of an empty list is that of a list of one null.
    """
    if kind in ("DOUBLE", "FLOAT"):
        return f"CAST(CAST(({part}) AS {kind}) + 0 AS DOUBLE)"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        whole = f"CAST(({part}) AS {kind})"
        return f"CASE WHEN ({part}) IS NOT NULL THEN concat(hash({whole}), {_nulls_in(whole, kind)}) END"
    return part if types.get(part) == kind else f"CAST(({part}) AS {kind})"


def _nulls_in(whole: str, kind: str) -> str:
    """SQL for a text that says where a list, or a list of lists, holds null; the empty text for what is no list."""
    depth = len(re.findall(r"\[\d*\]", kind)) if kind.endswith("]") else 0
    asked = f"x{depth} IS NULL"
    for level in range(depth, 0, -1):
        asked = f"list_transform({whole if level == 1 else f'x{level - 1}'}, lambda x{level}: {asked})"
    return f"CAST({asked} AS VARCHAR)" if depth else "''"


@compiled
def count_runs(hashes: Hashes) -> tuple[int, int]:
    """Pairs of equal neighbours of a sorted array, each with each, and how many the longest run has."""
    pairs, largest, low = 0, 0, 0
    while low < hashes.size:
        high = low + 1
        while high < hashes.size and hashes[high] == hashes[low]:
            high += 1
        pairs += (high - low) * (high - low - 1) // 2
        largest = max(largest, high - low)
        low = high
    return pairs, largest


@compiled
def count_across(left: Hashes, right: Hashes) -> tuple[int, int]:
    """Pairs of equal ones of two sorted arrays, and the longest run that has an equal on the other side."""
    pairs, largest, a, b = 0, 0, 0, 0
    while a < left.size and b < right.size:
        if left[a] < right[b]:
            a += 1
        elif left[a] > right[b]:
            b += 1
        else:
            key, one, other = left[a], a, b
            while a < left.size and left[a] == key:
                a += 1
            while b < right.size and right[b] == key:
                b += 1
            pairs += (a - one) * (b - other)
            largest = max(largest, a - one, b - other)
    return pairs, largest


@compiled
def in_larger_runs(hashes: Hashes, records: Ints, limit: int) -> Longs:
    """The records of runs of more than `limit` equal hashes."""
    found = np.empty(0, np.int64)
    low = 0
    while low < hashes.size:
        high = low + 1
        while high < hashes.size and hashes[high] == hashes[low]:
            high += 1
        if high - low > limit:
            found = np.concatenate((found, records[low:high].astype(np.int64)))
        low = high
    return found


@compiled
def mark_runs(hashes: Hashes, records: Ints, fresh: Flags, found: Flags) -> None:
    """Set `found` for every record of a run that holds a fresh one."""
    low = 0
    while low < hashes.size:
        high, any_fresh = low, False
        while high < hashes.size and hashes[high] == hashes[low]:
            any_fresh = any_fresh or fresh[records[high]]
            high += 1
        if any_fresh:
            for at in range(low, high):
                found[records[at]] = True
        low = high


@compiled
def mark_across(
    left: Hashes, left_records: Ints, right: Hashes, right_records: Ints, fresh: Flags, found: Flags
) -> None:
    """Set `found` for every record of a run whose equal on the other side holds a fresh one."""
    a, b = 0, 0
    while a < left.size and b < right.size:
        if left[a] < right[b]:
            a += 1
        elif left[a] > right[b]:
            b += 1
        else:
            key, one, other = left[a], a, b
            of_left, of_right = False, False
            while a < left.size and left[a] == key:
                of_left = of_left or fresh[left_records[a]]
                a += 1
            while b < right.size and right[b] == key:
                of_right = of_right or fresh[right_records[b]]
                b += 1
            if of_right:
                for at in range(one, a):
                    found[left_records[at]] = True
            if of_left:
                for at in range(other, b):
                    found[right_records[at]] = True

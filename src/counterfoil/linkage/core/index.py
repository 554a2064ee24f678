"""A table that new records can be compared with: the encoded table, and its records in the order of their keys.

The index holds the encoded table with spare room behind its values, where the tuples of new records are written; so it
can lie in files that are mapped into memory, and only what is asked for is read.

A key and a frequency are found by a 64-bit hash of their text. Two keys of one hash would make a pair that no rule
made; among a billion keys one is expected in forty runs, and it is scored like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.linkage.core.encode import (
    DEFAULT_RESOURCES,
    Encoded,
    Frequencies,
    Resources,
    as_text,
    columns_of,
    share_of,
)
from counterfoil.linkage.core.hashing import hashed_texts, list_slots_of, mixed
from counterfoil.linkage.core.key_order import Keys, Types, in_order
from counterfoil.linkage.core.layout import RuleKeys, Values
from counterfoil.linkage.core.reader import column_of
from counterfoil.linkage.core.splink_json import CoreModel
from counterfoil.linkage.core.strings import slots_of
from counterfoil.warehouse import connect

Array = npt.NDArray[Any]

# What new records may add to a mapped table before its values are copied to make more room.
ROOM: Mapping[str, int] = {
    "cells": 1 << 19,
    "text": 1 << 20,
    "text_start": 1 << 16,
    "letters": 1 << 16,
    "lists": 1 << 17,
    "list_start": 1 << 16,
}


@dataclass(frozen=True, slots=True)
class Index:
    """A table that new records can be compared with. `arrays` by name, each contiguous:

    `first_cell`, `cells`, `text`, `text_start`, `letters`, `lists`, `list_start` as in `Values`; of those in `ROOM` the
    first `used[name]` elements are the table's and the rest is room. `tuple_of` (records, comparisons). `text_slots`,
    `list_slots`: hash tables. `keys_RR` and `records_RR`: sorted hashes of rule RR's left keys, and whose they are.
    `rarity_FF` and `log_share_FF`: sorted hashes of the values of frequency column FF, and log2 of their shares.

    Who writes into the room holds `lock`: all searchers of an index write into the same.
    """

    arrays: Mapping[str, Array]
    used: Mapping[str, int]
    schema: pa.Schema  # of the columns that the model reads
    types: Types  # DuckDB's type in which each part of each rule's key is hashed
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @staticmethod
    def of(
        table: pa.Table,
        encoded: Encoded,
        model: CoreModel,
        frequencies: Frequencies,
        *,
        resources: Resources = DEFAULT_RESOURCES,
    ) -> Index:
        """Index the table that `encoded` was made from, in memory."""
        arrays = dict(arrays_of(table, encoded, model, frequencies, resources=resources))
        return Index(arrays, used_by(encoded.values), *told_of(table, model))

    @property
    def records(self) -> int:
        """How many records the table has."""
        return int(self.arrays["tuple_of"].shape[0])


def used_by(values: Values) -> dict[str, int]:
    """How many elements of each array of `ROOM` the table takes."""
    texts, lists = len(values.text_start) - 1, len(values.list_start) - 1
    return {
        "cells": int(values.first_cell[-1]),
        "text": int(values.text_start[-1]),
        "text_start": texts + 1,
        "letters": texts,
        "lists": int(values.list_start[-1]),
        "list_start": lists + 1,
    }


def told_of(table: pa.Table, model: CoreModel) -> tuple[pa.Schema, Types]:
    """The schema of the columns that a model reads, and the types in which the keys of its rules are hashed."""
    schema = pa.schema([field_of(table, name) for name in columns_read(model)])
    return schema, types_in(schema, model.rules)


def types_in(schema: pa.Schema, rules: Sequence[RuleKeys]) -> Types:
    """The types in which the keys of rules over columns of a schema are hashed."""
    connection = connect(threads=1)
    try:
        connection.register("indexed", schema.empty_table())
        return tuple(
            tuple(_common_type(connection, a, b) for a, b in zip(rule.left, rule.right, strict=True)) for rule in rules
        )
    finally:
        connection.close()


def columns_read(model: CoreModel) -> list[str]:
    """The columns that inputs, frequencies and blocking rules read, each once whatever its case."""
    of_inputs = (column for inputs in model.inputs for item in inputs for column in item.columns)
    of_rules = (column for rule in model.rules for part in (*rule.left, *rule.right) for column in columns_of(part))
    return list({name.lower(): name for name in reversed([*of_inputs, *of_rules])}.values())[::-1]


def field_of(table: pa.Table, name: str) -> pa.Field:
    """The field of one column of the records, under the name that the model has for it."""
    kind = column_of(table, name).type
    return pa.field(name, kind.value_type if pa.types.is_dictionary(kind) else kind)


def _common_type(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> str:
    """The type in which DuckDB compares two expressions."""
    sql = f"DESCRIBE SELECT CASE WHEN true THEN ({one}) ELSE ({other}) END AS part FROM indexed"
    return str(connection.execute(sql).fetchall()[0][1])


def arrays_of(
    table: pa.Table,
    encoded: Encoded,
    model: CoreModel,
    frequencies: Frequencies,
    *,
    resources: Resources = DEFAULT_RESOURCES,
) -> Iterator[tuple[str, Array]]:
    """The arrays of an index one by one, so that they need not be in memory together."""
    yield from arrays_of_values(encoded)
    yield from arrays_of_keys(table, model, resources=resources)
    yield from arrays_of_rarity(table, model, frequencies, told_of(table, model)[0])


def arrays_of_values(encoded: Encoded) -> Iterator[tuple[str, Array]]:
    """Those that hold what records are compared on."""
    values, used = encoded.values, used_by(encoded.values)
    for name in ROOM:
        yield name, with_room(getattr(values, name)[: used[name]], ROOM[name])
    yield "first_cell", np.asarray(values.first_cell)
    plain = np.where(encoded.tuple_of < 0, ~encoded.tuple_of, encoded.tuple_of)
    yield "tuple_of", np.ascontiguousarray(plain.T)
    yield "text_slots", slots_of(values.text, values.text_start)
    yield "list_slots", list_slots_of(values.lists, values.list_start)


def arrays_of_keys(
    table: pa.Table, model: CoreModel, *, resources: Resources = DEFAULT_RESOURCES
) -> Iterator[tuple[str, Array]]:
    """The records in the order of each rule's left key."""
    schema, types = told_of(table, model)
    for r, order in enumerate(Keys(table, schema, resources).orders(model.rules, types)):
        yield f"keys_{r:02}", order.left.hashes
        yield f"records_{r:02}", order.left.records


def arrays_of_rarity(
    table: pa.Table, model: CoreModel, frequencies: Frequencies, schema: pa.Schema
) -> Iterator[tuple[str, Array]]:
    """Those that say how common values are."""
    kinds = {field.name.lower(): field.type for field in schema}
    known = {column.lower(): share for column, share in frequencies.items()}
    for f, column in enumerate(model.frequency_columns):
        share = known.get(column.lower())
        yield from _rarity(f, share_of(table, column) if share is None else share, kinds[column.lower()])


def with_room(array: Array, more: int) -> Array:
    """The array with zeros behind it."""
    longer = np.zeros(len(array) + more, array.dtype)
    longer[: len(array)] = array
    return longer


def _rarity(number: int, share: pa.Table, kind: pa.DataType) -> Iterator[tuple[str, Array]]:
    column, name = share.column_names
    hashes, held = hashed_texts(as_text(share[column].cast(kind).combine_chunks()))
    order = in_order(*mixed(hashes[None], held[None]))
    with np.errstate(divide="ignore"):
        logs = np.log2(share[name].to_numpy().astype(np.float64))[order.records]
    yield f"rarity_{number:02}", order.hashes
    yield f"log_share_{number:02}", logs

"""A table to integers: every record's tuple for each comparison, and its key for each blocking rule.

What an input or a key means is DuckDB's: it evaluates the SQL, and only once for each distinct combination of the
columns that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot

from counterfoil.errors import UsageError
from counterfoil.linkage.core.layout import (
    MISSING,
    NO_INPUT,
    Floats,
    Input,
    Ints,
    Kind,
    Longs,
    Program,
    RuleKeys,
    Values,
    Weights,
)
from counterfoil.linkage.core.splink_json import CoreModel, exact_column
from counterfoil.linkage.core.strings import letters_of
from counterfoil.linkage.core.tuples import self_levels
from counterfoil.warehouse import connect

Frequencies = Mapping[str, pa.Table]  # column -> (COLUMN, tf_COLUMN), one row a value
Column: TypeAlias = Any  # an Arrow array, chunked or not

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Resources:
    """What encoding may use. `memory` as "8GB"."""

    threads: int = 2
    memory: str = "8GB"


DEFAULT_RESOURCES = Resources()


@dataclass(frozen=True, slots=True)
class Encoded:
    """A table ready to be compared under one model. C comparisons, R rules, N records; row i is record number i.

    A tuple that alone decides for the null level stands in `tuple_of` as ~x, below zero. `own_level` and `own_weight`
    hold for each tuple what it is against itself; tuple x of comparison c stands at `first_tuple[c] + x`. `best` is the
    most that a pair of different tuples can weigh, term frequency included.
    """

    values: Values
    tuple_of: Ints  # (C, N); x, or ~x where it is absent
    first_tuple: Longs  # (C + 1,)
    own_level: Ints
    own_weight: Floats
    best: Floats  # (C,)
    left_keys: Ints  # (R, N)
    right_keys: Ints  # (R, N); the same array where both sides of every rule are the same

    @property
    def records(self) -> int:
        """How many records."""
        return int(self.tuple_of.shape[1])


def encode(
    table: pa.Table, model: CoreModel, frequencies: Frequencies, *, resources: Resources = DEFAULT_RESOURCES
) -> Encoded:
    """Encode `table`. Frequencies not given are counted in it: the share of its values that a value is."""
    reader = _Reader(table, resources)
    reader.read(column for inputs in model.inputs for item in inputs for column in item.columns)
    given = {column: frequencies.get(column) for column in model.frequency_columns}
    shares = {column: share if share is not None else share_of(table, column) for column, share in given.items()}
    parts = [_tuples(reader, inputs, shares) for inputs in model.inputs]
    give_back()
    values = _values(parts, model.program)
    give_back()
    first = np.concatenate([[0], np.cumsum([part.count for part in parts])]).astype(np.int64)
    own_level, own_weight, absent = self_levels(model.program, model.weights, values, first)
    left, right = _keys(reader, model)
    del reader
    give_back()
    return Encoded(
        values=values,
        tuple_of=np.stack([_marked(part.codes, absent[first[c] :]) for c, part in enumerate(parts)]),
        first_tuple=first,
        own_level=own_level,
        own_weight=own_weight,
        best=best_weights(model, values),
        left_keys=left,
        right_keys=right,
    )


def give_back() -> None:
    """Let the system have the memory that Arrow keeps for its next array: it may be as much as the table."""
    pa.default_memory_pool().release_unused()


def _marked(codes: Ints, absent: Ints) -> Ints:
    """~x for the tuples that are absent."""
    marked: Ints = np.where(absent[codes] == 1, ~codes, codes).astype(np.int32)
    return marked


def share_of(table: pa.Table, column: str) -> pa.Table:
    """COLUMN, tf_COLUMN: each value's share of the values that are there."""
    counted = pc.value_counts(_column(table, column).combine_chunks().drop_null())
    counts = counted.field("counts").to_numpy().astype(np.float64)
    return pa.table({column: counted.field("values"), f"tf_{column}": counts / max(counts.sum(), 1.0)})


@dataclass(frozen=True, slots=True)
class _Tuples:
    """The distinct tuples of one comparison: `cells` (count, inputs) with texts still apart in `texts` and `lists`."""

    codes: Ints
    count: int
    inputs: tuple[Input, ...]
    columns: tuple[Column, ...]  # Arrow, or numbers for the kinds that hold them


class _Reader:
    """Codes of columns and values of expressions of one table."""

    def __init__(self, table: pa.Table, resources: Resources) -> None:
        self._table = table
        self._resources = resources
        self._codes: dict[str, tuple[Ints, pa.Array]] = {}

    def read(self, columns: Iterable[str]) -> None:
        """Number the values of these columns, several columns at a time."""
        with ThreadPoolExecutor(self._resources.threads) as pool:
            list(pool.map(self.codes, dict.fromkeys(columns)))

    def codes(self, column: str) -> tuple[Ints, pa.Array]:
        """For each record the number of its value (0 for none), and the values, the null first."""
        if column not in self._codes:
            self._codes[column] = _dictionary(_column(self._table, column))
        return self._codes[column]

    def combined(self, columns: Sequence[str]) -> tuple[Ints, pa.Table]:
        """For each record the number of its combination of columns, and the combinations as a table."""
        coded = [self.codes(column) for column in columns]
        if len(columns) == 1:
            codes, values = coded[0]
            return codes, pa.table({columns[0]: values})
        numbers, first = _combine([codes for codes, _ in coded], [len(values) for _, values in coded])
        rows = {
            column: values.take(pa.array(codes[first])) for column, (codes, values) in zip(columns, coded, strict=True)
        }
        return numbers, pa.table(rows)

    def evaluated(self, rows: pa.Table, sql: Sequence[str]) -> list[pa.ChunkedArray]:
        """Values of expressions over a table, in its order."""
        plain = [text if text in rows.column_names else "" for text in sql]
        wanted = [text for text, is_plain in zip(sql, plain, strict=True) if not is_plain]
        found = iter(self._query(rows, wanted) if wanted else [])
        return [rows[name] if name else next(found) for name in plain]

    def _query(self, rows: pa.Table, sql: Sequence[str]) -> list[pa.ChunkedArray]:
        names = ", ".join(f"{text} AS v{i}" for i, text in enumerate(sql))
        connection = connect(threads=self._resources.threads, memory_limit=self._resources.memory)
        try:
            connection.register("encoded_rows", rows)
            answer = connection.sql(f"SELECT {names} FROM encoded_rows").to_arrow_table()
        finally:
            connection.close()
        return list(answer.columns)


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """One column of the records. UsageError when they do not have it once."""
    if table.column_names.count(name) != 1:
        raise UsageError(
            f"The model reads the column {name!r}, which the records do not have once. They have: "
            f"{', '.join(table.column_names)}. Give records with that column, or another model."
        )
    return table[name]


def _dictionary(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return _list_dictionary(column)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = pc.add(encoded.indices, 1).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int32)
    values = encoded.dictionary
    return codes, pa.concat_arrays([pa.nulls(1, values.type), values])


def _list_dictionary(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """Arrow has no dictionary of lists: one of their elements joined by a character that no name holds."""
    whole = column.combine_chunks()
    texts = whole.cast(pa.list_(pa.string()))
    elements = pc.replace_with_mask(texts.flatten(), pc.is_null(texts.flatten()), pa.scalar("\x00"))
    joined = pc.binary_join(pa.ListArray.from_arrays(_offsets(texts), elements, mask=pc.is_null(texts)), _SEPARATOR)
    lengths = pc.cast(pc.list_value_length(texts), pa.string())
    keys = pc.binary_join_element_wise(lengths, joined, ":")
    encoded = keys.dictionary_encode()
    codes = pc.add(encoded.indices, 1).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int32)
    first = np.zeros(len(encoded.dictionary) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    values = whole.take(pa.array(first[1:]))
    return codes, pa.concat_arrays([pa.nulls(1, values.type), values])


def _offsets(lists: pa.ListArray) -> pa.Array:
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))


def _combine(codes: Sequence[Ints], sizes: Sequence[int]) -> tuple[Ints, Longs]:
    """Numbers of combinations in order of first appearance, and the first record of each."""
    total = codes[0].astype(np.int64)
    width = sizes[0]
    for more, size in zip(codes[1:], sizes[1:], strict=True):
        if width * size >= 2**62:
            total, width = _renumbered(total)
        total = total * size + more
        width *= size
    numbers, count = _renumbered(total)
    first = np.zeros(count, dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    return numbers.astype(np.int32), first


def _renumbered(total: Longs) -> tuple[Longs, int]:
    encoded = pa.array(total).dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)


def _tuples(reader: _Reader, inputs: tuple[Input, ...], shares: Mapping[str, pa.Table]) -> _Tuples:
    columns = list(dict.fromkeys(column for item in inputs for column in item.columns))
    codes, rows = reader.combined(columns)
    asked = [item for item in inputs if item.kind is not Kind.FREQUENCY]
    found = iter(reader.evaluated(rows, [item.sql for item in asked]))
    held: list[Column] = []
    for item in inputs:
        if item.kind is Kind.FREQUENCY:
            held.append(_log_share(rows[item.columns[0]], shares[item.columns[0]]))
        elif item.kind is Kind.NUMBER:
            held.append(as_numbers(next(found)))
        else:
            held.append(next(found))
    return _Tuples(codes, rows.num_rows, inputs, tuple(held))


def _log_share(values: pa.ChunkedArray, shares: pa.Table) -> Floats:
    """log2 of the share of each value; NaN where there is none."""
    column, share = shares.column_names
    known = shares[column].combine_chunks()
    at = pc.index_in(values.cast(known.type), known)
    found = shares[share].combine_chunks().cast(pa.float64()).take(at)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: Floats = np.log2(found.fill_null(np.nan).to_numpy(zero_copy_only=False))
    return logs


def as_numbers(values: Column) -> Floats:
    """Numbers as float64: dates as days since 1970, times as seconds, booleans as 0 and 1, nulls as NaN."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_date(whole.type):
        whole = whole.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_timestamp(whole.type):
        whole = pc.divide(whole.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
    elif pa.types.is_boolean(whole.type):
        whole = whole.cast(pa.int8())
    numbers: Floats = whole.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return numbers


def _values(parts: Sequence[_Tuples], program: Program) -> Values:
    """Put the texts of all comparisons in one store and the cells behind one another."""
    texts = [_flat_texts(part, i) for part in parts for i, item in enumerate(part.inputs) if _is_text(item)]
    store = _store(texts)
    width = np.array([len(part.inputs) for part in parts], dtype=np.int64)
    counts = np.array([part.count for part in parts], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(width * counts)]).astype(np.int64)
    cells = np.empty(int(first[-1]), dtype=np.float64)
    numbers = iter(store.numbers)
    lists, starts, made = [np.empty(0, np.int32)], [np.zeros(1, np.int64)], 0
    for c, part in enumerate(parts):
        own = cells[first[c] : first[c + 1]].reshape(part.count, len(part.inputs))
        for i, item in enumerate(part.inputs):
            column = part.columns[i]
            if item.kind is Kind.TEXT:
                own[:, i] = next(numbers)
            elif item.kind is Kind.TEXTS:
                own[:, i], ends = _list_cells(column, made, int(starts[-1][-1]))
                lists.append(np.nan_to_num(next(numbers), nan=-1).astype(np.int32))  # a null element equals none
                starts.append(ends)
                made += len(ends)
            else:
                own[:, i] = column
    _check_width(program, width)
    return Values(
        cells=cells,
        first_cell=first,
        tuples=counts,
        text=store.text,
        text_start=store.start,
        letters=letters_of(store.text, store.start),
        lists=np.concatenate(lists),
        list_start=np.concatenate(starts),
    )


def _check_width(program: Program, width: Longs) -> None:
    if not np.array_equal(program.width, width):
        raise ValueError("The program and the inputs of the model do not belong together.")


def _is_text(item: Input) -> bool:
    return item.kind in (Kind.TEXT, Kind.TEXTS)


def _flat_texts(part: _Tuples, i: int) -> pa.Array:
    """The texts of one input: one for each tuple, or the elements of all its lists."""
    column = part.columns[i]
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if part.inputs[i].kind is Kind.TEXTS:
        return whole.cast(pa.list_(pa.string())).flatten().cast(pa.large_string())
    return as_text(whole)


def as_text(values: pa.Array) -> pa.Array:
    """Values as text that is equal when they are."""
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), pa.large_string())
    return values.cast(pa.large_string())


@dataclass(frozen=True, slots=True)
class _Store:
    text: np.ndarray[tuple[int], np.dtype[np.uint8]]
    start: Longs
    numbers: tuple[Floats, ...]  # of each array given, NaN for null


def _store(texts: Sequence[pa.Array]) -> _Store:
    """Each text once."""
    together = (
        pa.chunked_array(texts, type=pa.large_string()) if texts else pa.chunked_array([pa.nulls(0, pa.large_string())])
    )
    encoded = together.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    numbers = encoded.indices.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    ends = np.cumsum([len(each) for each in texts], dtype=np.int64)[:-1]
    text, start = text_buffers(encoded.dictionary)
    return _Store(text, start, tuple(np.split(numbers, ends)))


def text_buffers(texts: pa.Array) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint8]], Longs]:
    """The bytes of texts, one after the other, and where each begins (one more than there are)."""
    whole = texts.cast(pa.large_string())
    _, offsets, data = whole.buffers()
    count = len(whole)
    if count == 0:
        return np.zeros(1, np.uint8), np.zeros(1, np.int64)
    start = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + count + 1]
    base = int(start[0])
    size = int(start[-1]) - base
    text = np.frombuffer(data, np.uint8)[base : base + size] if size else np.zeros(1, np.uint8)
    return np.ascontiguousarray(text), np.ascontiguousarray(start - base)


def _list_cells(column: Column, made: int, base: int) -> tuple[Floats, Longs]:
    """Numbers of the lists of one input, NaN for null; and where each list ends in the list store."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    lengths = pc.list_value_length(whole).fill_null(0).to_numpy(zero_copy_only=False)
    cells = (made + np.arange(len(whole))).astype(np.float64)
    cells[pc.is_null(whole).to_numpy(zero_copy_only=False)] = np.nan
    return cells, base + np.cumsum(lengths).astype(np.int64)


def best_weights(model: CoreModel, values: Values) -> Floats:
    """For each comparison the most that a pair of different tuples can weigh.

    Where a comparison reads one column, different tuples have different values, so no level that wants them equal.
    """
    best = np.empty(len(model.comparisons))
    for c, comparison in enumerate(model.comparisons):
        columns = {column.lower() for item in model.inputs[c] for column in item.columns}
        possible = [
            k for k, level in enumerate(comparison.levels) if len(columns) > 1 or exact_column(level.sql) not in columns
        ]
        gains = {k: _most_adjustment(c, k, model.program, model.weights, values) for k in possible}
        best[c] = max((float(model.weights.base[c, k]) + gains[k] for k in possible), default=0.0)
    return best


def _most_adjustment(c: int, level: int, program: Program, weights: Weights, values: Values) -> float:
    """The most that rarity can add at a level, or 0."""
    given = int(weights.tf_input[c, level])
    if given == NO_INPUT or weights.tf_weight[c, level] <= 0:
        return 0.0
    own = values.cells[values.first_cell[c] : values.first_cell[c + 1]].reshape(-1, int(program.width[c]))[:, given]
    rarest = np.nanmin(own) if np.isfinite(own).any() else 0.0
    rarest = max(float(rarest), float(weights.tf_floor[c, level]))
    return max(0.0, float(weights.tf_weight[c, level]) * (float(weights.tf_log_u[c, level]) - rarest))


def _keys(reader: _Reader, model: CoreModel) -> tuple[Ints, Ints]:
    """Block keys of each rule; `MISSING` where a part is null, and where nobody else has the key."""
    left: list[Ints] = []
    right: list[Ints] = []
    for rule in model.rules:
        one, other = _rule_keys(reader, rule)
        left.append(one)
        right.append(other)
        give_back()
    if all(rule.is_symmetric for rule in model.rules):
        keys = np.stack(left)
        return keys, keys
    return np.stack(left), np.stack(right)


def _rule_keys(reader: _Reader, rule: RuleKeys) -> tuple[Ints, Ints]:
    if not rule.is_symmetric:
        return _two_sided_key(reader, rule.left, rule.right)
    keys = _alone_left_out(_rule_key(reader, rule.left))
    return keys, keys


def _rule_key(reader: _Reader, parts: Sequence[str]) -> Ints:
    coded = [_part(reader, part) for part in parts]
    return _numbered([codes for codes, _ in coded], [size for _, size in coded])


def _numbered(codes: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    held = codes[0] > 0
    for more in codes[1:]:
        held &= more > 0
    if len(codes) == 1:
        return np.where(held, codes[0] - 1, MISSING).astype(np.int32)
    numbers, _ = _combine(codes, sizes)
    return np.where(held, numbers, MISSING).astype(np.int32)


def _part(reader: _Reader, sql: str) -> tuple[Ints, int]:
    """Codes (0 for null) of one expression of a key, and how many there are."""
    codes, values = _part_values(reader, sql)
    return codes, len(values)


def _part_values(reader: _Reader, sql: str) -> tuple[Ints, pa.Array]:
    columns = columns_of(sql)
    if list(columns) == [sql]:
        return reader.codes(sql)
    codes, rows = reader.combined(columns)
    (found,) = reader.evaluated(rows, [sql])
    own, values = _dictionary(found)
    return own[codes], values


def _two_sided_key(reader: _Reader, left: Sequence[str], right: Sequence[str]) -> tuple[Ints, Ints]:
    """Keys of a rule whose sides differ, in one numbering."""
    ones, others, sizes = [], [], []
    for one, other in zip(left, right, strict=True):
        a, a_values = _part_values(reader, one)
        b, b_values = _part_values(reader, other)
        both = pa.concat_arrays([as_text(a_values[1:]), as_text(b_values[1:])])
        codes, values = _dictionary(pa.chunked_array([both]))
        codes = np.concatenate([[0], codes[: len(a_values) - 1], [0], codes[len(a_values) - 1 :]]).astype(np.int32)
        ones.append(codes[a])
        others.append(codes[len(a_values) + b])
        sizes.append(len(values))
    count = len(ones[0])
    both_sides = [np.concatenate([a, b]) for a, b in zip(ones, others, strict=True)]
    keys = _numbered(both_sides, sizes)
    return keys[:count], keys[count:]


def _alone_left_out(keys: Ints) -> Ints:
    """A record that nobody shares its key with makes no pair."""
    held = keys >= 0
    shared = np.bincount(keys[held], minlength=1) > 1
    keys[held] = np.where(shared[keys[held]], keys[held], MISSING)
    return keys


def columns_of(sql: str) -> tuple[str, ...]:
    """The columns that an expression reads, each once."""

    found = sqlglot.parse_one(sql, dialect="duckdb").find_all(sqlglot.exp.Column)
    return tuple(dict.fromkeys(column.name for column in found))

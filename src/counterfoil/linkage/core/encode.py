"""A table to integers: every record's tuple for each comparison, and its key for each blocking rule.

What an input or a key means is DuckDB's: it evaluates the SQL, and only once for each distinct combination of the
columns that it reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.core import interpret as run
from counterfoil.linkage.core.block_keys import keys_of
from counterfoil.linkage.core.cells import (
    Column,
    as_numbers,
    as_text,
    combined,
    give_back,
    has_nan,
    kind_of,
    text_buffers,
)
from counterfoil.linkage.core.layout import (
    NO_INPUT,
    Bytes,
    Floats,
    Input,
    Ints,
    Kind,
    Longs,
    Program,
    Values,
    Weights,
)
from counterfoil.linkage.core.reader import (
    DEFAULT_RESOURCES,
    Reader,
    Resources,
    columns_of,
    name_in,
    share_of,
)
from counterfoil.linkage.core.splink_json import CoreModel, exact_column
from counterfoil.linkage.core.sql import NotExpressible
from counterfoil.linkage.core.strings import letters_of
from counterfoil.linkage.core.tuples import self_levels

Frequencies = Mapping[str, pa.Table]  # column -> (COLUMN, tf_COLUMN), one row a value


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

    def of(self, rows: Longs) -> Encoded:
        """Some of the records, in this order: row i of the answer is record `rows[i]`."""
        if rows.size == self.records and np.array_equal(rows, np.arange(self.records)):
            return self
        left = self.left_keys[:, rows]
        right = left if self.right_keys is self.left_keys else self.right_keys[:, rows]
        return replace(self, tuple_of=self.tuple_of[:, rows], left_keys=left, right_keys=right)


def encode(
    table: pa.Table,
    model: CoreModel,
    frequencies: Frequencies,
    *,
    keyed: bool = True,
    resources: Resources = DEFAULT_RESOURCES,
) -> Encoded:
    """Encode `table`. Frequencies not given are counted in it: the share of its values that a value is.

    Without `keyed` there are no keys of blocking rules, R being 0, nor is a tuple compared with itself, and none is
    marked as absent: enough for an index, which hashes its own keys and holds tuples alone.

    NotExpressible when Splink has to compare these records, because of the types of their values.
    """
    reader = Reader(table, resources)
    of_rules = (part for rule in model.rules for part in (*rule.left, *rule.right)) if keyed else ()
    none = np.empty((0, table.num_rows), np.int32)
    with ThreadPoolExecutor(1) as beside:
        beside.submit(_load_compiled)
        reader.read([*_columns_of(model), *(column for part in of_rules for column in columns_of(part))])
        give_back()
        keys = beside.submit(keys_of, reader, model) if keyed else None
        parts = _parts(reader, model, frequencies)
        give_back()
        values = _values(parts, model.program)
        give_back()
        first = np.concatenate([[0], np.cumsum([part.count for part in parts])]).astype(np.int64)
        own_level, own_weight, absent = self_levels(
            model.program, model.weights, values, first if keyed else np.zeros_like(first), resources.threads
        )
        left, right = (none, none) if keys is None else keys.result()
    del reader
    give_back()
    return Encoded(
        values=values,
        tuple_of=np.stack(
            [_marked(part.codes, absent[first[c] :]) if keyed else part.codes for c, part in enumerate(parts)]
        ),
        first_tuple=first,
        own_level=own_level,
        own_weight=own_weight,
        best=best_weights(model, values) if keyed else np.zeros(len(parts)),
        left_keys=left,
        right_keys=right,
    )


def _columns_of(model: CoreModel) -> list[str]:
    return [column for inputs in model.inputs for item in inputs for column in item.columns]


def _load_compiled() -> None:
    """What numba reads from disk before its first call, while columns are read."""
    text = np.zeros(1, np.uint8)
    text.flags.writeable = False  # as Arrow's are
    letters_of(text, np.zeros(2, np.int64))


def _parts(reader: Reader, model: CoreModel, frequencies: Frequencies) -> list[_Tuples]:
    """The tuples of each comparison."""
    known = {column.lower(): share for column, share in frequencies.items()}
    given = {column: known.get(column.lower()) for column in model.frequency_columns}
    shares = {column: share if share is not None else reader.share_of(column) for column, share in given.items()}
    parts = [_tuples(reader, inputs, shares) for inputs in model.inputs]
    for c, part in enumerate(parts):
        _check_types(model, c, part)
    return parts


def _marked(codes: Ints, absent: Ints) -> Ints:
    """~x for the tuples that are absent."""
    marked: Ints = np.where(absent[codes] == 1, ~codes, codes).astype(np.int32)
    return marked


@dataclass(frozen=True, slots=True)
class _Tuples:
    """The distinct tuples of one comparison: `cells` (count, inputs) with texts still apart in `texts` and `lists`."""

    codes: Ints
    count: int
    inputs: tuple[Input, ...]
    columns: tuple[Column, ...]  # Arrow, or numbers for the kinds that hold them
    kinds: tuple[str, ...]  # of type of each input: only values of one kind are compared
    odd: frozenset[int]  # inputs with values that are no number though not null


def _tuples(reader: Reader, inputs: tuple[Input, ...], shares: Mapping[str, pa.Table]) -> _Tuples:
    columns = reader.names(column for item in inputs for column in item.columns)
    codes, rows = reader.combined(columns)
    asked = [item for item in inputs if item.kind is not Kind.FREQUENCY]
    found = iter(reader.evaluated(rows, [item.sql for item in asked]))
    held: list[Column] = []
    kinds: list[str] = []
    odd: set[int] = set()
    for i, item in enumerate(inputs):
        if item.kind is Kind.FREQUENCY:
            held.append(_log_share(rows[name_in(columns, item.columns[0])], shares[item.columns[0]]))
            kinds.append("")
        else:
            value = next(found)
            kinds.append(kind_of(value.type, item.kind))
            held.append(as_numbers(value) if item.kind is Kind.NUMBER else value)
            if item.kind is Kind.NUMBER and has_nan(value):
                odd.add(i)
    return _Tuples(codes, rows.num_rows, inputs, tuple(held), tuple(kinds), frozenset(odd))


def _check_types(model: CoreModel, c: int, part: _Tuples) -> None:
    """NotExpressible when values of several types are compared: DuckDB changes the one into the other first."""
    program, kinds = model.program, part.kinds
    for row in program.operations[program.first[c, 0] : program.first[c, program.levels[c]]]:
        inputs = _inputs_of(row, program)
        for of_numbers in (True, False):
            found = {kinds[i] for i in inputs if kinds[i] and (part.inputs[i].kind is Kind.NUMBER) is of_numbers}
            if len(found) > 1:
                raise NotExpressible(model.comparisons[c].name, f"a comparison of {' with '.join(sorted(found))}")
        if inputs & part.odd and not _is_safe(row):
            raise NotExpressible(
                model.comparisons[c].name, "arithmetic with a value that is no number, though not null"
            )


def _inputs_of(row: Ints, program: Program) -> set[int]:
    """The inputs that an operation compares with each other."""
    operation, a, b = (int(row[column]) for column in (run.OPERATION, run.A, run.B))
    if operation == run.CELL:
        return {a >> 1}
    if operation == run.VALUE:
        behind = program.operations[a:b]
        return {int(each[run.A]) >> 1 for each in behind if each[run.OPERATION] == run.PUSH_CELL}
    return {a >> 1, b >> 1}


def _is_safe(row: Ints) -> bool:
    """Whether infinity in place of what is no number makes no difference."""
    near = row[run.OPERATION] == run.DISTANCE and row[run.COMPARE] in (run.LESS, run.AT_MOST)
    return bool(row[run.OPERATION] in (run.PAIR, run.CELL) or near)


def _log_share(values: pa.ChunkedArray, shares: pa.Table) -> Floats:
    """log2 of the share of each value; NaN where there is none."""
    column, share = shares.column_names
    known = shares[column].combine_chunks()
    if pa.types.is_nested(known.type) or pa.types.is_floating(known.type):
        at = pc.index_in(as_text(values), as_text(known))
    else:
        at = pc.index_in(values.cast(known.type), known)
    found = shares[share].combine_chunks().cast(pa.float64()).take(at)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: Floats = np.log2(found.fill_null(np.nan).to_numpy(zero_copy_only=False))
    return logs


def _values(parts: Sequence[_Tuples], program: Program) -> Values:
    """Put the texts of all comparisons in one store and the cells behind one another."""
    texts = [_flat_texts(part, i) for part in parts for i, item in enumerate(part.inputs) if _is_text(item)]
    store = _store(texts)
    width = np.array([len(part.inputs) for part in parts], dtype=np.int64)
    counts = np.array([part.count for part in parts], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(width * counts)]).astype(np.int64)
    cells = np.empty(int(first[-1]), dtype=np.float64)
    numbers = iter(store.numbers)
    lists, starts, made, held = [np.empty(0, np.int32)], [np.zeros(1, np.int64)], 0, 0
    for c, part in enumerate(parts):
        own = cells[first[c] : first[c + 1]].reshape(part.count, len(part.inputs))
        for i, item in enumerate(part.inputs):
            column = part.columns[i]
            if item.kind is Kind.TEXT:
                own[:, i] = next(numbers)
            elif item.kind is Kind.TEXTS:
                own[:, i], ends = _list_cells(column, made, held)
                lists.append(np.nan_to_num(next(numbers), nan=-1).astype(np.int32))  # a null element equals none
                starts.append(ends)
                made, held = made + len(ends), held + len(lists[-1])
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
    whole = combined(part.columns[i])
    return as_text(whole.flatten() if part.inputs[i].kind is Kind.TEXTS else whole)


@dataclass(frozen=True, slots=True)
class _Store:
    text: Bytes
    start: Longs
    numbers: tuple[Floats, ...]  # of each array given, NaN for null


def _store(texts: Sequence[pa.Array]) -> _Store:
    """Each text once."""
    encoded = pa.chunked_array(texts, pa.large_string()).dictionary_encode().chunks
    if not encoded:
        encoded = [pa.nulls(0, pa.large_string()).dictionary_encode()]
    numbers = [part.indices.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False) for part in encoded]
    ends = np.cumsum([len(each) for each in texts], dtype=np.int64)[:-1]
    text, start = text_buffers(encoded[0].dictionary)
    return _Store(text, start, tuple(np.split(np.concatenate(numbers), ends)))


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


__all__ = [
    "DEFAULT_RESOURCES",
    "Encoded",
    "Frequencies",
    "Resources",
    "as_numbers",
    "as_text",
    "best_weights",
    "columns_of",
    "encode",
    "share_of",
    "text_buffers",
]

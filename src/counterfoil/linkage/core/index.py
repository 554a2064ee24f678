"""Records of an encoded table found by blocking key: a short list, or one person, against millions of records.

A key is found by its 64-bit hash. Two keys of one hash would make a pair that no rule made; among a billion keys one is
expected in forty runs, and it is scored like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.core.compiling import compiled_lean
from counterfoil.linkage.core.encode import (
    DEFAULT_RESOURCES,
    Encoded,
    Frequencies,
    Resources,
    as_numbers,
    as_text,
    text_buffers,
)
from counterfoil.linkage.core.interpret import adjustment, level_apart
from counterfoil.linkage.core.layout import (
    NO_INPUT,
    Bytes,
    Floats,
    Ints,
    Kind,
    Longs,
    Program,
    Values,
    Weights,
)
from counterfoil.linkage.core.splink_json import CoreModel
from counterfoil.linkage.core.strings import find_texts, letters_of, slots_of
from counterfoil.warehouse import connect

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Index:
    """What makes a table searchable. `keys[r]` are the sorted hashes of rule r's right keys, `records[r]` whose."""

    keys: tuple[Hashes, ...]
    records: tuple[Ints, ...]
    slots: Ints  # hash table of the texts

    @staticmethod
    def of(table: pa.Table, encoded: Encoded, model: CoreModel, *, resources: Resources = DEFAULT_RESOURCES) -> Index:
        """Index the table that `encoded` was made from."""
        connection = connect(threads=resources.threads, memory_limit=resources.memory)
        try:
            connection.register("indexed", table)
            found = [_sorted_hashes(connection, rule.right) for rule in model.rules]
        finally:
            connection.close()
        slots = slots_of(encoded.values.text, encoded.values.text_start)
        return Index(tuple(keys for keys, _ in found), tuple(records for _, records in found), slots)


def _hash_sql(parts: Sequence[str]) -> str:
    held = " AND ".join(f"({part}) IS NOT NULL" for part in parts)
    text = ", ".join(f"CAST(({part}) AS VARCHAR)" for part in parts)
    return f"CASE WHEN {held} THEN hash(concat_ws(chr(31), {text})) END"


def _sorted_hashes(connection: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> tuple[Hashes, Ints]:
    found = connection.sql(f"SELECT {_hash_sql(parts)} AS key FROM indexed").to_arrow_table()["key"].combine_chunks()
    held = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False)).astype(np.int32)
    keys: Hashes = found.drop_null().to_numpy().astype(np.uint64)
    order = np.argsort(keys, kind="stable")
    return keys[order], held[order]


class Searcher:
    """Scores new records against an indexed table. One at a time in a process; not for several threads at once."""

    def __init__(
        self,
        encoded: Encoded,
        index: Index,
        model: CoreModel,
        frequencies: Frequencies,
        *,
        room: int = 16,
        view: str = "SELECT * FROM entries",
        tables: Mapping[str, pa.Table] | None = None,
    ) -> None:
        """`room`: how many new records may be asked about at once.

        `view` makes from `entries` (and `tables`) the columns that the model reads, one row an entry in their order.
        """
        self._encoded, self._index, self._model, self._room = encoded, index, model, room
        self._frequencies = {
            column: dict(zip(*(frequencies[column].column(i).to_pylist() for i in (0, 1)), strict=True))
            if room <= _FEW
            else frequencies[column]
            for column in model.frequency_columns
        }
        self._values = _with_room(encoded.values, model, room)
        self._texts = len(encoded.values.text_start) - 1
        self._tuple_of = np.ascontiguousarray(np.asarray(encoded.tuple_of).T)
        self._connection = connect(threads=1)
        for name, given in (tables or {}).items():
            self._connection.register(name, given)
        self._sql = self._statement(view)

    def find(self, entries: pa.Table, *, threshold: float) -> pa.Table:
        """entry (row of `entries`), record (row of the table), match_weight; entries are the left side.

        Ordered by entry, then record. Asks for at most `room` entries; more are taken in turns.
        """
        parts = [
            self._some(entries.slice(at, self._room), at, threshold) for at in range(0, entries.num_rows, self._room)
        ]
        return pa.concat_tables(parts) if parts else self._answer(*(np.empty(0) for _ in range(3)))

    def _some(self, entries: pa.Table, first: int, threshold: float) -> pa.Table:
        keys, columns = self._evaluate(entries)
        tuples = self._add(entries, columns)
        entry, record = self._candidates(keys)
        weight = np.empty(len(entry))
        score_candidates(
            entry, record, tuples, self._tuple_of, self._model.program, self._model.weights, self._values, weight
        )
        kept = weight >= threshold
        return self._answer(entry[kept] + first, record[kept], weight[kept])

    @staticmethod
    def _answer(
        entry: npt.NDArray[np.generic], record: npt.NDArray[np.generic], weight: npt.NDArray[np.generic]
    ) -> pa.Table:
        return pa.table(
            {
                "entry": entry.astype(np.int64),
                "record": record.astype(np.int64),
                "match_weight": weight.astype(np.float64),
            }
        )

    def _evaluate(self, entries: pa.Table) -> tuple[list[pa.Array], list[pa.Array]]:
        """The hashed keys of every rule and the inputs of every comparison."""
        self._connection.register("entries", entries)
        answer = self._connection.sql(self._sql).to_arrow_table()
        columns = [column.combine_chunks() for column in answer.columns]
        rules = len(self._model.rules)
        return columns[:rules], columns[rules:]

    def _statement(self, view: str) -> str:
        keys = [_hash_sql(rule.left) for rule in self._model.rules]
        inputs = [
            item.columns[0] if item.kind is Kind.FREQUENCY else item.sql
            for inputs in self._model.inputs
            for item in inputs
        ]
        columns = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate([*keys, *inputs]))
        return f"SELECT {columns} FROM ({view})"

    def _candidates(self, keys: Sequence[pa.Array]) -> tuple[Longs, Longs]:
        """Pairs of an entry and a record that share a key of a rule, each once, ordered."""
        found: list[Longs] = []
        for hashes, sorted_keys, records in zip(keys, self._index.keys, self._index.records, strict=True):
            held = np.flatnonzero(hashes.is_valid().to_numpy(zero_copy_only=False))
            wanted = hashes.drop_null().to_numpy().astype(np.uint64)
            low = np.searchsorted(sorted_keys, wanted, "left")
            high = np.searchsorted(sorted_keys, wanted, "right")
            for entry, a, b in zip(held.tolist(), low.tolist(), high.tolist(), strict=True):
                if b > a:
                    found.append((np.int64(entry) << np.int64(32)) | records[a:b].astype(np.int64))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        pairs = np.unique(np.concatenate(found))
        return pairs >> 32, pairs & np.int64(0xFFFFFFFF)

    def _add(self, entries: pa.Table, columns: Sequence[pa.Array]) -> Longs:
        """Write the entries' tuples into the room there is; their numbers, shape (entries, comparisons)."""
        values, count = self._values, entries.num_rows
        store = _NewTexts(self._index.slots, self._encoded.values, values, self._texts)
        given = iter(columns)
        for c, inputs in enumerate(self._model.inputs):
            width = len(inputs)
            base = int(values.first_cell[c]) + int(self._encoded.values.tuples[c]) * width
            cells = values.cells[base : base + count * width].reshape(count, width)
            for i, item in enumerate(inputs):
                column = next(given)
                if item.kind is Kind.FREQUENCY:
                    cells[:, i] = self._log_shares(item.columns[0], column)
                elif item.kind is Kind.NUMBER:
                    cells[:, i] = as_numbers(column)
                elif item.kind is Kind.TEXT:
                    cells[:, i] = store.numbers(as_text(column))
                else:
                    cells[:, i] = store.lists(column)
        old = np.asarray(self._encoded.values.tuples)
        return old[None, :] + np.arange(count)[:, None]

    def _log_shares(self, column: str, values: pa.Array) -> Floats:
        known = self._frequencies[column]
        if isinstance(known, dict):
            shares = [known.get(value) for value in values.to_pylist()]
        else:
            at = pc.index_in(values.cast(known.schema.field(0).type), known.column(0).combine_chunks())
            shares = known.column(1).take(at).to_pylist()
        return np.log2(np.array([np.nan if share is None else share for share in shares], dtype=np.float64))


_FEW = 16  # entries at once for which a dictionary of frequencies is worth making
_ROOM_TEXT = 4096  # bytes of new text that one entry may bring
_ROOM_TEXTS = 64


def _with_room(values: Values, model: CoreModel, room: int) -> Values:
    """The same values with space for `room` more tuples of each comparison, and for their texts and lists."""
    width = np.array([len(inputs) for inputs in model.inputs], dtype=np.int64)
    tuples = np.asarray(values.tuples)
    first = np.concatenate([[0], np.cumsum((tuples + room) * width)]).astype(np.int64)
    cells = np.full(int(first[-1]), np.nan)
    for c in range(len(width)):
        low, high = int(values.first_cell[c]), int(values.first_cell[c + 1])
        cells[first[c] : first[c] + high - low] = values.cells[low:high]
    used = int(values.text_start[-1])
    lists = int(values.list_start[-1])
    return Values(
        cells=cells,
        first_cell=first,
        tuples=tuples + room,
        text=_longer(values.text[:used], room * _ROOM_TEXT),
        text_start=_longer(values.text_start, room * _ROOM_TEXTS),
        letters=_longer(values.letters, room * _ROOM_TEXTS),
        lists=_longer(values.lists[:lists], room * _ROOM_TEXTS),
        list_start=_longer(values.list_start, room * _ROOM_TEXTS),
    )


def _longer(array: npt.NDArray[Any], more: int) -> npt.NDArray[Any]:
    longer: npt.NDArray[Any] = np.concatenate([array, np.zeros(more, array.dtype)])
    return longer


class _NewTexts:
    """Texts of new records: known ones have their numbers, others get the next."""

    def __init__(self, slots: Ints, known: Values, values: Values, texts: int) -> None:
        self._slots, self._known, self._values = slots, known, values
        self._next, self._end = texts, int(known.text_start[-1])
        self._lists, self._list_end = len(known.list_start) - 1, int(known.list_start[-1])
        self._new: dict[bytes, int] = {}

    def numbers(self, texts: pa.Array) -> Floats:
        """The number of each text; NaN for null."""
        bytes_, start = text_buffers(texts.fill_null(""))
        found = find_texts(self._slots, self._known.text, self._known.text_start, bytes_, start).astype(np.float64)
        valid = texts.is_valid().to_numpy(zero_copy_only=False)
        for i in np.flatnonzero(valid & (found < 0)).tolist():
            found[i] = self._add(bytes_[start[i] : start[i + 1]])
        found[~valid] = np.nan
        return found

    def lists(self, lists: pa.Array) -> Floats:
        """The number of each list, made new; NaN for null."""
        whole = lists.cast(pa.list_(pa.string()))
        elements = self.numbers(whole.flatten().cast(pa.large_string()))
        lengths = pc.list_value_length(whole).fill_null(0).to_numpy(zero_copy_only=False)
        cells, at = np.empty(len(whole)), 0
        for i, length in enumerate(lengths.tolist()):
            end = self._list_end + length
            self._values.lists[self._list_end : end] = elements[at : at + length]
            self._lists += 1
            self._values.list_start[self._lists] = end
            self._list_end, at = end, at + length
            cells[i] = self._lists - 1
        cells[~whole.is_valid().to_numpy(zero_copy_only=False)] = np.nan
        return cells

    def _add(self, text: Bytes) -> int:
        key = text.tobytes()
        if key not in self._new:
            end = self._end + len(text)
            self._values.text[self._end : end] = text
            self._values.text_start[self._next] = self._end
            self._values.text_start[self._next + 1] = end
            own = letters_of(text, np.array([0, len(text)], dtype=np.int64))
            self._values.letters[self._next] = own[0]
            self._new[key] = self._next
            self._next, self._end = self._next + 1, end
        return self._new[key]


@compiled_lean
def score_candidates(
    entry: Longs,
    record: Longs,
    tuples: Longs,
    tuple_of: Ints,
    program: Program,
    weights: Weights,
    values: Values,
    weight: Floats,
) -> None:
    """Fill `weight` for each pair of an entry (left) and a record (right)."""
    for n in range(entry.size):
        total = weights.prior
        for c in range(program.levels.size):
            x, y = tuples[entry[n], c], tuple_of[record[n], c]
            if y < 0:
                y = ~y
            level = level_apart(c, x, y, program, values)
            total += weights.base[c, level]
            if weights.tf_input[c, level] != NO_INPUT:
                total += adjustment(c, level, x, y, program, weights, values)
        weight[n] = total

"""New records against an indexed table: a short list, or one person, against millions of records.

The table's records are the left side of every pair and the new ones the right, as records that come later are in a
link.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import Fault, UsageError
from counterfoil.linkage.core.compiling import compiled_lean
from counterfoil.linkage.core.encode import as_numbers, as_text, text_buffers
from counterfoil.linkage.core.hashing import Hashes, hashed_texts, mixed, ranges_of
from counterfoil.linkage.core.index import Index
from counterfoil.linkage.core.interpret import adjustment, as_long, level_apart
from counterfoil.linkage.core.key_order import part_sql, types_of
from counterfoil.linkage.core.layout import NO_INPUT, Flags, Floats, Ints, Kind, Longs, Program, Values, Weights
from counterfoil.linkage.core.one import OneRecord, can_be_taken
from counterfoil.linkage.core.one_row import Parts, RowReader, can_be_read, written_out
from counterfoil.linkage.core.reader import column_of
from counterfoil.linkage.core.room import Asked, Reach, Room
from counterfoil.linkage.core.splink_json import CoreModel
from counterfoil.warehouse import connect

ROW = "entry_row"  # the number of an entry; a view hands it on
_AS_GIVEN = "SELECT * FROM entries"
_PAIRS_AT_ONCE = 4_000_000
_FEW = 8  # entries whose values are written into the statement


class Searcher:
    """Scores new records against an indexed table. One searcher an index; its calls wait for each other.

    `view`: a SELECT over `entries` (and `tables`) of the columns that the model reads and of `ROW`, one row an entry.
    `entries` has the columns of `given` then; without a view those of the index, and `ROW`. `parts`: the same view in
    parts; with it one entry at a time is worked out here as far as it is plain.
    """

    def __init__(
        self,
        index: Index,
        model: CoreModel,
        *,
        view: str = _AS_GIVEN,
        given: pa.Schema | None = None,
        tables: Mapping[str, pa.Table] | None = None,
        parts: Parts | None = None,
    ) -> None:
        self._index, self._model = index, model
        self._given = (index.schema if given is None else given).append(pa.field(ROW, pa.int64()))
        self._room = Room(index)
        self._lock = index.lock  # not one of its own: the room behind the index's values is every searcher's
        self._connection = connect(threads=1)
        for name, table in (tables or {}).items():
            self._connection.register("given_table", table)
            self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given_table")
            self._connection.unregister("given_table")
        self._prepare(view)
        self._prepare_one(view, Parts() if view == _AS_GIVEN else parts)

    def find(self, entries: pa.Table, *, threshold: float) -> pa.Table:
        """entry (row of `entries`), record (row of the table), match_weight; ordered by entry, then record."""
        with self._lock:
            return self._weigh(self._ask(entries), threshold)

    def find_checked(self, entries: pa.Table, *, threshold: float, most: int) -> tuple[pa.Table | None, list[Reach]]:
        """The same, and what each rule brought; no pair is scored when one key is shared by more than `most`."""
        with self._lock:
            asked = self._ask(entries)
            fits = max((rule.largest for rule in asked.rules), default=0) <= most
            return (self._weigh(asked, threshold) if fits else None), list(asked.rules)

    def find_one(
        self, entry: Mapping[str, Any], *, threshold: float, most: int
    ) -> tuple[Mapping[int, float] | None, list[Reach]]:
        """`find_checked` for one entry, given by the names of `given`: record -> match_weight."""
        with self._lock:
            asked = self._ask_one({**entry, ROW: 0})
            if asked is None:
                asked = self._ask(pa.Table.from_pylist([{**entry, ROW: 0}], self._given))
            if max((rule.largest for rule in asked.rules), default=0) > most:
                return None, list(asked.rules)
            _, record, weight = self._weighed(asked, 0, 1, threshold)
            return dict(zip(record.tolist(), weight.tolist(), strict=True)), list(asked.rules)

    # --- what DuckDB says of the entries

    def _prepare(self, view: str) -> None:
        self._connection.register("entries", self._given.empty_table())
        described = self._connection.execute("DESCRIBE entries").fetchall()
        self._connection.register("indexed", self._index.schema.empty_table())
        types = types_of(self._connection)
        self._parts = [
            [part_sql(*part, types) for part in zip(rule.right, kinds, strict=True)]
            for rule, kinds in zip(self._model.rules, self._index.types, strict=True)
        ]
        self._kinds = {
            item.sql: item.kind for inputs in self._model.inputs for item in inputs if item.kind is not Kind.FREQUENCY
        }
        of_parts = [part for parts in self._parts for part in parts]
        self._rare = {name: name if name in self._kinds else f'"{name}"' for name in self._model.frequency_columns}
        self._hashed = list(dict.fromkeys([*of_parts, *self._rare.values()]))
        self._columns = {sql: i for i, sql in enumerate(dict.fromkeys([*self._hashed, *self._kinds]))}
        wanted = ", ".join(f"{sql} AS c{i}" for sql, i in self._columns.items())
        self._sql = f"SELECT {wanted} FROM ({view}) ORDER BY {ROW}"
        answer = self._connection.sql(self._sql).to_arrow_table().schema
        kinds = [answer.field(i).type for i in range(len(answer))]
        self._answer = [pa.large_string() if pa.types.is_string(kind) else kind for kind in kinds]
        self._entered = {str(row[0]): str(row[1]) for row in described}
        self._few = can_be_read(self._entered.values())
        if self._few:  # planned once, with the values of one entry as parameters
            values = ", ".join(f'CAST(${i} AS {row[1]}) AS "{row[0]}"' for i, row in enumerate(described, 1))
            one = f"WITH entries AS (SELECT {values}) {view}"
            self._connection.execute(f"PREPARE few AS SELECT {wanted} FROM ({one})")

    def _prepare_one(self, view: str, parts: Parts | None) -> None:
        """What takes one entry at a time, when all that the model reads and makes are plain values."""
        viewed = {str(row[0]): str(row[1]) for row in self._connection.execute(f"DESCRIBE {view}").fetchall()}
        types = {sql: self._type_in_table(sql, self._answer[i]) for sql, i in self._columns.items()}
        self._reader, self._one = None, None
        if parts is None or not self._few or not can_be_read(viewed.values()) or not can_be_taken(types, self._kinds):
            return
        wanted = list(self._columns)
        self._reader = RowReader(self._connection, parts, given=self._entered, viewed=viewed, wanted=wanted)
        self._one = OneRecord(
            self._index, self._model, self._room, parts=self._parts, rare=self._rare, kinds=self._kinds, types=types
        )

    def _evaluate(self, entries: pa.Table) -> dict[str, pa.Array]:
        """The values of every expression, one for each entry."""
        given = self._cast(entries)
        answer = self._evaluate_few(given) if self._few and given.num_rows <= _FEW else None
        if answer is None:
            self._connection.register("entries", given)
            found = self._connection.sql(self._sql).to_arrow_table()
            answer = [column.combine_chunks() for column in found.columns]
        if len(answer[0]) != entries.num_rows:
            raise Fault("The records to look for were not taken one by one. Report it; nothing was looked for.")
        return {sql: self._as_in_table(sql, answer[i]) for sql, i in self._columns.items()}

    def _evaluate_few(self, given: pa.Table) -> list[pa.Array] | None:
        """None where a value cannot be written into a statement."""
        rows = []
        for row in given.to_pylist():
            written = [written_out(value) for value in row.values()]
            if any(value is None for value in written):
                return None
            rows += self._connection.execute(f"EXECUTE few({', '.join(map(str, written))})").fetchall()
        return [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), self._answer, strict=True)]

    def _cast(self, entries: pa.Table) -> pa.Table:
        """The entries' columns as the statement takes them."""
        columns = []
        for field in self._given:
            if field.name == ROW:
                columns.append(pa.chunked_array([np.arange(entries.num_rows)]))
                continue
            column = column_of(entries, field.name)
            try:
                columns.append(column if column.type == field.type else column.cast(field.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise UsageError(
                    f"The column {field.name!r} of the records to look for is {column.type}; the table's is "
                    f"{field.type}, and not every value is one. Give it as the table has it."
                ) from error
        return pa.table(columns, schema=self._given)

    def _as_in_table(self, sql: str, values: pa.Array) -> pa.Array:
        """A column as the table has it, whatever DuckDB made of it."""
        kind = self._type_in_table(sql, values.type)
        return values if kind == values.type else values.cast(kind)

    def _type_in_table(self, sql: str, made: pa.DataType) -> pa.DataType:
        at = self._index.schema.get_field_index(sql)
        return made if at < 0 or pa.types.is_large_string(made) else self._index.schema.field(at).type

    # --- keys

    def _ask(self, entries: pa.Table) -> Asked:
        if not entries.num_rows:
            return Asked(np.empty((0, len(self._model.inputs)), np.int64), ())
        if entries.num_rows == 1 and (one := self._ask_one(self._cast(entries).to_pylist()[0])) is not None:
            return one
        found = self._evaluate(entries)
        texts = {sql: _text(found[sql]) for sql in self._hashed}
        hashes, held = hashed_texts(pa.chunked_array(list(texts.values()), pa.large_string()).combine_chunks())
        shape = (len(texts), entries.num_rows)
        hashes, held = hashes.reshape(shape), held.reshape(shape)
        place = {sql: i for i, sql in enumerate(texts)}
        rules = []
        for r, parts in enumerate(self._parts):
            own = [place[part] for part in parts]
            rules.append(self._reach(r, *mixed(hashes[own], held[own])))
        rarity = {column: mixed(hashes[[place[sql]]], held[[place[sql]]]) for column, sql in self._rare.items()}
        return Asked(self._add(found, texts, rarity, entries.num_rows), tuple(rules))

    def _ask_one(self, entry: Mapping[str, Any]) -> Asked | None:
        """None where one entry cannot be worked out by itself."""
        if self._reader is None or self._one is None or any(written_out(value) is None for value in entry.values()):
            return None
        return self._one.asked(self._reader.values({name.lower(): value for name, value in entry.items()}))

    def _reach(self, rule: int, hashes: Hashes, held: Flags) -> Reach:
        low, high = ranges_of(self._index.arrays[f"keys_{rule:02}"], hashes, held)
        entry = np.flatnonzero(high > low)
        asked = int(held.sum())
        if not entry.size:
            return Reach(asked, entry, low[entry], high[entry], 0)
        low, high = low[entry], high[entry]
        sharing = int(np.unique(hashes[entry], return_counts=True)[1].max()) if entry.size > 1 else 1
        return Reach(asked, entry, low, high, max(sharing, int((high - low).max())))

    def _candidates(self, asked: Asked, first: int, last: int) -> tuple[Longs, Longs]:
        """Pairs of an entry from `first` to before `last` and a record that share a key, each once, ordered."""
        found = [np.empty(0, np.int64)]
        for r, rule in enumerate(asked.rules):
            if not rule.entry.size:
                continue
            a, b = np.searchsorted(rule.entry, [first, last])
            counts = rule.high[a:b] - rule.low[a:b]
            total = int(counts.sum())
            if total:
                place = np.arange(total) + np.repeat(rule.low[a:b] - (np.cumsum(counts) - counts), counts)
                records = self._index.arrays[f"records_{r:02}"][place].astype(np.int64)
                found.append((np.repeat(rule.entry[a:b], counts).astype(np.int64) << 32) | records)
        pairs = np.unique(np.concatenate(found))
        return pairs >> 32, pairs & 0xFFFFFFFF

    # --- weights

    def _weigh(self, asked: Asked, threshold: float) -> pa.Table:
        parts = [self._weighed(asked, first, last, threshold) for first, last in self._turns(asked)]
        entry, record, weight = (np.concatenate(each) for each in zip(*parts, strict=True))
        return pa.table({"entry": entry, "record": record, "match_weight": weight})

    def _weighed(self, asked: Asked, first: int, last: int, threshold: float) -> tuple[Longs, Longs, Floats]:
        """Entry, record and weight of the pairs of some entries."""
        entry, record = self._candidates(asked, first, last)
        weight = np.empty(len(entry))
        score_candidates(
            entry, record, asked.tuples, self._index.arrays["tuple_of"], self._model.program,
            self._model.weights, self._room.values(), weight,
        )  # fmt: skip
        kept = weight >= threshold
        return entry[kept], record[kept], weight[kept]

    def _turns(self, asked: Asked) -> list[tuple[int, int]]:
        """Entries in turns of about `_PAIRS_AT_ONCE` pairs."""
        entries = len(asked.tuples)
        each = np.zeros(entries + 1, np.int64)
        for rule in asked.rules:
            each[rule.entry + 1] += rule.high - rule.low
        upto = np.cumsum(each)
        cuts = np.searchsorted(upto, np.arange(_PAIRS_AT_ONCE, int(upto[-1]), _PAIRS_AT_ONCE))
        ends = sorted({0, *cuts.tolist(), entries})
        return list(itertools.pairwise(ends)) or [(0, 0)]

    # --- tuples of the entries

    def _add(
        self,
        found: Mapping[str, pa.Array],
        texts: Mapping[str, pa.Array],
        rarity: Mapping[str, tuple[Hashes, Flags]],
        count: int,
    ) -> Longs:
        """Write the entries' tuples behind the table's; their numbers, shape (entries, comparisons)."""
        numbers = self._numbers(found, texts)
        shares = {column: self._log_shares(column, *hashed) for column, hashed in rarity.items()}
        columns = [
            [shares[item.columns[0]] if item.kind is Kind.FREQUENCY else numbers[item.sql] for item in inputs]
            for inputs in self._model.inputs
        ]
        return self._room.add_tuples(columns, count)

    def _log_shares(self, column: str, hashes: Hashes, held: Flags) -> Floats:
        number = self._model.frequency_columns.index(column)
        keys, logs = (self._index.arrays[f"{name}_{number:02}"] for name in ("rarity", "log_share"))
        low, high = ranges_of(keys, hashes, held)
        shares = np.full(len(hashes), np.nan)
        known = np.flatnonzero(high > low)
        shares[known] = logs[low[known]]
        return shares

    def _numbers(self, found: Mapping[str, pa.Array], texts: Mapping[str, pa.Array]) -> dict[str, Floats]:
        """What the cells of each input hold: numbers, or numbers of texts and lists."""
        kinds = self._kinds
        done = {sql: as_numbers(found[sql]) for sql, kind in kinds.items() if kind is Kind.NUMBER}
        plain = {
            sql: texts[sql] if sql in texts else _text(found[sql]) for sql, kind in kinds.items() if kind is Kind.TEXT
        }
        lists = {sql: found[sql].cast(pa.list_(pa.string())) for sql, kind in kinds.items() if kind is Kind.TEXTS}
        elements = {sql: lists[sql].flatten().cast(pa.large_string()) for sql in lists}
        numbered = self._text_numbers([*plain.values(), *elements.values()])
        done |= dict(zip(plain, numbered, strict=False))
        of_elements = [np.nan_to_num(each, nan=-1).astype(np.int32) for each in numbered[len(plain) :]]
        return done | self._list_numbers(lists, of_elements)

    def _text_numbers(self, texts: Sequence[pa.Array]) -> list[Floats]:
        """The number of each text, NaN for null. Those that the table does not have are added behind its own."""
        whole = pa.chunked_array(texts, type=pa.large_string()).combine_chunks().dictionary_encode()
        whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
        number = self._room.number_texts(*text_buffers(whole.dictionary))
        given = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        cells = np.append(number.astype(np.float64), np.nan)[given]
        return np.split(cells, np.cumsum([len(each) for each in texts])[:-1])

    def _list_numbers(self, lists: Mapping[str, pa.Array], elements: Sequence[Ints]) -> dict[str, Floats]:
        """The number of each list, NaN for null. An equal list of the table has the same; others are added."""
        if not lists:
            return {}
        lengths = [pc.list_value_length(each).fill_null(0).to_numpy(zero_copy_only=False) for each in lists.values()]
        wanted = np.concatenate(elements)
        start = np.concatenate([[0], np.cumsum(np.concatenate(lengths), dtype=np.int64)])
        number = self._room.number_lists(wanted, start)
        cells = np.split(number.astype(np.float64), np.cumsum([len(each) for each in lengths])[:-1])
        for own, given in zip(cells, lists.values(), strict=True):
            own[~given.is_valid().to_numpy(zero_copy_only=False)] = np.nan
        return dict(zip(lists, cells, strict=True))


def _text(values: pa.Array) -> pa.Array:
    return values if pa.types.is_large_string(values.type) else as_text(values)


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
    """Fill `weight` for each pair of a record (left) and an entry (right)."""
    for n in range(entry.size):
        total = weights.prior
        for c in range(program.levels.size):
            x, y = as_long(tuple_of[record[n], c]), tuples[entry[n], c]
            level = level_apart(c, x, y, program, values)
            total += weights.base[c, level]
            if weights.tf_input[c, level] != NO_INPUT:
                total += adjustment(c, level, x, y, program, weights, values)
        weight[n] = total

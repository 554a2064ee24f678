"""Columns of a table as numbers, and values of SQL expressions, each once for every distinct combination it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import duckdb
import numpy as np
import pyarrow as pa

from counterfoil.errors import UsageError
from counterfoil.linkage.core.cells import dictionary
from counterfoil.linkage.core.layout import Ints
from counterfoil.linkage.core.numbering import numbered
from counterfoil.linkage.core.sql import columns_of as columns_in
from counterfoil.linkage.core.sql import parse
from counterfoil.warehouse import connect


@dataclass(frozen=True, slots=True)
class Resources:
    """What encoding may use. `memory` as "8GB"."""

    threads: int = 2
    memory: str = "8GB"


DEFAULT_RESOURCES = Resources()


class Reader:
    """Codes of columns and values of expressions of one table. Several threads may ask."""

    def __init__(self, table: pa.Table, resources: Resources) -> None:
        self._table = table
        self._resources = resources
        self._codes: dict[str, tuple[Ints, pa.Array]] = {}
        self._database: duckdb.DuckDBPyConnection | None = None
        self._opening = Lock()

    def read(self, columns: Iterable[str]) -> None:
        """Number the values of these columns, several columns at a time."""
        with ThreadPoolExecutor(self._resources.threads) as pool:
            list(pool.map(self.codes, self.names(columns)))

    def names(self, columns: Iterable[str]) -> list[str]:
        """Columns as the table has them, each once."""
        return list(dict.fromkeys(name_in(self._table.column_names, column) for column in columns))

    def codes(self, column: str) -> tuple[Ints, pa.Array]:
        """For each record the number of its value (0 for none), and the values, the null first."""
        if column not in self._codes:
            self._codes[column] = dictionary(column_of(self._table, column))
        return self._codes[column]

    def share_of(self, column: str) -> pa.Table:
        """COLUMN, tf_COLUMN: each value's share of the values that are there."""
        (name,) = self.names([column])
        codes, values = self.codes(name)
        counts = np.bincount(codes, minlength=len(values))[1:].astype(np.float64)
        return pa.table({column: values[1:], f"tf_{column}": counts / max(counts.sum(), 1.0)})

    def combined(self, columns: Sequence[str]) -> tuple[Ints, pa.Table]:
        """For each record the number of its combination of columns, and the combinations as a table."""
        coded = [self.codes(column) for column in columns]
        if len(columns) == 1:
            codes, values = coded[0]
            return codes, pa.table({columns[0]: values})
        numbers, first = combine([codes for codes, _ in coded], [len(values) for _, values in coded])
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
        with self._opening:
            if self._database is None:
                self._database = connect(threads=self._resources.threads, memory_limit=self._resources.memory)
        with self._database.cursor() as connection:
            connection.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")  # as Splink writes them
            connection.register("encoded_rows", rows)
            answer = connection.sql(f"SELECT {names} FROM encoded_rows").to_arrow_table()
            connection.unregister("encoded_rows")
        return list(answer.columns)


def name_in(columns: Sequence[str], name: str) -> str:
    """A column's name as the records have it: the same, or the one that differs in case only. UsageError if none."""
    alike = [each for each in columns if each == name] or [each for each in columns if each.lower() == name.lower()]
    if len(alike) != 1:
        raise UsageError(
            f"The model reads the column {name!r}, which the records do not have once. They have: "
            f"{', '.join(columns)}. Give records with that column, or another model."
        )
    return alike[0]


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """One column of the records."""
    return table[name_in(table.column_names, name)]


def share_of(table: pa.Table, column: str) -> pa.Table:
    """`Reader.share_of` of a table."""
    return Reader(table, DEFAULT_RESOURCES).share_of(column)


def combine(codes: Sequence[Ints], sizes: Sequence[int]) -> tuple[Ints, Ints]:
    """Numbers of combinations in order of first appearance, and the first record of each."""
    total = codes[0].astype(np.int64)
    width = sizes[0]
    for more, size in zip(codes[1:], sizes[1:], strict=True):
        if width * size >= 2**62:
            numbers, first = numbered(total)
            total, width = numbers.astype(np.int64), len(first)
        total *= size
        total += more
        width *= size
    return numbered(total)


def columns_of(sql: str) -> tuple[str, ...]:
    """The columns that an expression reads, each once."""
    return tuple(dict.fromkeys(column.name for column in columns_in(parse(sql, sql))))

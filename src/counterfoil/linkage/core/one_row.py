"""The columns that a model reads, and what it makes of them, for one record: plain ones here, the rest by DuckDB."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from counterfoil.linkage.core.plain import PLAIN_TYPES, NotPlain, Plain, Row, plain
from counterfoil.linkage.core.reader import columns_of
from counterfoil.linkage.core.sql import quoted

_STATEMENTS = 64  # that are kept planned


@dataclass(frozen=True, slots=True)
class Lookup:
    """A column that is the text of `then`, a text or whole number, where the values of `keys` are one of `held`, else
    empty."""

    keys: tuple[str, ...]
    then: str
    held: frozenset[tuple[Any, ...]]

    def of(self, row: Row) -> Any:
        """A key with a null is none."""
        key = tuple(row[name] for name in self.keys)
        if None in key or key not in self.held:
            return ""
        return None if row[self.then] is None else str(row[self.then])


@dataclass(frozen=True, slots=True)
class Parts:
    """A view over `entries` in parts: its own columns by their SQL over those of `entries`, which it has too; lookups.

    Names are plain and in lower case.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    lookups: Mapping[str, Lookup] = field(default_factory=dict)


class RowReader:
    """Works out expressions over a view's columns for one row of `entries` at a time.

    `given` and `viewed`: DuckDB's type of each column of `entries` and of the view.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        parts: Parts,
        *,
        given: Mapping[str, str],
        viewed: Mapping[str, str],
        wanted: Sequence[str],
    ) -> None:
        read = {name.lower() for sql in wanted for name in columns_of(sql)}
        self._lookups = {name: lookup for name, lookup in parts.lookups.items() if name in read}
        read |= {name for lookup in self._lookups.values() for name in (*lookup.keys, lookup.then)}
        own = {name: sql for name, sql in parts.columns.items() if name in read}
        self._view = _Layer(connection, own, {name.lower(): kind for name, kind in given.items()})
        self._wanted = _Layer(
            connection, {sql: sql for sql in wanted}, {name.lower(): kind for name, kind in viewed.items()}
        )

    def values(self, row: Row) -> dict[str, Any]:
        """The value of each wanted expression. Names in lower case."""
        seen = {**row, **self._view.values(row)}
        seen |= {name: lookup.of(seen) for name, lookup in self._lookups.items()}
        return self._wanted.values(seen)


class _Layer:
    """Expressions by name, over columns of DuckDB's types `kinds`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, expressions: Mapping[str, str], kinds: Mapping[str, str]
    ) -> None:
        types = {name: PLAIN_TYPES[kind] for name, kind in kinds.items() if kind in PLAIN_TYPES}
        self._connection, self._expressions, self._kinds = connection, expressions, kinds
        self._plain = {name: plain(sql, types) for name, sql in expressions.items()}
        self._planned: dict[tuple[str, ...], tuple[str, list[str]]] = {}
        self._numbers = itertools.count()

    def values(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = {}
        rest = [name for name, known in self._plain.items() if not _worked_out(known, name, row, found)]
        return found | self._asked(tuple(rest), row) if rest else found

    def _asked(self, names: tuple[str, ...], row: Row) -> dict[str, Any]:
        """What DuckDB makes of expressions, from a statement that it planned before."""
        statement, columns = self._planned.get(names) or self._plan(names)
        written = ", ".join(str(written_out(row[column])) for column in columns)
        answer = self._connection.execute(f"EXECUTE {statement}({written})" if columns else f"EXECUTE {statement}")
        return dict(zip(names, answer.fetchall()[0], strict=True))

    def _plan(self, names: tuple[str, ...]) -> tuple[str, list[str]]:
        if len(self._planned) >= _STATEMENTS:
            oldest = next(iter(self._planned))
            self._connection.execute(f"DEALLOCATE {self._planned.pop(oldest)[0]}")
        read = (column.lower() for name in names for column in columns_of(self._expressions[name]))
        columns = list(dict.fromkeys(read))
        given = ", ".join(f"CAST(${i} AS {self._kinds[c]}) AS {quoted(c)}" for i, c in enumerate(columns, 1))
        asked = ", ".join(f"({self._expressions[name]}) AS c{i}" for i, name in enumerate(names))
        statement = f"row_{id(self)}_{next(self._numbers)}"
        self._connection.execute(f"PREPARE {statement} AS SELECT {asked} FROM (SELECT {given or '1'})")
        self._planned[names] = statement, columns
        return self._planned[names]


def _worked_out(known: Plain | None, name: str, row: Row, found: dict[str, Any]) -> bool:
    """Whether it was plain; its value goes into `found`."""
    if known is None:
        return False
    try:
        found[name] = known.of(row)
    except NotPlain:
        return False
    return True


def can_be_read(kinds: Iterable[str]) -> bool:
    """Whether values of all of DuckDB's types can be handed over one by one."""
    return all(kind in PLAIN_TYPES for kind in kinds)


def written_out(value: object) -> str | None:
    """A value as SQL; None when it cannot be written."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        each = [written_out(element) for element in value]
        return None if None in each else f"[{', '.join(map(str, each))}]"
    text = str(value)
    if "\x00" in text:
        return None
    return text if isinstance(value, bool | int) else "'" + text.replace("'", "''") + "'"

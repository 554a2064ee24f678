"""From tables of what happened to one column a measure: the one place where definitions become SQL.

A set of measures comes with scripts, `NN -> (TABLE, SQL)`. `windows` says for each person when the follow-up ends and
whether the data cover it; every other script makes a table of rows by index event. Only the tables that a measure asked
for names are made, and each is read once for all its measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from counterfoil.outcomes.catalogue import Definition

Scripts = Mapping[int, tuple[str, str]]
WINDOWS = "windows"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Calendar months of follow-up, and of waiting for proof after it (METHODS 3)."""

    follow_up_months: int = 12
    waiting_months: int = 6

    def of(self, definition: Definition) -> FollowUp:
        """The follow-up of one measure: its own where it has one."""
        own = definition.follow_up_months, definition.waiting_months
        return FollowUp(
            self.follow_up_months if own[0] is None else own[0], self.waiting_months if own[1] is None else own[1]
        )


STANDARD = FollowUp()


def take(
    connection: duckdb.DuckDBPyConnection, scripts: Scripts, definitions: Sequence[Definition], follow_up: FollowUp
) -> pa.Table:
    """index_event_id, covered and one column a definition, ordered by index_event_id.

    Null: the data do not cover that person's window for this measure. `covered` is about `follow_up` itself.
    """
    base = follow_up
    periods = list(dict.fromkeys((base, *(base.of(one) for one in definitions))))
    made: pa.Table | None = None
    for period in periods:
        chosen = [one for one in definitions if base.of(one) == period]
        _make_tables(connection, scripts, chosen, period)
        table = connection.sql(_query(chosen)).to_arrow_table()
        made = table if made is None else _beside(made, table)
    if made is None:
        raise ValueError("there is always the plan's own period")
    return made.select(["index_event_id", "covered", *(one.measure.name for one in definitions)])


def _beside(made: pa.Table, more: pa.Table) -> pa.Table:
    """The measures of another period, for the same people in the same order."""
    for name in more.column_names:
        if name not in ("index_event_id", "covered"):
            made = made.append_column(name, more[name])
    return made


def _make_tables(
    connection: duckdb.DuckDBPyConnection, scripts: Scripts, definitions: Sequence[Definition], period: FollowUp
) -> None:
    connection.execute(f"SET VARIABLE follow_up_months = {int(period.follow_up_months)}")
    connection.execute(f"SET VARIABLE waiting_months = {int(period.waiting_months)}")
    wanted = {WINDOWS, *(table for one in definitions for table in (one.table, *one.needs))}
    for _, (table, text) in sorted(scripts.items()):
        if table in wanted:
            connection.execute(text)


def _query(definitions: Sequence[Definition]) -> str:
    """One pass over each table: its measures aggregated together, then put beside `windows`."""
    tables = list(dict.fromkeys(one.table for one in definitions))
    columns = ["w.index_event_id", "w.covered", *(_column(one, tables.index(one.table)) for one in definitions)]
    joins = [_aggregated(number, table, definitions) for number, table in enumerate(tables)]
    return f"SELECT {', '.join(columns)} FROM {WINDOWS} w {' '.join(joins)} ORDER BY w.index_event_id"


def _column(one: Definition, number: int) -> str:
    name = one.measure.name
    value = f"coalesce(t{number}.{name}, 0)" if one.none_is_zero else f"t{number}.{name}"
    return f"CASE WHEN w.covered THEN {value} END AS {name}"


def _aggregated(number: int, table: str, definitions: Sequence[Definition]) -> str:
    values = ", ".join(
        f"CAST({one.value} AS DOUBLE) AS {one.measure.name}" for one in definitions if one.table == table
    )
    grouped = f"SELECT index_event_id, {values} FROM {table} GROUP BY index_event_id"
    return f"LEFT JOIN ({grouped}) t{number} USING (index_event_id)"

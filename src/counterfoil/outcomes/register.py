"""The register's outcome side: what happened in the follow-up of each index event. Opened after the freeze only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from counterfoil.cohort.register import Machine, RegisterInputs, RegisterPaths, open_history, run_scripts
from counterfoil.lab.progress import Progress, silent
from counterfoil.warehouse import Table, connect, read_table, write_table


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Calendar months of follow-up, and of waiting for proof after it (METHODS 3)."""

    follow_up_months: int = 12
    waiting_months: int = 6


STANDARD = FollowUp()


def build_outcomes(
    inputs: RegisterInputs, paths: RegisterPaths, *, machine: Machine | None = None, progress: Progress = silent
) -> Table:
    """Outcomes of every index event of the register in `paths`, followed from its index date for the standard time."""
    used = machine or Machine()
    with open_history(inputs, used, progress=progress) as connection:
        offences = connection.sql("SELECT * FROM proven_offences ORDER BY ALL").to_arrow_table()
    write_table(offences, paths.proven_offences)
    events = read_table(paths.index_events, ["index_event_id", "index_date"])
    followed = events.append_column("follow_from", events["index_date"]).drop_columns(["index_date"])
    return write_table(_measured(followed, paths, STANDARD, inputs.domain, used), paths.outcomes)


def measure(
    people: pa.Table,
    paths: RegisterPaths,
    follow_up: FollowUp = STANDARD,
    *,
    domain: str = "justice",
    machine: Machine | None = None,
) -> pa.Table:
    """The outcomes of `people` (index_event_id, follow_from), row by row: covered, and one column a measure.

    A person whose follow-up the data do not cover has nulls: not measured, never guessed.
    """
    wanted = people.select(["index_event_id", "follow_from"])
    rows = pa.array(range(wanted.num_rows), pa.int64())
    by_row = wanted.append_column("row", rows)
    measured = _measured(wanted, paths, follow_up, domain, machine or Machine())
    joined = by_row.join(measured, "index_event_id").sort_by("row")
    return joined.drop_columns(["row", "follow_from", "index_event_id"])


def outcomes_of(events: pa.ChunkedArray, paths: RegisterPaths, measure_name: str) -> pa.ChunkedArray:
    """One measure of some index events, in their order, over the standard follow-up. No other event's is read.

    Selection may not call it: it is for people whom no comparison of the run can hold (a risk score's).
    """
    asked = pa.table({"index_event_id": events, "row": pa.array(range(len(events)), pa.int64())})
    read = pq.read_table(
        paths.outcomes,
        columns=["index_event_id", measure_name],
        filters=pc.field("index_event_id").isin(pc.unique(events)),
    )
    return asked.join(read, "index_event_id").sort_by("row")[measure_name]


def _measured(followed: pa.Table, paths: RegisterPaths, follow_up: FollowUp, domain: str, machine: Machine) -> pa.Table:
    connection = connect(threads=machine.threads, memory_limit=machine.memory_limit)
    try:
        _open(connection, followed, paths)
        _set(connection, paths.data_end(), follow_up)
        run_scripts(connection, domain, "outcomes")
        return connection.sql("SELECT * FROM outcomes ORDER BY index_event_id").to_arrow_table()
    finally:
        connection.close()


def _open(connection: duckdb.DuckDBPyConnection, followed: pa.Table, paths: RegisterPaths) -> None:
    connection.register("asked", followed)
    connection.register(
        "index_events", read_table(paths.index_events, ["index_event_id", "person_number", "index_date"])
    )
    connection.register("proven_offences", read_table(paths.proven_offences))
    connection.execute(
        "CREATE TABLE followed AS SELECT index_event_id, person_number, index_date, follow_from "
        "FROM asked JOIN index_events USING (index_event_id)"
    )


def _set(connection: duckdb.DuckDBPyConnection, data_end: dt.date, follow_up: FollowUp) -> None:
    connection.execute(f"SET VARIABLE data_end = DATE '{data_end.isoformat()}'")
    connection.execute(f"SET VARIABLE follow_up_months = {int(follow_up.follow_up_months)}")
    connection.execute(f"SET VARIABLE waiting_months = {int(follow_up.waiting_months)}")

"""The register's outcome side: what happened in the follow-up of each index event. Opened after the freeze only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from counterfoil.cohort.register import Machine, RegisterInputs, RegisterPaths, open_history, run_scripts
from counterfoil.domains import load
from counterfoil.domains.schema import folder, read_scripts
from counterfoil.errors import Fault, UsageError
from counterfoil.lab.progress import Progress, silent
from counterfoil.outcomes.catalogue import Definition, catalogue_of
from counterfoil.outcomes.measuring import STANDARD, FollowUp, Scripts, take
from counterfoil.warehouse import Table, connect, read_table, write_table

HISTORY = 10  # scripts before this number run once, when the register is made
HEADLINE = "headline"  # the set whose outcomes are kept for every index event


def build_outcomes(
    inputs: RegisterInputs, paths: RegisterPaths, *, machine: Machine | None = None, progress: Progress = silent
) -> Table:
    """What outcomes are measured from, and the headline outcomes of every index event of the register in `paths`."""
    used = machine or Machine()
    with open_history(inputs, used, progress=progress) as connection:
        run_scripts(connection, inputs.domain, "outcomes", stop=HISTORY)
        for name in load(inputs.domain).history:
            write_table(connection.sql(f"SELECT * FROM {name} ORDER BY ALL").to_arrow_table(), paths.history(name))
    events = read_table(paths.index_events, ["index_event_id", "index_date"])
    followed = events.append_column("follow_from", events["index_date"]).drop_columns(["index_date"])
    return write_table(_measured(followed, paths, STANDARD, inputs.domain, used, None, {}), paths.outcomes)


def measure(
    people: pa.Table,
    paths: RegisterPaths,
    follow_up: FollowUp = STANDARD,
    *,
    domain: str = "justice",
    measures: Sequence[str] | None = None,
    weights: Mapping[str, Mapping[str, float]] | None = None,
    machine: Machine | None = None,
) -> pa.Table:
    """The outcomes of `people` (index_event_id, follow_from), row by row: covered, and one column a measure.

    measures: names of the register's measures; the headline ones unless said. weights: for each list of codes, the
    weight of each code, for measures that need them. A person whose follow-up the data do not cover has nulls: not
    measured, never guessed.
    """
    wanted = people.select(["index_event_id", "follow_from"])
    measured = _measured(wanted, paths, follow_up, domain, machine or Machine(), measures, weights or {})
    return in_order_of(wanted, measured)


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


def in_order_of(people: pa.Table, measured: pa.Table) -> pa.Table:
    """`measured`, ordered by index_event_id, in the order of `people`, without that column."""
    order = pc.sort_indices(people["index_event_id"])
    back = pc.sort_indices(order)
    return measured.take(back).drop_columns(["index_event_id"])


def _measured(
    followed: pa.Table,
    paths: RegisterPaths,
    follow_up: FollowUp,
    domain: str,
    machine: Machine,
    measures: Sequence[str] | None,
    weights: Mapping[str, Mapping[str, float]],
) -> pa.Table:
    definitions = _definitions(domain, measures, weights)
    connection = connect(threads=machine.threads, memory_limit=machine.memory_limit)
    try:
        _open(connection, followed, paths, domain)
        for name, codes in weights.items():
            table = pa.table({"code": list(codes), "weight": pa.array(codes.values(), pa.float64())})
            connection.register(f"{name}_weights", table)
        return take(connection, _scripts(domain), definitions, follow_up)
    finally:
        connection.close()


def _definitions(
    domain: str, measures: Sequence[str] | None, weights: Mapping[str, Mapping[str, float]]
) -> list[Definition]:
    catalogue = catalogue_of(domain)
    names = catalogue.sets()[HEADLINE] if measures is None else catalogue.resolve(measures)
    chosen = [catalogue.definitions[name] for name in names]
    check_weights(chosen, weights, domain)
    return chosen


def check_weights(
    definitions: Sequence[Definition], weights: Mapping[str, Mapping[str, float]], domain: str = "justice"
) -> None:
    """UsageError unless the lab gives a weight to every code of each list that a measure weighs by."""
    codes = load(domain).codes
    problems = []
    for one in definitions:
        given = weights.get(one.weights, {})
        if one.weights and given.keys() != codes[one.weights].keys():
            absent = ", ".join(code for code in codes[one.weights] if code not in given)
            unknown = ", ".join(code for code in given if code not in codes[one.weights])
            problems.append(
                f"The measure `{one.measure.name}` needs a weight for every code of {one.weights}. Give them under "
                f"[weights.{one.weights}] in lab.toml."
                + (f" These have none: {absent}." if absent else "")
                + (f" These are no codes of it: {unknown}." if unknown else "")
            )
    if problems:
        raise UsageError(*problems)


def _scripts(domain: str) -> Scripts:
    every = read_scripts(folder(domain) / "register", "outcomes")
    return {number: script for number, script in every.items() if number >= HISTORY}


def _open(connection: duckdb.DuckDBPyConnection, followed: pa.Table, paths: RegisterPaths, domain: str) -> None:
    """What the domain's scripts may name: followed, index_covariates and the history tables."""
    history = {name: paths.history(name) for name in load(domain).history}
    if any(not path.is_file() for path in history.values()):
        raise UsageError("This register was made by an earlier version. Run counterfoil register again.")
    open_followed(connection, followed, paths)
    for name, path in {**history, "index_covariates": paths.covariates}.items():
        _view(connection, name, path)


def open_followed(connection: duckdb.DuckDBPyConnection, followed: pa.Table, paths: RegisterPaths) -> None:
    """`followed`: the index events asked for, with all that the register says of each; and the last day of the data.

    Fault where an event is asked for twice: what happened is added up by event, and would count double.
    """
    if len(pc.unique(followed["index_event_id"])) != followed.num_rows:
        raise Fault("An index event is to be measured twice at once. Report it; nothing was measured.")
    _view(connection, "index_events", paths.index_events)
    connection.register("asked", followed)
    connection.execute("CREATE VIEW followed AS SELECT * FROM asked JOIN index_events USING (index_event_id)")
    connection.execute(f"SET VARIABLE data_end = DATE '{paths.data_end().isoformat()}'")


def _view(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")

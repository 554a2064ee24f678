"""People whom a doubtful entry may be and who are nobody of the study: selected as if they had been treated.

They stand beside the selection and change nothing of it: in the headline they are people of the pool like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from counterfoil.cohort.pseudo_start import IntArray


@dataclass(frozen=True, slots=True)
class Possible:
    """One row a candidate of a doubtful entry who has an eligible index event and stayed free of offences until the
    entry's start, in the order of that event.

    people: the columns of `Selected.people`; `study_key` is the candidate's. keys: study_key, register_key.
    place: the row of the same person among the people and then the applied of the selection; -1 for none.
    """

    people: pa.Table
    keys: pa.Table
    place: IntArray


_CANDIDATES = """
CREATE TABLE candidates AS
SELECT d.study_key, d.register_key, CAST(d.start_date AS DATE) AS start_date, d.start_known, 'treated' AS "group",
    person_number
FROM doubt d
JOIN (SELECT DISTINCT register_key, person_number FROM every_event WHERE register_key IN
    (SELECT register_key FROM doubt)) USING (register_key)
WHERE d.register_key NOT IN (
    SELECT register_key FROM entries WHERE "group" = 'treated' UNION ALL SELECT register_key FROM set_aside);

CREATE TABLE in_doubt AS SELECT DISTINCT person_number FROM candidates;
"""

# `first_offence` is null where there was none; the day of the start is not before it.
_POSSIBLE = """
SELECT
    f.study_key, true AS treated, f.index_event_id, e.kind, e.index_date, f.delay AS delay_days,
    e.index_date + CASE WHEN getvariable('from_start') THEN CAST(f.delay AS INTEGER) ELSE 0 END AS follow_from,
    c.* EXCLUDE (index_event_id), f.register_key, e.person_number
FROM maybe_found f
JOIN every_event e USING (index_event_id)
JOIN covariates c USING (index_event_id)
WHERE f.inside_years AND f.eligible AND NOT coalesce(f.first_offence < f.delay, false)
    AND f.year BETWEEN getvariable('pool_first') AND getvariable('pool_last')
ORDER BY f.index_event_id, f.delay, f.study_key
"""

_THEIR_EVENTS = """
SELECT index_event_id, person_number FROM every_event SEMI JOIN in_doubt USING (person_number) ORDER BY 1
"""


def find_possible(connection: duckdb.DuckDBPyConnection, doubt: pa.Table | None, found: str) -> None:
    """The index events of the candidates in `doubt`; `found` is the statement that finds them for entries."""
    if doubt is None:
        day = pa.date32()
        columns = {"study_key": pa.int64(), "register_key": pa.string(), "start_date": day, "start_known": pa.bool_()}
        doubt = pa.schema(columns).empty_table()
    connection.register("doubt", doubt)
    connection.execute(_CANDIDATES)
    connection.execute(found.format(entries="candidates", found="maybe_found"))


def select_possible(connection: duckdb.DuckDBPyConnection, everyone: pa.Table) -> Possible:
    """`everyone`: the people and then the applied, with index_event_id. After `find_possible` and the pool's years."""
    table = connection.sql(_POSSIBLE).to_arrow_table()
    events = connection.sql(_THEIR_EVENTS).to_arrow_table()
    person = _whole(table, "person_number")
    row_of = {}
    if table.num_rows:
        ids, whose = _whole(events, "index_event_id"), _whole(events, "person_number")
        chosen = _whole(everyone, "index_event_id")
        rows = np.flatnonzero(np.isin(chosen, ids))
        row_of = dict(zip(whose[np.searchsorted(ids, chosen[rows])].tolist(), rows.tolist(), strict=True))
    place = np.array([row_of.get(number, -1) for number in person.tolist()], np.int64)
    return Possible(
        table.drop_columns(["register_key", "person_number"]), table.select(["study_key", "register_key"]), place
    )


def _whole(table: pa.Table, name: str) -> IntArray:
    return np.asarray(table[name].to_numpy(), dtype=np.int64)

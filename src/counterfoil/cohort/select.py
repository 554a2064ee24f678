"""`select`: from linked entries and a register to the people who are compared, with the count left after each step.

Opens index events, covariates, stays and early offences; never an outcome. Rules: METHODS 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.cohort.earlier import set_apart
from counterfoil.cohort.events import Events, open_events
from counterfoil.cohort.one_event import take_one_each
from counterfoil.cohort.one_person import choose_clusters
from counterfoil.cohort.possible import Possible, find_possible, select_possible
from counterfoil.cohort.pseudo_start import NEVER, IntArray, Waiting, draw_delays, offended_before
from counterfoil.cohort.register import Machine, RegisterPaths
from counterfoil.cohort.settings import CohortSettings
from counterfoil.cohort.values import Attrition, Group, Step
from counterfoil.errors import UsageError
from counterfoil.lab.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Selected:
    """Who is compared, one row a person: treated first, each side in the register's order (no sum depends on a key).

    people: study_key, treated, index_event_id, kind, index_date, delay_days, follow_from, then the covariates.
    keys: study_key, register_key of `people` and then of `applied`; kept apart from the run's values.
    applied: those of the list who applied and did not take part, with the same columns and `group`.
    earlier: person_number, index_event_id and covariates of each earlier event of the people set apart, who are in no
    other table.
    possible: those whom a doubtful entry may be; they change no other table but `earlier`.
    """

    people: pa.Table
    covariates: tuple[str, ...]
    keys: pa.Table
    attrition: Attrition  # of those who took part, from LINKED on; earlier steps are the study's
    applied: pa.Table
    earlier: pa.Table
    possible: Possible


def select(
    study: pa.Table,
    register: RegisterPaths,
    settings: CohortSettings,
    *,
    doubt: pa.Table | None = None,
    machine: Machine | None = None,
    events: Events | None = None,
    progress: Progress = silent,
) -> Selected:
    """Entries of `study` (study_key, register_key or null, start_date) to people with one index event each.

    `study` may also have `group` (a value of Group; without it everyone took part), `start_known` (whether
    start_date is when the service started, or would have; without it, so it is for all) and `also` (register keys of
    further clusters of the entry's person: `one_person` says which one stands for them).

    `doubt` has candidates of entries: study_key, register_key, start_date, start_known. Who is no treated person of
    `study` is selected as if they had been, on that start.

    Over several entries of one person the earliest counts. A start inside a stay in custody belongs to the release
    that ends it; any other to the nearest event before it. The pool is everyone with an index event of the same
    kinds and years, less everyone in `study`, with one event each (`one_event` says which).

    `events`: those of the register, where they were opened before. They are closed here; of another register or by
    other settings they are opened again.
    """
    progress("selecting index events", 0.0)
    problems = _find_problems(study)
    try:
        opened = _opened(events, register, settings, machine)
    except UsageError as wrong:
        raise UsageError(*problems, *wrong.problems) from wrong
    connection = opened.connection
    try:
        if problems:
            raise UsageError(*problems)
        connection.register("study", choose_clusters(connection, _with_groups(study), _FOUND))
        found = _find_events(connection)
        find_possible(connection, doubt, _FOUND)
        progress("drawing the pool", 0.3)
        return _select(connection, found, opened.covariates, settings, progress)
    finally:
        connection.close()


def _opened(
    events: Events | None, register: RegisterPaths, settings: CohortSettings, machine: Machine | None
) -> Events:
    if events is not None and (events.register, events.settings) == (register, settings):
        return events
    if events is not None:
        events.connection.close()
    return open_events(register, settings, machine)


@dataclass(frozen=True, slots=True)
class _Side:
    """Eligible index events of one side, row by row."""

    person: IntArray
    event: IntArray
    waiting: Waiting
    delay: IntArray

    def take(self, rows: IntArray) -> _Side:
        waiting = Waiting(self.waiting.kind[rows], self.waiting.year[rows], self.waiting.first_offence[rows])
        return _Side(self.person[rows], self.event[rows], waiting, self.delay[rows])


def _with_groups(study: pa.Table) -> pa.Table:
    for name, value in (("group", pa.scalar(Group.TREATED.value)), ("start_known", pa.scalar(True))):
        if name not in study.column_names:
            study = study.append_column(name, pa.repeat(value, study.num_rows))
    return study


def _find_problems(study: pa.Table) -> list[str]:
    return [
        f"The linked entries have no column `{name}`, which selection needs."
        for name in ("study_key", "register_key", "start_date")
        if name not in study.column_names
    ]


# One entry a person: the earliest start, of those on which the person took part if there is one. Then the release that
# ends the stay which the start lies in, or no event at all when that stay ends otherwise; outside custody the nearest
# event within the window before the start.
_ENTRIES = """
CREATE TABLE in_study AS
SELECT DISTINCT register_key, person_number FROM every_event
WHERE register_key IN (SELECT register_key FROM study UNION ALL SELECT register_key FROM set_aside);

CREATE TABLE entries AS
SELECT study_key, register_key, CAST(start_date AS DATE) AS start_date, start_known, "group", person_number
FROM study LEFT JOIN in_study USING (register_key)
WHERE register_key IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY register_key ORDER BY "group" = 'treated' DESC, start_date NULLS LAST, study_key) = 1;
"""

_FOUND = """
CREATE TABLE {found} AS
WITH inside AS (
    SELECT n.study_key, any_value(c.index_event_id) AS index_event_id
    FROM {entries} n JOIN custody c ON c.person_number = n.person_number
        AND n.start_date >= c.stay_start AND (c.stay_end IS NULL OR n.start_date < c.stay_end)
    GROUP BY n.study_key)
SELECT n.study_key, n.register_key, n.start_date, n.start_known, n."group", e.* EXCLUDE (person_number),
    greatest(0, n.start_date - e.index_date) AS delay
FROM {entries} n
LEFT JOIN inside i USING (study_key)
JOIN events e ON e.person_number = n.person_number AND (
    e.index_event_id = i.index_event_id
    OR (i.study_key IS NULL AND e.index_date <= n.start_date
        AND n.start_date - e.index_date <= getvariable('window_days')))
QUALIFY row_number() OVER (PARTITION BY n.study_key ORDER BY e.index_date DESC, e.kind_order) = 1;
"""

_TREATED = """
SELECT study_key AS person, index_event_id AS event, kind_order AS kind, year, first_offence, delay
FROM found WHERE inside_years AND eligible AND "group" = 'treated' ORDER BY study_key
"""

# Of those who applied: -1 where no date of a start is known, so that a pseudo-start is drawn as for the pool.
_APPLIED = """
SELECT study_key AS person, index_event_id AS event, kind_order AS kind, year, first_offence,
    CASE WHEN start_known THEN delay ELSE -1 END AS delay
FROM found
WHERE inside_years AND eligible AND "group" <> 'treated'
    AND year BETWEEN getvariable('pool_first') AND getvariable('pool_last')
ORDER BY study_key
"""

_POOL = """
SELECT person_number AS person, index_event_id AS event, kind_order AS kind, year, first_offence, 0 AS delay
FROM events
WHERE inside_years AND eligible
    AND year BETWEEN getvariable('pool_first') AND getvariable('pool_last')
    AND person_number NOT IN (SELECT person_number FROM in_study)
    AND person_number NOT IN (SELECT person_number FROM set_apart)
ORDER BY index_event_id
"""

# Who may be set apart: everyone with an event of these kinds before the study's first year, but no one of the list.
_EARLIER = """
SELECT e.person_number AS person, e.index_event_id AS event
FROM events e
WHERE e.year < getvariable('pool_first') AND eligible
    AND person_number NOT IN (SELECT person_number FROM in_study)
ORDER BY e.index_event_id
"""


def _find_events(connection: duckdb.DuckDBPyConnection) -> dict[Step, int]:
    connection.execute(_ENTRIES)
    connection.execute(_FOUND.format(entries="entries", found="found"))
    (counts,) = connection.sql(
        "SELECT (SELECT count(*) FROM entries WHERE \"group\" = 'treated'), count(*), count(*) FILTER (inside_years), "
        "count(*) FILTER (inside_years AND eligible) FROM found WHERE \"group\" = 'treated'"
    ).fetchall()
    steps = (Step.LINKED, Step.INDEX_EVENT_FOUND, Step.INSIDE_YEARS, Step.ELIGIBLE)
    return dict(zip(steps, (int(n) for n in counts), strict=True))


def _select(
    connection: duckdb.DuckDBPyConnection,
    found: dict[Step, int],
    covariates: tuple[str, ...],
    settings: CohortSettings,
    progress: Progress,
) -> Selected:
    rng = np.random.default_rng(settings.seed)
    treated = _stayers(_side(connection, _TREATED))
    _set_period(connection, treated, settings)
    earlier = _set_apart(connection, settings)
    pool = _side(connection, _POOL)
    pool = pool.take(take_one_each(pool.person, rng))
    delay = draw_delays(treated.waiting, treated.delay, pool.waiting, rng)
    pool = _stayers(_Side(pool.person, pool.event, pool.waiting, delay))
    applied = _stayers(_with_starts(_side(connection, _APPLIED), treated, settings))
    progress("putting people and covariates together", 0.6)
    taken = np.r_[treated.person, applied.person]
    connection.register("chosen", _chosen(treated, pool, applied, _pool_keys(taken, pool.event.size, rng)))
    everyone = connection.sql(_PEOPLE).to_arrow_table()
    keys = connection.sql(_KEYS).to_arrow_table()
    is_applied = pc.not_equal(everyone["group"], Group.TREATED.value)
    people = everyone.filter(pc.invert(is_applied)).drop_columns(["group"])
    possible = select_possible(connection, everyone)
    n = treated.event.size
    attrition = Attrition({**found, Step.NO_OFFENCE_BEFORE_START: n, Step.HAS_REGISTER_ROW: _treated_rows(people)})
    return Selected(people, covariates, keys, attrition, everyone.filter(is_applied), earlier, possible)


def _set_apart(connection: duckdb.DuckDBPyConnection, settings: CohortSettings) -> pa.Table:
    """People to fit a risk score on, with their covariates. Lots of their own, so that no other draw moves.

    Whom a doubtful entry may be is not fitted on, wherever the lot fell: nobody's outcome is opened who may be treated.
    """
    rows = connection.sql(_EARLIER).to_arrow_table()
    person = np.asarray(rows["person"].to_numpy(), dtype=np.int64)
    drawn = set_apart(person if settings.set_apart else person[:0], np.random.default_rng((settings.seed, 1)))
    connection.register("drawn", rows.take(pa.array(drawn)))
    connection.execute("CREATE TABLE set_apart AS SELECT person AS person_number, event AS index_event_id FROM drawn")
    return connection.sql(
        "SELECT s.person_number, c.* FROM covariates c JOIN set_apart s USING (index_event_id) "
        "ANTI JOIN in_doubt d USING (person_number) ORDER BY index_event_id"
    ).to_arrow_table()


def _with_starts(applied: _Side, treated: _Side, settings: CohortSettings) -> _Side:
    """Where no start is known, one is drawn from the delays of the treated."""
    drawn = draw_delays(treated.waiting, treated.delay, applied.waiting, np.random.default_rng((settings.seed, 2)))
    delay = np.where(applied.delay < 0, drawn, applied.delay)
    return _Side(applied.person, applied.event, applied.waiting, delay)


def _set_period(connection: duckdb.DuckDBPyConnection, treated: _Side, settings: CohortSettings) -> None:
    """The pool's years: the plan's, and where it names none those of the treated."""
    years = treated.waiting.year
    first, last = (int(years.min()), int(years.max())) if years.size else (0, 0)
    connection.execute(f"SET VARIABLE pool_first = {settings.first_year or first}")
    connection.execute(f"SET VARIABLE pool_last = {settings.last_year or last}")


def _side(connection: duckdb.DuckDBPyConnection, sql: str) -> _Side:
    columns = connection.sql(sql).to_arrow_table()

    def whole(name: str, missing: int = 0) -> IntArray:
        return np.asarray(pc.fill_null(pc.cast(columns[name], pa.int64()), missing).to_numpy(), dtype=np.int64)

    waiting = Waiting(whole("kind"), whole("year"), whole("first_offence", NEVER))
    return _Side(whole("person"), whole("event"), waiting, whole("delay"))


def _stayers(side: _Side) -> _Side:
    return side.take(np.flatnonzero(~offended_before(side.waiting.first_offence, side.delay)))


def _pool_keys(taken: IntArray, n: int, rng: np.random.Generator) -> IntArray:
    """`n` study keys that nobody else has, in an order that says nothing about the register's."""
    free = np.arange(1, n + taken.size + 1)
    return rng.permutation(free[~np.isin(free, taken)][:n])


def _chosen(treated: _Side, pool: _Side, applied: _Side, keys: IntArray) -> pa.Table:
    sides = (treated, pool, applied)
    size = sum(side.event.size for side in sides)
    return pa.table(
        {
            "study_key": np.r_[treated.person, keys, applied.person],
            "treated": np.arange(size) < treated.event.size,
            "is_applied": np.arange(size) >= treated.event.size + pool.event.size,
            "index_event_id": np.concatenate([side.event for side in sides]),
            "delay_days": np.concatenate([side.delay for side in sides]),
        }
    )


def _treated_rows(people: pa.Table) -> int:
    return int(pc.sum(people["treated"]).as_py() or 0)


_PEOPLE = """
SELECT
    p.study_key, p.treated, p.index_event_id, e.kind, e.index_date, p.delay_days,
    e.index_date + CASE WHEN getvariable('from_start') THEN CAST(p.delay_days AS INTEGER) ELSE 0 END AS follow_from,
    CASE WHEN p.is_applied THEN f."group" ELSE 'treated' END AS "group", -- of the list; the pool's is not used
    c.* EXCLUDE (index_event_id)
FROM chosen p
JOIN every_event e USING (index_event_id)
JOIN covariates c USING (index_event_id)
LEFT JOIN found f ON p.is_applied AND f.study_key = p.study_key
ORDER BY p.is_applied, p.treated DESC, p.index_event_id
"""

_KEYS = """
SELECT p.study_key, e.register_key
FROM chosen p JOIN every_event e USING (index_event_id)
ORDER BY p.is_applied, p.treated DESC, p.index_event_id
"""

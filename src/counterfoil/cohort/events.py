"""The register as selection sees it: index events of the kinds asked, with what selection may know of each.

Needs no list, so it is made while the list is still being linked. Opens index events, covariates, stays and early
offences; never an outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from counterfoil.cohort.register import Machine, RegisterPaths
from counterfoil.cohort.settings import KIND_ORDER, CohortSettings, FollowFrom
from counterfoil.errors import UsageError
from counterfoil.warehouse import connect


@dataclass(frozen=True, slots=True)
class Events:
    """A connection with every_event, covariates, custody, early_offences, events and the settings as variables.

    Whoever selects from it closes it. `covariates`: their names.
    """

    connection: duckdb.DuckDBPyConnection
    covariates: tuple[str, ...]
    register: RegisterPaths
    settings: CohortSettings


def open_events(register: RegisterPaths, settings: CohortSettings, machine: Machine | None = None) -> Events:
    """The register's tables, and the index events that the settings ask for. UsageError where it has none such."""
    used = machine or Machine()
    connection = connect(threads=used.threads, memory_limit=used.memory_limit)
    for name, path in {
        "every_event": register.index_events,
        "covariates": register.covariates,
        "custody": register.custody,
        "early_offences": register.early_offences,
    }.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({_quoted(str(path))})")
    columns = connection.sql("SELECT * FROM covariates LIMIT 0").columns
    names = tuple(name for name in columns if name != "index_event_id")
    _check(names, settings)
    for name, value in _variables(register, settings).items():
        connection.execute(f"SET VARIABLE {name} = {value}")
    joined = "LEFT JOIN covariates c USING (index_event_id)" if settings.exclusions else ""
    connection.execute(_EVENTS.format(eligible=_eligible(settings), joined=joined))
    return Events(connection, names, register, settings)


def _variables(register: RegisterPaths, settings: CohortSettings) -> dict[str, str]:
    from_start = settings.follow_from is FollowFrom.START
    months = settings.follow_up_months + settings.waiting_months
    return {
        "window_days": str(int(settings.index_window_days)),
        "first_year": str(settings.first_year or 0),
        "last_year": str(settings.last_year or 9999),
        "data_end": f"DATE '{register.data_end().isoformat()}'",
        "months": str(int(months)),
        "latest_start": str(int(settings.index_window_days) if from_start else 0),
        "kinds": _list(settings.index_kinds),
        "kind_order": _list(KIND_ORDER),
        "from_start": str(from_start).lower(),
    }


def _check(covariates: tuple[str, ...], settings: CohortSettings) -> None:
    problems = [
        f"The index kind {kind!r} is unknown; the kinds are: {', '.join(KIND_ORDER)}."
        for kind in settings.index_kinds
        if kind not in KIND_ORDER
    ]
    problems += [
        f"An exclusion names the covariate {x.covariate!r}, which the register does not have."
        for x in settings.exclusions
        if x.covariate not in covariates
    ]
    if problems:
        raise UsageError(*problems)


def _eligible(settings: CohortSettings) -> str:
    tests = [
        f'CAST(c."{x.covariate}" AS VARCHAR) NOT IN ({", ".join(_quoted(v) for v in x.values)})'
        for x in settings.exclusions
        if x.values
    ]
    return " AND ".join(tests) or "true"


def _list(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(_quoted(text) for text in texts)}]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# Events of the kinds asked, with what selection may know of each. The data must cover the follow-up and the wait; where
# follow-up runs from the start, those of the latest start that the window allows, so that both sides are cut alike.
_EVENTS = """
CREATE TABLE events AS
SELECT
    e.index_event_id, e.person_number, e.index_date, e.spell_start,
    list_position(getvariable('kind_order'), e.kind) AS kind_order,
    year(e.index_date) AS year,
    year(e.index_date) BETWEEN getvariable('first_year') AND getvariable('last_year')
        AND e.index_date + to_days(getvariable('latest_start')) + to_months(getvariable('months'))
            <= getvariable('data_end') AS inside_years,
    {eligible} AS eligible,
    f.days_to_first_offence AS first_offence
FROM every_event e
{joined}
LEFT JOIN early_offences f USING (index_event_id)
WHERE list_contains(getvariable('kinds'), e.kind)
"""

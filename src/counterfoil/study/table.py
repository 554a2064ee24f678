"""`evaluate --table`: the same comparison, tests, rules and report, from a table that is ready for analysis."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.cohort.values import Attrition, Group, Step
from counterfoil.disclosure import DEFAULT_SETTINGS, SampleFacts
from counterfoil.effect.reading import why_unusable
from counterfoil.errors import FileNotTaken, UsageError
from counterfoil.lab.progress import Progress, silent
from counterfoil.outcomes.negative_control import NegativeControl
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.study.analysis import analyse
from counterfoil.study.comparison_plan import REGION
from counterfoil.study.inputs import Facts, Inputs
from counterfoil.study.plan import Plan, TableMeasure, TablePlan, read_plan
from counterfoil.study.sub_plan import make_parts
from counterfoil.study.ways import There, ways
from counterfoil.warehouse import connect

TREATED = "treated"
_READERS = {".csv": "read_csv", ".gz": "read_csv", ".tsv": "read_csv", ".parquet": "read_parquet"}


@dataclass(frozen=True, slots=True)
class _Data:
    """The rows to analyse: covariates and `treated` in one table, each measure's values apart."""

    people: pa.Table
    outcomes: dict[str, np.ndarray[Any, np.dtype[np.float64]]]
    dividing: dict[str, pa.ChunkedArray]  # columns that sub-analyses are by
    files: tuple[Path, ...]
    group: pa.ChunkedArray  # refused or waiting, where the table says so; else null


def evaluate_table(
    data: Path, plan_path: Path, out: Path, *, pdf: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Analyse `data` as `plan_path` says, write the report under `out` and give the JSON of `evaluate`.

    Errors: UsageError for a file that is absent or a plan that does not fit it, FileNotTaken for a file that is no
    table. A refusal by a rule is a result, with its own short report.
    """
    for path in (data, plan_path):
        if not path.is_file():
            raise UsageError(f"There is no file {path}. Give the path of a file that exists.")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file. Give a folder for the report.")
    plan = read_plan(plan_path, for_table=True)
    progress("Reading the table", None)
    read = _read(data, plan)
    inputs = replace(_inputs(read, plan, out), pdf=pdf)
    return analyse(inputs, lambda: read.outcomes, progress=progress)


def _inputs(read: _Data, plan: Plan, out: Path) -> Inputs:
    files = {path.name: sha256_of_file(path) for path in read.files}
    treated = int(np.count_nonzero(_is_treated(read.people)))
    table, covariates = _table(plan), plan.comparison.covariates or ()
    there = There(
        treated=_is_treated(read.people),
        applied={g.value: _is_group(read.group, g) for g in (Group.REFUSED, Group.WAITING)},
        region=read.people[REGION] if REGION in covariates else None,
    )
    found = ways(plan.comparison, there, covariates, least=DEFAULT_SETTINGS.min_group)
    followed = next((measure for measure in table.measures if measure.follow_up_months is not None), None)
    return Inputs(
        run=key_of(plan=plan.sha256(), files=files)[:12],
        plan=plan,
        people=read.people,
        covariates=covariates,
        candidates=found.candidates,
        others=found.others,
        attrition=Attrition(people={Step.SUBMITTED: treated}, started=plan.service.people_started),
        measures=tuple(measure.measure() for measure in table.measures),
        control=_control(table),
        folder=out,
        inputs=files,
        facts=Facts(today=plan.today or dt.date.today()),
        parts=make_parts(plan.sub_analyses, _is_treated(read.people), read.dividing),
        follow_up_months=None if followed is None else followed.follow_up_months,
        curves_of="" if followed is None else followed.name,
        sample=SampleFacts(completers_only=True) if plan.service.completers_only else None,
    )


def _is_group(group: pa.ChunkedArray, which: Group) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray(pc.fill_null(pc.equal(group, which.value), False).to_numpy(), np.bool_)


def _is_treated(people: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray(people[TREATED].to_numpy(zero_copy_only=False), np.bool_)


def _control(table: TablePlan) -> NegativeControl | None:
    if table.control is None:
        return None
    return NegativeControl(table.control.measure().measure(), frozenset(table.control.silent))


def _measured(table: TablePlan) -> tuple[TableMeasure, ...]:
    """The plan's measures, and the outcome of before."""
    return table.measures if table.control is None else (*table.measures, table.control.measure())


def _table(plan: Plan) -> TablePlan:
    if plan.table is None:
        raise UsageError("The plan has no [table]. Say there which column is the treatment and what is measured.")
    return plan.table


def _read(data: Path, plan: Plan) -> _Data:
    table = _table(plan)
    files = (data,) if table.comparison_file is None else (data, data.parent / table.comparison_file)
    if not files[-1].is_file():
        raise UsageError(
            f"`comparison_file` names {files[-1].name}, which does not lie beside {data.name}. Put it there."
        )
    connection = connect()
    try:
        for number, path in enumerate(files):
            _load(connection, path, f"file_{number}")
        connection.execute("SET enable_external_access = false")
        _check_columns(connection, plan, table, files)
        _join(connection, table, len(files))
        _check_people(connection, table)
        people, dividing = _people(connection, plan, table), _dividing(connection, plan)
        group = connection.sql('SELECT "__group" FROM rows').to_arrow_table()["__group"]
        return _Data(people, _outcomes(connection, table), dividing, files, group)
    finally:
        connection.close()


def _load(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """One file as a table: text first, then a column whose every filled cell is a number becomes numbers."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FileNotTaken(f"{path.name} is not a table this command reads. Save it as CSV (or .csv.gz) or Parquet.")
    options = ", header = true, all_varchar = true" if reader == "read_csv" else ""
    try:
        connection.execute(f"CREATE TABLE text_{name} AS SELECT * FROM {reader}($1{options})", [str(path)])
    except duckdb.Error as error:
        raise FileNotTaken(
            f"{path.name} cannot be read as {'CSV' if reader == 'read_csv' else 'Parquet'} with one heading row and "
            "the same number of cells in every row. Save it again from the program that made it."
        ) from error
    columns = ", ".join(
        _typed(connection, f"text_{name}", column) for column in sorted(_columns(connection, f"text_{name}"))
    )
    connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM text_{name}")


def _typed(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    words = f"SELECT count(*) FROM {table} WHERE {quoted} IS NOT NULL AND TRY_CAST({quoted} AS DOUBLE) IS NULL"
    is_text = connection.execute(words).fetchall()[0][0] > 0
    return quoted if is_text else f"CAST({quoted} AS DOUBLE) AS {quoted}"


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    return {str(row[0]) for row in connection.execute(f"DESCRIBE {name}").fetchall()}


def _check_columns(
    connection: duckdb.DuckDBPyConnection, plan: Plan, table: TablePlan, files: tuple[Path, ...]
) -> None:
    covariates = set(plan.comparison.covariates or ()) | set(plan.comparison.exact)
    measures = _measured(table)
    outcomes = {m.column for m in measures if m.column is not None}
    problems: list[str] = []
    for number, path in enumerate(files):
        person = set() if table.person is None else {table.person}
        needed = covariates | outcomes | person | set(_by(plan)) | ({table.treatment} if number == 0 else set())
        absent = sorted(needed - _columns(connection, f"file_{number}"))
        problems += [
            f"{path.name} has no column `{name}`, which the plan names. Mend the plan or the file." for name in absent
        ]
    problems += [
        f"`{name}` is an outcome and cannot be a covariate. Remove it." for name in sorted(covariates & outcomes)
    ]
    for measure in measures:
        words = set(re.findall(r"\w+", measure.when or ""))
        problems += [
            f"`{name}` decides the measure `{measure.name}` and cannot be a covariate. Remove it."
            for name in sorted(words & covariates)
        ]
    problems += [
        f"`{name}` is an outcome or the treatment, and no sub-analysis can be by it: it is known only afterwards."
        for name in _by(plan)
        if name in outcomes or name == table.treatment or any(name in (m.when or "") for m in measures)
    ]
    if table.control is not None and table.treatment in {
        table.control.column,
        *re.findall(r"\w+", table.control.when or ""),
    }:
        problems.append(f"`{table.treatment}` is the treatment and no outcome of before it. Mend [table.control].")
    if table.person in covariates:
        problems.append(f"`{table.person}` tells people apart and cannot be a covariate. Remove it.")
    if table.treatment in covariates:
        problems.append(f"`{table.treatment}` is the treatment and cannot be a covariate. Remove it.")
    if problems:
        raise UsageError(*problems)


def _join(connection: duckdb.DuckDBPyConnection, table: TablePlan, files: int) -> None:
    column = f'"{table.treatment}"'
    groups = {Group.REFUSED.value: table.refused_value, Group.WAITING.value: table.waiting_value}
    given = [table.treated_value, *(value for value in groups.values() if value is not None)]
    named = [name for name, value in groups.items() if value is not None]
    cases = " ".join(f"WHEN {_equals(column, n)} THEN '{name}'" for n, name in enumerate(named, 2))
    group = f"CASE {cases} END" if cases else "CAST(NULL AS VARCHAR)"
    first = f'SELECT *, {_equals(column, 1)} AS "__treated", {group} AS "__group" FROM file_0'
    if files > 1:
        first = (
            f'SELECT * FROM ({first}) WHERE "__treated" OR "__group" IS NOT NULL UNION ALL BY NAME '
            'SELECT *, false AS "__treated" FROM file_1'
        )
    connection.execute(f"CREATE TABLE rows AS SELECT * FROM ({first})", given)
    empty, treated, others = connection.execute(
        f'SELECT count(*) FILTER ("__treated" IS NULL OR {_is_nan(column)}), count(*) FILTER ("__treated"), '
        'count(*) FILTER (NOT "__treated") FROM rows'
    ).fetchall()[0]
    if empty:
        raise UsageError(
            f"`{table.treatment}` is empty or NaN in some rows. Say for every row whether the person was treated."
        )
    if not treated or not others:
        side = "is" if treated else "is not"
        raise UsageError(
            f"Every row's `{table.treatment}` {side} {table.treated_value!r}, so there is nobody to compare. "
            "Mend `treatment` or `treated_value` in the plan."
        )


def _check_people(connection: duckdb.DuckDBPyConnection, table: TablePlan) -> None:
    """One row a person, where the plan says what tells people apart. Looked at among the rows that are used."""
    if table.person is None:
        return
    column = f'"{table.person}"'
    rows, filled, people = connection.execute(
        f"SELECT count(*), count({column}), count(DISTINCT {column}) FROM rows"
    ).fetchall()[0]
    problems = []
    if filled < rows:
        problems.append(f"`{table.person}` is empty in some rows; it tells people apart. Fill it, or remove `person`.")
    if people < filled:
        problems.append(
            f"`{table.person}` has one value in several rows, and everyone counts once. Keep one row a person."
        )
    if problems:
        raise UsageError(*problems)


def _is_nan(column: str) -> str:
    """Whether a cell holds NaN, as a number or as the word: what some programs write for an empty cell."""
    return f"coalesce(isnan(TRY_CAST(CAST({column} AS VARCHAR) AS DOUBLE)), false)"


def _equals(column: str, parameter: int) -> str:
    """Whether a cell is a value of the plan, as a number where both are one."""
    value = f"${parameter}"
    return f"coalesce(TRY_CAST({column} AS DOUBLE) = TRY_CAST({value} AS DOUBLE), CAST({column} AS VARCHAR) = {value})"


def _people(connection: duckdb.DuckDBPyConnection, plan: Plan, table: TablePlan) -> pa.Table:
    names = dict.fromkeys([*(plan.comparison.covariates or ()), *plan.comparison.exact])
    columns = [_as_factor(n) if n in table.factors else f'"{n}"' for n in names]
    return connection.sql(f'SELECT {", ".join(columns)}, "__treated" AS {TREATED} FROM rows').to_arrow_table()


def _dividing(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, pa.ChunkedArray]:
    return {by: connection.sql(f'SELECT "{by}" FROM rows').to_arrow_table()[by] for by in _by(plan)}


def _by(plan: Plan) -> list[str]:
    return sorted({sub.by for sub in plan.sub_analyses})


def _as_factor(name: str) -> str:
    """A number that is a code, as text: 3 and not 3.0."""
    return f"""regexp_replace(CAST("{name}" AS VARCHAR), '\\.0$', '') AS "{name}\""""


def _outcomes(
    connection: duckdb.DuckDBPyConnection, table: TablePlan
) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    _empty_nan(connection, table)
    return {measure.name: _values(connection, measure) for measure in _measured(table)}


def _empty_nan(connection: duckdb.DuckDBPyConnection, table: TablePlan) -> None:
    """NaN in whatever a measure is made of becomes empty: a condition would take it for the largest number."""
    words = {word for m in _measured(table) for word in ({m.column} if m.when is None else re.findall(r"\w+", m.when))}
    for name in sorted(_columns(connection, "rows") & words):
        quoted = f'"{name}"'
        connection.execute(f"UPDATE rows SET {quoted} = NULL WHERE {_is_nan(quoted)}")


def _values(connection: duckdb.DuckDBPyConnection, measure: TableMeasure) -> np.ndarray[Any, np.dtype[np.float64]]:
    expression = f'"{measure.column}"' if measure.column is not None else f"({measure.when})"
    try:
        found = connection.sql(f"SELECT CAST({expression} AS DOUBLE) AS v FROM rows").to_arrow_table()["v"]
    except duckdb.Error as error:
        what = f"column `{measure.column}`" if measure.column is not None else f"condition `{measure.when}`"
        raise UsageError(
            f"The {what} of the measure `{measure.name}` is no number or condition on the table's columns. Mend it."
        ) from error
    if found.null_count and measure.support.value == "all":
        raise UsageError(
            f"The measure `{measure.name}` is empty or NaN in some rows. Remove those rows and say so, or set "
            '`support = "those with the outcome"` if empty means that the outcome did not happen.'
        )
    values = np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.float64)
    why = why_unusable(values, measure.measure())
    if why is not None:
        raise UsageError(why)
    return values

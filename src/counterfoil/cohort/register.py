"""The register's cohort side: index events, covariates, stays in custody and early offences, from loaded extracts.

What an index event or a covariate is, is the domain's: SQL files in its `register` folder, run in the order of their
names. This module knows only which tables go in (`SOURCE_facts`, `SOURCE_TABLE`, `register_keys`) and come out.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from counterfoil import domains
from counterfoil.domains.schema import folder as domain_folder
from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_write
from counterfoil.lab.progress import Progress, silent
from counterfoil.provenance import key_of
from counterfoil.warehouse import Table, connect, write_table

NEEDS = "needs"  # scripts that run only where the sources they name are loaded
LONGEST_WINDOW_DAYS = 366  # the longest `index_window_days` of a plan, and how far early_offences look


@dataclass(frozen=True, slots=True)
class RegisterInputs:
    """What a register is made from. `extracts` holds, for each source, the folder of one delivery."""

    extracts: Mapping[str, Path]
    register_keys: Path  # Parquet: source, record_id, register_key
    domain: str = "justice"
    data_end: dt.date | None = None  # last day that the data cover; None: the last date they hold


@dataclass(frozen=True, slots=True)
class Machine:
    """How much of the machine one stage may use."""

    threads: int = 2
    memory_limit: str = "8GB"


@dataclass(frozen=True, slots=True)
class RegisterPaths:
    """The files of one register. Selection opens the first four; outcomes lie apart."""

    folder: Path

    @property
    def index_events(self) -> Path:
        """index_event_id, register_key, person_number, kind, index_date, spell_start, sanction_date, region."""
        return self.folder / "index_events.parquet"

    @property
    def covariates(self) -> Path:
        """index_event_id and what was known strictly before the index date."""
        return self.folder / "covariates.parquet"

    @property
    def needs(self) -> Path:
        """index_event_id of those assessed before their index date, how long before, and what was found.

        Absent where the lab holds no assessments."""
        return self.folder / "needs.parquet"

    @property
    def history_before(self) -> Path:
        """index_event_id and what was known a year before the index date; absent in a register of an older version."""
        return self.folder / "history_before.parquet"

    @property
    def custody(self) -> Path:
        """person_number, stay_start, stay_end (null: still inside), index_event_id of the release that ends it,
        register_key."""
        return self.folder / "custody.parquet"

    @property
    def early_offences(self) -> Path:
        """index_event_id, days_to_first_offence."""
        return self.folder / "early_offences.parquet"

    @property
    def about(self) -> Path:
        """`data_end` as JSON."""
        return self.folder / "register.json"

    @property
    def outcomes(self) -> Path:
        """index_event_id, covered and each measure, for the standard follow-up from the index date."""
        return self.folder / "outcomes.parquet"

    def history(self, table: str) -> Path:
        """A table that outcomes of any follow-up are measured from; the domain names them (`history`)."""
        return self.folder / f"{table}.parquet"

    def data_end(self) -> dt.date:
        """The last day that the data cover."""
        return dt.date.fromisoformat(json.loads(self.about.read_text(encoding="utf-8"))["data_end"])


@dataclass(frozen=True, slots=True)
class CohortRegister:
    """What was made."""

    index_events: Table
    covariates: Table
    custody: Table
    early_offences: Table
    data_end: dt.date


def build_cohort_register(
    inputs: RegisterInputs, paths: RegisterPaths, *, machine: Machine | None = None, progress: Progress = silent
) -> CohortRegister:
    """Make the cohort side of a register in `paths.folder`. Rows are in the order of the people's first records."""
    with open_history(inputs, machine or Machine(), progress=progress) as connection:
        connection.execute(f"SET VARIABLE longest_window_days = {LONGEST_WINDOW_DAYS}")
        run_scripts(connection, inputs.domain, "cohort", start=30, progress=progress)
        data_end = inputs.data_end or _last_date(connection)
        made = {
            name: _keep(connection, name, path)
            for name, path in (
                ("index_events", paths.index_events),
                ("covariates", paths.covariates),
                ("custody", paths.custody),
                ("early_offences", paths.early_offences),
            )
        }
        _keep(connection, "history_before", paths.history_before)
        if _optional_sources(inputs.domain) <= inputs.extracts.keys():
            run_scripts(connection, inputs.domain, NEEDS, progress=progress)
            _keep(connection, NEEDS, paths.needs)
    atomic_write(paths.about, json.dumps({"data_end": data_end.isoformat()}).encode())
    return CohortRegister(**made, data_end=data_end)


def _keep(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> Table:
    return write_table(connection.sql(f"SELECT * FROM {name} ORDER BY 1, 2").to_arrow_table(), path)


@contextmanager
def open_history(
    inputs: RegisterInputs, machine: Machine, *, progress: Progress = silent
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which each person's records, offences, sanctions and stays are tables, each counted once."""
    connection = connect(threads=machine.threads, memory_limit=machine.memory_limit)
    try:
        _open_inputs(connection, inputs)
        run_scripts(connection, inputs.domain, "cohort", stop=30, progress=progress)
        yield connection
    finally:
        connection.close()


def run_scripts(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    prefix: str,
    *,
    start: int = 0,
    stop: int = 100,
    progress: Progress = silent,
) -> None:
    """Run the domain's register scripts `PREFIX_NN_*.sql` with start <= NN < stop, in the order of NN."""
    names = sorted(
        place.name for place in (domain_folder(domain) / "register").iterdir() if place.name.endswith(".sql")
    )
    chosen = [n for n in names if n.startswith(f"{prefix}_") and start <= int(n.split("_")[1]) < stop]
    for done, name in enumerate(chosen):
        progress(f"register: {name.split('_', 2)[2].removesuffix('.sql').replace('_', ' ')}", done / len(chosen))
        connection.execute((domain_folder(domain) / "register" / name).read_text(encoding="utf-8"))


def _open_inputs(connection: duckdb.DuckDBPyConnection, inputs: RegisterInputs) -> None:
    tables = _input_files(inputs)
    absent = [
        f"The register needs {path}, which is not there. Load that source first."
        for path in tables.values()
        if not path.is_file()
    ]
    if absent:
        raise UsageError(*absent)
    for name, path in tables.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet(?)".replace("?", _quoted(path)))


def _input_files(inputs: RegisterInputs) -> dict[str, Path]:
    """The tables that the domain's scripts name, as files. Sources that no script names need not be loaded, nor those
    that only the scripts of needs name."""
    needed, named = sources_needed(inputs.domain), _words_of_scripts(inputs.domain)
    files = {"register_keys": inputs.register_keys}
    absent = []
    for name, schema in domains.load(inputs.domain).sources.items():
        tables = {"facts" if table == schema.person_table else table for table in schema.tables}
        wanted = sorted(table for table in tables if f"{name}_{table}" in named)
        if wanted and name not in inputs.extracts:
            if name not in needed:
                continue
            absent.append(
                f"The source {name!r} is not loaded; the register needs it. Run counterfoil load LAB {name} FILE..."
            )
        elif wanted:
            files |= {f"{name}_{table}": inputs.extracts[name] / f"{table}.parquet" for table in wanted}
    if absent:
        raise UsageError(*absent)
    return files


def sources_needed(domain: str) -> frozenset[str]:
    """The sources without which there is no register: those whose tables its scripts name, less those of needs."""
    return _sources_named(domain, _words_of_scripts(domain, needs=False))


def _optional_sources(domain: str) -> frozenset[str]:
    """The sources that only the scripts of needs name."""
    return _sources_named(domain, _words_of_scripts(domain)) - sources_needed(domain)


def _sources_named(domain: str, named: frozenset[str]) -> frozenset[str]:
    return frozenset(
        name
        for name, schema in domains.load(domain).sources.items()
        if any(f"{name}_{'facts' if table == schema.person_table else table}" in named for table in schema.tables)
    )


def scripts_of(domain: str) -> str:
    """A hash of the scripts that a domain's register is made by."""
    places = sorted((domain_folder(domain) / "register").iterdir(), key=lambda place: place.name)
    return key_of(scripts={p.name: p.read_text(encoding="utf-8") for p in places if p.name.endswith(".sql")})


def _words_of_scripts(domain: str, *, needs: bool = True) -> frozenset[str]:
    scripts = [
        p
        for p in (domain_folder(domain) / "register").iterdir()
        if p.name.endswith(".sql") and (needs or not p.name.startswith(f"{NEEDS}_"))
    ]
    return frozenset(word for p in scripts for word in re.findall(r"\w+", p.read_text(encoding="utf-8")))


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _last_date(connection: duckdb.DuckDBPyConnection) -> dt.date:
    """The last day on which a sanction or a proof was recorded."""
    (found,) = connection.execute(
        "SELECT greatest((SELECT max(proven_date) FROM offences), (SELECT max(sanction_date) FROM sanctions))"
    ).fetchall()
    if found[0] is None:
        raise UsageError("No person in the extracts has a sanction, so there is no register to make. Were they linked?")
    last: dt.date = found[0]
    return last

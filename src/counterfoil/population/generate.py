"""Make a population: people, life courses, programmes, sources, lists, truth. The same seed gives the same bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_folder, atomic_write, write_json
from counterfoil.lab.progress import Progress, silent
from counterfoil.population import assessments, counters, custody_tables, supervision_tables
from counterfoil.population import shares as other_departments
from counterfoil.population.assessment_table import write_truth_needs
from counterfoil.population.assessments import Assessments, assess
from counterfoil.population.careers import Careers
from counterfoil.population.courts.civil import CivilCourts, civil_courts
from counterfoil.population.courts.civil_tables import write_civil
from counterfoil.population.courts.criminal import CriminalCourts, hold_cases
from counterfoil.population.courts.crown_tables import write_crown
from counterfoil.population.courts.family import FamilyCourts, family_courts
from counterfoil.population.courts.family_tables import write_family
from counterfoil.population.courts.journeys import write_truth_journeys
from counterfoil.population.courts.magistrates_tables import write_magistrates
from counterfoil.population.courts.parties import write_truth_outsiders
from counterfoil.population.joining import plant
from counterfoil.population.living import first_start, live
from counterfoil.population.people import People, draw_people
from counterfoil.population.programmes import DEFAULT_PROGRAMMES, FileFormat, Members, ProgrammeSpec
from counterfoil.population.provider_files import ListedRow, plan_text, write_list, write_messy_cohort
from counterfoil.population.provider_rows import ProviderRow, provider_rows
from counterfoil.population.report import PopulationReport, ProgrammeReport, planted_truth
from counterfoil.population.shares import write_shares
from counterfoil.population.source_tables import write_sources
from counterfoil.population.sources import Sources, hold_sources
from counterfoil.population.strings import StringPool
from counterfoil.population.truth import (
    write_truth_people,
    write_truth_programmes,
    write_truth_records,
    write_truth_rows,
)

LAB_DATE = dt.date(2022, 3, 1)  # today's date for a lab of this population: two months after the sources end

FEWEST_PEOPLE = 2_000  # below it a programme has nobody to compare with
MOST_PEOPLE = 5_000_000
MANIFEST = "population.json"
EVERY_PATTERN = "every_pattern"  # the messy list is called after its programme and this

_STARTED_MORE = 1.06  # people who started, for each row of the list


class _Stage(IntEnum):
    """Each stage has its own stream of random numbers, so that a change in one leaves the others."""

    PEOPLE = 0
    CAREERS = 1
    PROGRAMMES = 2
    SOURCES = 3
    TABLES = 4
    LISTS = 5
    CASES = 20  # what prison and probation hold beside the dates of a sentence
    ASSESSMENTS = 21
    SHARES = 22
    COURTS = 23
    FAMILY = 24
    CIVIL = 25


@dataclass(frozen=True, slots=True)
class _Made:
    """Everything in memory."""

    pool: StringPool
    people: People
    careers: Careers
    members: dict[str, Members]
    sources: Sources
    assessments: Assessments
    courts: CriminalCourts


def generate(
    out: Path,
    *,
    people: int = 100_000,
    seed: int = 1,
    programmes: Sequence[ProgrammeSpec] = DEFAULT_PROGRAMMES,
    shares: bool = False,
    progress: Progress = silent,
) -> PopulationReport:
    """Make a population of `people` under `out`: sources/, truth/, programmes/ and population.json.

    With `shares` also shares/, what other departments hold of them and of people without a record.

    UsageError when the number of people is out of range, when two programmes have one name, or when `out` holds
    something already.
    """
    _check(out, people, programmes)
    made = _make(people, seed, programmes, progress)
    with atomic_folder(out) as folder:
        for part in ("sources", "truth", "programmes"):
            (folder / part).mkdir()
        rows = write_sources(
            folder / "sources",
            _stream(seed, _Stage.TABLES),
            made.pool,
            made.people,
            made.careers,
            made.sources,
            made.assessments,
            counters.stream(_stream(seed, _Stage.CASES)),
            progress=progress,
        )
        rows |= _write_courts(folder / "sources", made, progress)
        listed = _write_lists(folder / "programmes", seed, programmes, made, progress)
        others = _hear_others(seed, made, progress)
        rows |= write_family(folder / "sources", made.pool, others.family, progress)
        rows |= write_civil(folder / "sources", made.pool, others.civil, progress)
        rows |= _write_truth(folder / "truth", made, others, listed, progress)
        if shares:
            (folder / "shares").mkdir()
            rng = _stream(seed, _Stage.SHARES)
            rows |= write_shares(folder / "shares", folder / "truth", rng, made.pool, made.people, progress)
        report = _report(out, people, seed, rows, programmes, made, listed)
        write_json(folder / MANIFEST, report.to_json())
    return report


def _check(out: Path, people: int, programmes: Sequence[ProgrammeSpec]) -> None:
    problems = []
    if not FEWEST_PEOPLE <= people <= MOST_PEOPLE:
        problems.append(f"A population of {people:,} was asked for; give {FEWEST_PEOPLE:,} to {MOST_PEOPLE:,} people.")
    if len({spec.name for spec in programmes}) != len(programmes) or not programmes:
        problems.append("The programmes need names, no two alike, and there must be one at least.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        problems.append(f"{out} is not empty. Give another folder, or remove it.")
    if problems:
        raise UsageError(*problems)


def _stream(seed: int, stage: _Stage) -> np.random.Generator:
    return np.random.default_rng([seed, int(stage)])


def _make(size: int, seed: int, programmes: Sequence[ProgrammeSpec], progress: Progress) -> _Made:
    pool = StringPool()
    progress("Drawing people", 0.0)
    people = draw_people(_stream(seed, _Stage.PEOPLE), pool, size)
    progress("Living their lives", 0.1)
    careers = live(_stream(seed, _Stage.CAREERS), people, first_start(people))
    rng = _stream(seed, _Stage.PROGRAMMES)
    taken = np.zeros(size, np.bool_)
    members: dict[str, Members] = {}
    for spec in programmes:
        progress(f"Planting {spec.name}", 0.3)
        joined = plant(rng, people, careers, spec, taken)
        careers, members[spec.name] = joined.careers, joined.members
        taken[joined.members.person[joined.members.person >= 0]] = True
    progress("Keeping records of them", 0.4)
    sources = hold_sources(_stream(seed, _Stage.SOURCES), pool, people, careers)
    progress("Assessing some of them", 0.5)
    assessed = assess(_stream(seed, _Stage.ASSESSMENTS), pool, people, careers.sanctions, sources)
    progress("Hearing their cases", 0.6)
    courts = hold_cases(_stream(seed, _Stage.COURTS), pool, people, careers.sanctions, sources)
    return _Made(pool, people, careers, members, sources, assessed, courts)


@dataclass(frozen=True, slots=True)
class _OtherCourts:
    """Courts that also hear people without a record."""

    family: FamilyCourts
    civil: CivilCourts


def _hear_others(seed: int, made: _Made, progress: Progress) -> _OtherCourts:
    progress("Hearing families and claims", 0.7)
    family = family_courts(_stream(seed, _Stage.FAMILY), made.pool, made.people)
    return _OtherCourts(family, civil_courts(_stream(seed, _Stage.CIVIL), made.pool, family.everyone))


def _write_courts(folder: Path, made: _Made, progress: Progress) -> dict[str, int]:
    rows = write_magistrates(folder, made.pool, made.people, made.careers, made.courts, progress)
    return rows | write_crown(folder, made.pool, made.people, made.careers, made.courts, progress)


@dataclass(frozen=True, slots=True)
class _Lists:
    """Rows of each file that was written."""

    rows: dict[str, list[ListedRow]]  # file name -> rows
    programme: dict[str, str]  # file name -> programme


def _write_lists(
    folder: Path, seed: int, programmes: Sequence[ProgrammeSpec], made: _Made, progress: Progress
) -> _Lists:
    rng = _stream(seed, _Stage.LISTS)
    lists = _Lists({}, {})
    for number, spec in enumerate(programmes):
        progress(f"Writing the list of {spec.name}", None)
        rows = provider_rows(rng, made.pool, made.people, made.sources, made.members[spec.name])
        name = _file_name(spec)
        lists.rows[name] = write_list(folder / name, rng, rows, spec, wording=number)
        lists.programme[name] = spec.name
        started = round(len(rows) * _STARTED_MORE)
        atomic_write(folder / f"{spec.name}.toml", plan_text(spec, started=started).encode())
        if number == 0:
            _write_messy(folder, rng, rows, spec, lists)
    return lists


def _write_messy(
    folder: Path, rng: np.random.Generator, rows: list[ProviderRow], spec: ProgrammeSpec, lists: _Lists
) -> None:
    name = _messy_name(spec)
    lists.rows[name] = write_messy_cohort(folder / name, rng, rows, spec)
    lists.programme[name] = spec.name


def _file_name(spec: ProgrammeSpec) -> str:
    return f"{spec.name}.{'xlsx' if spec.file_format is FileFormat.XLSX else 'csv'}"


def _messy_name(spec: ProgrammeSpec) -> str:
    return f"{spec.name}_{EVERY_PATTERN}.xlsx"


def _write_truth(folder: Path, made: _Made, others: _OtherCourts, lists: _Lists, progress: Progress) -> dict[str, int]:
    courts = (made.courts.magistrates.source, made.courts.crown.source, others.family.source, others.civil.source)
    everyone = others.civil.everyone
    held = (made.sources.pnc, made.sources.prison, made.sources.probation, made.assessments.source, *courts)
    relations = {
        "custody": custody_tables.relations(),
        "probation": supervision_tables.relations(),
        "assessments": assessments.relations(),
        "shares": other_departments.relations(),
    }
    write_json(folder / "relations.json", relations)
    return {
        "truth_people": write_truth_people(folder, made.pool, made.people, made.sources, progress=progress),
        "truth_outsiders": write_truth_outsiders(folder, made.pool, everyone, progress),
        "truth_records": write_truth_records(folder, held, progress=progress),
        "truth_journeys": write_truth_journeys(folder, made.courts, progress),
        "truth_needs": write_truth_needs(folder, made.people, made.assessments, progress),
        "truth_programmes": write_truth_programmes(folder, made.people, made.members),
        "truth_rows": write_truth_rows(folder, made.members, lists.rows, lists.programme),
    }


def _report(
    out: Path,
    people: int,
    seed: int,
    rows: dict[str, int],
    programmes: Sequence[ProgrammeSpec],
    made: _Made,
    lists: _Lists,
) -> PopulationReport:
    folder = out / "programmes"
    reports = {
        spec.name: ProgrammeReport(
            name=spec.name,
            title=spec.title,
            file=folder / _file_name(spec),
            plan=folder / f"{spec.name}.toml",
            rows=sum(row.member >= 0 for row in lists.rows[_file_name(spec)]),
            truth=planted_truth(made.members[spec.name]),
        )
        for spec in programmes
    }
    return PopulationReport(out, people, seed, rows, reports, folder / _messy_name(programmes[0]))

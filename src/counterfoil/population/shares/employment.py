"""Employment and benefits: jobs and claims."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, Days, day, from_parts, to_arrow, year_of
from counterfoil.population.counters import Draws, stream
from counterfoil.population.holdings import Holdings, hold
from counterfoil.population.identities import Habits
from counterfoil.population.people import People
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.shares.everyone import BY_LATENT, SECOND_RECORD, Everyone, record_ids, said_by, write_people
from counterfoil.population.strings import decode, digits, glue
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]

JOBS_FROM = day(dt.date(2004, 4, 6))
EMPLOYMENT_HELD = 0.93  # of those who could be in it
_MOST_JOBS = 12
UNKNOWN_START, NO_END = 0.06, 0.10  # of jobs: 6 April stands for the day; the end was never reported

EMPLOYMENT = Habits(
    slip=0.018, date_slip=0.008, familiar=0.04, swapped=0.003, no_second_forename=0.45, half_a_double_name=0.12,
    mark_lost=0.30, no_diacritics=0.9, upper_case=True, no_birth_date=0.002, stand_in_birth_date=0.001,
    no_postcode=0.05, wrong_sex=0.004, copies=0.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Spans:
    """Jobs or claims; `number` within the person."""

    person: npt.NDArray[np.int32]
    number: Integers
    start: Days
    end: Days  # MISSING while it lasts


def write_employment(
    out: Path, rng: np.random.Generator, everyone: Everyone, progress: Progress
) -> tuple[dict[str, int], Holdings]:
    """Workers, jobs and claims: rows of each table, and who is held."""
    people, draws = everyone.people, stream(rng)
    held = draws.uniform(np.arange(len(people)), "worker") < EMPLOYMENT_HELD
    worker = np.flatnonzero(held & (people.dies > JOBS_FROM)).astype(np.int32)
    jobs = _spans(draws, people, worker, "job", 0.42, 330.0)
    claims = _spans(draws, people, worker, "claim", 0.16, 240.0)
    person = np.concatenate([jobs.person, claims.person])
    holdings = hold(rng, person, np.concatenate([jobs.start, claims.start]), second_record=SECOND_RECORD)
    said = said_by(rng, everyone, holdings, EMPLOYMENT)
    ids = _ninos(draws, holdings.person)
    rows = {
        "employment_people": write_people(out, "employment", everyone, holdings, said, ("nino", ids), progress),
        "employment_jobs": _write_jobs(out, draws, jobs, holdings.of_event[: len(jobs.person)], progress),
        "employment_claims": _write_claims(out, draws, claims, holdings.of_event[len(jobs.person) :], progress),
    }
    return rows, holdings


def _spans(
    draws: Draws, people: People, worker: npt.NDArray[np.int32], what: str, a_year: float, mean_days: float
) -> _Spans:
    """Spans from 16 years of age until 65, death or the end of the sources, at a rate that the unseen factor moves."""
    rate = a_year * np.exp(BY_LATENT[f"{what}_rate"] * people.latent[worker])
    slope = BY_LATENT["job_length"] if what == "job" else 0.0
    length = mean_days * np.exp(slope * people.latent[worker])
    first = np.maximum(people.born[worker] + 16 * 365, JOBS_FROM)
    last = np.minimum(np.minimum(people.born[worker] + 65 * 365, people.dies[worker]), LAST_DAY)
    open_ = np.maximum(last - first, 0)
    count = np.minimum(np.floor(rate * open_ / 365.25 + draws.uniform(worker, f"{what}s")), _MOST_JOBS).astype(np.int64)
    of = np.repeat(np.arange(len(worker)), count)
    number = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    each = worker[of].astype(np.int64) * _MOST_JOBS + number
    slot = open_[of] / np.maximum(count[of], 1)
    start = first[of] + (slot * (number + 0.6 * draws.uniform(each, f"{what} start"))).astype(np.int64)
    days = -np.log1p(-draws.uniform(each, f"{what} days")) * length[of]
    end = start + 1 + np.minimum(days, slot * 0.95).astype(np.int64)
    return _Spans(worker[of], number, start.astype(np.int32), np.where(end > last[of], MISSING, end).astype(np.int32))


def _write_jobs(out: Path, draws: Draws, jobs: _Spans, record_of: Integers, progress: Progress) -> int:
    order = np.lexsort((jobs.start, record_of))

    def columns(at: Positions) -> Columns:
        rows = order[at]
        start, end = jobs.start[rows], jobs.end[rows]
        unknown = draws.uniform(rows, "unknown start") < UNKNOWN_START
        never = draws.uniform(rows, "no end") < NO_END
        return {
            "job_id": draws.hashed(rows, "job"),
            "record_id": record_ids("employment", record_of[rows]),
            "start_date": to_arrow(np.where(unknown, _sixth_of_april(start), start).astype(np.int32)),
            "end_date": to_arrow(np.where(never, MISSING, end).astype(np.int32)),
        }

    return write_in_parts(out / "employment_jobs.parquet", len(order), columns, progress=progress, label="Writing jobs")


def _sixth_of_april(days: Days) -> Days:
    """The first day of the tax year."""
    year = year_of(days)
    one = np.ones(len(days), np.int64)
    this = from_parts(year, 4 * one, 6 * one)
    return np.where(this <= days, this, from_parts(year - 1, 4 * one, 6 * one)).astype(np.int32)


_UNIVERSAL_CREDIT_FROM = day(dt.date(2016, 1, 1))
_ESA_FROM = day(dt.date(2008, 10, 27))
_BENEFITS = ("jsa", "esa", "ib", "is", "uc")


def _write_claims(out: Path, draws: Draws, claims: _Spans, record_of: Integers, progress: Progress) -> int:
    order = np.lexsort((claims.start, record_of))

    def columns(at: Positions) -> Columns:
        rows = order[at]
        start = claims.start[rows]
        sick = np.where(start >= _ESA_FROM, 1, 2)
        kind = np.array([0, 1, 3])[draws.pick(rows, "benefit", (0.6, 0.28, 0.12))]
        kind = np.where(kind == 1, sick, kind)
        kind = np.where((start >= _UNIVERSAL_CREDIT_FROM) & (draws.uniform(rows, "uc") < 0.7), 4, kind)
        return {
            "claim_id": draws.hashed(rows, "claim"),
            "record_id": record_ids("employment", record_of[rows]),
            "benefit": decode(kind, _BENEFITS),
            "start_date": to_arrow(start),
            "end_date": to_arrow(claims.end[rows]),
        }

    return write_in_parts(
        out / "employment_claims.parquet", len(order), columns, progress=progress, label="Writing claims"
    )


def _ninos(draws: Draws, person: npt.NDArray[np.int32]) -> pa.Array:
    """Numbers of a prefix that is never given to anybody, "ZZ123456A"."""
    number = (person.astype(np.int64) * 7_919 + draws.key % 1_000_003) % 100_000_000
    suffix = decode(number // 1_000_000 % 4, ("A", "B", "C", "D"))
    return glue(
        "Z", decode(number // 4_000_000, [chr(65 + i) for i in range(26)]), digits(number % 1_000_000, 6), suffix
    )

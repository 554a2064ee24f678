"""What other departments hold: pupils, jobs and benefits, of people with a record and of others who never had one.

Each department has its own ids and makes its own slips. What it holds hangs together with the unseen factor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, Days, day, from_parts, to_arrow, year_of
from counterfoil.population.counters import Draws, stream
from counterfoil.population.custody_tables import genders
from counterfoil.population.draws import Floats
from counterfoil.population.holdings import Holdings, hold
from counterfoil.population.identities import NO_COPY, SEXES, Habits, Identities, nobody, record
from counterfoil.population.labels import person_ids
from counterfoil.population.people import People, draw_people, ethnicities
from counterfoil.population.places import postcodes
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.strings import StringPool, decode, digits, glue
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

NEVER_OFFENDED = 0.6  # people without a record, for each with one
BORN_AFTER = day(dt.date(1985, 8, 31))
EDUCATION_HELD, EMPLOYMENT_HELD = 0.9, 0.93  # of those who could be in it
_KEY_AGES = (10, 13, 15)  # at the start of the school years that are kept
_SECOND_RECORD = 0.03
_FIRST_SCHOOL_YEAR = 2001
JOBS_FROM = day(dt.date(2004, 4, 6))
_MOST_JOBS = 12
UNKNOWN_START, NO_END = 0.06, 0.10  # of jobs: 6 April stands for the day; the end was never reported

EDUCATION = Habits(
    slip=0.012, date_slip=0.005, familiar=0.01, swapped=0.001, no_second_forename=0.35, half_a_double_name=0.10,
    mark_lost=0.15, no_diacritics=0.3, upper_case=False, no_birth_date=0.0, stand_in_birth_date=0.0,
    no_postcode=0.02, wrong_sex=0.001, copies=0.0,
)  # fmt: skip
EMPLOYMENT = Habits(
    slip=0.018, date_slip=0.008, familiar=0.04, swapped=0.003, no_second_forename=0.45, half_a_double_name=0.12,
    mark_lost=0.30, no_diacritics=0.9, upper_case=True, no_birth_date=0.002, stand_in_birth_date=0.001,
    no_postcode=0.05, wrong_sex=0.004, copies=0.0,
)  # fmt: skip

# How each fact hangs together with the unseen factor: its log odds (or log rate) for each SD.
BY_LATENT = {
    "fsm_eligible": 0.30, "sen": 0.40, "persistent_absence": 0.55, "fixed_exclusions": 0.50,
    "permanent_exclusion": 0.60, "social_care": 0.45, "attainment": -0.35,
    "job_rate": -0.25, "job_length": -0.20, "claim_rate": 0.30,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Everyone:
    """People with a record, then people without. `latent` of the others is a unit normal less one half."""

    pool: StringPool
    people: People
    with_record: int


def write_shares(
    out: Path, truth: Path, rng: np.random.Generator, pool: StringPool, people: People, progress: Progress
) -> dict[str, int]:
    """Write the tables of each share, and truth_shares (share, record_id, person_id, has_record)."""
    others = draw_people(rng, pool, max(int(len(people) * NEVER_OFFENDED), 2))
    everyone = _Everyone(pool, _together(people, others), len(people))
    education, pupils = _write_education(out, rng, everyone, progress)
    employment, workers = _write_employment(out, rng, everyone, progress)
    rows = _write_truth(truth, {"education": pupils, "employment": workers}, everyone, progress)
    return {**education, **employment, "truth_shares": rows}


def relations() -> dict[str, object]:
    """How shares hang together with what is unseen, for the truth."""
    return {
        "log odds or log rate for each SD of the unseen factor": BY_LATENT,
        "people without a record, for each with one": NEVER_OFFENDED,
        "held": {"education": EDUCATION_HELD, "employment": EMPLOYMENT_HELD},
        "jobs whose start is 6 April": UNKNOWN_START,
        "jobs without an end that have ended": NO_END,
    }


def _together(first: People, second: People) -> People:
    joined = {f.name: np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(People)}
    joined["latent"][len(first) :] -= 0.5
    return People(**joined)


def _write_people(
    out: Path,
    share: str,
    everyone: _Everyone,
    holdings: Holdings,
    said: Identities,
    own_id: tuple[str, pa.Array],
    progress: Progress,
) -> int:
    name, ids = own_id

    def columns(at: Positions) -> Columns:
        mine = said.take(at)
        return {
            "record_id": _record_ids(share, at),
            name: ids.take(pa.array(at)),
            "forename1": everyone.pool.to_arrow(mine.forename1),
            "forename2": everyone.pool.to_arrow(mine.forename2),
            "surname": everyone.pool.to_arrow(mine.surname),
            "date_of_birth": to_arrow(mine.born),
            "sex": decode(mine.sex, SEXES),
            "postcode": postcodes(mine.place),
        }

    return write_in_parts(
        out / f"{share}_people.parquet", len(holdings), columns, progress=progress, label=f"Writing people of {share}"
    )


def _record_ids(share: str, at: Integers) -> pa.Array:
    return glue({"education": "EDU", "employment": "EMP"}[share], digits(at + 1, 8))


def _said(rng: np.random.Generator, everyone: _Everyone, holdings: Holdings, habits: Habits) -> Identities:
    none = np.full(len(holdings), NO_COPY)
    return record(
        rng, everyone.pool, everyone.people, person=holdings.person, first_day=holdings.first_day, habits=habits,
        earlier=nobody(), copy_of=none,
    )  # fmt: skip


def _chance(base: float, by_latent: float, latent: Floats) -> Floats:
    """A probability of `base` at a factor of 0."""
    return np.asarray(1.0 / (1.0 + (1.0 / base - 1.0) * np.exp(-by_latent * latent)), np.float64)


# Education


def _write_education(
    out: Path, rng: np.random.Generator, everyone: _Everyone, progress: Progress
) -> tuple[dict[str, int], Holdings]:
    people, draws = everyone.people, stream(rng)
    english = people.region != [region.code for region in regions()].index("wales")
    held = draws.uniform(np.arange(len(people)), "pupil") < EDUCATION_HELD
    pupil = np.flatnonzero(english & ~people.foreign & (people.born > BORN_AFTER) & held).astype(np.int32)
    person = np.repeat(pupil, len(_KEY_AGES))
    age = np.tile(_KEY_AGES, len(pupil))
    year = year_of(people.born[person] + np.int32(122)) + age  # a year from 1 September: 122 days before January
    kept = (year >= _FIRST_SCHOOL_YEAR) & (year < 2021)
    person, age, year = person[kept], age[kept], year[kept]
    one = np.ones(len(year), np.int64)
    began = from_parts(year, 9 * one, one)
    holdings = hold(rng, person, began, second_record=_SECOND_RECORD)
    said = _said(rng, everyone, holdings, EDUCATION)
    ids = draws.hashed(holdings.person, "pupil reference")
    rows = {
        "education_people": _write_people(
            out, "education", everyone, holdings, said, ("pupil_matching_reference", ids), progress
        ),
        "education_npd_pupil": _write_pupils(out, draws, everyone, holdings, person, age, year, progress),
        "education_social_care": _write_care(out, draws, everyone, holdings, pupil, progress),
    }
    return rows, holdings


def _write_pupils(
    out: Path,
    draws: Draws,
    everyone: _Everyone,
    holdings: Holdings,
    person: npt.NDArray[np.int32],
    age: Integers,
    year: Integers,
    progress: Progress,
) -> int:
    people = everyone.people
    order = np.lexsort((year, holdings.of_event))

    def columns(at: Positions) -> Columns:
        rows = order[at]
        who, latent = person[rows], people.latent[person[rows]]
        sen = draws.uniform(who, "sen") < _chance(0.30, BY_LATENT["sen"], latent)
        plan = sen & (draws.uniform(who, "plan") < 0.12)
        suspended = draws.uniform(rows, "suspended") < _chance(0.12, BY_LATENT["fixed_exclusions"], latent)
        excluded = draws.uniform(rows, "excluded") < _chance(0.006, BY_LATENT["permanent_exclusion"], latent)
        score = 40 + 14 * (draws.normal(who, "attainment") + BY_LATENT["attainment"] * latent)
        start = glue(digits(year[rows], 4), "/", digits((year[rows] + 1) % 100, 2))
        return {
            "pupil_row_id": draws.hashed(rows, "pupil row"),
            "record_id": _record_ids("education", holdings.of_event[rows]),
            "academic_year": start,
            "gender": genders(people.female[who]),
            "ethnic_group_major": decode(people.ethnicity[who], [_MAJOR[code[0]] for code in ethnicities()]),
            "fsm_eligible": pa.array(draws.uniform(who, "fsm") < _chance(0.28, BY_LATENT["fsm_eligible"], latent)),
            "sen_provision": decode(np.where(plan, 2, sen.astype(np.int64)), ("none", "support", "plan")),
            "sen_primary_type": decode(
                np.where(sen, draws.pick(who, "sen type", (0.35, 0.28, 0.2, 0.1, 0.07)), -1),
                ("SEMH", "MLD", "SpLD", "ASD", "SLCN"),
            ),
            "idaci_decile": pa.array(draws.whole(people.places[who, 0], "idaci", 1, 11)),
            "ks2_level": decode(np.where(age[rows] == 10, np.clip(score // 14, 0, 4), -1).astype(np.int64), _KS2),
            "ks4_attainment8": pa.array(np.round(np.clip(score, 0, 90), 1), mask=age[rows] != 15),
            "persistent_absence": pa.array(
                draws.uniform(rows, "absent") < _chance(0.18, BY_LATENT["persistent_absence"], latent)
            ),
            "fixed_exclusions_count": pa.array(suspended * draws.whole(rows, "suspensions", 1, 6)),
            "permanent_exclusion_flag": pa.array(excluded),
            "alternative_provision_flag": pa.array(excluded | (draws.uniform(rows, "provision") < 0.02)),
            "school_urn_hash": draws.hashed(people.places[who, 0] % 4000, "school"),
        }

    return write_in_parts(
        out / "education_npd_pupil.parquet", len(order), columns, progress=progress, label="Writing pupils"
    )


_MAJOR = {"W": "White", "M": "Mixed", "A": "Asian", "B": "Black", "O": "Other", "N": "Unclassified"}
_KS2 = ("Below level 3", "Level 3", "Level 4", "Level 5", "Level 6")


def _write_care(
    out: Path, draws: Draws, everyone: _Everyone, holdings: Holdings, pupil: npt.NDArray[np.int32], progress: Progress
) -> int:
    people = everyone.people
    record_of = holdings.first_record_of(len(people))[pupil]
    known = draws.uniform(pupil, "care") < _chance(0.10, BY_LATENT["social_care"], people.latent[pupil])
    rows = np.flatnonzero(known & (record_of >= 0))

    def columns(at: Positions) -> Columns:
        who, mine = pupil[rows[at]], record_of[rows[at]]
        start = people.born[who] + draws.whole(who, "need from", 365, 16 * 365)
        looked_after = draws.uniform(who, "looked after") < 0.3
        care = np.where(looked_after, start + draws.whole(who, "care from", 30, 700), MISSING)
        return {
            "care_row_id": draws.hashed(who, "care row"),
            "record_id": _record_ids("education", mine),
            "cin_episode_start": to_arrow(_seen(start)),
            "cin_primary_need": decode(draws.pick(who, "need", (0.55, 0.1, 0.35)), _NEEDS),
            "cla_episode_start": to_arrow(_seen(care)),
            "cla_placement_type": decode(
                np.where(looked_after, draws.pick(who, "placement", (0.65, 0.13, 0.2, 0.02)), -1), _PLACEMENTS
            ),
            "cp_plan_flag": pa.array(draws.uniform(who, "plan for child") < 0.2),
        }

    return write_in_parts(
        out / "education_social_care.parquet", len(rows), columns, progress=progress, label="Writing social care"
    )


_NEEDS = ("abuse or neglect", "disability", "family dysfunction")
_PLACEMENTS = ("foster", "kinship", "residential", "secure")


def _seen(days: npt.NDArray[np.integer]) -> Days:
    return np.where(days > LAST_DAY, MISSING, days).astype(np.int32)


# Employment and benefits


@dataclass(frozen=True, slots=True)
class _Spans:
    """Jobs or claims; `number` within the person."""

    person: npt.NDArray[np.int32]
    number: Integers
    start: Days
    end: Days  # MISSING while it lasts


def _write_employment(
    out: Path, rng: np.random.Generator, everyone: _Everyone, progress: Progress
) -> tuple[dict[str, int], Holdings]:
    people, draws = everyone.people, stream(rng)
    held = draws.uniform(np.arange(len(people)), "worker") < EMPLOYMENT_HELD
    worker = np.flatnonzero(held & (people.dies > JOBS_FROM)).astype(np.int32)
    jobs = _spans(draws, people, worker, "job", 0.42, 330.0)
    claims = _spans(draws, people, worker, "claim", 0.16, 240.0)
    person = np.concatenate([jobs.person, claims.person])
    holdings = hold(rng, person, np.concatenate([jobs.start, claims.start]), second_record=_SECOND_RECORD)
    said = _said(rng, everyone, holdings, EMPLOYMENT)
    ids = _ninos(draws, holdings.person)
    rows = {
        "employment_people": _write_people(out, "employment", everyone, holdings, said, ("nino", ids), progress),
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
            "record_id": _record_ids("employment", record_of[rows]),
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
            "record_id": _record_ids("employment", record_of[rows]),
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


def _write_truth(truth: Path, shares: Mapping[str, Holdings], everyone: _Everyone, progress: Progress) -> int:
    names: Sequence[str] = list(shares)
    sizes = [len(held) for held in shares.values()]
    share_of = np.repeat(np.arange(len(names)), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    person = np.concatenate([held.person for held in shares.values()])

    def columns(at: Positions) -> Columns:
        ids = [_record_ids(name, number[at][share_of[at] == i]) for i, name in enumerate(names)]
        return {
            "share": decode(share_of[at], names),
            "record_id": pa.concat_arrays(ids),
            "person_id": person_ids(person[at]),
            "has_record": pa.array(person[at] < everyone.with_record),
        }

    return write_in_parts(
        truth / "truth_shares.parquet", len(person), columns, progress=progress, label="Writing truth of shares"
    )

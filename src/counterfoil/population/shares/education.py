"""Education: pupils and children whom social services knew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, Days, day, from_parts, to_arrow, year_of
from counterfoil.population.counters import Draws, stream
from counterfoil.population.custody_tables import genders
from counterfoil.population.holdings import Holdings, hold
from counterfoil.population.identities import Habits
from counterfoil.population.people import ethnicities
from counterfoil.population.settings import LAST_DAY
from counterfoil.population.shares.everyone import (
    BY_LATENT,
    SECOND_RECORD,
    Everyone,
    chance_of,
    record_ids,
    said_by,
    write_people,
)
from counterfoil.population.strings import decode, digits, glue
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]

BORN_AFTER = day(dt.date(1985, 8, 31))
EDUCATION_HELD = 0.9  # of those who could be in it
_KEY_AGES = (10, 13, 15)  # at the start of the school years that are kept
_FIRST_SCHOOL_YEAR = 2001

EDUCATION = Habits(
    slip=0.012, date_slip=0.005, familiar=0.01, swapped=0.001, no_second_forename=0.35, half_a_double_name=0.10,
    mark_lost=0.15, no_diacritics=0.3, upper_case=False, no_birth_date=0.0, stand_in_birth_date=0.0,
    no_postcode=0.02, wrong_sex=0.001, copies=0.0,
)  # fmt: skip


def write_education(
    out: Path, rng: np.random.Generator, everyone: Everyone, progress: Progress
) -> tuple[dict[str, int], Holdings]:
    """Pupils, their school years and social care: rows of each table, and who is held."""
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
    holdings = hold(rng, person, began, second_record=SECOND_RECORD)
    said = said_by(rng, everyone, holdings, EDUCATION)
    ids = draws.hashed(holdings.person, "pupil reference")
    rows = {
        "education_people": write_people(
            out, "education", everyone, holdings, said, ("pupil_matching_reference", ids), progress
        ),
        "education_npd_pupil": _write_pupils(out, draws, everyone, holdings, person, age, year, progress),
        "education_social_care": _write_care(out, draws, everyone, holdings, pupil, progress),
    }
    return rows, holdings


def _write_pupils(
    out: Path,
    draws: Draws,
    everyone: Everyone,
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
        sen = draws.uniform(who, "sen") < chance_of(0.30, BY_LATENT["sen"], latent)
        plan = sen & (draws.uniform(who, "plan") < 0.12)
        suspended = draws.uniform(rows, "suspended") < chance_of(0.12, BY_LATENT["fixed_exclusions"], latent)
        excluded = draws.uniform(rows, "excluded") < chance_of(0.006, BY_LATENT["permanent_exclusion"], latent)
        score = 40 + 14 * (draws.normal(who, "attainment") + BY_LATENT["attainment"] * latent)
        start = glue(digits(year[rows], 4), "/", digits((year[rows] + 1) % 100, 2))
        return {
            "pupil_row_id": draws.hashed(rows, "pupil row"),
            "record_id": record_ids("education", holdings.of_event[rows]),
            "academic_year": start,
            "gender": genders(people.female[who]),
            "ethnic_group_major": decode(people.ethnicity[who], [_MAJOR[code[0]] for code in ethnicities()]),
            "fsm_eligible": pa.array(draws.uniform(who, "fsm") < chance_of(0.28, BY_LATENT["fsm_eligible"], latent)),
            "sen_provision": decode(np.where(plan, 2, sen.astype(np.int64)), ("none", "support", "plan")),
            "sen_primary_type": decode(
                np.where(sen, draws.pick(who, "sen type", (0.35, 0.28, 0.2, 0.1, 0.07)), -1),
                ("SEMH", "MLD", "SpLD", "ASD", "SLCN"),
            ),
            "idaci_decile": pa.array(draws.whole(people.places[who, 0], "idaci", 1, 11)),
            "ks2_level": decode(np.where(age[rows] == 10, np.clip(score // 14, 0, 4), -1).astype(np.int64), _KS2),
            "ks4_attainment8": pa.array(np.round(np.clip(score, 0, 90), 1), mask=age[rows] != 15),
            "persistent_absence": pa.array(
                draws.uniform(rows, "absent") < chance_of(0.18, BY_LATENT["persistent_absence"], latent)
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
    out: Path, draws: Draws, everyone: Everyone, holdings: Holdings, pupil: npt.NDArray[np.int32], progress: Progress
) -> int:
    people = everyone.people
    record_of = holdings.first_record_of(len(people))[pupil]
    known = draws.uniform(pupil, "care") < chance_of(0.10, BY_LATENT["social_care"], people.latent[pupil])
    rows = np.flatnonzero(known & (record_of >= 0))

    def columns(at: Positions) -> Columns:
        who, mine = pupil[rows[at]], record_of[rows[at]]
        start = people.born[who] + draws.whole(who, "need from", 365, 16 * 365)
        looked_after = draws.uniform(who, "looked after") < 0.3
        care = np.where(looked_after, start + draws.whole(who, "care from", 30, 700), MISSING)
        return {
            "care_row_id": draws.hashed(who, "care row"),
            "record_id": record_ids("education", mine),
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

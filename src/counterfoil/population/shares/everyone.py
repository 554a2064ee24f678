"""Whom a share is of, its table of people, and how what it holds hangs together with the unseen factor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import to_arrow
from counterfoil.population.draws import Floats
from counterfoil.population.holdings import Holdings
from counterfoil.population.identities import NO_COPY, SEXES, Habits, Identities, nobody, record
from counterfoil.population.people import People
from counterfoil.population.places import postcodes
from counterfoil.population.strings import StringPool, decode, digits, glue
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]

SECOND_RECORD = 0.03  # of people have two records in a department

# How each fact hangs together with the unseen factor: its log odds (or log rate) for each SD.
BY_LATENT = {
    "fsm_eligible": 0.30, "sen": 0.40, "persistent_absence": 0.55, "fixed_exclusions": 0.50,
    "permanent_exclusion": 0.60, "social_care": 0.45, "attainment": -0.35,
    "job_rate": -0.25, "job_length": -0.20, "claim_rate": 0.30,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Everyone:
    """People with a record, then people without. `latent` of the others is a unit normal less one half."""

    pool: StringPool
    people: People
    with_record: int


def write_people(
    out: Path,
    share: str,
    everyone: Everyone,
    holdings: Holdings,
    said: Identities,
    own_id: tuple[str, pa.Array],
    progress: Progress,
) -> int:
    """The table of people of a share: how many rows. `own_id`: name and values of the department's own number."""
    name, ids = own_id

    def columns(at: Positions) -> Columns:
        mine = said.take(at)
        return {
            "record_id": record_ids(share, at),
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


def record_ids(share: str, at: Integers) -> pa.Array:
    """ "EDU00000001" and so on."""
    return glue({"education": "EDU", "employment": "EMP"}[share], digits(at + 1, 8))


def said_by(rng: np.random.Generator, everyone: Everyone, holdings: Holdings, habits: Habits) -> Identities:
    """What people told the department, with its slips."""
    none = np.full(len(holdings), NO_COPY)
    return record(
        rng, everyone.pool, everyone.people, person=holdings.person, first_day=holdings.first_day, habits=habits,
        earlier=nobody(), copy_of=none,
    )  # fmt: skip


def chance_of(base: float, by_latent: float, latent: Floats) -> Floats:
    """A probability of `base` at a factor of 0."""
    return np.asarray(1.0 / (1.0 + (1.0 / base - 1.0) * np.exp(-by_latent * latent)), np.float64)

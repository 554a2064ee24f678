"""People in family and civil courts: those of the population, and outsiders who never had a record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, Days, to_arrow
from counterfoil.population.draws import Floats
from counterfoil.population.holdings import Holdings
from counterfoil.population.identities import Identities
from counterfoil.population.labels import person_ids
from counterfoil.population.people import People, ethnicities
from counterfoil.population.sources import Source
from counterfoil.population.strings import Ids, StringPool, decode
from counterfoil.population.tables import origins, regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Persons = npt.NDArray[np.int32]
Booleans = npt.NDArray[np.bool_]

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Everyone:
    """The population, then outsiders. `with_record` of them are the population."""

    people: People
    with_record: int

    def numbers(self, person: Persons) -> Persons:
        """The true number of each person. Outsiders of the courts are none of those of other departments: their
        numbers begin where twice the population ends."""
        return np.where(person < self.with_record, person, person + self.with_record).astype(np.int32)


def weighted(rng: np.random.Generator, weights: Floats, size: int) -> Persons:
    """Positions drawn with probability proportional to `weights`; the same one may come again."""
    edges = np.cumsum(weights)
    place = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(place, len(weights) - 1), np.int32)


def hold_each(rng: np.random.Generator, person: Persons, date: Days, *, reuse: float) -> Holdings:
    """A record for each appearance (person and date), except that `reuse` of later ones go on the record before."""
    order = np.lexsort((date, person))
    of = person[order]
    first = np.append(True, of[1:] != of[:-1]) if len(order) else np.zeros(0, np.bool_)
    begins = first | (rng.random(len(order)) >= reuse)
    number = np.cumsum(begins) - 1
    shuffled = rng.permutation(int(begins.sum()))
    of_event = np.empty(len(order), np.int64)
    of_event[order] = shuffled[number]
    heads = np.flatnonzero(begins)
    back = np.empty(len(heads), np.int64)
    back[shuffled] = np.arange(len(heads))
    chosen = heads[back]
    return Holdings(of[chosen], date[order[chosen]], first[chosen], of_event)


def as_source(name: str, everyone: Everyone, holdings: Holdings, said: Identities) -> Source:
    """A source of people without any number, under their true numbers."""
    none = pa.nulls(len(holdings), pa.string())
    true = Holdings(everyone.numbers(holdings.person), holdings.first_day, holdings.first, holdings.of_event)
    return Source(name, true, said, none, none, none, none)


def missing_where(days: Days, who: Booleans) -> Days:
    """Days, MISSING for some."""
    return np.where(who, MISSING, days).astype(np.int32)


def ids_where(who: Booleans, yes: Ids, no: Ids) -> Ids:
    """Ids of texts, one or the other."""
    return np.where(who, yes, no).astype(np.int32)


def number_within(groups: Integers) -> Integers:
    """0, 1, 2 ... within each run of equal values."""
    if not len(groups):
        return np.zeros(0, np.int64)
    starts = np.append(True, groups[1:] != groups[:-1])
    return np.asarray(np.arange(len(groups)) - np.flatnonzero(starts)[np.cumsum(starts) - 1], np.int64)


def null_where(values: pa.Array, who: Booleans) -> pa.Array:
    """Values, null for some."""
    return pc.if_else(pa.array(who), pa.scalar(None, values.type), values)


def write_truth_outsiders(out: Path, pool: StringPool, everyone: Everyone, progress: Progress) -> int:
    """One row an outsider: what truth_people says of the population, as far as they have it."""
    people, with_record = everyone.people, everyone.with_record

    def columns(at: Positions) -> Columns:
        who = (at + with_record).astype(np.int32)
        return {
            "person_id": person_ids(everyone.numbers(who)),
            "forename1": pool.to_arrow(people.forename1[who]),
            "forename2": pool.to_arrow(people.forename2[who]),
            "surname": pool.to_arrow(people.surname[who]),
            "married_surname": pool.to_arrow(people.married_surname[who]),
            "married": to_arrow(people.married[who]),
            "date_of_birth": to_arrow(people.born[who]),
            "sex": decode(np.where(people.female[who], 1, 0), ("1", "2")),
            "ethnicity": decode(people.ethnicity[who], ethnicities()),
            "origin": decode(people.origin[who], [group.name for group in origins()]),
            "region": decode(people.region[who], [region.code for region in regions()]),
            "homeless": pa.array(people.homeless[who]),
            "twin_of_previous": pa.array(people.twin[who]),
        }

    return write_in_parts(
        out / "truth_outsiders.parquet",
        len(people) - with_record,
        columns,
        progress=progress,
        label="Writing truth of outsiders",
    )

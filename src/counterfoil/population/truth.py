"""The truth, apart from what sources hold: who is who, what is unseen of them, and what each record's person is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import to_arrow
from counterfoil.population.people import People, ethnicities
from counterfoil.population.sources import Sources, record_ids
from counterfoil.population.strings import StringPool, decode, digits, glue
from counterfoil.population.tables import origins, regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]


def person_ids(person: npt.NDArray[np.integer]) -> pa.Array:
    """The true person key, "T0000001". It is in no source."""
    return glue("T", digits(person.astype(np.int64) + 1, 7))


def write_truth_people(out: Path, pool: StringPool, people: People, sources: Sources, *, progress: Progress) -> int:
    """One row a person: true identifiers, group of naming custom, and the factors that no source holds."""
    given = sources.numbers

    def columns(at: Positions) -> Columns:
        own = pa.array(at)
        return {
            "person_id": person_ids(at),
            "forename1": pool.to_arrow(people.forename1[at]),
            "forename2": pool.to_arrow(people.forename2[at]),
            "surname": pool.to_arrow(people.surname[at]),
            "married_surname": pool.to_arrow(people.married_surname[at]),
            "married": to_arrow(people.married[at]),
            "date_of_birth": to_arrow(people.born[at]),
            "sex": decode(np.where(people.female[at], 1, 0), ("1", "2")),
            "ethnicity": decode(people.ethnicity[at], ethnicities()),
            "origin": decode(people.origin[at], [group.name for group in origins()]),
            "foreign_national": pa.array(people.foreign[at]),
            "region": decode(people.region[at], [region.code for region in regions()]),
            "homeless": pa.array(people.homeless[at]),
            "twin_of_previous": pa.array(people.twin[at]),
            "latent": pa.array(people.latent[at]),
            "messiness": pa.array(people.messiness[at]),
            "pnc_id": given.pnc.take(own),
            "cro": given.cro.take(own),
            "prison_number": given.prison.take(own),
            "crn": given.crn.take(own),
        }

    return write_in_parts(out / "truth_people.parquet", len(people), columns, progress=progress, label="Writing truth")


def write_truth_records(out: Path, sources: Sources, *, progress: Progress) -> int:
    """One row a record: which person it is of."""
    held = (sources.pnc, sources.prison, sources.probation)
    names = [source.name for source in held]
    sizes = [len(source.holdings) for source in held]
    source_of = np.repeat(np.arange(len(held)), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    person = np.concatenate([source.holdings.person for source in held])

    def columns(at: Positions) -> Columns:
        chunks = [record_ids(name, number[at][source_of[at] == i]) for i, name in enumerate(names)]
        return {
            "source": decode(source_of[at], names),
            "record_id": pa.concat_arrays(chunks),
            "person_id": person_ids(person[at]),
        }

    return write_in_parts(
        out / "truth_records.parquet", len(person), columns, progress=progress, label="Writing truth of records"
    )

"""The truth, apart from what sources hold: who is who, what is unseen of them, and what each record's person is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.progress import Progress
from counterfoil.population.calendar import MISSING, to_arrow
from counterfoil.population.labels import person_ids, record_ids
from counterfoil.population.people import People, ethnicities
from counterfoil.population.programmes import EXPECTED, Members, Outcomes
from counterfoil.population.provider_files import ListedRow
from counterfoil.population.sources import Source, Sources
from counterfoil.population.strings import StringPool, decode
from counterfoil.population.tables import origins, regions
from counterfoil.population.writing import Columns, Positions, write_in_parts
from counterfoil.warehouse import write_table

Integers = npt.NDArray[np.int64]


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


def write_truth_records(out: Path, held: Sequence[Source], *, progress: Progress) -> int:
    """One row a record of some sources: which person it is of."""
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


def write_truth_programmes(out: Path, people: People, programmes: Mapping[str, Members]) -> int:
    """One row a person of a programme: what should become of them, and both potential outcomes of those who should be
    analysed. Averaged over any of them, y1 - y0 is the effect on those analysed."""
    tables = [_members_table(people, name, members) for name, members in programmes.items()]
    return write_table(pa.concat_tables(tables), out / "truth_programmes.parquet").rows


def _members_table(people: People, name: str, members: Members) -> pa.Table:
    known = members.person >= 0
    latent = np.where(known, people.latent[np.maximum(members.person, 0)], np.nan)
    return pa.table(
        {
            "programme": pa.array([name] * len(members), pa.string()),
            "person_id": _known_ids(members.person),
            "expected": decode(members.expected, EXPECTED),
            "index_date": to_arrow(members.index_date),
            "start_date": to_arrow(members.start),
            "index_kind": decode(members.is_release.astype(np.int8), ("community", "release")),
            "propensity": _finite(members.propensity),
            "latent": _finite(latent),
            **_outcome_columns("y0", members.y0),
            **_outcome_columns("y1", members.y1),
        }
    )


def _known_ids(person: npt.NDArray[np.int32]) -> pa.Array:
    return pc.if_else(pa.array(person >= 0), person_ids(np.maximum(person, 0)), pa.scalar(None, pa.string()))


def _finite(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _outcome_columns(prefix: str, outcomes: Outcomes) -> Columns:
    absent = outcomes.rate < 0
    return {
        f"{prefix}_rate": pa.array(outcomes.rate, mask=absent),
        f"{prefix}_frequency": pa.array(outcomes.frequency, mask=absent),
        f"{prefix}_days": pa.array(outcomes.days, mask=outcomes.days == MISSING),
    }


def write_truth_rows(
    out: Path,
    programmes: Mapping[str, Members],
    files: Mapping[str, Sequence[ListedRow]],
    programme_of: Mapping[str, str],
) -> int:
    """One row for each row of a provider's file that has something in it below the headings: whose it is."""
    tables = [_rows_table(name, programmes[programme_of[name]], rows) for name, rows in files.items()]
    return write_table(pa.concat_tables(tables), out / "truth_rows.parquet").rows


def _rows_table(name: str, members: Members, rows: Sequence[ListedRow]) -> pa.Table:
    member = np.array([row.member for row in rows])
    person = np.where(member >= 0, members.person[np.maximum(member, 0)], -1).astype(np.int32)
    return pa.table(
        {
            "file": pa.array([name] * len(rows), pa.string()),
            "file_row": pa.array([row.row for row in rows], pa.int64()),
            "person_id": _known_ids(person),
            "expected": decode(np.where(member >= 0, members.expected[np.maximum(member, 0)], -1), EXPECTED),
        }
    )

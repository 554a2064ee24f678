"""The tables of the sources in their own schemas, written a part at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress, silent
from counterfoil.population.assessment_table import write_assessments
from counterfoil.population.assessments import Assessments
from counterfoil.population.calendar import to_arrow
from counterfoil.population.careers import ADULT, Careers, Sanctions
from counterfoil.population.counters import Draws
from counterfoil.population.custody_tables import write_custody
from counterfoil.population.identities import NATIONALITIES, SEXES
from counterfoil.population.labels import record_ids, region_text
from counterfoil.population.offences import GROUPS, TIERS
from counterfoil.population.people import People, ethnicities
from counterfoil.population.places import postcodes
from counterfoil.population.sentencing import DISPOSALS, Disposal
from counterfoil.population.sources import CAUTIONS_ONLY_FROM, PROOFS, Source, Sources
from counterfoil.population.strings import StringPool, decode, digits, glue
from counterfoil.population.supervision_tables import write_supervision
from counterfoil.population.tables import regions
from counterfoil.population.writing import Columns, Positions, write_in_parts

Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]

_OTHER_REGION = 0.07  # of sanctions are of a court elsewhere


def write_sources(
    out: Path,
    rng: np.random.Generator,
    pool: StringPool,
    people: People,
    careers: Careers,
    sources: Sources,
    assessments: Assessments,
    draws: Draws,
    *,
    progress: Progress = silent,
) -> dict[str, int]:
    """Write the tables of police, prison, probation and assessments; how many rows each has."""
    rows: dict[str, int] = {}
    for source in (sources.pnc, sources.prison, sources.probation, assessments.source):
        rows[f"{source.name}_people"] = _write_people(out, pool, source, progress)
    sanctions = careers.sanctions
    region = _regions(rng, people.region[sanctions.person])
    rows |= _write_police(out, people, careers, sources.pnc, region, progress)
    rows |= write_custody(out, draws, people, sanctions, sources, assessments, region, progress)
    rows |= write_supervision(out, draws, people, sanctions, sources, assessments, region, progress)
    rows["oasys_assessment"] = write_assessments(out, people, sanctions, assessments, progress)
    return rows


def _write_people(out: Path, pool: StringPool, source: Source, progress: Progress) -> int:
    numbers_held = {
        "pnc": {"pnc_id": source.pnc, "cro": source.cro},
        "prison": {"prison_number": source.prison, "pnc_id": source.pnc},
        "probation": {"crn": source.crn, "pnc_id": source.pnc, "prison_number": source.prison},
        "oasys": {"prison_number": source.prison, "crn": source.crn, "pnc_id": source.pnc},
    }[source.name]

    def columns(at: Positions) -> Columns:
        said = source.said.take(at)
        return {
            "record_id": record_ids(source.name, at),
            "forename1": pool.to_arrow(said.forename1),
            "forename2": pool.to_arrow(said.forename2),
            "surname": pool.to_arrow(said.surname),
            "aliases": pool.to_arrow(said.aliases),
            "date_of_birth": to_arrow(said.born),
            "sex": decode(said.sex, SEXES),
            "ethnicity": decode(said.ethnicity, ethnicities()),
            "nationality": decode(said.nationality, NATIONALITIES),
            **{name: column.take(pa.array(at)) for name, column in numbers_held.items()},
            "postcode": postcodes(said.place),
        }

    return write_in_parts(
        out / f"{source.name}_people.parquet",
        len(source.holdings),
        columns,
        progress=progress,
        label=f"Writing people of {source.name}",
    )


def _regions(rng: np.random.Generator, home: Codes) -> Codes:
    elsewhere = rng.random(len(home)) < _OTHER_REGION
    return np.where(elsewhere, rng.integers(0, len(regions()), len(home)), home).astype(np.int8)


def _write_police(
    out: Path, people: People, careers: Careers, source: Source, region: Codes, progress: Progress
) -> dict[str, int]:
    sanctions, offences = careers.sanctions, careers.offences
    record_of = source.holdings.of_event
    order = np.lexsort((sanctions.side, sanctions.proven, record_of))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    proof = _proofs(people, sanctions)
    offence_order = np.lexsort((offences.group, offences.day, number[offences.sanction]))

    def disposals(at: Positions) -> Columns:
        rows = order[at]
        length = sanctions.sentence_days[rows]
        return {
            "disposal_id": glue("D", digits(at + 1, 9)),
            "record_id": record_ids("pnc", record_of[rows]),
            "disposal_date": to_arrow(sanctions.proven[rows]),
            "disposal": decode(sanctions.disposal[rows], DISPOSALS),
            "sentence_days": pa.array(length.astype(np.int64), mask=length == 0),
            "offence_group": decode(sanctions.group[rows], GROUPS),
            "tier": decode(sanctions.tier[rows], TIERS),
            "region": region_text(region[rows]),
        }

    def offence_columns(at: Positions) -> Columns:
        rows = offence_order[at]
        sanction = offences.sanction[rows]
        return {
            "offence_id": glue("F", digits(at + 1, 9)),
            "record_id": record_ids("pnc", record_of[sanction]),
            "disposal_id": glue("D", digits(number[sanction] + 1, 9)),
            "offence_date": to_arrow(offences.day[rows]),
            "proven_date": to_arrow(sanctions.proven[sanction]),
            "proof": decode(proof[sanction], PROOFS),
            "offence_group": decode(offences.group[rows], GROUPS),
            "tier": decode(offences.tier[rows], TIERS),
            "recordable": pa.array(offences.recordable[rows]),
            "breach": pa.array(offences.breach[rows]),
        }

    return {
        "pnc_disposals": write_in_parts(
            out / "pnc_disposals.parquet", len(order), disposals, progress=progress, label="Writing disposals"
        ),
        "pnc_offences": write_in_parts(
            out / "pnc_offences.parquet", len(offences), offence_columns, progress=progress, label="Writing offences"
        ),
    }


def _proofs(people: People, sanctions: Sanctions) -> Codes:
    """Conviction; or caution, which for a child was a reprimand at first and then a warning, before 2013."""
    age = (sanctions.proven - people.born[sanctions.person]) / 365.25
    child = (age < ADULT) & (sanctions.proven < CAUTIONS_ONLY_FROM)
    cautioned = np.where(child, np.where(sanctions.priors == 0, 2, 3), 1)
    return np.where(sanctions.disposal == Disposal.CAUTION, cautioned, 0).astype(np.int8)

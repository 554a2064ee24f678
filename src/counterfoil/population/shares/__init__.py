"""What other departments hold: pupils, jobs and benefits, of people with a record and of others who never had one.

Each department has its own ids and makes its own slips. What it holds hangs together with the unseen factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa

from counterfoil.lab.progress import Progress
from counterfoil.population.holdings import Holdings
from counterfoil.population.labels import person_ids
from counterfoil.population.people import People, draw_people
from counterfoil.population.shares.education import EDUCATION_HELD, write_education
from counterfoil.population.shares.employment import EMPLOYMENT_HELD, NO_END, UNKNOWN_START, write_employment
from counterfoil.population.shares.everyone import BY_LATENT, Everyone, record_ids
from counterfoil.population.strings import StringPool, decode
from counterfoil.population.writing import Columns, Positions, write_in_parts

NEVER_OFFENDED = 0.6  # people without a record, for each with one


def write_shares(
    out: Path, truth: Path, rng: np.random.Generator, pool: StringPool, people: People, progress: Progress
) -> dict[str, int]:
    """Write the tables of each share, and truth_shares (share, record_id, person_id, has_record)."""
    others = draw_people(rng, pool, max(int(len(people) * NEVER_OFFENDED), 2))
    everyone = Everyone(pool, _together(people, others), len(people))
    education, pupils = write_education(out, rng, everyone, progress)
    employment, workers = write_employment(out, rng, everyone, progress)
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


def _write_truth(truth: Path, shares: Mapping[str, Holdings], everyone: Everyone, progress: Progress) -> int:
    names: Sequence[str] = list(shares)
    sizes = [len(held) for held in shares.values()]
    share_of = np.repeat(np.arange(len(names)), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    person = np.concatenate([held.person for held in shares.values()])

    def columns(at: Positions) -> Columns:
        ids = [record_ids(name, number[at][share_of[at] == i]) for i, name in enumerate(names)]
        return {
            "share": decode(share_of[at], names),
            "record_id": pa.concat_arrays(ids),
            "person_id": person_ids(person[at]),
            "has_record": pa.array(person[at] < everyone.with_record),
        }

    return write_in_parts(
        truth / "truth_shares.parquet", len(person), columns, progress=progress, label="Writing truth of shares"
    )

"""Random extracts of the justice domain, of any size, with a perfect register key. No truth about any programme.

Generator: people have 1 to 2 PNC records, a number of court days that is geometric, an offence or more a day, and a
stay in prison for each day of custody. Dates are uniform over 2005 to 2020. Everything follows from the seed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.cohort.register import RegisterInputs

Tables = dict[tuple[str, str], pa.Table]
Whole = npt.NDArray[np.int64]

FIRST_DAY = (dt.date(2005, 1, 1) - dt.date(1970, 1, 1)).days
DAYS = 365 * 16
GROUPS = np.array(["violence", "theft", "drugs_supply", "motoring", "burglary_domestic", "public_order", "other"])
TIERS = np.array(["indictable", "either_way", "summary"])
REGIONS = np.array(["north_east", "north_west", "london", "wales", "south_east"])
DISPOSALS = np.array(["custody", "suspended", "community", "fine", "conditional_discharge", "caution"])
RELEASES = np.array(["automatic", "automatic", "automatic", "hdc", "parole", "died", "deported"])


@dataclass(frozen=True)
class Extracts:
    """Every table of every source, and who is who."""

    tables: Tables
    keys: pa.Table

    def write(self, folder: Path) -> RegisterInputs:
        """As `load` and `link` would leave them."""
        for (source, name), table in self.tables.items():
            (folder / source).mkdir(parents=True, exist_ok=True)
            pq.write_table(table, folder / source / f"{name}.parquet")
        pq.write_table(self.keys, folder / "keys.parquet")
        return RegisterInputs({s: folder / s for s in ("pnc", "prison", "probation")}, folder / "keys.parquet")

    def shuffled(self, seed: int) -> Extracts:
        """The same rows in another order."""
        rng = np.random.default_rng(seed)
        moved = {name: table.take(rng.permutation(table.num_rows)) for name, table in self.tables.items()}
        return replace(self, tables=moved, keys=self.keys.take(rng.permutation(self.keys.num_rows)))

    def with_other_keys(self, seed: int) -> Extracts:
        """The same people under other register keys."""
        old = sorted(set(self.keys["register_key"].to_pylist()))
        other = dict(zip(old, np.random.default_rng(seed).permutation(len(old)), strict=True))
        renamed = pa.array([f"other{other[key]:08}" for key in self.keys["register_key"].to_pylist()])
        return replace(self, keys=self.keys.set_column(2, "register_key", renamed))


def random_extracts(people: int, seed: int) -> Extracts:
    """Extracts about `people` people, each with at least one sanction."""
    rng = np.random.default_rng(seed)
    twice = rng.random(people) < 0.1  # who has a second PNC record
    owner = np.r_[np.arange(people), np.flatnonzero(twice)]
    names = {source: _names(source[0:2].upper(), owner.size if source == "pnc" else people) for source in _SOURCES}
    tables: Tables = {
        (source, "facts"): _facts(rng, names[source], owner if source == "pnc" else np.arange(people))
        for source in _SOURCES
    }
    days = np.repeat(np.arange(owner.size), rng.geometric(0.25, owner.size))
    disposals = _disposals(rng, names["pnc"], days)
    tables["pnc", "disposals"] = disposals
    tables["pnc", "offences"] = _offences(rng, disposals)
    tables["prison", "nomis"] = _spells(rng, names["prison"], owner[days], disposals)
    tables["probation", "flatfile"] = _events(names["probation"], owner[days], disposals)
    parts = [
        (source, name, who)
        for source in _SOURCES
        for name, who in zip(names[source].tolist(), owner if source == "pnc" else range(people), strict=True)
    ]
    keys = pa.table(
        {
            "source": [source for source, _, _ in parts],
            "record_id": [name for _, name, _ in parts],
            "register_key": [f"key{(who * 7919) % 10_000_019:08}" for _, _, who in parts],
        }
    )
    return Extracts(tables, keys)


_SOURCES = ("pnc", "prison", "probation")


def _names(prefix: str, n: int) -> npt.NDArray[Any]:
    return np.char.add(prefix, np.char.zfill(np.arange(n).astype(str), 8))


def _dates(days: Whole) -> pa.Array:
    return pa.array(days.astype("int32"), pa.int32()).cast(pa.date32())


def _days(column: pa.ChunkedArray) -> Whole:
    return np.asarray(column.cast(pa.int32()).to_numpy(), dtype=np.int64)


def _facts(rng: np.random.Generator, names: npt.NDArray[Any], owner: Whole) -> pa.Table:
    born = (owner * 37) % 9000 - 3000
    return pa.table(
        {
            "record_id": names,
            "sex": rng.choice(["1", "1", "1", "2", "0"], names.size),
            "ethnicity": rng.choice(["W1", "W9", "B1", "A2", "M1", "NS"], names.size),
            "nationality": rng.choice(["UK", "UK", "FN", "NK"], names.size),
            "birth_month": _dates(born),
        }
    )


def _disposals(rng: np.random.Generator, names: npt.NDArray[Any], record: Whole) -> pa.Table:
    n = record.size
    return pa.table(
        {
            "disposal_id": _names("D", n),
            "record_id": names[record],
            "disposal_date": _dates(FIRST_DAY + rng.integers(0, DAYS, n)),
            "disposal": rng.choice(DISPOSALS, n, p=[0.2, 0.1, 0.25, 0.2, 0.05, 0.2]),
            "sentence_days": pa.array(rng.integers(20, 1200, n)),
            "offence_group": rng.choice(GROUPS, n),
            "tier": rng.choice(TIERS, n),
            "region": rng.choice(REGIONS, n),
        }
    )


def _offences(rng: np.random.Generator, disposals: pa.Table) -> pa.Table:
    of = np.repeat(np.arange(disposals.num_rows), rng.geometric(0.6, disposals.num_rows))
    proven = _days(disposals["disposal_date"])[of]
    caution = np.asarray(disposals["disposal"].to_pylist())[of] == "caution"
    return pa.table(
        {
            "offence_id": _names("O", of.size),
            "record_id": disposals["record_id"].take(of),
            "disposal_id": disposals["disposal_id"].take(of),
            "offence_date": _dates(proven - rng.integers(0, 300, of.size)),
            "proven_date": _dates(proven),
            "proof": np.where(caution, "caution", "conviction"),
            "offence_group": rng.choice(GROUPS, of.size),
            "tier": rng.choice(TIERS, of.size),
            "recordable": rng.random(of.size) < 0.9,
            "breach": rng.random(of.size) < 0.1,
        }
    )


def _spells(rng: np.random.Generator, names: npt.NDArray[Any], owner: Whole, disposals: pa.Table) -> pa.Table:
    custody = np.flatnonzero(np.asarray(disposals["disposal"].to_pylist()) == "custody")
    start, n = _days(disposals["disposal_date"])[custody], custody.size
    length = rng.integers(5, 600, n)
    open_ended = rng.random(n) < 0.02
    return pa.table(
        {
            "row_id_hash": _names("S", n),
            "record_id": names[owner[custody]],
            "custody_start_date": _dates(start),
            "custody_end_date": pa.array(start + length, mask=open_ended).cast(pa.int32()).cast(pa.date32()),
            "legal_status": rng.choice(["sentenced", "sentenced", "sentenced", "recall", "remand"], n),
            "sentence_length_days": pa.array(length * 2),
            "release_type": pa.array(rng.choice(RELEASES, n), mask=open_ended),
            "main_offence_group": disposals["offence_group"].take(custody),
            "tier": disposals["tier"].take(custody),
            "region": rng.choice(REGIONS, n),
        }
    )


def _events(names: npt.NDArray[Any], owner: Whole, disposals: pa.Table) -> pa.Table:
    kind = np.asarray(disposals["disposal"].to_pylist())
    orders = np.flatnonzero((kind == "community") | (kind == "suspended"))
    return pa.table(
        {
            "row_id_hash": _names("E", orders.size),
            "record_id": names[owner[orders]],
            "event_id_hash": _names("V", orders.size),
            "disposal_date": disposals["disposal_date"].take(orders),
            "disposal_type_description": kind[orders],
            "length_in_days": pa.array(np.full(orders.size, 365)),
            "disposal_termination_date": pa.array([None] * orders.size, pa.date32()),
            "region": disposals["region"].take(orders),
        }
    )

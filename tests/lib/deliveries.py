"""Small deliveries of the justice domain's `pnc` source, made by rule, for tests of `load`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from counterfoil.records.identifiers import check_letter

FORENAMES = ("John", "Mary-Ann", "José", "Zoë", "Liam", "Aisha", "Sean", "Ffion")
SURNAMES = ("Smith", "O'Brien", "van der Berg", "Smith-Jones", "McDonald", "Khan", "Núñez", "Evans")
DELIVERED = dt.date(2024, 1, 31)


def pnc_number(year: int, serial: int) -> str:
    """A PNC number with its right check letter."""
    return f"{year}/{serial:07}{check_letter(int(f'{year % 100:02}{serial:07}'))}"


def pnc_delivery(people: int, *, seed: int = 1) -> dict[str, pa.Table]:
    """A faultless delivery: `people` people, two offences and one disposal each. Every row is to be kept."""
    random = np.random.default_rng(seed)
    return {"people": _people(people, random), "offences": _offences(people), "disposals": _disposals(people)}


def _people(count: int, random: np.random.Generator) -> pa.Table:
    births = np.datetime64("1971-01-02") + random.integers(0, 12000, count)
    return pa.table(
        {
            "record_id": [f"P{i}" for i in range(count)],
            "forename1": random.choice(FORENAMES, count),
            "forename2": pa.nulls(count, pa.string()),
            "surname": random.choice(SURNAMES, count),
            "aliases": pa.nulls(count, pa.string()),
            "date_of_birth": pa.array(births.astype("datetime64[D]"), pa.date32()),
            "sex": random.choice(["1", "2"], count),
            "ethnicity": random.choice(["W1", "A2", "B1"], count),
            "nationality": pa.repeat("UK", count),
            "pnc_id": [pnc_number(1980 + i % 40, i + 1) for i in range(count)],
            "cro": pa.nulls(count, pa.string()),
            "postcode": [f"M{i % 9 + 1} {i % 10}AB" for i in range(count)],
        }
    )


def _offences(people: int) -> pa.Table:
    count = 2 * people
    days = np.datetime64("2015-01-01") + np.arange(count) % 2000
    return pa.table(
        {
            "offence_id": [f"O{i}" for i in range(count)],
            "record_id": [f"P{i // 2}" for i in range(count)],
            "disposal_id": [f"D{i // 2}" for i in range(count)],
            "offence_date": pa.array(days, pa.date32()),
            "proven_date": pa.array(days + 60, pa.date32()),
            "proof": pa.repeat("conviction", count),
            "offence_group": pa.repeat("theft", count),
            "tier": pa.repeat("either_way", count),
            "recordable": pa.repeat(True, count),
            "breach": pa.repeat(False, count),
        }
    )


def _disposals(people: int) -> pa.Table:
    return pa.table(
        {
            "disposal_id": [f"D{i}" for i in range(people)],
            "record_id": [f"P{i}" for i in range(people)],
            "disposal_date": pa.repeat(pa.scalar(dt.date(2020, 3, 4), pa.date32()), people),
            "disposal": pa.repeat("fine", people),
            "sentence_days": pa.nulls(people, pa.int64()),
            "offence_group": pa.repeat("theft", people),
            "tier": pa.repeat("either_way", people),
            "region": pa.repeat("london", people),
        }
    )


def with_cells(table: pa.Table, column: str, cells: Mapping[int, object]) -> pa.Table:
    """`table` with some rows of one column replaced. The column becomes text where a new cell is text."""
    values = table.column(column).to_pylist()
    if any(isinstance(cell, str) for cell in cells.values()):
        values = [None if value is None else str(value) for value in values]
    for row, cell in cells.items():
        values[row] = cell
    return table.set_column(table.column_names.index(column), column, pa.array(values))


def write_parquet(tables: Mapping[str, pa.Table], folder: Path) -> list[Path]:
    """One file a table, called by its table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return [folder / f"{name}.parquet" for name in tables]


def write_csv(tables: Mapping[str, pa.Table], folder: Path) -> list[Path]:
    """The same as CSV in UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pa_csv.write_csv(table, folder / f"{name}.csv")
    return [folder / f"{name}.csv" for name in tables]

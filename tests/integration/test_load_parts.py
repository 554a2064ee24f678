"""A table that comes in parts is one table."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from counterfoil import domains
from counterfoil.errors import FileNotTaken
from counterfoil.lab.paths import LabPaths
from counterfoil.population import LAB_DATE, PopulationReport
from counterfoil.records.load import load
from counterfoil.records.receipt import Receipt

PARTS = 30
SCHEMA = domains.load().source("probation")


def load_probation(files: list[Path], lab: Path) -> Receipt:
    codes = domains.load().codes
    return load(files, SCHEMA, LabPaths(lab), delivery=LAB_DATE, codes=codes, today=LAB_DATE)


def whole(population: PopulationReport) -> dict[str, Path]:
    return {table: population.sources / f"probation_{table}.parquet" for table in SCHEMA.tables}


def in_parts(path: Path, folder: Path, form: str) -> list[Path]:
    table = pq.read_table(path)
    size = -(-table.num_rows // PARTS)
    files = []
    for number in range(PARTS):
        files.append(folder / form.format(number + 1))
        pq.write_table(table.slice(number * size, size), files[-1])
    return files


@pytest.mark.parametrize("form", ["flatfile_{:02}.parquet", "probation_flatfile_part_{}_of_30.parquet"])
def test_a_table_in_thirty_parts_is_the_table(population: PopulationReport, tmp_path: Path, form: str) -> None:
    files = whole(population)
    once = load_probation(list(files.values()), tmp_path / "once")
    parts = in_parts(files.pop("flatfile"), tmp_path, form)
    again = load_probation([*reversed(parts), *files.values()], tmp_path / "parts")
    assert once.tables == again.tables
    assert {name.partition("/")[0] for name in again.files} == set(SCHEMA.tables)
    for lab in ("once", "parts"):
        assert LabPaths(tmp_path / lab).analyst_extract("probation", LAB_DATE.isoformat()).is_dir()
    first, second = (
        LabPaths(tmp_path / lab).analyst_extract("probation", LAB_DATE.isoformat()) / "flatfile.parquet"
        for lab in ("once", "parts")
    )
    assert first.read_bytes() == second.read_bytes()
    repeated = load_probation([*parts, *files.values()], tmp_path / "parts")
    assert repeated.repeated


@pytest.mark.parametrize(
    "names",
    [
        ("flatfile.parquet", "probation_flatfile.parquet"),
        ("flatfile_01.parquet", "probation_flatfile_01.parquet"),
        ("flatfile_2021-01-31.parquet", "flatfile_2021-02-28.parquet"),
    ],
)
def test_two_files_that_are_no_parts_are_not_taken(
    population: PopulationReport, tmp_path: Path, names: tuple[str, str]
) -> None:
    files = whole(population)
    flatfile = files.pop("flatfile").read_bytes()
    for name in names:
        (tmp_path / name).write_bytes(flatfile)
    with pytest.raises(FileNotTaken, match="both the table flatfile"):
        load_probation([tmp_path / name for name in names] + list(files.values()), tmp_path / "lab")
    assert not (tmp_path / "lab").exists()

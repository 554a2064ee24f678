"""A population of 20,000 people that tests share, made once a session; and ways to read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from counterfoil.population import PopulationReport, generate

PEOPLE = 20_000
SEED = 1


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> PopulationReport:
    """20,000 people, seed 1, with the three default programmes."""
    return generate(tmp_path_factory.mktemp("population") / "made", people=PEOPLE, seed=SEED)


def rows(made: PopulationReport, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query over every table of the population, by its file's name."""
    connection = duckdb.connect(":memory:")
    try:
        for folder in (made.sources, made.truth):
            for path in sorted(Path(folder).glob("*.parquet")):
                connection.execute(f"CREATE VIEW {path.stem} AS SELECT * FROM read_parquet('{path}')")
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def share(made: PopulationReport, condition: str, table: str) -> float:
    """Share of the rows of a table, or of a subquery, for which a condition is true; unknown is not."""
    ((value,),) = rows(made, f"SELECT avg(coalesce(CAST({condition} AS INTEGER), 0)) FROM {table}")
    return float(value)

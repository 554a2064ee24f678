"""Each measure of the domain on a person's drawn history (METHODS 3, EVALUATION A7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.register import RegisterPaths
from counterfoil.outcomes.register import measure
from lib.justice_extracts import World

DAY = "2016-03-15"  # the index date: a community order for an offence 30 days before


def followed(**values: Any) -> World:
    world = World()
    world.person("pnc", "P1a")
    world.disposal("P1a", DAY, **values)
    return world


def measured(world: World, folder: Path, *names: str, data_end: str = "2030-01-01") -> tuple[Any, ...]:
    """The measures of the first index event, followed from its date."""
    return measured_in(world.register(folder, data_end), *names)


def measured_in(paths: RegisterPaths, *names: str) -> tuple[Any, ...]:
    events = pq.read_table(paths.index_events).slice(0, 1)
    people = events.select(["index_event_id"]).append_column("follow_from", events["index_date"])
    row = measure(people, paths, measures=names).to_pylist()[0]
    return tuple(row[name] for name in names)


@pytest.mark.parametrize(
    ("offence", "proven", "expected"),
    [
        ("2016-01-10", "2016-03-14", 1.0),  # proven the day before
        ("2016-01-10", "2016-03-16", 0.0),  # proven the day after: nothing after the index date is looked at
        ("2015-03-15", "2015-06-01", 1.0),  # the first day of the twelve months
        ("2015-03-14", "2015-06-01", 0.0),
        ("2016-03-20", "2016-04-01", 0.0),  # a reoffence
    ],
)
def test_offended_year_before(tmp_path: Path, offence: str, proven: str, expected: float) -> None:
    world = followed()
    world.offence("P1a", offence, proven)
    assert measured(world, tmp_path, "offended_year_before") == (expected,)


def test_the_index_offence_itself_is_not_offending_before(tmp_path: Path) -> None:
    assert measured(followed(), tmp_path, "offended_year_before", "offences_before") == (0.0, 1.0)

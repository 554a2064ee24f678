"""What counts as a reoffence, from when, until when, and what is not measured (METHODS 3)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.outcomes.measuring import FollowUp
from counterfoil.outcomes.register import measure
from lib.justice_extracts import World

NONE = (True, 0, 0, None)
NOT_MEASURED = (False, None, None, None)


def followed(index_date: str) -> World:
    """Person a, with a community order on `index_date` for an offence 30 days before."""
    world = World()
    world.person("pnc", "P1a")
    world.disposal("P1a", index_date)
    return world


def outcome_of(world: World, folder: Path, data_end: str | None = "2030-01-01") -> tuple[Any, ...]:
    paths = world.register(folder, data_end)
    row = pq.read_table(paths.outcomes).to_pylist()[0]
    return tuple(
        row[name] for name in ("covered", "reoffending_rate", "reoffending_frequency", "days_to_first_reoffence")
    )


@pytest.mark.parametrize(
    ("index_date", "offence", "proven", "expected"),
    [
        # the first and the last day of the window
        ("2016-03-15", "2016-03-15", "2016-04-01", (True, 1, 1, 0)),
        ("2016-03-15", "2017-03-14", "2017-04-01", (True, 1, 1, 364)),
        ("2016-03-15", "2017-03-15", "2017-04-01", NONE),
        # before the index date, proved in the window
        ("2016-03-15", "2016-03-14", "2016-04-01", NONE),
        # proof in the wait, on its last day, and a day too late
        ("2016-03-15", "2016-05-01", "2017-08-01", (True, 1, 1, 47)),
        ("2016-03-15", "2016-05-01", "2017-09-14", (True, 1, 1, 47)),
        ("2016-03-15", "2016-05-01", "2017-09-15", NONE),
        # 29 February: 12 months end on 28 February, left out; 18 months on 29 August
        ("2016-02-29", "2017-02-27", "2017-04-01", (True, 1, 1, 364)),
        ("2016-02-29", "2017-02-28", "2017-04-01", NONE),
        ("2016-02-29", "2016-05-01", "2017-08-28", (True, 1, 1, 62)),
        ("2016-02-29", "2016-05-01", "2017-08-29", NONE),
        # into a leap year
        ("2015-03-01", "2016-02-29", "2016-04-01", (True, 1, 1, 365)),
        # 31 August: 18 months end on 28 February
        ("2015-08-31", "2016-08-30", "2017-02-27", (True, 1, 1, 365)),
        ("2015-08-31", "2016-08-31", "2017-02-27", NONE),
        ("2015-08-31", "2016-08-30", "2017-02-28", NONE),
    ],
)
def test_window(tmp_path: Path, index_date: str, offence: str, proven: str, expected: tuple[Any, ...]) -> None:
    world = followed(index_date)
    world.offence("P1a", offence, proven)
    assert outcome_of(world, tmp_path) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"proof": "caution"}, (True, 1, 1, 17)),
        ({"proof": "reprimand"}, (True, 1, 1, 17)),
        ({"proof": "warning"}, (True, 1, 1, 17)),
        ({"recordable": False}, NONE),
        ({"breach": True}, NONE),
    ],
    ids=["caution", "reprimand", "warning", "not recordable", "breach"],
)
def test_which_offences_count(tmp_path: Path, values: dict[str, Any], expected: tuple[Any, ...]) -> None:
    world = followed("2016-03-15")
    world.offence("P1a", "2016-04-01", "2016-05-01", **values)
    assert outcome_of(world, tmp_path) == expected


def test_all_reoffences_are_counted_and_the_first_gives_the_days(tmp_path: Path) -> None:
    world = followed("2016-03-15")
    for day in ("2016-12-01", "2016-04-14", "2016-04-14", "2018-01-01"):
        world.offence("P1a", day, "2017-01-01" if day < "2017" else "2018-02-01")
    assert outcome_of(world, tmp_path) == (True, 1, 3, 30)


def test_a_caution_on_the_day_of_its_offence_is_no_reoffence(tmp_path: Path) -> None:
    world = World()
    world.person("pnc", "P1a")
    world.disposal("P1a", "2016-03-15", disposal="caution", offence_on="2016-03-15")
    assert outcome_of(world, tmp_path) == NONE


def test_offence_held_by_two_records_counts_once(tmp_path: Path) -> None:
    world = followed("2016-03-15")
    world.person("pnc", "P2a")
    for record in ("P1a", "P2a"):
        world.offence(record, "2016-04-14", "2016-06-01")
    assert outcome_of(world, tmp_path) == (True, 1, 1, 30)


@pytest.mark.parametrize(
    ("data_end", "expected"),
    [("2017-09-15", (True, 1, 1, 17)), ("2017-09-14", NOT_MEASURED)],
    ids=["18 months are covered", "a day is missing"],
)
def test_what_the_data_do_not_cover_is_not_measured(tmp_path: Path, data_end: str, expected: tuple[Any, ...]) -> None:
    world = followed("2016-03-15")
    world.offence("P1a", "2016-04-01", "2016-05-01")
    assert outcome_of(world, tmp_path, data_end) == expected


def test_the_end_of_the_data_is_the_last_date_they_hold(tmp_path: Path) -> None:
    world = followed("2016-03-15")
    world.person("pnc", "P1b")
    world.disposal("P1b", "2017-09-15")
    assert outcome_of(world, tmp_path, None) == NONE


def test_another_follow_up_and_another_start(tmp_path: Path) -> None:
    world = followed("2016-03-15")
    world.offence("P1a", "2016-04-01", "2016-05-01")
    world.offence("P1a", "2017-04-01", "2017-05-01")
    paths = world.register(tmp_path, "2018-12-31")
    event = pa.array([1], pa.int64())
    index_date, start = (pa.array([dt.date.fromisoformat(day)]) for day in ("2016-03-15", "2016-06-01"))
    from_index = measure(pa.table({"index_event_id": event, "follow_from": index_date}), paths, FollowUp(24, 6))
    assert from_index.to_pylist() == [
        {"covered": True, "reoffending_rate": 1, "reoffending_frequency": 2, "days_to_first_reoffence": 17}
    ]
    from_start = measure(pa.table({"index_event_id": event, "follow_from": start}), paths)
    assert from_start.to_pylist() == [
        {"covered": True, "reoffending_rate": 1, "reoffending_frequency": 1, "days_to_first_reoffence": 304}
    ]
    longer = measure(pa.table({"index_event_id": event, "follow_from": start}), paths, FollowUp(26, 6))
    assert longer["covered"].to_pylist() == [False]


def test_measured_rows_are_those_asked_in_their_order(tmp_path: Path) -> None:
    world = World()
    for number, person in enumerate("abc"):
        world.person("pnc", f"P{number}{person}")
        world.disposal(f"P{number}{person}", "2016-03-15")
    world.offence("P1b", "2016-03-20", "2016-05-01")
    paths = world.register(tmp_path)
    day = dt.date(2016, 3, 15)
    asked = pa.table({"index_event_id": pa.array([3, 2], pa.int64()), "follow_from": pa.array([day, day])})
    assert measure(asked, paths)["reoffending_rate"].to_pylist() == [0, 1]


def test_early_offences_hold_the_days_to_the_first_and_nothing_else(tmp_path: Path) -> None:
    world = followed("2016-03-15")
    for day in ("2016-03-25", "2016-03-20"):
        world.offence("P1a", day, "2016-05-01")
    world.offence("P1a", "2016-03-16", "2016-05-01", breach=True)
    world.person("pnc", "P2b")
    world.disposal("P2b", "2016-03-15")
    world.offence("P2b", "2017-03-17", "2017-05-01")  # beyond 366 days
    early = pq.read_table(world.register(tmp_path).early_offences)
    assert early.to_pylist() == [{"index_event_id": 1, "days_to_first_offence": 5}]

"""Each measure of the domain on a person's drawn history (METHODS 3, EVALUATION A7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.register import RegisterPaths
from counterfoil.errors import Fault, UsageError
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


def test_an_event_asked_for_twice_is_refused_and_not_counted_double(tmp_path: Path) -> None:
    paths = followed().register(tmp_path, "2030-01-01")
    events = pq.read_table(paths.index_events).slice(0, 1)
    people = events.select(["index_event_id"]).append_column("follow_from", events["index_date"])
    with pytest.raises(Fault, match="measured twice"):
        measure(pa.concat_tables([people, people]), paths, measures=["reoffending_frequency"])


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


@pytest.mark.parametrize(
    ("disposals", "expected"),
    [(["community"], (0.0, 0.0)), (["custody"], (1.0, 1.0)), (["custody", "suspended", "custody"], (1.0, 2.0))],
)
def test_custodial_reoffences_are_those_sent_to_custody(
    tmp_path: Path, disposals: list[str], expected: tuple[float, float]
) -> None:
    world = followed()
    for n, disposal in enumerate(disposals, 4):
        world.disposal("P1a", f"2016-0{n + 1}-20", disposal=disposal, offence_on=f"2016-0{n}-10")
    assert measured(world, tmp_path, "custodial_reoffending_rate", "custodial_reoffending_frequency") == expected


def test_severity_is_of_the_first_and_of_the_worst_reoffence(tmp_path: Path) -> None:
    """Index offence either way. First a summary one, in the same day an either way one; later an indictable one."""
    world = followed(tier="either_way")
    for day, tier in (("2016-05-01", "summary"), ("2016-05-01", "either_way"), ("2016-09-01", "indictable")):
        world.offence("P1a", day, "2016-12-01", tier=tier)
    names = [f"{which}_reoffence_{tier}_rate" for which in ("first", "worst") for tier in ("indictable", "either_way")]
    assert measured(world, tmp_path, *names, "more_severe_reoffending_rate") == (0.0, 1.0, 1.0, 0.0, 1.0)


def test_severity_is_not_measured_where_that_of_the_index_offence_is_unknown(tmp_path: Path) -> None:
    world = followed(tier=None)
    world.tables["pnc", "offences"] = []
    world.offence("P1a", "2016-05-01", "2016-06-01", tier="indictable")
    assert measured(world, tmp_path, "more_severe_reoffending_rate", "reoffending_rate") == (None, 1.0)


def test_a_reoffence_counts_in_its_own_group_only(tmp_path: Path) -> None:
    world = followed()
    for group in ("violence", "violence", "theft"):
        world.offence("P1a", "2016-05-01", "2016-06-01", offence_group=group)
    names = ("violence_reoffending_rate", "violence_reoffending_frequency", "theft_reoffending_frequency")
    assert measured(world, tmp_path, *names, "robbery_reoffending_rate") == (1.0, 2.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("stay", "days"),
    [
        (None, 365.0),
        (("2016-04-01", "2016-04-11"), 355.0),  # the day of release is at liberty
        (("2016-01-01", "2016-03-20"), 360.0),  # inside on the index date
        (("2017-03-10", "2017-06-01"), 360.0),  # to the end of the follow-up, 14 March
        (("2017-03-15", "2017-06-01"), 365.0),  # from the first day after it
        (("2017-03-10", None), 360.0),  # still inside
        (("2016-04-01", "2016-04-11", "died"), 17.0),  # from reception on
        (("2016-04-01", "2016-04-11", "deported"), 17.0),
    ],
)
def test_days_at_liberty(tmp_path: Path, stay: tuple[Any, ...] | None, days: float) -> None:
    world = followed()
    world.person("prison", "N1a")
    if stay is not None:
        world.spell("N1a", stay[0], stay[1], **({"release_type": stay[2]} if len(stay) > 2 else {}))
    paths = world.register(tmp_path)
    events = pq.read_table(paths.index_events).to_pylist()
    (community,) = [e for e in events if e["kind"] == "community"]
    people = pa.table(
        {"index_event_id": [community["index_event_id"]], "follow_from": pa.array([community["index_date"]])}
    )
    assert measure(people, paths, measures=["days_at_liberty"]).to_pylist()[0]["days_at_liberty"] == days


def test_a_deported_person_who_is_held_again_is_back(tmp_path: Path) -> None:
    world = followed()
    world.person("prison", "N1a")
    world.spell("N1a", "2016-04-01", "2016-04-11", release_type="deported")
    world.spell("N1a", "2016-05-01", "2016-05-03")
    assert measured(world, tmp_path, "days_at_liberty") == (353.0,)


def test_a_year_with_29_february_has_a_day_more(tmp_path: Path) -> None:
    world = World()
    world.person("pnc", "P1a")
    world.disposal("P1a", "2015-06-01")
    assert measured(world, tmp_path, "days_at_liberty", "years_at_liberty") == (366.0, 366 / 365.25)


@pytest.mark.parametrize(
    ("data_end", "one_year", "two_years"),
    [("2018-09-15", 1.0, 1.0), ("2018-09-14", 1.0, None), ("2017-09-14", None, None)],
    ids=["30 months are covered", "a day is missing", "not even the first year"],
)
def test_each_measure_has_its_own_follow_up(
    tmp_path: Path, data_end: str, one_year: float | None, two_years: float | None
) -> None:
    world = followed()
    world.offence("P1a", "2016-05-01", "2016-06-01")
    names = ("reoffending_rate", "two_year_reoffending_rate")
    assert measured(world, tmp_path, *names, data_end=data_end) == (one_year, two_years)


@pytest.mark.parametrize(
    ("offence", "proven", "expected"),
    [
        ("2018-03-14", "2018-09-14", 1.0),  # the last day of the window, proved on the last of the wait
        ("2018-03-14", "2018-09-15", 0.0),
        ("2018-03-15", "2018-04-01", 0.0),
    ],
)
def test_two_years_end_to_the_day(tmp_path: Path, offence: str, proven: str, expected: float) -> None:
    world = followed()
    world.offence("P1a", offence, proven)
    assert measured(world, tmp_path, "two_year_reoffending_rate") == (expected,)


def test_offences_before_and_after_are_counted_alike(tmp_path: Path) -> None:
    """The index offence and two more before (one proved in the wait after the index date), one after."""
    world = followed()
    for day, proven in (
        ("2015-03-15", "2015-06-01"),
        ("2015-12-01", "2016-09-14"),
        ("2015-12-02", "2016-09-15"),  # proved too late
        ("2015-03-14", "2015-06-01"),  # more than twelve months before
        ("2016-05-01", "2016-06-01"),
    ):
        world.offence("P1a", day, proven)
    world.offence("P1a", "2015-10-01", "2015-12-01", breach=True)
    assert measured(world, tmp_path, "offences_before", "offences_change") == (3.0, -2.0)


def test_harm_needs_a_weight_for_every_group(tmp_path: Path) -> None:
    paths = followed().register(tmp_path)
    events = pq.read_table(paths.index_events)
    people = events.select(["index_event_id"]).append_column("follow_from", events["index_date"])
    with pytest.raises(UsageError) as refused:
        measure(people, paths, measures=["reoffending_harm"], weights={"offence_group": {"theft": 1.0, "arson": 2.0}})
    assert "[weights.offence_group]" in str(refused.value)
    assert "no codes of it: arson" in str(refused.value)

"""What was known a year before an index date, by hand: nothing of that year is in it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from counterfoil.study.covariates import read_history_before
from lib.justice_extracts import World

DAY, YEAR_BEFORE = "2016-03-15", "2015-03-15"
NOTHING = {
    "offences_a_year_before": 0,
    "sanctions_a_year_before": 0,
    "custody_a_year_before": 0,
    "no_sanction_a_year_before": True,
    "years_since_sanction_a_year_before": 0.0,
}


def world_of(*earlier: tuple[str, str, dict[str, Any]]) -> World:
    """An index sentence on DAY, and what came earlier: ("sanction", day, more) or ("offence", day, {"proven": day})."""
    world = World()
    world.person("pnc", "P1a")
    for what, day, more in earlier:
        if what == "sanction":
            world.disposal("P1a", day, **more)
        else:
            world.offence("P1a", day, **more)
    world.disposal("P1a", DAY)
    return world


def known(world: World, folder: Path) -> dict[str, Any]:
    paths = world.register(folder)
    (row,) = [e for e in pq.read_table(paths.index_events).to_pylist() if e["index_date"].isoformat() == DAY]
    people = pa.table({"index_event_id": [row["index_event_id"]]})
    found = read_history_before(people, paths, 12)
    assert found is not None
    return dict(found.to_pylist()[0])


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ((), {}),
        # a sanction on the first day of the year, and one in it, are of that year
        ((("sanction", YEAR_BEFORE, {}),), {}),
        ((("sanction", "2015-09-01", {}),), {}),
        # the day before is not; its offence was 30 days earlier and proven with it
        (
            (("sanction", "2015-03-14", {"disposal": "custody"}),),
            {"offences_a_year_before": 1, "sanctions_a_year_before": 1, "custody_a_year_before": 1,
             "no_sanction_a_year_before": False},
        ),
        # committed before the year and proven in it: not known then
        ((("offence", "2014-06-01", {"proven": "2015-06-01"}),), {}),
        ((("offence", "2014-06-01", {"proven": "2015-03-14"}),), {"offences_a_year_before": 1}),
        # two years before the year began
        (
            (("sanction", "2013-03-15", {"disposal": "fine"}),),
            {"offences_a_year_before": 1, "sanctions_a_year_before": 1, "no_sanction_a_year_before": False,
             "years_since_sanction_a_year_before": 2.0},
        ),
    ],
)  # fmt: skip
def test_only_what_was_known_a_year_before_counts(
    tmp_path: Path, earlier: tuple[tuple[str, str, dict[str, Any]], ...], expected: dict[str, Any]
) -> None:
    found = known(world_of(*earlier), tmp_path)
    copas = found.pop("copas_rate_a_year_before")
    assert found == {**NOTHING, **expected}
    years = 2.0 if expected.get("years_since_sanction_a_year_before") else 0.0  # from the first sanction to then
    assert copas == pytest.approx(math.log((found["sanctions_a_year_before"] + 1) / (years + 10)), abs=1e-3)


def test_a_longer_look_back_and_an_older_register_have_none(tmp_path: Path) -> None:
    paths = world_of().register(tmp_path)
    people = pq.read_table(paths.index_events).select(["index_event_id"])
    assert read_history_before(people, paths, 13) is None
    paths.history_before.unlink()
    assert read_history_before(people, paths, 12) is None

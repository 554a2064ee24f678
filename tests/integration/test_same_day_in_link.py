"""`link` with a table of stays and one of hearings: who was in prison that day is somebody else (METHODS 1)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from counterfoil.lab.make import make_lab
from counterfoil.linkage import build_spine
from counterfoil.linkage import spine as spines
from counterfoil.linkage.quality_report.judged import the_spine
from counterfoil.linkage.review.queue import doubtful_pairs
from counterfoil.linkage.review.values import Item
from counterfoil.linkage.specification import Evidence, SameDay, load_specification
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import read_table, write_table
from lib.links import TODAY, make_records

pytestmark = pytest.mark.slow

STAYS = Evidence("prison", "stays", "record_id", {"start": "from_date", "finish": "to_date"})
DAYS = Evidence("pnc", "hearings", "record_id", {"day": "heard_on"})


def test_who_was_in_prison_that_day_is_for_review_or_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load_specification("justice")
    looked_at, kept_apart = (
        replace(plain, guards=replace(plain.guards, same_day=(SameDay(STAYS, DAYS, cut=cut),)), key=f"cut {cut}")
        for cut in (False, True)
    )
    monkeypatch.setattr(spines, "load_specification", lambda _: looked_at)
    lab = make_lab(tmp_path / "lab", today=TODAY)
    records = make_records(300, seed=3).records
    for source in ("pnc", "prison", "probation"):
        own = records.filter(pc.equal(records["source"], source))
        write_table(own, lab.paths.linker_extract(source, "2026-01-01") / "identifiers.parquet")
    first = build_spine(lab)
    people: dict[str, dict[str, str]] = {}
    for row in first.spine.people().to_pylist():
        people.setdefault(row["person_id"], {})[row["source"]] = row["record_id"]
    held = next(each for each in people.values() if {"pnc", "prison"} <= each.keys())
    stay = {"record_id": [held["prison"]], "from_date": [dt.date(2020, 5, 1)], "to_date": [dt.date(2020, 5, 31)]}
    heard = {"record_id": [held["pnc"]], "heard_on": [dt.date(2020, 5, 10)]}
    write_table(pa.table(stay), lab.paths.linker_extract("prison", "2026-01-01") / "stays.parquet")
    write_table(pa.table(heard), lab.paths.linker_extract("pnc", "2026-01-01") / "hearings.parquet")
    second = build_spine(lab)
    assert second.made
    assert _person(second.spine, "pnc", held["pnc"]) == _person(second.spine, "prison", held["prison"])
    (doubted,) = _listed(second.spine, held)
    assert doubted["taken"]
    assert doubted["guard"] == "in prison and elsewhere on one day"
    assert any(set(_ids(item)) == {held["pnc"], held["prison"]} for item in doubtful_pairs(the_spine(second.spine)))
    monkeypatch.setattr(spines, "load_specification", lambda _: kept_apart)
    third = build_spine(lab)
    assert third.made
    assert _person(third.spine, "pnc", held["pnc"]) != _person(third.spine, "prison", held["prison"])
    review = read_table(third.spine.folder / "review.parquet")
    assert "in prison and elsewhere on one day" in review["guard"].to_pylist()


def _person(spine: Spine, source: str, record_id: str) -> str:
    who = {(row["source"], row["record_id"]): row["person_id"] for row in spine.people().to_pylist()}
    return str(who[source, record_id])


def _listed(spine: Spine, held: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of the review table about the two records."""
    rows = read_table(spine.folder / "review.parquet").to_pylist()
    return [row for row in rows if {row["record_id_l"], row["record_id_r"]} == {held["pnc"], held["prison"]}]


def _ids(item: Item) -> tuple[str, str]:
    return item.pair.left.record_id, item.pair.right.record_id

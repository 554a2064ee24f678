"""`link` with a table of stays and one of hearings: who was in prison that day is somebody else (METHODS 1)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from counterfoil.lab.make import make_lab
from counterfoil.linkage import build_spine
from counterfoil.linkage import spine as spines
from counterfoil.linkage.specification import Evidence, SameDay, load_specification
from counterfoil.warehouse import read_table, write_table
from lib.links import TODAY, make_records

pytestmark = pytest.mark.slow

STAYS = Evidence("prison", "stays", "record_id", {"start": "from_date", "finish": "to_date"})
DAYS = Evidence("pnc", "hearings", "record_id", {"day": "heard_on"})


def test_who_was_in_prison_that_day_is_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load_specification("justice")
    guards = replace(plain.guards, same_day=(SameDay(STAYS, DAYS, cut=True),))
    monkeypatch.setattr(spines, "load_specification", lambda _: replace(plain, guards=guards))
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
    who = {(row["source"], row["record_id"]): row["person_id"] for row in second.spine.people().to_pylist()}
    assert who["pnc", held["pnc"]] != who["prison", held["prison"]]
    review = read_table(second.spine.folder / "review.parquet")
    assert "in prison and elsewhere on one day" in review["guard"].to_pylist()

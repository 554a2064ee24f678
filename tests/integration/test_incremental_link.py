"""Linking deliveries one after the other gives what linking all anew with the same model gives (METHODS 1)."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.linkage import build_spine
from counterfoil.linkage.crosswalk import trace_keys
from counterfoil.warehouse import read_table, write_table
from lib.links import TODAY, make_records

SOURCES = ("pnc", "prison", "probation")

pytestmark = pytest.mark.slow


def _deliver(lab: OpenLab, records: pa.Table, delivery: str) -> None:
    for source in SOURCES:
        own = records.filter(pa.array([name == source for name in records["source"].to_pylist()]))
        write_table(own, lab.paths.linker_extract(source, delivery) / "identifiers.parquet")


def _changed(records: pa.Table, random: np.random.Generator) -> pa.Table:
    """Some records gone, some with another postcode."""
    kept = records.filter(pa.array(random.random(records.num_rows) > 0.05))
    codes = kept["postcode_std"].to_pylist()
    for at in random.integers(1, kept.num_rows, 60).tolist():
        codes[at] = codes[at - 1]
    return kept.set_column(kept.column_names.index("postcode_std"), "postcode_std", pa.array(codes, pa.string()))


def test_incremental_equals_a_rebuild(tmp_path: Path) -> None:
    """Adds, changes and removals over three deliveries."""
    random = np.random.default_rng(5)
    everything = make_records(900, seed=3).records
    lab = make_lab(tmp_path / "lab", today=TODAY)
    _deliver(lab, everything.slice(0, everything.num_rows * 8 // 10), "2026-01-01")
    numbers = itertools.count(1)
    first = build_spine(lab, new_key=lambda: f"{next(numbers):032x}")
    assert {each.get("how") for name, each in first.quality["stages"].items() if name != "records"} == {"all"}
    for month, share in ((2, 9), (3, 10)):
        _deliver(lab, _changed(everything.slice(0, everything.num_rows * share // 10), random), f"2026-0{month}-01")
        added = build_spine(lab)
        assert {each.get("how") for name, each in added.quality["stages"].items() if name != "records"} == {"fresh"}
        rebuilt = build_spine(lab, rebuild=True)
        assert rebuilt.spine.version != added.spine.version
        for name in ("people.parquet", "links.parquet", "review.parquet"):
            assert read_table(rebuilt.spine.folder / name).equals(read_table(added.spine.folder / name)), name
    old = first.spine.people()["person_id"].unique().to_pylist()
    traced = trace_keys(lab.paths, old, since=first.spine.version)
    assert set(traced["old_person_id"].to_pylist()) == set(old)
    now = set(rebuilt.spine.people()["person_id"].to_pylist())
    assert {key for key in traced["person_id"].to_pylist() if key is not None} <= now

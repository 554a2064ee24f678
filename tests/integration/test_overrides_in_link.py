"""Overrides in `link`: obeyed, kept with the spine, withdrawn without trace in the people, contradictions said."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.linkage import SpineResult, build_spine
from counterfoil.linkage.overrides import Decision, Override, Record, add, override, withdraw
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.rulings import rulings_of
from counterfoil.warehouse import read_table, write_table
from lib.links import TODAY, draw_lab_records

PEOPLE = 2000
SOURCES = ("pnc", "prison", "probation")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> OpenLab:
    tables = draw_lab_records(tmp_path_factory.mktemp("population"), PEOPLE, seed=11)
    made = make_lab(tmp_path_factory.mktemp("labs") / "lab", today=TODAY)
    for source in SOURCES:
        write_table(tables[source], made.paths.linker_extract(source, "2026-01-01") / "identifiers.parquet")
    return made


def _record(people: pa.Table, row: int) -> Record:
    return Record(people["source"][row].as_py(), people["record_id"][row].as_py())


def _ruling(people: pa.Table, one: int, other: int, decision: Decision) -> Override:
    return override(_record(people, one), _record(people, other), decision, who="R. Viewer", why="seen on paper")


def _persons(result: SpineResult) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array(result.spine.people()["person_id"].to_pylist())


def test_rulings_are_obeyed_and_taken_back(lab: OpenLab) -> None:
    before = build_spine(lab)
    people, persons = before.spine.people(), _persons(before)
    first = int(np.flatnonzero(persons != persons[0])[0])  # of another person than record 0
    pairs = read_table(before.spine.folder / "links.parquet")
    strong = pairs.filter(pa.compute.greater(pairs["match_weight"], 40.0))
    left, right = strong[f"{ID}_l"][0].as_py(), strong[f"{ID}_r"][0].as_py()
    joined, parted = add(
        lab.paths,
        _ruling(people, 0, first, Decision.MUST_LINK),
        _ruling(people, left, right, Decision.MUST_NOT_LINK),
    )
    ruled = build_spine(lab)
    now = _persons(ruled)
    assert ruled.made
    assert now[0] == now[first]
    assert now[left] != now[right]
    assert ruled.quality["overrides"]["cross_justice"] == {
        "must_link": 1, "must_not_link": 1, "of_absent_records": 0, "contradictions": 0,
    }  # fmt: skip
    kept = read_table(ruled.spine.folder / "overrides.parquet")
    assert set(kept["who"].to_pylist()) == {"R. Viewer"}
    assert set(kept["why"].to_pylist()) == {"seen on paper"}
    for entry in (joined, parted):
        withdraw(lab.paths, entry.entry, who="R. Viewer", why="other people after all")
    back = build_spine(lab)
    again = _persons(back)
    assert (again[0] == again[first], again[left] == again[right]) == (False, True)


def test_a_chain_against_a_ruling_is_a_contradiction() -> None:
    """A is B, B is C, A is not C: A and C are kept apart, and it is said."""
    records = pa.table({ID: [0, 1, 2], "source": ["pnc"] * 3, "record_id": ["a", "b", "c"]})
    rows = [("a", "b", "must_link"), ("b", "c", "must_link"), ("a", "c", "must_not_link"), ("a", "gone", "must_link")]
    overrides = pa.table(
        {
            "source_l": ["pnc"] * 4,
            "record_id_l": [left for left, _, _ in rows],
            "source_r": ["pnc"] * 4,
            "record_id_r": [right for _, right, _ in rows],
            "decision": [decision for _, _, decision in rows],
            "scope": ["all", "all", "cross_justice", "all"],
            "entry": ["1", "2", "3", "4"],
        }
    )
    ruled = rulings_of(overrides, records, "cross_justice")
    assert ruled.contradictions.tolist() == [[0, 2]]
    assert ruled.about() == {"must_link": 2, "must_not_link": 1, "of_absent_records": 1, "contradictions": 1}
    assert rulings_of(overrides, records, "criminal_justice").about()["must_not_link"] == 0

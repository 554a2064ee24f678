"""What no person can be, pair by pair: births, being in two places, rulings; bridges; and why a model is new."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage import joining
from counterfoil.linkage.batch.models import _why_new
from counterfoil.linkage.clusters import Guard, Links, Rulings, Strictness, cluster, weak_bridges
from counterfoil.linkage.guards import Apart, find_same_day, read_evidence
from counterfoil.linkage.prepare import prepare
from counterfoil.linkage.specification import Evidence, SameDay, load_specification
from counterfoil.warehouse import write_table
from lib.links import record, table_of

SPECIFICATION = load_specification("justice")
LEVELS = {Strictness.STRICT: 20.0, Strictness.MEDIUM: 14.0, Strictness.LOOSE: 8.0}


def _links(*given: tuple[int, int, float]) -> Links:
    left, right, weight = zip(*given, strict=True)
    return Links(np.array(left), np.array(right), np.array(weight))


def _born(*dates: dt.date | None) -> pa.Table:
    """Records of one forename; without a date, a record that could be anybody's."""
    rows = [
        record(source="pnc", record_id=f"R{i}", forename1_std="ANN", surname_std=f"LEE{i}", dob=date)
        for i, date in enumerate(dates)
    ]
    return prepare(table_of(rows), SPECIFICATION)


@pytest.mark.parametrize(
    ("one", "other", "people"),
    [
        (dt.date(1980, 3, 5), dt.date(1991, 11, 28), 2),
        (dt.date(1980, 3, 5), dt.date(1980, 5, 3), 1),  # day and month swapped
        (dt.date(1980, 3, 5), dt.date(1980, 3, 6), 1),  # one digit
        (dt.date(1980, 1, 1), dt.date(1991, 11, 28), 1),  # 1 January may stand for an unknown day
    ],
)
def test_two_births_are_not_joined_by_a_third_record(one: dt.date, other: dt.date, people: int) -> None:
    found = cluster(_born(one, None, other), _links((0, 1, 30.0), (1, 2, 25.0)), LEVELS, SPECIFICATION.guards)
    assert np.unique(found.labels[Strictness.STRICT]).size == people
    assert [(doubt.guard, doubt.taken) for doubt in found.doubts.each()] == [(Guard.BIRTHS, False)] * (people - 1)


def _cluster_of_three(rulings: Rulings) -> list[int]:
    found = cluster(_born(None, None, None), _links((0, 1, 30.0)), LEVELS, SPECIFICATION.guards, rulings=rulings)
    labels: list[int] = found.labels[Strictness.MEDIUM].tolist()
    return labels


def test_what_a_reviewer_ruled_comes_before_the_model() -> None:
    none = np.empty((0, 2), dtype=np.int64)
    assert _cluster_of_three(Rulings.none()) == [0, 0, 2]
    assert _cluster_of_three(Rulings(np.array([[1, 2]]), none)) == [0, 0, 0]
    assert _cluster_of_three(Rulings(none, np.array([[0, 1]]))) == [0, 1, 2]
    assert _cluster_of_three(Rulings(np.array([[1, 2]]), np.array([[0, 2]]))) == [0, 1, 1]


def test_a_bridge_is_the_one_weak_link_between_two_firm_parts() -> None:
    """Two triangles of 25 bits, and one link of 15 between them; a link of 19 is no weak one."""
    triangles = [(0, 1, 25.0), (0, 2, 25.0), (1, 2, 25.0), (3, 4, 25.0), (3, 5, 25.0), (4, 5, 25.0)]
    labels = np.zeros(6, dtype=np.int64)
    for weight, bridges in ((15.0, [(2, 3)]), (19.0, [])):
        found = weak_bridges(_links(*triangles, (2, 3, weight)), labels, threshold=14.0, weakest=18.0)
        assert list(zip(found.links.left.tolist(), found.links.right.tolist(), strict=True)) == bridges
        assert found.smaller.tolist() == [3] * len(bridges)


def test_two_links_between_two_parts_are_no_bridge() -> None:
    links = _links((0, 1, 25.0), (2, 3, 25.0), (1, 2, 15.0), (0, 3, 15.0))
    assert weak_bridges(links, np.zeros(4, dtype=np.int64), threshold=14.0, weakest=18.0).links.left.size == 0


STAYS = Evidence("prison", "stays", "record_id", {"start": "from_date", "finish": "to_date"})
DAYS = Evidence("pnc", "hearings", "record_id", {"day": "heard_on"}, where="in_person")


def test_nobody_stands_in_court_while_in_prison(tmp_path: Path) -> None:
    """In custody 1 to 31 May. A hearing within is elsewhere; on the first or last day, by video or after it is not."""
    rows = [record(source="prison", record_id="S", surname_std="LEE")]
    rows += [record(source="pnc", record_id=f"H{i}", surname_std="LEE") for i in range(5)]
    prepared = prepare(table_of(rows), SPECIFICATION)
    stays = {"record_id": ["S"], "from_date": [dt.date(2020, 5, 1)], "to_date": [dt.date(2020, 5, 31)]}
    days = [dt.date(2020, 5, day) for day in (1, 10, 31, 10)] + [dt.date(2020, 6, 2)]
    heard = {"record_id": [f"H{i}" for i in range(5)], "heard_on": days, "in_person": [True, True, True, False, True]}
    extracts = {"prison": tmp_path / "prison", "pnc": tmp_path / "pnc"}
    for folder in extracts.values():
        folder.mkdir()
    together = np.zeros(6, dtype=np.int64)
    rule = SameDay(STAYS, DAYS, cut=True)
    assert (
        find_same_day(prepared, together, rule, read_evidence([rule], extracts)).size == 0
    )  # no table of evidence yet
    write_table(pa.table(stays), extracts["prison"] / "stays.parquet")
    write_table(pa.table(heard), extracts["pnc"] / "hearings.parquet")
    pairs = find_same_day(prepared, together, rule, read_evidence([rule], extracts))
    names = prepared["record_id"].to_pylist()
    assert [{names[one], names[other]} for one, other in pairs.tolist()] == [{"S", "H1"}]
    apart = Apart.of(pairs, joining.SAME_DAY)
    links = _links(*((int(one), int(other), 30.0) for one, other in pairs))
    found = cluster(prepared, links, LEVELS, SPECIFICATION.guards, apart=[apart])
    assert [(doubt.guard, doubt.taken) for doubt in found.doubts.each()] == [(Guard.SAME_DAY, False)]


def test_a_pair_that_is_only_doubted_stays_together_and_is_for_review() -> None:
    """Records 0 and 2 meet by way of 1; 0 and 3 do not meet; 0 and 1 are doubted and linked at 30 bits."""
    doubted = Apart.of(np.array([[0, 1], [0, 2], [0, 3]]), joining.SAME_DAY)
    records, links = _born(None, None, None, None), _links((0, 1, 30.0), (1, 2, 25.0))
    found = cluster(records, links, LEVELS, SPECIFICATION.guards, doubted=[doubted])
    assert found.labels[Strictness.STRICT].tolist() == [0, 0, 0, 3]
    listed = [(each.left, each.right, each.weight, each.guard, each.taken) for each in found.doubts.each()]
    assert listed[0] == (0, 1, 30.0, Guard.SAME_DAY, True)
    assert listed[1][:2] == (0, 2)
    assert np.isnan(listed[1][2])  # no link of their own
    assert len(listed) == 2


def test_a_pair_that_a_reviewer_ruled_is_doubted_no_more() -> None:
    doubted = Apart.of(np.array([[0, 1]]), joining.SAME_DAY)
    ruled = Rulings(np.array([[0, 1]]), np.empty((0, 2), dtype=np.int64))
    found = cluster(
        _born(None, None), _links((0, 1, 30.0)), LEVELS, SPECIFICATION.guards, rulings=ruled, doubted=[doubted]
    )
    assert not len(found.doubts)


def test_why_a_model_is_new() -> None:
    kept = {"specification": SPECIFICATION.model_key, "sources": ["pnc", "prison"]}
    assert _why_new(None, SPECIFICATION, ["pnc"], retrain=False) == "the first of this lab"
    assert _why_new(kept, SPECIFICATION, ["pnc"], retrain=False) == ""
    assert _why_new(kept, SPECIFICATION, ["pnc"], retrain=True) == "asked for"
    assert _why_new(kept, SPECIFICATION, ["pnc", "probation"], retrain=False) == "the one before never saw probation"
    other = kept | {"specification": "other"}
    expected = "the rules of linking have changed since the one before"
    assert _why_new(other, SPECIFICATION, ["pnc"], retrain=False) == expected

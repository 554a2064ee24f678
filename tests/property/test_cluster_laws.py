"""Laws of clustering and of person keys, under generated links and histories."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.linkage.clusters import Clustering, Doubt, Guard, Labels, Links, Strictness, cluster, components
from counterfoil.linkage.keys import assign_keys, register_key, register_keys
from counterfoil.linkage.prepare import prepare
from counterfoil.linkage.specification import Guards, load_specification
from lib.links import assert_sound_crosswalk, record, table_of

RECORDS = 12
THRESHOLDS = {Strictness.STRICT: 20.0, Strictness.MEDIUM: 14.0, Strictness.LOOSE: 8.0}
SPECIFICATION = load_specification("justice")
NO_GUARDS = Guards(max_block=100, max_cluster=RECORDS, unique=(), twins_same=("dob",), twins_differ="false")
GUARDS = Guards(max_block=100, max_cluster=4, unique=("pnc_std",), twins_same=("dob",), twins_differ="false")

slow = settings(max_examples=30, deadline=None)  # each example opens databases

link_lists = st.lists(
    st.tuples(st.integers(0, RECORDS - 1), st.integers(0, RECORDS - 1), st.sampled_from([5.0, 9.0, 15.0, 25.0])),
    max_size=25,
)
numbers = st.lists(st.sampled_from([None, "1999/0000001A", "1999/0000002B"]), min_size=RECORDS, max_size=RECORDS)
cluster_labels = st.lists(st.integers(0, 4), min_size=RECORDS, max_size=RECORDS)


def _links(drawn: list[tuple[int, int, float]]) -> Links:
    pairs = {(min(a, b), max(a, b)): weight for a, b, weight in drawn if a != b}
    left, right = (np.array([pair[side] for pair in sorted(pairs)], dtype=np.int64) for side in (0, 1))
    return Links(left, right, np.array([pairs[pair] for pair in sorted(pairs)], dtype=np.float64))


def _records(pncs: list[str | None]) -> pa.Table:
    rows = [record(source="pnc", record_id=f"R{i:02d}", surname_std="SMITH", pnc_std=pnc) for i, pnc in enumerate(pncs)]
    return prepare(table_of(rows), SPECIFICATION)


def _groups(labels: Labels) -> list[set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for number, label in enumerate(labels.tolist()):
        found[label].add(number)
    return list(found.values())


def _slow_components(links: Links) -> set[frozenset[int]]:
    """By repeated merging, to check the quick way against."""
    groups = [{i} for i in range(RECORDS)]
    for left, right in zip(links.left.tolist(), links.right.tolist(), strict=True):
        touched = [group for group in groups if left in group or right in group]
        groups = [group for group in groups if group not in touched] + [set().union(*touched)]
    return {frozenset(group) for group in groups}


@slow
@given(link_lists)
def test_components_are_those_of_repeated_merging(drawn: list[tuple[int, int, float]]) -> None:
    links = _links(drawn)
    labels = components(RECORDS, links)
    assert {frozenset(group) for group in _groups(labels)} == _slow_components(links)
    assert all(label == min(group) for group in _groups(labels) for label in labels[list(group)])


@slow
@given(link_lists, numbers)
def test_strict_lies_within_medium_within_loose_and_guards_hold(
    drawn: list[tuple[int, int, float]], pncs: list[str | None]
) -> None:
    """Links between two records with different numbers are left out here: they alone may bring numbers together."""
    compared = [link for link in drawn if len({pncs[link[0]], pncs[link[1]]} - {None}) < 2]
    found = cluster(_records(pncs), _links(compared), THRESHOLDS, GUARDS)
    for finer, coarser in itertools.pairwise((Strictness.STRICT, Strictness.MEDIUM, Strictness.LOOSE)):
        coarse = _groups(found.labels[coarser])
        assert all(any(fine <= group for group in coarse) for fine in _groups(found.labels[finer]))
    for group in _all_groups(found):
        assert len(group) <= GUARDS.max_cluster
        assert len({pncs[i] for i in group} - {None}) <= 1


@slow
@given(link_lists)
def test_without_a_broken_guard_nothing_is_cut(drawn: list[tuple[int, int, float]]) -> None:
    links = _links(drawn)
    found = cluster(_records([None] * RECORDS), links, THRESHOLDS, NO_GUARDS)
    assert not len(found.doubts)
    for level, limit in THRESHOLDS.items():
        assert found.labels[level].tolist() == components(RECORDS, links.above(limit)).tolist()


def _all_groups(found: Clustering) -> Iterator[set[int]]:
    for labels in found.labels.values():
        yield from _groups(labels)


def test_a_chain_between_two_numbers_is_cut_at_its_weakest_link() -> None:
    """A(number 1) -22- B -16- C -21- D(number 2): all four hang together at 14, and B -16- C is the weakest."""
    pncs = ["1999/0000001A", None, None, "1999/0000002B"] + [None] * (RECORDS - 4)
    links = _links([(0, 1, 22.0), (1, 2, 16.0), (2, 3, 21.0)])
    found = cluster(_records(pncs), links, THRESHOLDS, GUARDS)
    assert found.labels[Strictness.MEDIUM][:4].tolist() == [0, 0, 2, 2]
    assert found.doubts.each() == (Doubt(1, 2, 16.0, Guard.UNIQUE, taken=False),)


def test_a_link_that_counts_the_difference_joins_two_numbers_and_is_for_review() -> None:
    """A(number 1) -16- D(number 2): the pair was compared on its numbers and weighs enough all the same."""
    pncs = ["1999/0000001A", None, None, "1999/0000002B"] + [None] * (RECORDS - 4)
    found = cluster(_records(pncs), _links([(0, 3, 16.0)]), THRESHOLDS, GUARDS)
    assert found.labels[Strictness.MEDIUM][[0, 3]].tolist() == [0, 0]
    assert found.labels[Strictness.STRICT][[0, 3]].tolist() == [0, 3]
    assert found.doubts.each() == (Doubt(0, 3, 16.0, Guard.UNIQUE, taken=True),)


def test_twins_are_kept_apart_even_through_a_third_record() -> None:
    """Two records at one address with one surname and birth date, other forenames; a third could be either's."""
    twin: dict[str, Any] = {"surname_std": "SMITH", "dob": dt.date(1980, 3, 4), "postcode_std": "AB11AA"}
    rows = [
        record(source="pnc", record_id="1", forename1_std="KEVIN", **twin),
        record(source="pnc", record_id="2", forename1_std="ROSS", **twin),
        record(source="pnc", record_id="3", surname_std="SMITH"),
    ]
    prepared = prepare(table_of(rows), SPECIFICATION)
    found = cluster(prepared, _links([(0, 2, 25.0), (1, 2, 24.0)]), THRESHOLDS, SPECIFICATION.guards)
    assert found.labels[Strictness.LOOSE].tolist() == [0, 1, 0]
    assert found.doubts.each() == (Doubt(1, 2, 24.0, Guard.TWINS, taken=False),)


HOME: dict[str, Any] = {"surname_std": "SMITH", "dob": dt.date(1980, 3, 4), "postcode_std": "AB11AA"}


@pytest.mark.parametrize(
    "third",
    [
        {"forename1_std": "KEVIN", "forename_parts": ["KEVIN", "ROSS"]},
        {"forename1_std": "ROSS", "pnc_std": "2001/0000001X"},
    ],
    ids=["one record has both names", "records of both names share a number"],
)
def test_a_second_forename_in_use_is_no_twin(third: dict[str, Any]) -> None:
    """Records 0 and 1 alone would be twins: other forenames, no number in common. Record 2 shows they are one."""
    rows = [
        record(source="pnc", record_id="1", forename1_std="KEVIN", **HOME),
        record(source="pnc", record_id="2", forename1_std="ROSS", **HOME),
        record(source="pnc", record_id="3", **HOME, **third),
        record(source="pnc", record_id="4", forename1_std="KEVIN", pnc_std="2001/0000001X", **HOME),
    ]
    prepared = prepare(table_of(rows), SPECIFICATION)
    links = _links([(0, 1, 25.0), (0, 2, 24.0), (0, 3, 23.0)])
    found = cluster(prepared, links, THRESHOLDS, SPECIFICATION.guards)
    assert found.labels[Strictness.LOOSE].tolist() == [0, 0, 0, 0]


def test_a_short_form_is_no_twin() -> None:
    same: dict[str, Any] = {"surname_std": "SMITH", "dob": dt.date(1980, 3, 4), "postcode_std": "AB11AA"}
    rows = [record(source="pnc", record_id=name, forename1_std=name, **same) for name in ("WILLIAM", "BILL")]
    prepared = prepare(table_of(rows), SPECIFICATION)
    found = cluster(prepared, _links([(0, 1, 25.0)]), THRESHOLDS, SPECIFICATION.guards)
    assert found.labels[Strictness.STRICT].tolist() == [0, 0]


@slow
@given(cluster_labels, cluster_labels, st.sets(st.integers(0, RECORDS - 1)), st.sets(st.integers(0, RECORDS - 1)))
def test_every_old_key_maps(before: list[int], after: list[int], gone: set[int], came: set[int]) -> None:
    """Whatever becomes of the records: no key is lost, none is given twice, and the largest overlap keeps it."""
    names = itertools.count()
    old = _people([i for i in range(RECORDS) if i not in came], before, None, names)
    new = _people([i for i in range(RECORDS) if i not in gone], after, old, names)
    assert_sound_crosswalk(new.crosswalk, set(old.keys.values()), set(new.keys.values()))
    for label in {after[i] for i in new.keys}:
        assert len({key for i, key in new.keys.items() if after[i] == label}) == 1
    assert len(set(new.keys.values())) == len({after[i] for i in new.keys})


@slow
@given(cluster_labels)
def test_the_same_people_keep_their_keys(labels: list[int]) -> None:
    names = itertools.count()
    old = _people(list(range(RECORDS)), labels, None, names)
    new = _people(list(range(RECORDS)), labels, old, names)
    assert new.keys == old.keys
    assert set(new.crosswalk["status"].to_pylist()) == {"kept"}


class _People:
    """Keys of some records, and the crosswalk that came with them."""

    def __init__(self, table: pa.Table, crosswalk: pa.Table) -> None:
        self.table, self.crosswalk = table, crosswalk
        numbers = [int(name[1:]) for name in table["record_id"].to_pylist()]
        self.keys = dict(zip(numbers, table["person_id"].to_pylist(), strict=True))


def _people(present: list[int], labels: list[int], before: _People | None, names: Iterator[int]) -> _People:
    records = pa.table(
        {
            "source": pa.array(["pnc"] * len(present), pa.string()),
            "record_id": pa.array([f"R{i:02d}" for i in present], pa.string()),
        }
    )
    chosen = np.array([labels[i] for i in present], dtype=np.int64)
    found = assign_keys(records, chosen, before.table if before else None, lambda: f"key{next(names):04d}")
    return _People(records.append_column("person_id", found.person_id), found.crosswalk)


@pytest.mark.parametrize(
    ("before", "after", "statuses"),
    [
        ("aaabb", "aaabb", {"kept"}),
        ("aaabb", "aaaaa", {"kept", "merged"}),
        ("aaaaa", "aaabb", {"split"}),
        ("aaabb", "aab..", {"split", "retired"}),
        ("aaa..", "aaabb", {"kept", "new"}),
    ],
)
def test_the_crosswalk_says_what_became_of_a_key(before: str, after: str, statuses: set[str]) -> None:
    """Letters are people, a dot a record that is not there."""
    names = itertools.count()
    old = _people([i for i, c in enumerate(before) if c != "."], [ord(c) for c in before], None, names)
    new = _people([i for i, c in enumerate(after) if c != "."], [ord(c) for c in after], old, names)
    assert set(new.crosswalk["status"].to_pylist()) == statuses


def test_the_largest_part_keeps_the_key() -> None:
    names = itertools.count()
    old = _people([0, 1, 2, 3, 4], [7] * 5, None, names)
    new = _people([0, 1, 2, 3, 4], [1, 1, 2, 2, 2], old, names)
    assert new.keys[2] == old.keys[0]
    assert new.keys[0] != old.keys[0]


def test_register_keys_are_hmac_sha256() -> None:
    """RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?"."""
    assert register_key(b"Jefe", "what do ya want for nothing?") == "5bdcc146bf60754e6a042426089575c7"


def test_register_keys_are_ordered_by_record() -> None:
    people = pa.table({"source": ["b", "a", "a"], "record_id": ["1", "2", "1"], "person_id": ["x", "y", "x"]})
    found = register_keys(people, b"secret").to_pylist()
    assert [(row["source"], row["record_id"]) for row in found] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert found[0]["register_key"] == found[2]["register_key"] == register_key(b"secret", "x")

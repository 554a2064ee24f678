"""What people ruled about links of a share: drawn tables of two departments' records, and how the link must end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage.clusters import Links
from counterfoil.linkage.linked_share import Sides
from counterfoil.linkage.one_to_one import OneToOne
from counterfoil.linkage.overrides import SCHEMA
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.share_rulings import ShareRuled, assign_as_ruled, rulings_of_share

# Records 0 to 3 of the share; X holds two records of the spine, Y and Z one each.
OWN = ("e0", "e1", "e2", "e3")
SPINE = {"p0": "X", "p1": "X", "p2": "Y", "p3": "Z"}
RULE = OneToOne(threshold=8.0, within=3.0)
SAME, APART = "must_link", "must_not_link"
Said = tuple[str, str, str]  # record of the share, record of the spine, decision


def ruled(*said: Said) -> ShareRuled:
    """Rulings as they are kept: sources in order of their names, `education` before `pnc`; one of each kind turned."""
    rows = [
        {"source_l": "education", "record_id_l": own, "source_r": "pnc", "record_id_r": other, "decision": decision}
        for own, other, decision in said
    ]
    blank = {name: "" for name in SCHEMA.names}
    table = pa.Table.from_pylist([{**blank, **row, "entry": str(n)} for n, row in enumerate(rows)], schema=SCHEMA)
    share = pa.table({ID: pa.array(range(4), pa.int64()), "source": ["education"] * 4, "record_id": list(OWN)})
    spine = pa.table({ID: pa.array(range(4, 8), pa.int64()), "source": ["pnc"] * 4, "record_id": list(SPINE)})
    return rulings_of_share(table, Sides(share, spine, pa.array(list(SPINE.values()))))


def links(*pairs: tuple[int, int]) -> Links:
    left, right = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    return Links(left, right, np.full(len(pairs), 12.0))


def among_records(found: ShareRuled, joined: Links) -> tuple[set[tuple[int, ...]], set[tuple[int, ...]]]:
    rulings = found.of_records(4, joined)
    pairs: list[set[tuple[int, ...]]] = [
        {tuple(sorted(pair)) for pair in side.tolist()} for side in (rulings.must_link, rulings.must_not_link)
    ]
    return pairs[0], pairs[1]


def test_records_ruled_one_person_of_the_spine_are_one_of_the_share() -> None:
    """By whichever of the person's records it was ruled; nothing need link them."""
    found = ruled(("e0", "p0", SAME), ("e1", "p1", SAME), ("e2", "p2", SAME))
    assert among_records(found, links()) == ({(0, 1)}, set())


def test_records_ruled_two_people_are_kept_apart_where_links_could_join_them() -> None:
    found = ruled(("e0", "p0", SAME), ("e1", "p2", SAME), ("e2", "p0", APART), ("e3", "p3", APART))
    assert among_records(found, links()) == (set(), set())
    assert among_records(found, links((0, 1), (1, 2), (2, 3))) == (set(), {(0, 1), (0, 2)})
    assert among_records(found, links((0, 3))) == (set(), set())  # apart from Z says nothing of X


@pytest.mark.parametrize(
    ("said", "same", "apart", "contradictions"),
    [
        ([("e0", "p0", SAME), ("e0", "p2", SAME)], {}, {}, 1),
        ([("e0", "p0", SAME), ("e0", "p1", APART)], {}, {0: {"X"}}, 1),
        ([("e0", "p0", SAME), ("e0", "p2", APART)], {0: "X"}, {0: {"Y"}}, 0),
        ([("e0", "p0", SAME), ("e0", "p1", SAME)], {0: "X"}, {}, 0),
    ],
    ids=["two people", "one person both ways", "not the other", "two records of one person"],
)
def test_what_contradicts_itself_only_keeps_apart(
    said: Sequence[Said], same: dict[int, str], apart: dict[int, set[str]], contradictions: int
) -> None:
    found = ruled(*said)
    kept = {record: set(persons) for record, persons in found.apart.items()}
    assert (dict(found.same), kept, found.contradictions) == (same, apart, contradictions)


def test_a_ruling_about_a_record_that_is_gone_waits() -> None:
    found = ruled(("gone", "p0", SAME), ("e0", "gone", APART), ("e1", "p2", SAME))
    assert found.about() == {"must_link": 1, "must_not_link": 0, "of_absent_records": 2, "contradictions": 0}


CASES = {  # weights of pairs of people A, B (records e0, e1; C, D of the others) -> what was ruled -> how each ends
    "ruled one although weak": ([("A", "X", 2.0)], [("e0", "p1", SAME)], {"A": ("X", 2.0, "linked", True)}),
    "ruled one although never compared": ([], [("e0", "p0", SAME)], {"A": ("X", None, "linked", True)}),
    "ruled one of two that tie": (
        [("A", "X", 15.0), ("A", "Y", 14.0)], [("e0", "p2", SAME)], {"A": ("Y", 14.0, "linked", True)},
    ),
    "ruled another than the nearest": (
        [("A", "X", 25.0), ("A", "Y", 9.0)], [("e0", "p2", SAME)], {"A": ("Y", 9.0, "linked", True)},
    ),
    "whoever else is near the person is not": (
        [("A", "X", 9.0), ("B", "X", 25.0)], [("e0", "p0", SAME)],
        {"A": ("X", 9.0, "linked", True), "B": ("X", 25.0, "taken", False)},
    ),
    "ruled apart": ([("A", "X", 25.0)], [("e0", "p0", APART)], {}),
    "ruled apart, and the next is asked about": (
        [("A", "X", 15.0), ("A", "Y", 14.0)], [("e0", "p0", APART)], {"A": ("Y", 14.0, "tied", False)},
    ),
    "ruled apart, and one with the next": (
        [("A", "X", 15.0), ("A", "Y", 14.0)], [("e0", "p0", APART), ("e0", "p2", SAME)],
        {"A": ("Y", 14.0, "linked", True)},
    ),
    "what the model says already": ([("A", "X", 25.0)], [("e0", "p0", SAME)], {"A": ("X", 25.0, "linked", True)}),
    "nothing ruled": (
        [("A", "X", 25.0), ("B", "Y", 7.0)], [],
        {"A": ("X", 25.0, "linked", False), "B": ("Y", 7.0, "weak", False)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_how_people_end_as_was_ruled(case: str) -> None:
    pairs, said, expected = CASES[case]
    types = {"left": pa.string(), "right": pa.string(), "weight": pa.float64()}
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    table = pa.table({name: pa.array(values, types[name]) for name, values in zip(types, columns, strict=True)})
    found = assign_as_ruled(table, RULE, ruled(*said), pa.array(["A", "B", "C", "D"]))
    rows = {row["left"]: (row["right"], row["weight"], row["status"], row["ruled"]) for row in found.to_pylist()}
    assert rows == expected

"""What people ruled about a provider's entries, drawn as a table: how the entry ended, what they said, how it ends."""

from __future__ import annotations

import pyarrow as pa
import pytest

from counterfoil.linkage.entries import RULED, apply_rulings, entry_keys
from counterfoil.linkage.overrides import COHORT, ENTRIES, EVERYWHERE, SCHEMA

SAME, APART = "must_link", "must_not_link"
STRICT = 20.0  # bits
SURE = 1 / (1 + 2.0**-20)
PEOPLE = pa.table({"source": ["pnc"] * 3, "record_id": ["1", "2", "3"], "person_id": ["A", "A", "B"]})  # A has two

# how the model ended the entry, rulings (decision, record), then person, status, evidence
CASES = [
    ("ambiguous", None, [(SAME, "1")], "A", "linked", RULED),
    ("ambiguous", None, [(SAME, "1"), (SAME, "2")], "A", "linked", RULED),  # two records of one person
    ("ambiguous", None, [(SAME, "1"), (APART, "3")], "A", "linked", RULED),
    ("ambiguous", None, [(SAME, "1"), (SAME, "3")], None, "ambiguous", None),  # two people: settles nothing
    ("ambiguous", None, [(APART, "1")], None, "ambiguous", None),  # another is never taken in their place
    ("not_found", None, [(SAME, "3")], "B", "linked", RULED),
    ("not_found", None, [(SAME, "1"), (APART, "2")], None, "not_found", None),  # the same person both ways
    ("linked", "A", [(APART, "2")], None, "not_found", None),
    ("linked", "A", [(APART, "3")], "A", "linked", "model"),
    ("linked", "A", [(SAME, "3")], "B", "linked", RULED),
    ("not_found", None, [(SAME, "gone")], None, "not_found", None),  # a record that is not delivered any more
]


def _overrides(key: str, said: list[tuple[str, str]], scope: str = ENTRIES) -> pa.Table:
    rows = [
        {"source_l": COHORT, "record_id_l": key, "source_r": "pnc", "record_id_r": record, "decision": decision,
         "scope": scope}
        for decision, record in said
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _found(status: str, person: str | None, also: tuple[str, ...] = ()) -> pa.Table:
    """Two entries that ended alike; the second is nobody's ruling."""
    linked = person is not None
    row: dict[str, object] = {"record_id": "x", "person_id": person, "link_status": status, "match_weight": 9.0}
    row |= {"link_probability": 0.9 if linked else None, "evidence": "model" if linked else None}
    row |= {"also": list(also)}
    schema = pa.schema(
        [("row", pa.int64()), *((name, pa.string()) for name in ("record_id", "person_id", "link_status")),
         ("match_weight", pa.float64()), ("link_probability", pa.float64()), ("evidence", pa.string()),
         ("also", pa.list_(pa.string()))]
    )  # fmt: skip
    return pa.Table.from_pylist([{"row": 0, **row}, {"row": 1, **row}], schema=schema)


@pytest.mark.parametrize(("status", "person", "said", "then", "ends", "evidence"), CASES)
def test_an_entry_ends_as_people_ruled(
    status: str, person: str | None, said: list[tuple[str, str]], then: str | None, ends: str, evidence: str | None
) -> None:
    found = _found(status, person)
    ruled = apply_rulings(found, pa.array(["k", "other"]), _overrides("k", said), PEOPLE, strict=STRICT)
    assert ruled.schema == found.schema
    assert ruled.slice(1).to_pylist() == found.slice(1).to_pylist()
    row = ruled.to_pylist()[0]
    assert (row["person_id"], row["link_status"], row["evidence"]) == (then, ends, evidence)
    expected = SURE if evidence == RULED else 0.9 if then else None
    assert row["link_probability"] == (None if expected is None else pytest.approx(expected, abs=1e-12))


@pytest.mark.parametrize(
    ("said", "person", "also"),
    [
        ([(APART, "3")], "A", []),  # B is not the entry, so B's cluster is not theirs
        ([(APART, "1")], None, []),  # nor is it taken in A's place
        ([(SAME, "1")], "A", []),  # A is, and nothing was said of B
        ([(SAME, "gone")], "A", ["B"]),
    ],
)
def test_further_clusters_of_the_person_follow_the_rulings(
    said: list[tuple[str, str]], person: str | None, also: list[str]
) -> None:
    found = _found("linked", "A", ("B",))
    ruled = apply_rulings(found, pa.array(["k", "other"]), _overrides("k", said), PEOPLE, strict=STRICT).to_pylist()
    assert (ruled[0]["person_id"], ruled[0]["also"]) == (person, also)
    assert ruled[1]["also"] == ["B"]


def test_rulings_about_records_of_the_spine_are_no_rulings_about_entries() -> None:
    found = _found("not_found", None)
    other = _overrides("k", [(SAME, "1")], scope=EVERYWHERE)
    assert apply_rulings(found, pa.array(["k", "other"]), other, PEOPLE, strict=STRICT).equals(found)


def test_an_entry_is_named_by_what_it_says_and_by_the_labs_secret() -> None:
    entries = pa.table({"surname": ["Khan", "Khan", "Kahn"], "forename1": ["Ali", "Ali", "Ali"], "row": [2, 9, 10]})
    one, again, other = entry_keys(entries, b"secret").to_pylist()
    assert one == again != other
    assert entry_keys(entries, b"another").to_pylist()[0] != one

"""One to one with declared ties: who is linked when several come near. Threshold 8 bits, within 3."""

from __future__ import annotations

import pyarrow as pa
import pytest

from counterfoil.linkage.one_to_one import OneToOne, assign

RULE = OneToOne(threshold=8.0, within=3.0)
CASES = {
    "alone": ([("a", "x", 8.0)], {"a": ("x", "linked")}),
    "just below": ([("a", "x", 7.99)], {"a": ("x", "weak")}),
    "two of the right within 3": ([("a", "x", 15.0), ("a", "y", 12.5)], {"a": ("x", "tied")}),
    "two of the right, 3 apart": ([("a", "x", 15.0), ("a", "y", 12.0)], {"a": ("x", "linked")}),
    "a rival below the threshold is a rival": ([("a", "x", 9.0), ("a", "y", 7.0)], {"a": ("x", "tied")}),
    "two of the left within 3": (
        [("a", "x", 15.0), ("b", "x", 14.0)],
        {"a": ("x", "tied"), "b": ("x", "tied")},
    ),
    "two of the left, far apart": (
        [("a", "x", 20.0), ("b", "x", 10.0)],
        {"a": ("x", "linked"), "b": ("x", "taken")},
    ),
    "equal": ([("a", "x", 15.0), ("b", "x", 15.0)], {"a": ("x", "tied"), "b": ("x", "tied")}),
    "two pairs that are apart": (
        [("a", "x", 20.0), ("a", "y", 9.0), ("b", "y", 21.0), ("b", "x", 10.0)],
        {"a": ("x", "linked"), "b": ("y", "linked")},
    ),
    "nobody": ([], {}),
}


@pytest.mark.parametrize("case", CASES)
def test_who_is_linked(case: str) -> None:
    pairs, expected = CASES[case]
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    types = (pa.string(), pa.string(), pa.float64())
    table = pa.table({n: pa.array(v, t) for n, v, t in zip(("left", "right", "weight"), columns, types, strict=True)})
    found = assign(table, RULE)
    assert {row["left"]: (row["right"], row["status"]) for row in found.to_pylist()} == expected

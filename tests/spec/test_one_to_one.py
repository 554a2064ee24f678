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


APART = {  # the same with pairs that people ruled apart: none is given, and none is no rival any more
    "the only one": ([("a", "x", 20.0, True)], {}),
    "the best of two that are close": ([("a", "x", 15.0, True), ("a", "y", 13.0, False)], {"a": ("y", "tied")}),
    "the second of two that are close": ([("a", "x", 15.0, False), ("a", "y", 13.0, True)], {"a": ("x", "tied")}),
    "much nearer than the next": ([("a", "x", 25.0, True), ("a", "y", 10.0, False)], {"a": ("y", "tied")}),
    "much farther than the best": ([("a", "x", 25.0, False), ("a", "y", 10.0, True)], {"a": ("x", "linked")}),
    "the person is not free for another": (
        [("a", "x", 20.0, True), ("b", "x", 10.0, False)],
        {"b": ("x", "tied")},
    ),
    "another is nearer still": (
        [("a", "x", 20.0, False), ("b", "x", 10.0, True), ("b", "y", 9.0, False)],
        {"a": ("x", "linked"), "b": ("y", "tied")},
    ),
    "the next is weak": ([("a", "x", 20.0, True), ("a", "y", 5.0, False)], {"a": ("y", "weak")}),
}


@pytest.mark.parametrize("case", APART)
def test_what_was_ruled_apart_is_never_given_nor_replaced_by_a_guess(case: str) -> None:
    pairs, expected = APART[case]
    columns = zip(*pairs, strict=True)
    types = (pa.string(), pa.string(), pa.float64(), pa.bool_())
    names = ("left", "right", "weight", "apart")
    found = assign(pa.table({n: pa.array(v, t) for n, v, t in zip(names, columns, types, strict=True)}), RULE)
    assert {row["left"]: (row["right"], row["status"]) for row in found.to_pylist()} == expected


@pytest.mark.parametrize("case", CASES)
def test_who_is_linked(case: str) -> None:
    pairs, expected = CASES[case]
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    types = (pa.string(), pa.string(), pa.float64())
    table = pa.table({n: pa.array(v, t) for n, v, t in zip(("left", "right", "weight"), columns, types, strict=True)})
    found = assign(table, RULE)
    assert {row["left"]: (row["right"], row["status"]) for row in found.to_pylist()} == expected

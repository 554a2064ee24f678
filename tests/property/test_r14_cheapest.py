"""Is there a cheaper safe pattern than ours, and is any of ours unsafe? Asked of a program that shares no code (R14).

`COUNTERFOIL_PATTERN_TABLES=100` asks of as many tables; a few are usual.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from benchmarks.cheapest_pattern import Places, draw_table, find_cheapest
from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.disclosure.intruder import CountTable, Withheld, find_unsafe, publish_table, repair, truth_of
from counterfoil.disclosure.intruder.tables import TOTAL, label_of

pytestmark = pytest.mark.slow
TABLES = int(os.environ.get("COUNTERFOIL_PATTERN_TABLES", "12"))


@pytest.mark.parametrize("seed", range(TABLES))
def test_r14_no_cheaper_pattern_is_safe_and_ours_is(seed: int) -> None:
    counts = draw_table(seed)
    rows, columns = counts.shape
    table = CountTable("t", {(f"r{i}", f"c{j}"): int(counts[i, j]) for i in range(rows) for j in range(columns)})
    start = publish_table(table, find_unsafe(table, DEFAULT_SETTINGS), DEFAULT_SETTINGS)
    costs = {label_of(place): table.value(place) for place in table.places()}
    ours = repair(start, truth_of(table), costs)
    best = find_cheapest(counts)
    assert best.proved
    assert ours.audit.passed is (best.hidden is not None)
    if not ours.audit.passed:
        return
    assert sum(costs[label] for label in ours.partners) == best.cost
    hidden = {one.label for one in ours.publication.statements if isinstance(one, Withheld)}
    names = [(f"r{i}" if i >= 0 else TOTAL, f"c{j}" if j >= 0 else TOTAL) for i, j in Places.of(counts).names]
    pattern = [at for at, place in zip(Places.of(counts).names, names, strict=True) if label_of(place) in hidden]
    assert find_cheapest(counts, pattern=pattern).hidden == frozenset(pattern)


@pytest.mark.parametrize(
    ("pattern", "safe"),
    [
        ([(0, 0)], False),
        ([(0, 0), (0, 1)], False),
        ([(0, 0), (0, 1), (1, 0), (1, 1)], True),
        ([(0, 0), (0, 1), (2, 0), (2, 1)], True),
    ],
)
def test_r14_the_other_program_knows_the_examples_of_r13(pattern: list[tuple[int, int]], *, safe: bool) -> None:
    counts = np.array([[3, 40, 57], [28, 35, 61], [52, 44, 70]])
    assert (find_cheapest(counts, pattern=pattern).hidden is not None) is safe

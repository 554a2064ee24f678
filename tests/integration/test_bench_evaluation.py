"""The matching that `make bench-evaluation` times gives the stored pairs, and its check can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.bench_evaluation import check_pairs, match_counterfoil
from benchmarks.matching_data import CASES, PAIRS
from counterfoil.comparison.values import Pairs

CROWDED = len(CASES) - 1


def test_the_crowded_pairs_are_the_stored_ones_and_others_are_refused() -> None:
    pairs = match_counterfoil(CROWDED)()
    assert isinstance(pairs, Pairs)
    swapped = replace(pairs, comparison=pairs.comparison[::-1])
    with pytest.raises(SystemExit, match="not the stored ones"):
        check_pairs(swapped, CASES[CROWDED].name)


def test_every_case_has_stored_pairs() -> None:
    assert set(PAIRS) == {case.name for case in CASES}

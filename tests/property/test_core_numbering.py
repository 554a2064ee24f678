"""Numbers of keys in order of first appearance, against Python's dictionary, which keeps that order too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.linkage.core.numbering import numbered
from counterfoil.linkage.core.reader import combine

KEYS = st.one_of(st.integers(0, 5), st.integers(-(2**63), 2**63 - 1))


@given(st.lists(KEYS, max_size=60))
def test_keys_are_numbered_as_they_come(keys: list[int]) -> None:
    numbers, first = numbered(np.array(keys, np.int64))
    known = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    assert numbers.tolist() == [known[key] for key in keys]
    assert first.tolist() == [keys.index(key) for key in known]


@pytest.mark.parametrize("step", [1, 2**20, 2**44])
def test_keys_at_even_distances_do_not_crowd(step: int) -> None:
    """A search that walked past every key before would take 10**10 steps."""
    numbers, _ = numbered(np.arange(100_000, dtype=np.int64) * step)
    assert np.array_equal(numbers, np.arange(100_000))


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=60), st.sampled_from([4, 2**31 - 1]))
def test_combinations_are_numbered_as_they_come(rows: list[tuple[int, int, int]], size: int) -> None:
    """With sizes whose product is beyond 62 bits, too."""
    codes = [np.array(column, np.int32) for column in zip(*rows, strict=True)]
    numbers, first = combine(codes, [size] * 3)
    known = {row: number for number, row in enumerate(dict.fromkeys(rows))}
    assert numbers.tolist() == [known[row] for row in rows]
    assert first.tolist() == [rows.index(row) for row in known]

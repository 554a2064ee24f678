"""Sorting of hashes: the order of numpy's stable sort, whatever the hashes are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.linkage.core.sorting import sort_with

_WORDS = st.one_of(
    st.integers(0, 2**64 - 1),
    st.integers(0, 20),  # equal in the bits that the passes read
    st.sampled_from([0, 2**31, 2**32, 2**53 + 1, 2**63, 2**64 - 1]),
)


@settings(deadline=None)  # the first call may compile
@given(st.lists(_WORDS, max_size=200))
def test_hashes_are_sorted_and_equal_ones_keep_their_order(values: list[int]) -> None:
    hashes = np.array(values, dtype=np.uint64)
    wanted = np.argsort(hashes, kind="stable")
    found, rows = hashes.copy(), np.arange(hashes.size, dtype=np.int32)
    sort_with(found, rows)
    assert np.array_equal(rows, wanted)
    assert np.array_equal(found, hashes[wanted])


def test_many_hashes() -> None:
    draw = np.random.default_rng(5)
    hashes = draw.choice(draw.integers(0, 2**64, 50_000, dtype=np.uint64), 200_000)  # most come several times
    wanted = np.argsort(hashes, kind="stable")
    rows = np.arange(hashes.size, dtype=np.int32)
    sort_with(hashes, rows)
    assert np.array_equal(rows, wanted)

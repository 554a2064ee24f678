"""Whole numbers of any size as numbers from 0 on, in order of first appearance."""

from __future__ import annotations

import numpy as np

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.layout import Ints, Longs


@compiled
def numbered(keys: Longs) -> tuple[Ints, Ints]:
    """For each key its number, and for each number the place where its key stands first. By open addressing."""
    size = 16
    while size < 2 * keys.size:
        size *= 2
    mask = np.uint64(size - 1)
    slots = np.full(size, -1, np.int32)
    numbers = np.empty(keys.size, np.int32)
    first = np.empty(keys.size, np.int32)
    made = 0
    for i in range(keys.size):
        at = _scattered(keys[i]) & mask
        while slots[at] >= 0 and keys[first[slots[at]]] != keys[i]:
            at = (at + np.uint64(1)) & mask
        if slots[at] < 0:
            slots[at] = made
            first[made] = i
            made += 1
        numbers[i] = slots[at]
    return numbers, first[:made].copy()


@compiled
def _scattered(key: int) -> np.uint64:
    """Keys side by side, or apart by a power of two, end far from each other."""
    mixed = np.uint64(key)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return mixed ^ (mixed >> np.uint64(32))

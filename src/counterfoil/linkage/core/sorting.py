"""Order of 64-bit hashes: by their high bits in three passes, and the few that those leave in disorder one by one."""

from __future__ import annotations

import numpy as np

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.hashing import Hashes
from counterfoil.linkage.core.layout import Ints

_DIGIT = 11  # bits of a pass: as many counters as stay in the nearest cache
_PASSES = 3


@compiled
def sort_with(hashes: Hashes, rows: Ints) -> None:
    """Sort hashes, and what belongs to each, in place; equal ones keep their order. Linear time for hashes."""
    other_hashes, other_rows = np.empty_like(hashes), np.empty_like(rows)
    for number in range(_PASSES):
        shift = np.uint64(64 - _DIGIT * (_PASSES - number))
        low = np.uint64((1 << _DIGIT) - 1)
        place = np.zeros((1 << _DIGIT) + 1, np.int64)
        for i in range(hashes.size):
            place[np.int64((hashes[i] >> shift) & low) + 1] += 1
        for k in range(1 << _DIGIT):
            place[k + 1] += place[k]
        for i in range(hashes.size):
            digit = np.int64((hashes[i] >> shift) & low)
            other_hashes[place[digit]] = hashes[i]
            other_rows[place[digit]] = rows[i]
            place[digit] += 1
        hashes[:] = other_hashes
        rows[:] = other_rows
    for i in range(1, hashes.size):
        hash_, row, at = hashes[i], rows[i], i
        while at > 0 and hashes[at - 1] > hash_:
            hashes[at], rows[at] = hashes[at - 1], rows[at - 1]
            at -= 1
        hashes[at], rows[at] = hash_, row

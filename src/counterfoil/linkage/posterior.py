"""How likely each candidate is to be who an entry is, given all of the entry's candidates, "none of them" included.

A match weight, prior included, is the log odds (base 2) of one pair by itself. An entry is one person at most, so its
candidates rule each other out: the odds of each stand against those of all the others and of nobody, whose odds are 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def posterior(entry: IntArray, weight: FloatArray) -> FloatArray:
    """The probability (0-1) of each candidate. `entry`: whose candidate, rising; `weight`: bits, prior included.

    What is missing to 1 within an entry is the probability that it is none of them. Each person is one candidate of an
    entry at most.
    """
    if entry.size == 0:
        return np.empty(0)
    _, first, of = np.unique(entry, return_index=True, return_inverse=True)
    highest = np.maximum(np.maximum.reduceat(weight, first), 0.0)  # so that no power overflows; nobody weighs 0 bits
    odds = np.exp2(weight - highest[of])
    total = np.exp2(-highest) + np.add.reduceat(odds, first)
    return np.asarray(odds / total[of], dtype=np.float64)

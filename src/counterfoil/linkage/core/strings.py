"""Small facts about texts that lie one after the other in one array of bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.layout import Bytes, Longs

Letters = npt.NDArray[np.uint64]
WIDE = np.uint64(0xFFFFFFFFFFFFFFFF)  # letters of a text with characters of several bytes


@compiled
def letters_of(text: Bytes, start: Longs) -> Letters:
    """For each text one bit for each byte, modulo 64, that occurs in it; `WIDE` when not all are ASCII."""
    found = np.zeros(start.size - 1, dtype=np.uint64)
    for i in range(found.size):
        mask = np.uint64(0)
        wide = False
        for at in range(start[i], start[i + 1]):
            mask |= np.uint64(1) << np.uint64(text[at] & 63)
            wide |= text[at] >= 128
        found[i] = WIDE if wide else mask
    return found


@compiled
def hash_of(text: Bytes, low: int, high: int) -> np.uint64:
    """A 64-bit hash of some bytes (FNV-1a)."""
    found = np.uint64(0xCBF29CE484222325)
    for at in range(low, high):
        found = (found ^ np.uint64(text[at])) * np.uint64(0x100000001B3)
    return found ^ (found >> np.uint64(29))


@compiled
def slots_of(text: Bytes, start: Longs) -> npt.NDArray[np.int32]:
    """A hash table of texts by open addressing: number of the text in each slot, or -1."""
    size = 16
    while size < 2 * start.size:
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    mask = np.uint64(size - 1)
    for i in range(start.size - 1):
        at = hash_of(text, start[i], start[i + 1]) & mask
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = i
    return slots


@compiled
def find_text(slots: npt.NDArray[np.int32], text: Bytes, start: Longs, wanted: Bytes, low: int, high: int) -> int:
    """The number of the text that is bytes `low` to `high` of `wanted`, or -1."""
    mask = np.uint64(slots.size - 1)
    at = hash_of(wanted, low, high) & mask
    while slots[at] >= 0:
        i = slots[at]
        if start[i + 1] - start[i] == high - low:
            same = True
            for k in range(high - low):
                if text[start[i] + k] != wanted[low + k]:
                    same = False
                    break
            if same:
                return int(i)
        at = (at + np.uint64(1)) & mask
    return -1


@compiled
def find_texts(slots: npt.NDArray[np.int32], text: Bytes, start: Longs, wanted: Bytes, wanted_start: Longs) -> Longs:
    """`find_text` of many."""
    found = np.empty(wanted_start.size - 1, dtype=np.int64)
    for i in range(found.size):
        found[i] = find_text(slots, text, start, wanted, wanted_start[i], wanted_start[i + 1])
    return found

"""64-bit hashes of keys, texts and lists, and how they are looked up in sorted arrays and hash tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.encode import text_buffers
from counterfoil.linkage.core.layout import Bytes, Flags, Ints, Longs
from counterfoil.linkage.core.strings import hash_of

Hashes = npt.NDArray[np.uint64]


def hashed_texts(texts: pa.Array) -> tuple[Hashes, Flags]:
    """The hash of each text, and whether it is one."""
    held = texts.is_valid().to_numpy(zero_copy_only=False) if texts.null_count else np.ones(len(texts), np.bool_)
    return hashes_of(*text_buffers(texts.fill_null("") if texts.null_count else texts)), held


@compiled
def hashes_of(text: Bytes, start: Longs) -> Hashes:
    """A 64-bit hash of each text."""
    found = np.empty(start.size - 1, np.uint64)
    for i in range(found.size):
        found[i] = hash_of(text, start[i], start[i + 1])
    return found


@compiled
def mix_in(totals: Hashes, whole: Flags, hashes: Hashes, held: Flags) -> None:
    """Add the hash of one part to each key; a key with a part that is null is none."""
    for i in range(totals.size):
        whole[i] = whole[i] and held[i]
        total = (totals[i] ^ hashes[i]) * np.uint64(0x9E3779B97F4A7C15)
        totals[i] = total ^ (total >> np.uint64(29))


@compiled
def mixed_out(totals: Hashes) -> None:
    """Make the keys' hashes of what `mix_in` left of all their parts."""
    for i in range(totals.size):
        total = totals[i] * np.uint64(0xD6E8FEB86659FD93)
        totals[i] = total ^ (total >> np.uint64(32))


@compiled
def mixed(hashes: Hashes, held: Flags) -> tuple[Hashes, Flags]:
    """The hash of each key of the hashes (parts, keys) of its parts; a key with a part that is null is none."""
    keys = np.zeros(hashes.shape[1], np.uint64)
    whole = np.ones(hashes.shape[1], np.bool_)
    for part in range(hashes.shape[0]):
        mix_in(keys, whole, hashes[part], held[part])
    mixed_out(keys)
    return keys, whole


@compiled
def ranges_of(keys: Hashes, wanted: Hashes, held: Flags) -> tuple[Longs, Longs]:
    """Where each wanted key begins and ends among sorted ones; nowhere for what is not held."""
    low = np.zeros(wanted.size, np.int64)
    high = np.zeros(wanted.size, np.int64)
    for i in range(wanted.size):
        if held[i]:
            low[i] = np.searchsorted(keys, wanted[i], "left")
            end = low[i]
            while end < keys.size and keys[end] == wanted[i]:
                end += 1
            high[i] = end
    return low, high


@compiled
def _list_hash(lists: Ints, low: int, high: int) -> np.uint64:
    found = np.uint64(0xCBF29CE484222325)
    for at in range(low, high):
        found = (found ^ np.uint64(np.uint32(lists[at]))) * np.uint64(0x100000001B3)
    return found ^ (found >> np.uint64(29))


@compiled
def list_slots_of(lists: Ints, start: Longs) -> Ints:
    """A hash table of lists by open addressing: number of the first list of its kind in each slot, or -1."""
    size = 16
    while size < 2 * start.size:
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    mask = np.uint64(size - 1)
    for i in range(start.size - 1):
        at = _list_hash(lists, start[i], start[i + 1]) & mask
        while slots[at] >= 0 and not _same_list(lists, start, slots[at], lists, start[i], start[i + 1]):
            at = (at + np.uint64(1)) & mask
        if slots[at] < 0:
            slots[at] = i
    return slots


@compiled
def _same_list(lists: Ints, start: Longs, i: int, wanted: Ints, low: int, high: int) -> bool:
    if start[i + 1] - start[i] != high - low:
        return False
    for k in range(high - low):  # noqa: SIM110 - compiled
        if lists[start[i] + k] != wanted[low + k]:
            return False
    return True


@compiled
def find_lists(slots: Ints, lists: Ints, start: Longs, wanted: Ints, wanted_start: Longs) -> Longs:
    """The number of each list that is in the hash table, or -1."""
    found = np.full(wanted_start.size - 1, -1, dtype=np.int64)
    mask = np.uint64(slots.size - 1)
    for n in range(found.size):
        low, high = wanted_start[n], wanted_start[n + 1]
        at = _list_hash(wanted, low, high) & mask
        while slots[at] >= 0:
            if _same_list(lists, start, slots[at], wanted, low, high):
                found[n] = slots[at]
                break
            at = (at + np.uint64(1)) & mask
    return found

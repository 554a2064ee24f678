"""Records in the order of a blocking rule, and which places of that order each is compared with. No pair is stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.encode import Encoded
from counterfoil.linkage.core.layout import MISSING, Flags, Ints, Longs


@dataclass(frozen=True, slots=True)
class Block:
    """One rule's order. Place p of the left order is compared with places low[p] to high[p] of the right.

    Where both sides of the rule are the same expressions the orders are one, and each pair comes once; else the right
    record of a pair must have the greater number.
    """

    rule: int
    left: Ints  # record numbers
    right: Ints
    low: Longs
    high: Longs
    one_order: bool

    @property
    def pairs(self) -> int:
        """Pairs of places; other rules may have made some of them, and some may be of one group."""
        return int((self.high - self.low).sum())

    @property
    def largest(self) -> int:
        """Most places that one record is compared with, and itself."""
        return int((self.high - self.low).max()) + 1 if len(self.low) else 0


def block(encoded: Encoded, rule: int, fresh: Flags | None = None) -> Block:
    """The order of one rule. With `fresh`, only pairs of which one record is fresh at least."""
    left_keys, right_keys = encoded.left_keys[rule], encoded.right_keys[rule]
    if left_keys is right_keys or encoded.left_keys is encoded.right_keys:
        return _within(left_keys, rule, fresh)
    if np.array_equal(left_keys, right_keys):
        return _within(left_keys, rule, fresh)
    return _across(left_keys, right_keys, rule, fresh)


def _within(keys: Ints, rule: int, fresh: Flags | None) -> Block:
    if fresh is not None:
        (keys,) = _with_fresh(fresh, keys)
    order, start = by_key(keys)
    if fresh is not None:
        order = fresh_first(order, start, fresh)
    low, high = ranges_within(order, start, fresh if fresh is not None else np.ones(0, np.bool_))
    return Block(rule, order, order, low, high, one_order=True)


def _across(left_keys: Ints, right_keys: Ints, rule: int, fresh: Flags | None) -> Block:
    """With `fresh`, a record that is not is compared with the fresh ones of its key, which come first."""
    if fresh is not None:
        left_keys, right_keys = _with_fresh(fresh, left_keys, right_keys)
    count = int(max(left_keys.max(initial=-1), right_keys.max(initial=-1))) + 1
    left, _ = by_key(left_keys)
    right, start = by_key(right_keys, count)
    keys = left_keys[left]
    high = start[keys + 1]
    if fresh is not None:
        right = fresh_first(right, start, fresh)
        held = right_keys[fresh & (right_keys >= 0)]
        first = start[:-1] + np.bincount(held, minlength=count)
        high = np.where(fresh[left], high, first[keys])
    return Block(rule, left, right, start[keys], high, one_order=False)


def _with_fresh(fresh: Flags, *sides: Ints) -> tuple[Ints, ...]:
    """The keys that a fresh record holds on one of the sides; `MISSING` in place of the others, which make no pair."""
    held = np.zeros(max(int(keys.max(initial=-1)) for keys in sides) + 2, np.bool_)  # the last is that of `MISSING`
    for keys in sides:
        held[keys[fresh]] = True
    held[MISSING] = False
    return tuple(np.where(held[keys], keys, MISSING).astype(np.int32) for keys in sides)


def by_key(keys: Ints, count: int = -1) -> tuple[Ints, Longs]:
    """Numbers of the records that have a key, ordered by it and then by number; where each key begins (count + 1)."""
    return _by_key(keys, int(keys.max(initial=-1)) + 1 if count < 0 else count)


@compiled
def _by_key(keys: Ints, count: int) -> tuple[Ints, Longs]:
    start = np.zeros(count + 1, dtype=np.int64)
    for key in keys:
        if key >= 0:
            start[key + 1] += 1
    for key in range(count):
        start[key + 1] += start[key]
    order = np.empty(start[count], dtype=np.int32)
    place = start[:count].copy()
    for record in range(keys.size):
        key = keys[record]
        if key >= 0:
            order[place[key]] = record
            place[key] += 1
    return order, start


@compiled
def fresh_first(order: Ints, start: Longs, fresh: Flags) -> Ints:
    """Within each block the fresh records first, each part in order of its numbers."""
    sorted_ = np.empty_like(order)
    for key in range(start.size - 1):
        at = start[key]
        for wanted in (True, False):
            for place in range(start[key], start[key + 1]):
                if fresh[order[place]] == wanted:
                    sorted_[at] = order[place]
                    at += 1
    return sorted_


@compiled
def ranges_within(order: Ints, start: Longs, fresh: Flags) -> tuple[Longs, Longs]:
    """For each place the later places of its block; none for a record that is not fresh, when `fresh` is given."""
    low = np.empty(order.size, dtype=np.int64)
    high = np.empty(order.size, dtype=np.int64)
    for key in range(start.size - 1):
        for place in range(start[key], start[key + 1]):
            low[place] = place + 1
            counts = fresh.size == 0 or fresh[order[place]]
            high[place] = start[key + 1] if counts else place + 1
    return low, high

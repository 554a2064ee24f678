"""The order of a table by a rule's key, from the order of an earlier table and that of the records it did not have.

A key's hash follows from the record alone, so the answer is that of hashing and sorting all records, to the last byte.
"""

from __future__ import annotations

import numpy as np

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.hashing import Hashes
from counterfoil.linkage.core.key_order import Order, RuleOrder
from counterfoil.linkage.core.layout import Ints, Longs


def grown(old: RuleOrder, now: Longs, more: RuleOrder) -> RuleOrder:
    """Both sides of a rule. `now`: for each earlier record its number, -1 for one that is gone or changed; it rises
    with the earlier number. `more`: the order of all other records, by the numbers that they have now."""
    left = _grown(old.left, now, more.left)
    return RuleOrder(left, left if old.is_one and more.is_one else _grown(old.right, now, more.right))


def _grown(old: Order, now: Longs, more: Order) -> Order:
    return Order(*merged(old.hashes, old.records, now, more.hashes, more.records))


@compiled
def merged(hashes: Hashes, records: Ints, now: Longs, more: Hashes, more_records: Ints) -> tuple[Hashes, Ints]:
    """Two orders as one, by hash and then by number; of the first those records that there are now."""
    size = more.size
    for i in range(records.size):
        size += now[records[i]] >= 0
    found, whose = np.empty(size, np.uint64), np.empty(size, np.int32)
    at, j = 0, 0
    for i in range(records.size):
        record = now[records[i]]
        if record < 0:
            continue
        while j < more.size and (more[j] < hashes[i] or (more[j] == hashes[i] and more_records[j] < record)):
            found[at], whose[at] = more[j], more_records[j]
            at += 1
            j += 1
        found[at], whose[at] = hashes[i], record
        at += 1
    while j < more.size:
        found[at], whose[at] = more[j], more_records[j]
        at += 1
        j += 1
    return found, whose

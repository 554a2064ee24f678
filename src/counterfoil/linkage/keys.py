"""Person keys: random, given once, kept across rebuilds; and register keys, which is what the analyst sees of them."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pyarrow as pa

from counterfoil.linkage.clusters import Labels
from counterfoil.warehouse import query

REGISTER_KEY_LENGTH = 32  # hex characters: 128 bits

NewKey = Callable[[], str]


class Fate(Enum):
    """What became of a person key of the spine before."""

    KEPT = "kept"
    MERGED = "merged"  # its records are now another key's
    SPLIT = "split"  # its records are now of several people
    NEW = "new"
    RETIRED = "retired"  # none of its records is delivered any more


@dataclass(frozen=True, slots=True)
class Keys:
    """`person_id` of each record, in their order; `crosswalk`: old_person_id, person_id, status."""

    person_id: pa.Array
    crosswalk: pa.Table


_CROSSWALK = pa.schema([("old_person_id", pa.string()), ("person_id", pa.string()), ("status", pa.string())])


def register_key(secret: bytes, person_id: str) -> str:
    """HMAC-SHA-256 of a person key under the linker's secret: the same in every spine, and not to be led back."""
    return hmac.digest(secret, person_id.encode(), "sha256").hex()[:REGISTER_KEY_LENGTH]


def register_keys(people: pa.Table, secret: bytes) -> pa.Table:
    """source, record_id, register_key for each record, ordered by the first two."""
    encoded = people.column("person_id").combine_chunks().dictionary_encode()
    keys = pa.array([register_key(secret, person) for person in encoded.dictionary.to_pylist()], pa.string())
    table = people.select(["source", "record_id"]).append_column("register_key", keys.take(encoded.indices))
    return table.sort_by([("source", "ascending"), ("record_id", "ascending")])


def assign_keys(records: pa.Table, labels: Labels, previous: pa.Table | None, new_key: NewKey) -> Keys:
    """Give each cluster the old key that most of its records had, where no other cluster has more of that key's.

    `records` has source and record_id; `previous` those and person_id, of the spine before. Ties go to the lesser key,
    then to the cluster of the lesser record number.
    """
    overlaps = _overlaps(records, labels, previous)
    kept = _largest_overlaps(overlaps)
    people = {label: kept.get(label) or new_key() for label in np.unique(labels).tolist()}
    person_id = pa.array([people[label] for label in labels.tolist()], pa.string())
    return Keys(person_id, _crosswalk(overlaps, people, previous))


def _overlaps(records: pa.Table, labels: Labels, previous: pa.Table | None) -> list[tuple[int, str]]:
    """(cluster, old key) of every pair that shares records, most shared first."""
    if previous is None:
        return []
    now = records.select(["source", "record_id"]).append_column("label", pa.array(labels))
    sql = """SELECT label, person_id FROM now JOIN previous USING (source, record_id)
             GROUP BY ALL ORDER BY count(*) DESC, person_id, label"""
    shared = query(sql, {"now": now, "previous": previous.select(["source", "record_id", "person_id"])})
    return list(zip(shared["label"].to_pylist(), shared["person_id"].to_pylist(), strict=True))


def _largest_overlaps(overlaps: list[tuple[int, str]]) -> dict[int, str]:
    kept: dict[int, str] = {}
    used: set[str] = set()
    for label, old in overlaps:
        if label not in kept and old not in used:
            kept[label] = old
            used.add(old)
    return kept


def _crosswalk(overlaps: list[tuple[int, str]], people: dict[int, str], previous: pa.Table | None) -> pa.Table:
    """Every old key maps: to each person that now has a record of it, or to none when it is retired."""
    places: dict[str, list[str]] = {}
    for label, old in overlaps:
        places.setdefault(old, []).append(people[label])
    reached = {label for label, _ in overlaps}
    rows: list[tuple[str | None, str | None, Fate]] = [
        (old, now, _fate(old, now, len(found))) for old, found in places.items() for now in found
    ]
    rows += [(None, person, Fate.NEW) for label, person in people.items() if label not in reached]
    old_keys = set() if previous is None else set(previous.column("person_id").to_pylist())
    rows += [(old, None, Fate.RETIRED) for old in old_keys - places.keys()]
    rows.sort(key=lambda row: (row[0] or "", row[1] or ""))
    columns = [[row[0] for row in rows], [row[1] for row in rows], [row[2].value for row in rows]]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=_CROSSWALK)


def _fate(old: str, now: str, places: int) -> Fate:
    if places > 1:
        return Fate.SPLIT
    return Fate.KEPT if old == now else Fate.MERGED

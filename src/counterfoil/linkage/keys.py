"""Person keys: random, given once, kept across rebuilds; and register keys, which is what the analyst sees of them."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.clusters import Labels
from counterfoil.linkage.prepare import is_in_order
from counterfoil.warehouse import query

REGISTER_KEY_LENGTH = 32  # hex characters: 128 bits
PERSON_KEY_BYTES = 16

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
    """`person_id` of each record, in their order; `crosswalk`: old_person_id, person_id, status, records.

    `records` is how many records of the old key are now of the person (0 when the key is new or retired).
    """

    person_id: pa.Array
    crosswalk: pa.Table


_OWN = ("source", "record_id")


def register_key(secret: bytes, person_id: str) -> str:
    """HMAC-SHA-256 of a person key under the linker's secret: the same in every spine, and not to be led back."""
    return hmac.digest(secret, person_id.encode(), "sha256").hex()[:REGISTER_KEY_LENGTH]


def random_keys(count: int) -> pa.Array:
    """`count` random keys of 128 bits, in hex."""
    length = 2 * PERSON_KEY_BYTES
    text = secrets.token_bytes(PERSON_KEY_BYTES * count).hex().encode()
    starts = np.arange(count + 1, dtype=np.int32) * length
    return pa.StringArray.from_buffers(count, pa.py_buffer(starts), pa.py_buffer(text))


def register_keys(people: pa.Table, secret: bytes, known: pa.Table | None = None) -> pa.Table:
    """source, record_id, register_key for each record, ordered by the first two.

    `known` holds the register_key of some person_id, each once: those are not hashed again.
    """
    encoded = people.column("person_id").combine_chunks().dictionary_encode()
    persons = encoded.dictionary
    if known is None:
        keys = _hashed(persons, secret)
    else:
        old = known["register_key"].combine_chunks().take(pc.index_in(persons, known["person_id"].combine_chunks()))
        missing = pc.is_null(old)
        keys = pc.replace_with_mask(old, missing, _hashed(persons.filter(missing), secret))
    table = people.select(list(_OWN)).append_column("register_key", keys.take(encoded.indices))
    return table if is_in_order(table) else table.sort_by([(name, "ascending") for name in _OWN])


def _hashed(persons: pa.Array, secret: bytes) -> pa.Array:
    return pa.array([register_key(secret, person) for person in persons.to_pylist()], pa.string())


def assign_keys(records: pa.Table, labels: Labels, previous: pa.Table | None, new_key: NewKey | None = None) -> Keys:
    """Give each cluster the old key that most of its records had, where no other cluster has more of that key's.

    `records` has source and record_id; `previous` those and person_id, of the spine before. Ties go to the lesser key,
    then to the cluster of the lesser record number. Keys are random unless `new_key` gives them.
    """
    clusters, place = np.unique(labels, return_inverse=True)
    overlaps = _overlaps(records, place, previous)
    kept = _largest_overlaps(overlaps, clusters.size)
    new = kept < 0
    fresh = (
        random_keys(int(new.sum())) if new_key is None else pa.array([new_key() for _ in range(new.sum())], pa.string())
    )
    keys = pa.concat_arrays([overlaps.keys, fresh])
    at = np.where(new, len(overlaps.keys) + np.cumsum(new) - 1, kept)
    people = keys.take(pa.array(at))
    return Keys(people.take(pa.array(place)), _crosswalk(overlaps, people, previous))


@dataclass(frozen=True, slots=True)
class _Overlaps:
    """Clusters and old keys that share records, most shared first; a key is a number into `keys`."""

    cluster: npt.NDArray[np.int64]
    key: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    keys: pa.Array


def _overlaps(records: pa.Table, place: Labels, previous: pa.Table | None) -> _Overlaps:
    if previous is None:
        none = np.empty(0, dtype=np.int64)
        return _Overlaps(none, none, none, pa.array([], pa.string()))
    now = records.select(list(_OWN)).append_column("label", pa.array(place))
    sql = """SELECT label, person_id, count(*) AS n FROM now JOIN previous USING (source, record_id)
             GROUP BY ALL ORDER BY n DESC, person_id, label"""
    shared = query(sql, {"now": now, "previous": previous.select([*_OWN, "person_id"])})
    encoded = shared["person_id"].combine_chunks().dictionary_encode()
    columns = (shared["label"].to_numpy(), encoded.indices.to_numpy(), shared["n"].to_numpy())
    cluster, key, count = (column.astype(np.int64) for column in columns)
    return _Overlaps(cluster, key, count, encoded.dictionary)


def _largest_overlaps(overlaps: _Overlaps, clusters: int) -> npt.NDArray[np.int64]:
    """For each cluster the number of the old key that it keeps, or -1.

    Nearly all clusters share records with one key that shares them with one cluster; only the others are gone through.
    """
    kept = np.full(clusters, -1, dtype=np.int64)
    alone = (np.bincount(overlaps.cluster, minlength=clusters)[overlaps.cluster] == 1) & (
        np.bincount(overlaps.key, minlength=len(overlaps.keys))[overlaps.key] == 1
    )
    kept[overlaps.cluster[alone]] = overlaps.key[alone]
    used: set[int] = set()
    for cluster, key in zip(overlaps.cluster[~alone].tolist(), overlaps.key[~alone].tolist(), strict=True):
        if kept[cluster] < 0 and key not in used:
            kept[cluster] = key
            used.add(key)
    return kept


def _crosswalk(overlaps: _Overlaps, people: pa.Array, previous: pa.Table | None) -> pa.Table:
    """Every old key maps: to each person that now has a record of it, or to none when it is retired."""
    old = overlaps.keys.take(pa.array(overlaps.key))
    now = people.take(pa.array(overlaps.cluster))
    places = np.bincount(overlaps.key, minlength=len(overlaps.keys))[overlaps.key]
    one = pc.if_else(pc.equal(old, now), Fate.KEPT.value, Fate.MERGED.value)
    status = pc.if_else(pa.array(places > 1), Fate.SPLIT.value, one)
    reached = np.zeros(len(people), dtype=np.bool_)
    reached[overlaps.cluster] = True
    parts = [
        _rows(old, now, status, pa.array(overlaps.records, pa.int64())),
        _all_of(people.filter(pa.array(~reached)), Fate.NEW),
    ]
    if previous is not None:
        every = pc.unique(previous.column("person_id"))
        parts.append(_all_of(every.filter(pc.invert(pc.is_in(every, value_set=overlaps.keys))), Fate.RETIRED))
    table = pa.concat_tables(parts).combine_chunks()
    order = [("old_person_id", "ascending", "at_start"), ("person_id", "ascending", "at_start")]
    return table.take(pc.sort_indices(table, sort_keys=order))


def _all_of(keys: pa.Array, fate: Fate) -> pa.Table:
    none, size = pa.nulls(len(keys), pa.string()), len(keys)
    old, now = (none, keys) if fate is Fate.NEW else (keys, none)
    return _rows(old, now, pa.repeat(fate.value, size), pa.repeat(pa.scalar(0, pa.int64()), size))


def _rows(old: pa.Array, now: pa.Array, status: pa.Array, records: pa.Array) -> pa.Table:
    return pa.table({"old_person_id": old, "person_id": now, "status": status, "records": records})

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
from counterfoil.linkage.core.sameness import same_rows
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

    `person_id` holds each key once, in the order of first records. `records` is how many records of the old key are now
    of the person (0 when the key is new or retired).
    """

    person_id: pa.DictionaryArray
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
    encoded = coded(people["person_id"])
    persons = encoded.dictionary
    if known is None:
        keys = _hashed(persons, secret)
    else:
        old = known["register_key"].combine_chunks().take(pc.index_in(persons, known["person_id"].combine_chunks()))
        missing = pc.is_null(old)
        keys = pc.replace_with_mask(old, missing, _hashed(persons.filter(missing), secret))
    table = people.select(list(_OWN)).append_column("register_key", keys.take(encoded.indices))
    return table if is_in_order(table) else table.sort_by([(name, "ascending") for name in _OWN])


def coded(keys: pa.ChunkedArray) -> pa.DictionaryArray:
    """Keys as numbers into those that occur, in order of first appearance."""
    whole = keys.combine_chunks()
    whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    return whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()


def _hashed(persons: pa.Array, secret: bytes) -> pa.Array:
    return pa.array([register_key(secret, person) for person in persons.to_pylist()], pa.string())


def assign_keys(records: pa.Table, labels: Labels, previous: pa.Table | None, new_key: NewKey | None = None) -> Keys:
    """Give each cluster the old key that most of its records had, where no other cluster has more of that key's.

    `records` has source and record_id; `previous` those and person_id, of the spine before. Ties go to the lesser key,
    then to the cluster of the lesser record number. Keys are random unless `new_key` gives them.
    """
    clusters, place = _numbered(labels)
    overlaps = _overlaps(records, place, previous)
    kept = _largest_overlaps(overlaps, clusters)
    new = kept < 0
    fresh = (
        random_keys(int(new.sum())) if new_key is None else pa.array([new_key() for _ in range(new.sum())], pa.string())
    )
    keys = pa.concat_arrays([overlaps.keys, fresh])
    at = np.where(new, len(overlaps.keys) + np.cumsum(new) - 1, kept)
    people = keys.take(pa.array(at))
    of_records = pa.DictionaryArray.from_arrays(pa.array(place.astype(np.int32)), people)
    return Keys(of_records, _crosswalk(overlaps, people))


def _numbered(labels: Labels) -> tuple[int, Labels]:
    """How many clusters, and the number of each record's, in order of their labels."""
    if labels.size and labels.min() >= 0 and labels.max() < labels.size and np.array_equal(labels[labels], labels):
        roots = labels == np.arange(labels.size)  # a label is the number of the cluster's first record
        return int(np.count_nonzero(roots)), (np.cumsum(roots) - 1)[labels]
    clusters, place = np.unique(labels, return_inverse=True)
    return clusters.size, place


@dataclass(frozen=True, slots=True)
class _Overlaps:
    """Clusters and old keys that share records; those that share with several most shared first, then by key and
    cluster. A key is a number into `keys`, all of the spine before."""

    cluster: npt.NDArray[np.int64]
    key: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    keys: pa.Array


def _overlaps(records: pa.Table, place: Labels, previous: pa.Table | None) -> _Overlaps:
    if previous is None:
        none = np.empty(0, dtype=np.int64)
        return _Overlaps(none, none, none, pa.array([], pa.string()))
    of_old = coded(previous["person_id"])
    old, keys = of_old.indices.to_numpy().astype(np.int64), of_old.dictionary
    now = rows_now(previous, records)
    held = now >= 0
    both, count = np.unique(place[now[held]] * max(len(keys), 1) + old[held], return_counts=True)
    cluster, key = np.divmod(both, max(len(keys), 1))
    order = _contested_first(cluster, key, count, keys)
    return _Overlaps(cluster[order], key[order], count[order], keys)


def _contested_first(
    cluster: npt.NDArray[np.int64], key: npt.NDArray[np.int64], count: npt.NDArray[np.int64], keys: pa.Array
) -> npt.NDArray[np.int64]:
    """Those of clusters or keys that have another first, most shared first, then by the key's text and the cluster."""
    alone = _are_alone(cluster, key)
    few = np.flatnonzero(~alone)
    table = {"n": count[few], "key": keys.take(pa.array(key[few])), "cluster": cluster[few]}
    by = [("n", "descending"), ("key", "ascending"), ("cluster", "ascending")]
    return np.concatenate([few[pc.sort_indices(pa.table(table), sort_keys=by).to_numpy()], np.flatnonzero(alone)])


def _are_alone(cluster: npt.NDArray[np.int64], key: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether the cluster has no other key, and the key no other cluster."""
    found: npt.NDArray[np.bool_] = (np.bincount(cluster)[cluster] == 1) & (np.bincount(key)[key] == 1)
    return found


def rows_now(old: pa.Table, new: pa.Table) -> npt.NDArray[np.int64]:
    """For each row of `old` the row of `new` with its source and record_id, or -1."""
    if not (is_in_order(old) and is_in_order(new)):
        numbered = [t.select(list(_OWN)).append_column("row", pa.array(np.arange(t.num_rows))) for t in (old, new)]
        sql = f"SELECT coalesce(n.row, -1) AS row FROM o LEFT JOIN n USING ({', '.join(_OWN)}) ORDER BY o.row"
        rows: npt.NDArray[np.int64] = query(sql, {"o": numbered[0], "n": numbered[1]})["row"].to_numpy()
        return rows.astype(np.int64)
    first, found = _spans(new), np.full(old.num_rows, -1, dtype=np.int64)
    for source, (start, count) in _spans(old).items():
        at, size = first.get(source, (0, 0))
        same = same_rows(old.slice(start, count), new.slice(at, size), "record_id", [])
        found[start : start + count] = np.where(same < 0, -1, same + at)
    return found


def _spans(ordered: pa.Table) -> dict[str, tuple[int, int]]:
    """Where the rows of each source begin, and how many there are."""
    counts = pc.value_counts(ordered["source"])
    each = {row["values"]: row["counts"] for row in counts.to_pylist()}
    first, spans = 0, {}
    for source in sorted(each):
        spans[source] = (first, each[source])
        first += each[source]
    return spans


def _largest_overlaps(overlaps: _Overlaps, clusters: int) -> npt.NDArray[np.int64]:
    """For each cluster the number of the old key that it keeps, or -1.

    Nearly all clusters share records with one key that shares them with one cluster; only the others are gone through.
    """
    kept = np.full(clusters, -1, dtype=np.int64)
    alone = _are_alone(overlaps.cluster, overlaps.key)
    kept[overlaps.cluster[alone]] = overlaps.key[alone]
    used: set[int] = set()
    for cluster, key in zip(overlaps.cluster[~alone].tolist(), overlaps.key[~alone].tolist(), strict=True):
        if kept[cluster] < 0 and key not in used:
            kept[cluster] = key
            used.add(key)
    return kept


def _crosswalk(overlaps: _Overlaps, people: pa.Array) -> pa.Table:
    """Every old key maps: to each person that now has a record of it, or to none when it is retired."""
    old = overlaps.keys.take(pa.array(overlaps.key))
    now = people.take(pa.array(overlaps.cluster))
    places_of = np.bincount(overlaps.key, minlength=len(overlaps.keys))
    places = places_of[overlaps.key]
    one = pc.if_else(pc.equal(old, now), Fate.KEPT.value, Fate.MERGED.value)
    status = pc.if_else(pa.array(places > 1), Fate.SPLIT.value, one)
    reached = np.zeros(len(people), dtype=np.bool_)
    reached[overlaps.cluster] = True
    parts = [
        _rows(old, now, status, pa.array(overlaps.records, pa.int64())),
        _all_of(people.filter(pa.array(~reached)), Fate.NEW),
        _all_of(overlaps.keys.filter(pa.array(places_of == 0)), Fate.RETIRED),
    ]
    table = pa.concat_tables(parts).combine_chunks()
    order = [("old_person_id", "ascending", "at_start"), ("person_id", "ascending", "at_start")]
    return table.take(pc.sort_indices(table, sort_keys=order))


def _all_of(keys: pa.Array, fate: Fate) -> pa.Table:
    none, size = pa.nulls(len(keys), pa.string()), len(keys)
    old, now = (none, keys) if fate is Fate.NEW else (keys, none)
    return _rows(old, now, pa.repeat(fate.value, size), pa.repeat(pa.scalar(0, pa.int64()), size))


def _rows(old: pa.Array, now: pa.Array, status: pa.Array, records: pa.Array) -> pa.Table:
    return pa.table({"old_person_id": old, "person_id": now, "status": status, "records": records})

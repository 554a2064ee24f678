"""Links to people: connected components at three thresholds, cut where a cluster would hold what no person can.

Links are taken strongest first. One that would bring together a pair of twins or too many records is left out, so a
cluster is cut where it hangs together least. Two values of a unique identifier are never brought together by way of a
third record: only a link between two records that hold them, with the difference already counted against it, may, for
some people do have two numbers; who is joined so is for review. Because the order is the same for every threshold,
strict clusters lie within medium ones and medium within loose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from counterfoil.linkage.prepare import ID
from counterfoil.linkage.specification import Guards
from counterfoil.warehouse import query

Labels = npt.NDArray[np.int64]


class Strictness(Enum):
    """The three clusterings that are kept."""

    STRICT = "strict"
    MEDIUM = "medium"
    LOOSE = "loose"


class Guard(Enum):
    """What no cluster should hold (METHODS 1)."""

    UNIQUE = "two values of a unique identifier"
    TWINS = "twins"
    SIZE = "too many records"


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs above the loose threshold: two record numbers (0 to n-1) and a weight in bits each."""

    left: Labels
    right: Labels
    weight: npt.NDArray[np.float64]

    def above(self, threshold: float) -> Links:
        """Those that weigh `threshold` or more."""
        return self.where(self.weight >= threshold)

    def where(self, chosen: npt.NDArray[np.bool_]) -> Links:
        """Those chosen."""
        return Links(self.left[chosen], self.right[chosen], self.weight[chosen])


@dataclass(frozen=True, slots=True)
class Doubt:
    """A link that a guard spoke against. `taken`: it stands, and is for review; else it was left out."""

    left: int
    right: int
    weight: float
    guard: Guard
    taken: bool


@dataclass(frozen=True, slots=True)
class Clustering:
    """`labels` of each strictness: for each record the smallest record number of its cluster; and what was doubtful."""

    labels: Mapping[Strictness, Labels]
    doubts: tuple[Doubt, ...]


@dataclass(slots=True)
class _Group:
    """A cluster as it grows: its records, each one's values of unique identifiers, the records it may not hold."""

    records: list[int]
    values: dict[str, dict[int, str]]
    forbidden: set[int] = field(default_factory=set)


def links_of(pairs: pa.Table) -> Links:
    """Scored pairs as arrays."""
    left, right = (pairs.column(f"{ID}_{side}").to_numpy() for side in "lr")
    return Links(left, right, pairs.column("match_weight").to_numpy())


def cluster(prepared: pa.Table, links: Links, thresholds: Mapping[Strictness, float], guards: Guards) -> Clustering:
    """People at each strictness. `prepared` holds record number i in its row i."""
    records = prepared.num_rows
    loose = links.above(thresholds[Strictness.LOOSE])
    together = components(records, loose)
    twins = _find_twins(prepared, together, guards)
    careful = _needs_care(prepared, together, twins, guards)[loose.left]
    plain = loose.where(~careful)
    labels = {level: components(records, plain.above(limit)) for level, limit in thresholds.items()}
    doubts = _join_with_care(prepared, loose.where(careful), twins, guards, thresholds, labels)
    return Clustering(labels, tuple(doubts))


def components(records: int, links: Links) -> Labels:
    """For each record the smallest record number that links lead to."""
    ones = np.ones(links.left.size, dtype=np.int8)
    graph = coo_array((ones, (links.left, links.right)), shape=(records, records))
    count, found = connected_components(graph, directed=False)
    smallest = np.full(count, records, dtype=np.int64)
    np.minimum.at(smallest, found, np.arange(records, dtype=np.int64))
    labels: Labels = smallest[found]
    return labels


def _find_twins(prepared: pa.Table, together: Labels, guards: Guards) -> npt.NDArray[np.int64]:
    """Pairs of record numbers, shape (pairs, 2), of one component that are twins and not one person."""
    same = " AND ".join(f"l.{column} = r.{column}" for column in guards.twins_same)
    sql = f"""SELECT l.{ID} AS l, r.{ID} AS r FROM t l JOIN t r ON l.together = r.together AND {same}
              WHERE l.{ID} < r.{ID} AND ({guards.twins_differ}) ORDER BY 1, 2"""
    found = query(sql, {"t": prepared.append_column("together", pa.array(together))})
    return np.column_stack([found["l"].to_numpy(), found["r"].to_numpy()]).astype(np.int64)


def _needs_care(
    prepared: pa.Table, together: Labels, twins: npt.NDArray[np.int64], guards: Guards
) -> npt.NDArray[np.bool_]:
    """For each record whether its component breaks a guard."""
    broken = np.zeros(together.size, dtype=np.bool_)
    broken[np.flatnonzero(np.bincount(together, minlength=together.size) > guards.max_cluster)] = True
    broken[together[twins[:, 0]]] = True
    for column in guards.unique:
        sql = f"""SELECT together FROM t WHERE {column} IS NOT NULL
                  GROUP BY 1 HAVING count(DISTINCT {column}) > 1 ORDER BY 1"""
        table = prepared.select([column]).append_column("together", pa.array(together))
        broken[query(sql, {"t": table})["together"].to_numpy()] = True
    return broken[together]


def _join_with_care(
    prepared: pa.Table,
    links: Links,
    twins: npt.NDArray[np.int64],
    guards: Guards,
    thresholds: Mapping[Strictness, float],
    labels: Mapping[Strictness, Labels],
) -> list[Doubt]:
    """Join records by `links`, strongest first, and write the clusters of each strictness into `labels`."""
    groups = _single_groups(prepared, links, twins, guards)
    order = np.lexsort((links.right, links.left, -links.weight))
    weights = links.weight[order]
    doubts: list[Doubt] = []
    done = 0
    for level in sorted(thresholds, key=lambda key: -thresholds[key]):
        end = int(np.searchsorted(-weights, -thresholds[level], side="right"))
        _join(groups, links, order[done:end], guards, doubts)
        done = end
        for record, group in groups.items():
            labels[level][record] = min(group.records)
    return doubts


def _single_groups(prepared: pa.Table, links: Links, twins: npt.NDArray[np.int64], guards: Guards) -> dict[int, _Group]:
    records = np.unique(np.concatenate([links.left, links.right])).tolist()
    groups = {record: _Group([record], {column: {} for column in guards.unique}) for record in records}
    for column in guards.unique:
        held = prepared.column(column).take(pa.array(records, pa.int64())).to_pylist()
        for record, value in zip(records, held, strict=True):
            if value is not None:
                groups[record].values[column][record] = value
    for left, right in twins.tolist():
        for one, other in ((left, right), (right, left)):
            if one in groups:
                groups[one].forbidden.add(other)
    return groups


def _join(
    groups: dict[int, _Group], links: Links, order: npt.NDArray[np.int64], guards: Guards, doubts: list[Doubt]
) -> None:
    ends = (links.left[order].tolist(), links.right[order].tolist(), links.weight[order].tolist())
    for left, right, weight in zip(*ends, strict=True):
        one, other = groups[left], groups[right]
        if one is other:
            continue
        guard = _why_not_join(one, other, (left, right), guards.max_cluster)
        if guard is None:
            if _has_two_values(one, other):
                doubts.append(Doubt(left, right, weight, Guard.UNIQUE, taken=True))
            _merge(groups, one, other)
        else:
            doubts.append(Doubt(left, right, weight, guard, taken=False))


def _why_not_join(one: _Group, other: _Group, link: tuple[int, int], largest: int) -> Guard | None:
    if any(_is_bridge(values, other.values[column], link) for column, values in one.values.items()):
        return Guard.UNIQUE
    if not one.forbidden.isdisjoint(other.records):
        return Guard.TWINS
    return Guard.SIZE if len(one.records) + len(other.records) > largest else None


def _is_bridge(left: Mapping[int, str], right: Mapping[int, str], link: tuple[int, int]) -> bool:
    """Whether a link would bring different values together without having been compared on them."""
    return _are_different(left, right) and not (link[0] in left and link[1] in right)


def _has_two_values(one: _Group, other: _Group) -> bool:
    return any(_are_different(values, other.values[column]) for column, values in one.values.items())


def _are_different(left: Mapping[int, str], right: Mapping[int, str]) -> bool:
    """Whether joining brings values together that were apart."""
    here, there = set(left.values()), set(right.values())
    return not (here <= there or there <= here)


def _merge(groups: dict[int, _Group], one: _Group, other: _Group) -> None:
    keep, give = (one, other) if len(one.records) >= len(other.records) else (other, one)
    keep.records += give.records
    keep.forbidden |= give.forbidden
    for column, values in give.values.items():
        keep.values[column] |= values
    for record in give.records:
        groups[record] = keep


def sizes(labels: Labels) -> Sequence[tuple[int, int]]:
    """(records in a cluster, clusters of that size), by size."""
    members = np.bincount(labels)
    size, count = np.unique(members[members > 0], return_counts=True)
    return list(zip(size.tolist(), count.tolist(), strict=True))

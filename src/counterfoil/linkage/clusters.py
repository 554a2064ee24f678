"""Links to people: connected components at three thresholds, cut where a cluster would hold what no person can.

Links are taken strongest first. One that would bring together a pair of twins or too many records is left out, so a
cluster is cut where it hangs together least. Two values of a unique identifier, or two sure birth dates that no slip
makes of each other, are never brought together by way of a third record: only a link between two records that hold
them, with the difference already counted against it, may, for some people do have two; who is joined so is for review.
Because the order is the same for every threshold, strict clusters lie within medium ones and medium within loose. What
a reviewer ruled comes first, whatever the model says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.linkage import joining
from counterfoil.linkage.guards import Apart, Guarded, broken, find_twins, guarded_columns
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.specification import Guards

Labels = npt.NDArray[np.int64]

RULED = 1e6  # bits of a link that a reviewer ruled: more than any model gives


class Strictness(Enum):
    """The three clusterings that are kept."""

    STRICT = "strict"
    MEDIUM = "medium"
    LOOSE = "loose"


class Guard(Enum):
    """What no cluster should hold (METHODS 1). In the order of the numbers in `joining`."""

    UNIQUE = "two values of a unique identifier"
    BIRTHS = "two births"
    TWINS = "twins"
    SAME_DAY = "in prison and elsewhere on one day"
    SIZE = "too many records"
    DECISION = "a reviewer said no"


_GUARDS = tuple(Guard)


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
    """A pair that a guard spoke against. `taken`: it stands, and is for review; else its link was left out."""

    left: int
    right: int
    weight: float
    guard: Guard
    taken: bool


@dataclass(frozen=True, slots=True)
class Doubts:
    """Links that a guard spoke against, as arrays; `guard` is a number of `joining`.

    A pair of one person that no link above the loose threshold joins weighs NaN.
    """

    links: Links
    guard: npt.NDArray[np.int8]
    taken: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.guard.size)

    def where(self, chosen: npt.NDArray[np.bool_]) -> Doubts:
        """Those chosen."""
        return Doubts(self.links.where(chosen), self.guard[chosen], self.taken[chosen])

    def and_then(self, more: Doubts) -> Doubts:
        """These, then `more`."""
        links = (np.concatenate([getattr(each.links, n) for each in (self, more)]) for n in ("left", "right", "weight"))
        guard, taken = (np.concatenate([getattr(each, n) for each in (self, more)]) for n in ("guard", "taken"))
        return Doubts(Links(*links), guard, taken)

    def names(self) -> list[str]:
        """Each one's guard in words."""
        return [_GUARDS[number].value for number in self.guard.tolist()]

    def each(self) -> tuple[Doubt, ...]:
        """One by one."""
        links = self.links
        parts = (links.left.tolist(), links.right.tolist(), links.weight.tolist(), self.guard.tolist())
        return tuple(
            Doubt(left, right, weight, _GUARDS[number], taken)
            for left, right, weight, number, taken in zip(*parts, self.taken.tolist(), strict=True)
        )


@dataclass(frozen=True, slots=True)
class Clustering:
    """`labels` of each strictness: for each record the smallest record number of its cluster; and what was doubtful."""

    labels: Mapping[Strictness, Labels]
    doubts: Doubts


@dataclass(frozen=True, slots=True)
class Rulings:
    """What reviewers decided: pairs of record numbers, shape (n, 2), that must be together and that must not."""

    must_link: npt.NDArray[np.int64]
    must_not_link: npt.NDArray[np.int64]

    @staticmethod
    def none() -> Rulings:
        """No ruling."""
        empty = np.empty((0, 2), dtype=np.int64)
        return Rulings(empty, empty)


def links_of(pairs: pa.Table) -> Links:
    """Scored pairs as arrays."""
    left, right = (pairs.column(f"{ID}_{side}").to_numpy() for side in "lr")
    return Links(left, right, pairs.column("match_weight").to_numpy())


def cluster(
    prepared: pa.Table,
    links: Links,
    thresholds: Mapping[Strictness, float],
    guards: Guards,
    *,
    rulings: Rulings | None = None,
    apart: Sequence[Apart] = (),
    doubted: Sequence[Apart] = (),
    plain: Mapping[Strictness, Labels] | None = None,
) -> Clustering:
    """People at each strictness. `prepared` holds record number i in its row i.

    `apart`: pairs that other evidence keeps apart (being in two places on one day). `doubted`: pairs that it speaks
    against without keeping them apart; those that come together all the same are for review. `plain`: the labels of
    `plain_labels`, where they are at hand; without rulings they are those to begin with.
    """
    ruled = rulings or Rulings.none()
    given = _with_rulings(links.above(thresholds[Strictness.LOOSE]), ruled)
    if plain is None or len(ruled.must_link):
        plain = plain_labels(prepared.num_rows, given, thresholds)
    together = plain[Strictness.LOOSE]
    all_apart = Apart.together(
        [find_twins(prepared, together, guards), *apart, Apart.of(ruled.must_not_link, joining.DECISION)]
    )
    columns = guarded_columns(prepared, guards)
    care = broken(together, columns, all_apart, guards.max_cluster)
    labels = {level: each.copy() for level, each in plain.items()}
    doubts = _join_with_care(
        given.where(care[given.left]), care, all_apart, columns, guards.max_cluster, thresholds, labels
    )
    return Clustering(labels, doubts.and_then(_standing(Apart.together(doubted), labels[Strictness.LOOSE], given)))


def _standing(doubted: Apart, labels: Labels, links: Links) -> Doubts:
    """The doubted pairs that are in one cluster, each with its own link's weight; without those that a person ruled."""
    inside = labels[doubted.pairs[:, 0]] == labels[doubted.pairs[:, 1]]
    pairs, reason = doubted.pairs[inside], doubted.reason[inside]
    wanted = _pair_numbers(pairs[:, 0], pairs[:, 1], labels.size)
    numbers = _pair_numbers(links.left, links.right, labels.size)
    held = np.isin(numbers, wanted)
    known = dict(zip(numbers[held].tolist(), links.weight[held].tolist(), strict=True))
    weight = np.array([known.get(number, np.nan) for number in wanted.tolist()], dtype=np.float64)
    found = Doubts(Links(pairs[:, 0], pairs[:, 1], weight), reason, np.ones(len(pairs), dtype=np.bool_))
    return found.where(~(weight >= RULED))


def _pair_numbers(one: Labels, other: Labels, records: int) -> Labels:
    """One number for each pair, whichever comes first."""
    found: Labels = np.minimum(one, other) * records + np.maximum(one, other)
    return found


def _with_rulings(links: Links, rulings: Rulings) -> Links:
    """The links, and those that were ruled at a weight above all."""
    ruled = rulings.must_link
    if not len(ruled):
        return links
    return Links(
        np.concatenate([links.left, ruled[:, 0]]),
        np.concatenate([links.right, ruled[:, 1]]),
        np.concatenate([links.weight, np.full(len(ruled), RULED)]),
    )


def components(records: int, links: Links) -> Labels:
    """For each record the smallest record number that links lead to."""
    labels: Labels = np.arange(records, dtype=np.int64)
    _join_band(labels, links, -np.inf, np.inf)
    joining.flatten(labels)
    return labels


def _join_band(forest: Labels, links: Links, low: float, high: float) -> None:
    left, right = (np.ascontiguousarray(side, dtype=np.int64) for side in (links.left, links.right))
    joining.join_all(forest, left, right, np.ascontiguousarray(links.weight), low, high)


def _bands(thresholds: Mapping[Strictness, float]) -> list[tuple[Strictness, float, float]]:
    """(strictness, least weight, the stricter one's), strictest first."""
    order = sorted(thresholds, key=lambda level: -thresholds[level])
    highs = [np.inf, *(thresholds[level] for level in order)]
    return [(level, thresholds[level], high) for level, high in zip(order, highs, strict=False)]


def plain_labels(records: int, links: Links, thresholds: Mapping[Strictness, float]) -> dict[Strictness, Labels]:
    """For each strictness and record the smallest record number that links of its weight and more lead to."""
    forest: Labels = np.arange(records, dtype=np.int64)
    labels: dict[Strictness, Labels] = {}
    for level, low, high in _bands(thresholds):
        _join_band(forest, links, low, high)
        joining.flatten(forest)
        labels[level] = forest.copy()
    return labels


def _join_with_care(
    links: Links,
    care: npt.NDArray[np.bool_],
    apart: Apart,
    columns: Sequence[Guarded],
    largest: int,
    thresholds: Mapping[Strictness, float],
    labels: Mapping[Strictness, Labels],
) -> Doubts:
    """Join the records that need care, strongest link first; clusters of each strictness go into `labels`."""
    records = np.flatnonzero(care)
    number = np.cumsum(care) - 1  # of a record among those
    order = np.lexsort((links.right, links.left, -links.weight))
    ordered = Links(links.left[order], links.right[order], links.weight[order])
    forest, ring = (np.arange(records.size, dtype=np.int64) for _ in range(2))
    size = np.ones(records.size, dtype=np.int64)
    start, partner, reason = _partners(apart, care, number, records.size)
    codes = np.array([column.codes[records] for column in columns], dtype=np.int32).reshape(len(columns), records.size)
    are_dates = np.array([column.are_dates for column in columns], dtype=np.bool_)
    guard, verdict = (np.empty(order.size, dtype=np.int8) for _ in range(2))
    for level, low, high in _bands(thresholds):
        a, b = (int(np.searchsorted(-ordered.weight, -limit, side="right")) for limit in (high, low))
        joining.join_with_care(
            forest, ring, size, number[ordered.left[a:b]], number[ordered.right[a:b]], ordered.weight[a:b], RULED,
            largest, codes, are_dates, start, partner, reason, guard[a:b], verdict[a:b],
        )  # fmt: skip
        joining.flatten(forest)
        labels[level][records] = records[forest]
    return Doubts(ordered, guard, verdict == joining.STANDS).where(guard != joining.NO_GUARD)


def _partners(
    apart: Apart, care: npt.NDArray[np.bool_], number: Labels, records: int
) -> tuple[Labels, Labels, npt.NDArray[np.int8]]:
    """For each record that needs care, from `start[i]` to `start[i + 1]`: those it may not be with, and why."""
    inside = care[apart.pairs[:, 0]] & care[apart.pairs[:, 1]]
    pairs, why = number[apart.pairs[inside]], apart.reason[inside]
    one = np.concatenate([pairs[:, 0], pairs[:, 1]])
    other = np.concatenate([pairs[:, 1], pairs[:, 0]])
    order = np.argsort(one, kind="stable")
    start = np.searchsorted(one[order], np.arange(records + 1))
    return start.astype(np.int64), other[order].astype(np.int64), np.concatenate([why, why])[order]


@dataclass(frozen=True, slots=True)
class Bridges:
    """Links that alone hold a cluster together, and the records on the smaller side of each."""

    links: Links
    smaller: Labels


def weak_bridges(links: Links, labels: Labels, *, threshold: float, weakest: float, least_side: int = 2) -> Bridges:
    """Bridges below `weakest` bits of the clusters `labels` made at `threshold`, with `least_side` records or more on
    both sides: where one mistaken link would make one person of two."""
    cluster = labels[links.left]
    within = (links.weight >= threshold) & (cluster == labels[links.right])
    size = np.bincount(labels, minlength=labels.size)
    wanted = np.zeros(labels.size, dtype=np.bool_)  # clusters that are large enough and hold a weak link
    wanted[cluster[within & (links.weight < weakest)]] = True
    wanted &= size >= 2 * least_side
    inside, size = links.where(within & wanted[cluster]), size[labels]
    count = inside.left.size
    one, other = np.concatenate([inside.left, inside.right]), np.concatenate([inside.right, inside.left])
    order = np.argsort(one, kind="stable")
    start = np.searchsorted(one[order], np.arange(labels.size + 1)).astype(np.int64)
    smaller = np.zeros(count, dtype=np.int64)
    number = np.concatenate([np.arange(count), np.arange(count)])[order]
    joining.find_bridges(start, other[order].astype(np.int64), number.astype(np.int64), size.astype(np.int64), smaller)
    chosen = (smaller >= least_side) & (inside.weight < weakest)
    return Bridges(inside.where(chosen), smaller[chosen])


def clusters_in(labels: Labels) -> int:
    """How many clusters: a label is the number of its cluster's first record."""
    return int(np.count_nonzero(labels == np.arange(labels.size)))


def sizes(labels: Labels) -> Sequence[tuple[int, int]]:
    """(records in a cluster, clusters of that size), by size."""
    members = np.bincount(labels)
    size, count = np.unique(members[members > 0], return_counts=True)
    return list(zip(size.tolist(), count.tolist(), strict=True))

"""Which pairs to look at, most telling first.

The value of a pair is how many pairs of records its answer would move into one person or out of one, times the doubt.
The doubt is a half where a guard speaks against a link, and at a threshold; it halves with each bit away from it. (The
model's own probability would not do: at 14 bits it is sure, and what we doubt is the model.) Pairs whose answer moves
nobody are left out. The order follows from the spine alone. The random sample comes after, in an order drawn once, so
that whoever stops early leaves a random part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.clusters import Labels, Links, Strictness, links_of, weak_bridges
from counterfoil.linkage.linked import PERSON_LEVEL
from counterfoil.linkage.overrides import Record
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality_report.judged import Judged
from counterfoil.linkage.review.values import Item, Pair, Reason, SampledPair, pair_of
from counterfoil.linkage.spine import Spine
from counterfoil.provenance import key_of
from counterfoil.warehouse import read_table

WINDOW = 3.0  # bits on either side of a threshold: a tenth of the doubt at it is left there
_GUARD_DOUBT = 0.5
_Floats = npt.NDArray[np.float64]


def doubtful_pairs(judged: Judged) -> tuple[Item, ...]:
    """Guard doubts, weak bridges and pairs near thresholds of a product, each pair once, most telling first.

    A guard's doubts and weak bridges are those of the spine between two records of the product.
    """
    spine, labels, links = judged.spine, judged.labels(), links_of(judged.links())
    names = _Names(spine.people(["source", "record_id"]))
    found = chain(
        _guarded(spine, labels, _held(judged, "review.parquet")),
        _bridges(spine, labels, _held(judged, "weak_bridges.parquet")),
        *(_near(links, labels[level], level, spine.thresholds[level], names) for level in Strictness),
    )
    return in_order(found)


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each pair once, under the reason for which it tells most; most telling first, then by name."""
    ordered = sorted(items, key=lambda item: (-item.value, item.pair, item.reason.value))
    first: dict[Pair, Item] = {}
    for item in ordered:
        first.setdefault(item.pair, item)
    return tuple(first.values())


def sampled_items(pairs: Iterable[SampledPair], *, seed: int) -> tuple[Item, ...]:
    """The random sample, in an order of its own that depends on nothing but the pairs and the seed."""
    why = "drawn at random for the quality report"
    items = [Item(each.pair, Reason.SAMPLE, 0.0, why, each.weight, each.stratum) for each in pairs]
    return tuple(sorted(items, key=lambda item: draw(item.pair, seed)))


def draw(pair: Pair, seed: int) -> float:
    """A number in [0, 1) that depends on the pair and the seed alone."""
    left, right = pair.left, pair.right
    key = key_of(pair=[left.source, left.record_id, right.source, right.record_id], seed=seed)
    return int(key, 16) / float(1 << 4 * len(key))


def sampled_pairs(table: pa.Table) -> tuple[SampledPair, ...]:
    """The rows of a sample (source_l, record_id_l, source_r, record_id_r, match_weight, stratum)."""
    columns = ("source_l", "record_id_l", "source_r", "record_id_r", "match_weight", "stratum")
    rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
    return tuple(SampledPair(str(stratum), weight, pair_of(*names)) for *names, weight, stratum in rows)


def doubt(weight: float | _Floats, threshold: float) -> _Floats:
    """A half at the threshold, halved with each bit away from it."""
    found: _Floats = 0.5 * np.exp2(-np.abs(np.asarray(weight, dtype=np.float64) - threshold))
    return found


class _Names:
    """What the sources call a record number."""

    def __init__(self, people: pa.Table) -> None:
        self._source = people["source"].combine_chunks()
        self._record = people["record_id"].combine_chunks()

    def pairs(self, links: Links) -> list[Pair]:
        """The links' records."""
        left, right = (self._records(numbers) for numbers in (links.left, links.right))
        return [Pair(*sorted(both)) for both in zip(left, right, strict=True)]

    def _records(self, numbers: Labels) -> list[Record]:
        at = pa.array(numbers)
        names = zip(self._source.take(at).to_pylist(), self._record.take(at).to_pylist(), strict=True)
        return [Record(source, record) for source, record in names]


def _near(links: Links, labels: Labels, level: Strictness, threshold: float, names: _Names) -> list[Item]:
    """Pairs within `WINDOW` of a threshold: those below that would join two clusters, bridges above that hold one."""
    size = np.bincount(labels, minlength=labels.size)[labels]
    low = links.where((links.weight >= threshold - WINDOW) & (links.weight < threshold))
    low = low.where(labels[low.left] != labels[low.right])
    joined = size[low.left] * size[low.right]
    high = weak_bridges(links, labels, threshold=threshold, weakest=threshold + WINDOW, least_side=1)
    parted = high.smaller * (size[high.links.left] - high.smaller)
    said = {False: f"just below the {level.value} threshold", True: f"just above the {level.value} threshold"}
    return [
        *_items(low, joined, doubt(low.weight, threshold), Reason.THRESHOLD, said[False], names),
        *_items(high.links, parted, doubt(high.links.weight, threshold), Reason.THRESHOLD, said[True], names),
    ]


def _items(links: Links, moved: Labels, doubts: _Floats, reason: Reason, why: str, names: _Names) -> list[Item]:
    parts = zip(names.pairs(links), (moved * doubts).tolist(), links.weight.tolist(), moved.tolist(), strict=True)
    return [Item(pair, reason, value, f"{why}; {_moves(count)}", weight) for pair, value, weight, count in parts]


def _moves(count: int) -> str:
    return "the answer moves one pair of records" if count == 1 else f"the answer moves {count:,} pairs of records"


def _held(judged: Judged, name: str) -> pa.Table:
    """The rows of a table of pairs whose two records are the product's."""
    table, own = read_table(judged.spine.folder / name), pa.array(judged.sources)
    return table.filter(pc.and_(*(pc.is_in(table[f"source_{side}"], value_set=own) for side in "lr")))


def _guarded(spine: Spine, labels: Mapping[Strictness, Labels], table: pa.Table) -> list[Item]:
    stands = {True: "the link stands", False: "the link was left out"}
    moved = _moved(spine, labels, table).tolist()
    columns = (table[name].to_pylist() for name in ("guard", "taken", "match_weight"))
    return [
        Item(pair, Reason.GUARD, _GUARD_DOUBT * count, f"{guard}; {stands[taken]}", weight)
        for pair, count, guard, taken, weight in zip(_pairs(table), moved, *columns, strict=True)
    ]


def _moved(spine: Spine, labels: Mapping[Strictness, Labels], table: pa.Table) -> Labels:
    """Pairs of records that each answer moves, at the strictest clustering that the link is strong enough for.

    Of a link that stands it is what leaves when one record does: the least that a cut moves.
    """
    left, right = (table[f"{ID}_{side}"].to_numpy() for side in "lr")
    weight = table["match_weight"].to_numpy()
    moved = np.ones(table.num_rows, dtype=np.int64)
    for level in sorted(Strictness, key=lambda each: spine.thresholds[each]):  # a stricter one writes over
        found = labels[level]
        size = np.bincount(found, minlength=found.size)[found]
        joined = np.where(found[left] == found[right], size[left] - 1, size[left] * size[right])
        strong = (weight >= spine.thresholds[level]) | (level is Strictness.LOOSE)
        moved[strong] = np.maximum(1, joined[strong])
    return moved


def _bridges(spine: Spine, labels: Mapping[Strictness, Labels], table: pa.Table) -> list[Item]:
    found = labels[PERSON_LEVEL]
    size = np.bincount(found, minlength=found.size)[found]
    smaller = table["smaller_side"].to_numpy()
    moved = smaller * (size[table[f"{ID}_l"].to_numpy()] - smaller)
    weight = table["match_weight"].to_numpy()
    value = moved * doubt(weight, spine.thresholds[PERSON_LEVEL])
    parts = zip(_pairs(table), value.tolist(), weight.tolist(), moved.tolist(), strict=True)
    why = "a weak link that alone holds two parts of a person together"
    return [Item(pair, Reason.BRIDGE, v, f"{why}; {_moves(count)}", w) for pair, v, w, count in parts]


def _pairs(table: pa.Table) -> Sequence[Pair]:
    columns = ("source_l", "record_id_l", "source_r", "record_id_r")
    return [pair_of(*names) for names in zip(*(table[name].to_pylist() for name in columns), strict=True)]

"""The pairs of a share that people look at: its queue, and what is shown of each. For the linker alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.make import OpenLab
from counterfoil.linkage.linked_share import LinkedShare, read_linked_share
from counterfoil.linkage.model import load_model
from counterfoil.linkage.one_to_one import PairStatus
from counterfoil.linkage.overrides import Record
from counterfoil.linkage.quality_report.domain import quality_rules
from counterfoil.linkage.quality_report.review import ReviewSample
from counterfoil.linkage.quality_report.share_sample import COMPARED, DOUBTFUL, share_folder, share_sample
from counterfoil.linkage.review.queue import doubt, in_order, sampled_pairs
from counterfoil.linkage.review.showing import Other
from counterfoil.linkage.review.values import Item, Pair, Reason, pair_of
from counterfoil.linkage.spine import resources
from counterfoil.warehouse import query, read_table

_WHY = {
    PairStatus.LINKED: "just above the threshold of the link",
    PairStatus.WEAK: "just below the threshold of the link",
    PairStatus.TIED: "somebody else comes as near",
    PairStatus.TAKEN: "the person of the spine is nearer to somebody else",
}


@dataclass(frozen=True, slots=True)
class SharePairs:
    """The queue of a share: the pairs that are in doubt, and its sample."""

    linked: LinkedShare
    sample: ReviewSample
    doubtful: tuple[Item, ...]


def open_share(lab: OpenLab, name: str) -> SharePairs:
    """The pairs of the newest link of a share, drawn now when nobody has. Refused when its gateway is closed."""
    linked = read_linked_share(lab, name)
    sample = share_sample(linked, quality_rules(lab.settings.domain).looser, resources=resources(lab))
    rows = read_table(share_folder(linked) / DOUBTFUL).to_pylist()
    items = []
    for row in rows:
        pair = pair_of(row["source_l"], row["record_id_l"], row["source_r"], row["record_id_r"])
        status, weight = PairStatus(row["status"]), float(row["match_weight"])
        value = 0.5 if status is PairStatus.TIED else float(doubt(weight, linked.threshold))
        items.append(Item(pair, Reason.THRESHOLD, value, _WHY[status], weight))
    return SharePairs(linked, sample, in_order(items))


def of_share(found: SharePairs, items: Iterable[Item]) -> Other:
    """How these pairs of the share are shown: their records as compared and as delivered, the share's own model."""
    linked = found.linked
    compared = read_table(share_folder(linked) / COMPARED)
    every = [record for item in items for record in (item.pair.left, item.pair.right)]
    own = [record.record_id for record in every if record.source == linked.share.name]
    identifiers = read_table(linked.identifiers)
    held = identifiers.filter(pc.is_in(identifiers["record_id"], value_set=pa.array(own, pa.string())))
    raw = {Record(linked.share.name, row["record_id"]): row for row in held.to_pylist()}
    return Other(
        compared=_only(compared, every), raw=raw, model=load_model(linked.folder),
        labels={linked.share.name: linked.share.source.label}, decisions=_decisions(found),
    )  # fmt: skip


def _decisions(found: SharePairs) -> dict[Pair, str]:
    """What became of each pair that is not plainly apart."""
    known = {item.pair: item.why for item in found.doubtful}
    standing = found.sample.pairs["standing"].to_pylist()
    drawn = zip(sampled_pairs(found.sample.pairs), standing, strict=True)
    return known | {each.pair: str(said) for each, said in drawn}


def _only(compared: pa.Table, records: Sequence[Record]) -> pa.Table:
    wanted = pa.table(
        {
            "source": pa.array([record.source for record in records], pa.string()),
            "record_id": pa.array([record.record_id for record in records], pa.string()),
        }
    )
    return query("SELECT c.* FROM c SEMI JOIN w USING (source, record_id) ORDER BY ALL", {"c": compared, "w": wanted})

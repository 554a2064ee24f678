"""Reviewers' overrides as pairs of record numbers, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.clusters import Links, Rulings, components
from counterfoil.linkage.overrides import EVERYWHERE, Decision
from counterfoil.linkage.prepare import ID
from counterfoil.provenance import key_of
from counterfoil.warehouse import query

Pairs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ruled:
    """The overrides in force, as one product's clustering obeys them.

    `absent`: overrides of a record that is not delivered any more; they wait. `contradictions`: pairs ruled apart that
    other rulings join by way of third records, shape (n, 2): they are kept apart, and are for somebody to settle.
    """

    rulings: Rulings
    absent: int
    contradictions: Pairs

    def about(self) -> Mapping[str, int]:
        """Counts, for the quality report."""
        return {
            "must_link": len(self.rulings.must_link),
            "must_not_link": len(self.rulings.must_not_link),
            "of_absent_records": self.absent,
            "contradictions": len(self.contradictions),
        }


def rulings_of(overrides: pa.Table, records: pa.Table, product: str) -> Ruled:
    """`overrides` as `read_overrides` gives them; `records` with the record number, source and record_id."""
    sql = f"""SELECT l.{ID} AS l, r.{ID} AS r, o.decision AS decision FROM overrides o
              LEFT JOIN records l ON o.source_l = l.source AND o.record_id_l = l.record_id
              LEFT JOIN records r ON o.source_r = r.source AND o.record_id_r = r.record_id
              WHERE o.scope IN ('{EVERYWHERE}', '{product}') ORDER BY o.entry"""
    found = query(sql, {"overrides": overrides, "records": records.select([ID, "source", "record_id"])})
    here = found.filter(pc.and_(found["l"].is_valid(), found["r"].is_valid()))
    rulings = Rulings(_pairs(here, Decision.MUST_LINK), _pairs(here, Decision.MUST_NOT_LINK))
    return Ruled(rulings, found.num_rows - here.num_rows, _contradictions(rulings, records.num_rows))


def key_of_overrides(overrides: pa.Table) -> str:
    """Changes when any ruling does."""
    return key_of(overrides=overrides.to_pylist())


def _pairs(found: pa.Table, decision: Decision) -> Pairs:
    chosen = found.filter(pc.equal(found["decision"], decision.value))
    return np.column_stack([chosen["l"].to_numpy(), chosen["r"].to_numpy()]).astype(np.int64)


def _contradictions(rulings: Rulings, records: int) -> Pairs:
    joined = rulings.must_link
    if not len(joined) or not len(rulings.must_not_link):
        return np.empty((0, 2), dtype=np.int64)
    together = components(records, Links(joined[:, 0], joined[:, 1], np.zeros(len(joined))))
    apart = rulings.must_not_link
    against: Pairs = apart[together[apart[:, 0]] == together[apart[:, 1]]]
    return against

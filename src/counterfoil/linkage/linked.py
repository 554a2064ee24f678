"""Everything that one run of `link` found out, before it is reported and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from counterfoil.linkage.batch.models import KeptModel
from counterfoil.linkage.batch.records import Records
from counterfoil.linkage.batch.scoring import Scored
from counterfoil.linkage.blocking import RuleCount
from counterfoil.linkage.clusters import Clustering, Links, Strictness, links_of
from counterfoil.linkage.rulings import Ruled
from counterfoil.linkage.specification import Specification

PERSON_LEVEL = Strictness.MEDIUM  # a person key names a medium cluster (METHODS 1: the one that evaluation uses)


@dataclass(frozen=True, slots=True)
class Linked:
    """Everything that one run found out."""

    prepared: pa.Table
    records: Records
    specification: Specification
    counts: tuple[RuleCount, ...]
    models: Mapping[str, KeptModel]
    scored: tuple[Scored, ...]
    pairs: pa.Table
    products: Mapping[str, Clustering]
    overrides: pa.Table
    ruled: Mapping[str, Ruled]  # by product

    @property
    def links(self) -> Links:
        """All scored pairs."""
        return links_of(self.pairs)

    @property
    def clustering(self) -> Clustering:
        """The last product, whose people have keys."""
        return list(self.products.values())[-1]

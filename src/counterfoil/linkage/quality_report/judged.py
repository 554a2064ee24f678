"""The products of a spine as they are judged: each with its own records, clusters, sample and labels.

A domain's linkage.toml names products, each a clustering of some slices' sources. The last names people and is called
the spine here. One that holds the same sources of a lab as the spine has the same people, and is not judged apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import UsageError
from counterfoil.linkage.batch.scoring import sources_of
from counterfoil.linkage.clusters import Labels, Strictness
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import read_table

SPINE = "spine"  # the product that names people
_SHARE = "share "  # before the name of a share: a product of its own, whose answers lie with it
FOLDER = "quality"  # of a spine: samples and the page
_LINKS = [f"{ID}_l", f"{ID}_r", "match_weight"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One product of a spine. `title`: what linkage.toml calls it; `sources`: those of the lab that it holds."""

    spine: Spine
    name: str
    title: str
    sources: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its sample lies."""
        return self.spine.folder / FOLDER / ("" if self.name == SPINE else self.name)

    @property
    def columns(self) -> dict[Strictness, str]:
        """What people.parquet calls its clusters, the strictest first."""
        return {level: f"{'cluster' if self.name == SPINE else self.name}_{level.value}" for level in Strictness}

    def encoded(self) -> pa.Table:
        """Its records as they are compared, each under its number in the spine."""
        return self._own(self.spine.encoded())

    def people(self) -> pa.Table:
        """source, record_id, cluster_strict, cluster_medium, cluster_loose of its records, by its own clusters."""
        names = ["source", "record_id"]
        people = self._own(self.spine.people([*names, *self.columns.values()]))
        return people.rename_columns([*names, *(f"cluster_{level.value}" for level in self.columns)])

    def labels(self) -> dict[Strictness, Labels]:
        """The cluster of every record of the spine; records that it does not hold are alone."""
        people = self.spine.people(list(self.columns.values()))
        alone = pa.array(np.arange(people.num_rows))
        return {
            level: pc.coalesce(people[column].combine_chunks(), alone).to_numpy()
            for level, column in self.columns.items()
        }

    def links(self) -> pa.Table:
        """Its scored pairs that were kept: unique_id_l, unique_id_r, match_weight."""
        links = read_table(self.spine.folder / "links.parquet", _LINKS)
        if self.name == SPINE:
            return links
        own = pc.is_in(self.spine.people(["source"])["source"], value_set=pa.array(self.sources)).combine_chunks()
        sides = [own.take(links[column].combine_chunks()) for column in _LINKS[:2]]
        return links.filter(pc.and_(*sides))

    def _own(self, table: pa.Table) -> pa.Table:
        if self.name == SPINE:
            return table
        return table.filter(pc.is_in(table["source"], value_set=pa.array(self.sources)))


def judged_products(spine: Spine) -> tuple[Judged, ...]:
    """Every product of a spine that is judged, the spine itself first."""
    loaded = spine.quality()["inputs"]
    *others, last = spine.specification.products
    whole = _held(spine, last.slices, loaded)
    parts = [Judged(spine, each.name, each.name, _held(spine, each.slices, loaded)) for each in others]
    return (Judged(spine, SPINE, last.name, whole), *(each for each in parts if each.sources not in ((), whole)))


def the_spine(spine: Spine) -> Judged:
    """The product that names people."""
    return judged_products(spine)[0]


def judged_product(spine: Spine, name: str) -> Judged:
    """The product called `name`; UsageError lists those there are."""
    found = judged_products(spine)
    for each in found:
        if name in (each.name, each.title):
            return each
    raise UsageError(
        f"This spine has no product called {name!r} that is judged by itself. It has: "
        f"{', '.join(each.name for each in found)}. One that holds the same sources as the spine is the "
        "spine, and a share goes by its own name."
    )


def share_product(name: str) -> str:
    """What a share is called as a product."""
    return _SHARE + name


def share_of(product: str) -> str | None:
    """The share that a product is; None for one of the spine."""
    return product.removeprefix(_SHARE) if product.startswith(_SHARE) else None


def labels_of(labels: pa.Table, name: str) -> pa.Table:
    """The labels that were given for one product. A table that names none is of the spine."""
    if "product" not in labels.column_names:
        return labels if name == SPINE else labels.slice(0, 0)
    return labels.filter(pc.equal(labels["product"], name))


def _held(spine: Spine, slices: Sequence[str], loaded: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(set(sources_of(spine.specification, slices)) & set(loaded)))

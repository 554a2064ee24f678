"""One clustering for each product of linkage, with what keeps records apart: overrides, and two places on one day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from counterfoil.linkage import joining
from counterfoil.linkage.batch.records import Records
from counterfoil.linkage.batch.scoring import Scored
from counterfoil.linkage.clusters import Clustering, Labels, Strictness, cluster, links_of, plain_labels
from counterfoil.linkage.guards import Apart, Held, find_same_day, read_evidence
from counterfoil.linkage.rulings import Ruled
from counterfoil.linkage.specification import Specification
from counterfoil.provenance import sha256_of_file


def cluster_products(
    records: Records,
    scored: Sequence[Scored],
    parts: Sequence[pa.Table],
    specification: Specification,
    thresholds: Mapping[Strictness, float],
    ruled: Mapping[str, Ruled],
    folders: Mapping[str, Path],
) -> dict[str, Clustering]:
    """One clustering for each product, of the links of its slices; products are clustered at the same time."""
    own = {
        product.name: [part for each, part in zip(scored, parts, strict=True) if each.task.slice in product.slices]
        for product in specification.products
    }
    held = read_evidence(specification.guards.same_day, folders)

    def clustered(name: str) -> Clustering:
        links = links_of(pa.concat_tables([part.drop_columns(["slice"]) for part in own[name]]))
        links = links.above(thresholds[Strictness.LOOSE])
        plain = plain_labels(records.table.num_rows, links, thresholds)
        places = _in_two_places(records.table, plain[Strictness.LOOSE], specification, held)
        return cluster(
            records.table, links, thresholds, specification.guards, rulings=ruled[name].rulings, apart=places[True],
            doubted=places[False], plain=plain,
        )  # fmt: skip

    names = [name for name, parts_of in own.items() if parts_of]
    with ThreadPoolExecutor(max(1, len(names))) as beside:
        return dict(zip(names, beside.map(clustered, names), strict=True))


def _in_two_places(
    prepared: pa.Table, together: Labels, specification: Specification, held: Held
) -> dict[bool, list[Apart]]:
    """Pairs of one component, `together`, that the tables of link evidence speak against: in prison, and somewhere else
    on that day.

    True: those to keep apart; False: those of the rules that only want them looked at.
    """
    found: dict[bool, list[Apart]] = {True: [], False: []}
    for rule in specification.guards.same_day:
        found[rule.cut].append(Apart.of(find_same_day(prepared, together, rule, held), joining.SAME_DAY))
    return found


def evidence_of(specification: Specification, folders: Mapping[str, Path]) -> dict[str, str]:
    """The hash of each table that a guard reads."""
    tables = {(side.source, side.table) for rule in specification.guards.same_day for side in (rule.stays, rule.days)}
    files = {f"{source}/{table}": folders[source] / f"{table}.parquet" for source, table in tables if source in folders}
    return {name: sha256_of_file(file) for name, file in sorted(files.items()) if file.is_file()}

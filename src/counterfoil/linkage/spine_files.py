"""The tables of a spine on disk: people and their keys, links, what is for review, the crosswalk, the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.files import atomic_folder, put_again, write_json
from counterfoil.lab.keys import register_secret
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.batch.scoring import sources_of
from counterfoil.linkage.clusters import Labels, Strictness, weak_bridges
from counterfoil.linkage.crosswalk import BEFORE
from counterfoil.linkage.keys import NewKey, assign_keys, coded, register_keys, rows_now
from counterfoil.linkage.linked import PERSON_LEVEL, Linked
from counterfoil.linkage.model import save_model
from counterfoil.linkage.prepare import ID
from counterfoil.warehouse import read_table, write_table


@dataclass(frozen=True, slots=True)
class People:
    """Whose each record is: source, record_id, person_id, of a spine and of the one before it."""

    now: pa.Table
    before: pa.Table | None


def write_spine(
    folder: Path,
    linked: Linked,
    report: Callable[[], Mapping[str, Any]],
    *,
    thresholds: Mapping[Strictness, float],
    prepared: Path,
    previous: Path | None,
    new_key: NewKey | None,
) -> tuple[Mapping[str, Any], People]:
    """Write the folder of a spine, whole or not at all; what `report` made is given back, and the people. Person keys
    are taken from the spine `previous`.

    `prepared` is the file of the records that were linked. `report` makes quality.json, beside the writing.
    """
    with atomic_folder(folder) as temporary:
        with ThreadPoolExecutor(2) as beside:
            written = beside.submit(write_table, linked.pairs, temporary / "links.parquet")  # longer than all the rest
            reported = beside.submit(report)
            before = None if previous is None else _read_people(previous)
            keys = assign_keys(_names(linked), linked.clustering.labels[PERSON_LEVEL], before, new_key)
            write_table(_people_table(linked, keys.person_id.cast(pa.string())), temporary / "people.parquet")
            write_table(_review_table(linked), temporary / "review.parquet")
            write_table(_from(keys.crosswalk, previous), temporary / "crosswalk.parquet")
            write_table(linked.overrides, temporary / "overrides.parquet")
            put_again(prepared, temporary / "encoded.parquet")
            write_table(_bridges_table(linked, thresholds[PERSON_LEVEL]), temporary / "weak_bridges.parquet")
            written.result()
        first, *others = linked.models.values()
        save_model(first.model, temporary)
        for kept in others:
            save_model(kept.model, temporary / "models" / kept.slice)
        write_json(temporary / "quality.json", dict(reported.result()))
    return reported.result(), People(_names(linked).append_column("person_id", keys.person_id), before)


def _from(crosswalk: pa.Table, previous: Path | None) -> pa.Table:
    """The crosswalk, with the name of the spine whose keys it leads on."""
    return crosswalk if previous is None else crosswalk.replace_schema_metadata({BEFORE: previous.name})


def _names(linked: Linked) -> pa.Table:
    return linked.prepared.select(["source", "record_id"])


def _people_table(linked: Linked, person_id: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Each record with its person and its clusters."""
    people = _names(linked).append_column("person_id", person_id)
    for level in Strictness:
        people = people.append_column(f"cluster_{level.value}", pa.array(linked.clustering.labels[level]))
    return _with_products(people, linked)


def _with_products(people: pa.Table, linked: Linked) -> pa.Table:
    """The clusters of the products before the last, null for records of no slice of theirs."""
    specification = linked.specification
    for product in specification.products[:-1]:
        if product.name not in linked.products:
            continue
        inside = pc.is_in(people["source"], value_set=pa.array(sources_of(specification, product.slices)))
        for level, labels in linked.products[product.name].labels.items():
            values = pc.if_else(inside, pa.array(labels), pa.scalar(None, pa.int64()))
            people = people.append_column(f"{product.name}_{level.value}", values)
    return people


def _bridges_table(linked: Linked, limit: float) -> pa.Table:
    """Links that alone hold two parts of a person together at `limit` bits and weigh little, for clerical review."""
    labels = linked.clustering.labels[PERSON_LEVEL]
    weakest = linked.specification.guards.weak_bridge
    found = weak_bridges(linked.links, labels, threshold=limit, weakest=weakest)
    table = _named(linked, found.links.left, found.links.right)
    table = table.append_column("match_weight", pa.array(found.links.weight))
    return table.append_column("smaller_side", pa.array(found.smaller))


def _review_table(linked: Linked) -> pa.Table:
    """Pairs that a guard spoke against, for clerical review: `taken` ones stand, links of the others were left out.

    A pair of one person that no link of its own joins has no weight.
    """
    doubts = linked.clustering.doubts.each()
    left, right = (np.array([getattr(doubt, side) for doubt in doubts], dtype=np.int64) for side in ("left", "right"))
    columns = {
        "match_weight": pa.array(np.array([doubt.weight for doubt in doubts]), pa.float64(), from_pandas=True),
        "guard": pa.array([doubt.guard.value for doubt in doubts], pa.string()),
        "taken": pa.array([doubt.taken for doubt in doubts], pa.bool_()),
    }
    table = _named(linked, left, right)
    for name, values in columns.items():
        table = table.append_column(name, values)
    return table


def _named(linked: Linked, left: Labels, right: Labels) -> pa.Table:
    columns: dict[str, Any] = {}
    for side, numbers in (("l", left), ("r", right)):
        at = pa.array(numbers)
        columns[f"{ID}_{side}"] = at
        for name in ("source", "record_id"):
            columns[f"{name}_{side}"] = linked.prepared.column(name).combine_chunks().take(at)
    return pa.table(columns)


def _read_people(folder: Path) -> pa.Table:
    """Each key once, as numbers of the records into them."""
    people = read_table(folder / "people.parquet", ["source", "record_id", "person_id"])
    return people.set_column(2, "person_id", coded(people["person_id"]))


def write_register_keys(
    paths: LabPaths, folder: Path, *, previous: Path | None = None, people: People | None = None
) -> None:
    """The analyst's key of each record of a spine; people who had one in the spine `previous` keep it.

    `people`: of both spines, where one was made just now. What lies there under its name then is of a spine that
    somebody took away, whose people had other keys, and is written anew.
    """
    target = paths.register_keys(folder.name)
    if people is None and target.exists():
        return
    now = _read_people(folder) if people is None else people.now
    before = None if people is None or previous is None else people.before
    known = None if previous is None or before is None else _known_keys(paths, previous, before)
    write_table(register_keys(now, register_secret(paths), known), target)


def _known_keys(paths: LabPaths, previous: Path, people: pa.Table) -> pa.Table | None:
    """person_id and register_key of the spine before, each once. `people`: whose its records are."""
    if not paths.register_keys(previous.name).is_file():
        return None
    keys = read_table(paths.register_keys(previous.name))
    encoded = coded(people["person_id"])
    row = rows_now(people, keys)
    held = np.flatnonzero(row >= 0)
    persons, first = np.unique(encoded.indices.to_numpy()[held], return_index=True)
    of = keys["register_key"].combine_chunks().take(pa.array(row[held[first]]))
    return pa.table({"person_id": encoded.dictionary.take(pa.array(persons)), "register_key": of})

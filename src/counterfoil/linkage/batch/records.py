"""The records of one run, prepared and kept; and which of them are the same as in the run before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from counterfoil.errors import Fault
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.batch.stages import Stage, make_stage
from counterfoil.linkage.blocking import RuleCount
from counterfoil.linkage.core.encoded_files import (
    Check,
    Unusable,
    Written,
    check_file,
    engine_versions,
    open_array,
    write_array,
)
from counterfoil.linkage.core.key_order import Order, RuleOrder
from counterfoil.linkage.core.sameness import same_rows
from counterfoil.linkage.estimates import Estimate, estimate
from counterfoil.linkage.prepare import ID, STANDARD_COLUMNS, Earlier, check_columns, hot_blocks, prepare_in_order
from counterfoil.linkage.specification import Specification
from counterfoil.provenance import key_of
from counterfoil.warehouse import read_table, write_table

PREPARED = "encoded.parquet"
_GONE = -1
_RIGHT = "right_"  # before the name of the arrays of a rule's other side

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Records:
    """The prepared records of a run: row i is record number i, and a source's records stand together."""

    stage: Stage
    table: pa.Table
    spans: Mapping[str, tuple[int, int]]  # source -> first record number and how many
    inputs: Mapping[str, str]  # source -> SHA-256 of its identifiers
    about: Mapping[str, Any]
    orders: tuple[RuleOrder, ...]  # by each rule of the specification
    written: Mapping[str, Written]  # the arrays of the orders, by the names that an index has for them
    changes: Changes | None = None  # since the run before, where they were found when the records were prepared

    @property
    def sources(self) -> tuple[str, ...]:
        """Those that hold records or were delivered empty."""
        return tuple(self.spans)

    def numbers(self, sources: Sequence[str]) -> Longs:
        """The record numbers of some sources, in order."""
        return numbers_of(self.spans, sources)

    def of(self, sources: Sequence[str]) -> pa.Table:
        """The records of some sources, in order of their numbers."""
        return pa.concat_tables([self.table.slice(*self.spans[source]) for source in sorted(sources)])


def numbers_of(spans: Mapping[str, tuple[int, int]], sources: Sequence[str]) -> Longs:
    """Record numbers of some sources, in order."""
    parts = [np.arange(first, first + count) for first, count in (spans[source] for source in sorted(sources))]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def read_records(
    paths: LabPaths,
    extracts: Mapping[str, Path],
    inputs: Mapping[str, str],
    specification: Specification,
    *,
    before: Mapping[str, str] | None = None,
    anew: bool = False,
) -> Records:
    """The stage `records`: every extract's identifiers as one table that is ready to compare.

    `before`: the inputs of the run before. Where what it left was made by the same rules and versions and is still
    there, its order of the records that are the same is used. `anew`: the stage is made again if it is there, alone.
    """
    stage = _stage(inputs, specification)
    was = None if before is None or anew else _stage(before, specification)
    held: list[pa.Table] = []
    found: list[Changes] = []

    def make(folder: Path) -> Mapping[str, Any]:
        def earlier(table: pa.Table) -> Earlier | None:
            known = None if was is None else _earlier(was, table, _spans(table, extracts), paths, specification)
            found.extend([] if known is None else [known.changes])
            return None if known is None else known.earlier

        prepared = prepare_in_order(_read(extracts), specification, earlier=earlier)
        held.append(prepared.table)
        with ThreadPoolExecutor(1) as beside:
            written = beside.submit(write_table, prepared.table, folder / PREPARED)
            hot = [asdict(block) for block in hot_blocks(prepared.table, specification)]
            orders = _write_orders(folder, prepared.orders)
            written.result()
        spans = _spans(prepared.table, extracts)
        return {
            "records": prepared.table.num_rows,
            "bytes": prepared.table.nbytes,
            "spans": spans,
            "hot_blocks": hot,
            "orders": orders,
            "specification": specification.record_key,
        }

    make_stage(stage, paths, make, anew=anew)
    about, folder = stage.about(paths), stage.folder(paths)
    spans = {source: (first, count) for source, (first, count) in sorted(about["spans"].items())}
    table = held[0] if held else read_table(folder / PREPARED)
    written = {name: Written(folder / f"{name}.bin", told) for name, told in about["orders"].items()}
    orders = _open_orders(written, len(specification.rules), are_checked=bool(held))
    is_cut = bool(about["hot_blocks"]) or (was is not None and bool(found) and bool(was.about(paths)["hot_blocks"]))
    changes = found[0] if found and not is_cut else None  # a record of a block that turns hot or cool counts as changed
    return Records(stage, table, spans, inputs, about, orders, written, changes)


def _stage(inputs: Mapping[str, str], specification: Specification) -> Stage:
    key = key_of(inputs=dict(inputs), specification=specification.record_key, orders=engine_versions())
    return Stage("records", key)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the run before when records are prepared: what changed, and its orders."""

    changes: Changes
    earlier: Earlier


def _earlier(
    was: Stage, table: pa.Table, spans: Mapping[str, Sequence[int]], paths: LabPaths, specification: Specification
) -> _Known | None:
    """The run before, if what it left is there, well, and has columns of the same types."""
    if not was.is_made(paths):
        return None
    about, folder = was.about(paths), was.folder(paths)
    kinds = {field.name: field.type for field in pq.read_schema(folder / PREPARED)}
    if any(kinds.get(field.name) != field.type for field in table.schema):
        return None
    written = {name: Written(folder / f"{name}.bin", told) for name, told in about["orders"].items()}
    try:
        orders = _open_orders(written, len(specification.rules), are_checked=False)
    except Fault:
        return None  # damaged: all is made anew
    cut = {block["rule"] for block in about["hot_blocks"]}
    usable = {n: order for n, order in enumerate(orders) if specification.rules[n].name not in cut}
    columns = [name for name in STANDARD_COLUMNS if name not in ("source", "record_id")]
    changes = _compared(was, table, spans, columns, paths)
    return _Known(changes, Earlier(changes.now, usable))


def estimate_of(records: Records, counts: Sequence[RuleCount], specification: Specification) -> Estimate:
    """What comparing the records will take, as it was when they were prepared."""
    hot = records.about["hot_blocks"]
    return estimate(records.table, counts, hot, specification, size=records.about["bytes"])


def _write_orders(folder: Path, orders: Sequence[RuleOrder]) -> dict[str, Any]:
    """The arrays of each rule's order, under the names that an index has for them; what was said of each."""
    told = {}
    for number, order in enumerate(orders):
        sides = {"": order.left} | ({} if order.is_one else {_RIGHT: order.right})
        for side, each in sides.items():
            for name, array in ((f"{side}keys", each.hashes), (f"{side}records", each.records)):
                told[f"{name}_{number:02}"] = write_array(folder / f"{name}_{number:02}.bin", array)
    return told


def _open_orders(written: Mapping[str, Written], rules: int, *, are_checked: bool) -> tuple[RuleOrder, ...]:
    try:
        for each in () if are_checked else written.values():
            check_file(each.path, each.told, Check.SUMS)
    except Unusable as error:
        folder = next(iter(written.values())).path.parent
        raise Fault(
            f"What the linking stage records left {error}. Remove {folder} and run `counterfoil link` again; nothing "
            "else is lost."
        ) from error

    def side(name: str, number: int) -> Order:
        arrays = (written[f"{name}{part}_{number:02}"] for part in ("keys", "records"))
        return Order(*(open_array(each.path, each.told) for each in arrays))

    found = []
    for number in range(rules):
        left = side("", number)
        has_right = f"{_RIGHT}keys_{number:02}" in written
        found.append(RuleOrder(left, side(_RIGHT, number) if has_right else left))
    return tuple(found)


def _read(extracts: Mapping[str, Path]) -> pa.Table:
    """The standardised columns of every source. Fault names a column that another version left out."""
    tables = []
    for path in extracts.values():
        held = [name for name in STANDARD_COLUMNS if name in pq.read_schema(path).names]
        table = read_table(path, held)
        check_columns(table)
        tables.append(table)
    return pa.concat_tables(tables)


def _spans(prepared: pa.Table, extracts: Mapping[str, Path]) -> dict[str, list[int]]:
    counted = {row["values"]: row["counts"] for row in pc.value_counts(prepared["source"]).to_pylist()}
    first, spans = 0, {}
    for source in sorted(extracts.keys() | counted.keys()):
        spans[source] = [first, counted.get(source, 0)]
        first += counted.get(source, 0)
    return spans


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the records of an earlier run: `now` of each old record number, -1 where it changed or is gone."""

    now: Longs
    spans: Mapping[str, tuple[int, int]]  # of the earlier run

    def fresh(self, records: int) -> npt.NDArray[np.bool_]:
        """For each record of this run, whether the earlier had no such record."""
        fresh = np.ones(records, dtype=np.bool_)
        fresh[self.now[self.now != _GONE]] = False
        return fresh


def changes_since(was: Stage, records: Records, paths: LabPaths, specification: Specification) -> Changes:
    """Compare two runs record by record, on every column that linkage reads; `source` and `record_id` name a record."""
    about = was.about(paths)
    if was.key == records.stage.key:
        return Changes(np.arange(about["records"]), _as_spans(about["spans"]))
    columns = _to_compare(records.table, about.get("specification") == specification.record_key, specification)
    return _compared(was, records.table, records.spans, columns, paths)


def _compared(
    was: Stage, table: pa.Table, now_spans: Mapping[str, Sequence[int]], columns: Sequence[str], paths: LabPaths
) -> Changes:
    """For each record of an earlier run the record of `table` that has its name and the same in all `columns`."""
    about = was.about(paths)
    spans = _as_spans(about["spans"])
    now = np.full(about["records"], _GONE, dtype=np.int64)
    before = read_table(was.folder(paths) / PREPARED, ["source", "record_id", *columns])

    def compare(source: str) -> None:
        (first, count), (second, other) = spans[source], now_spans[source]
        old, new = before.slice(first, count), table.slice(second, other)
        found = same_rows(old, new, "record_id", columns)
        now[first : first + count] = np.where(found < 0, _GONE, found + second)  # no two sources share a place

    with ThreadPoolExecutor() as beside:
        list(beside.map(compare, sorted(spans.keys() & now_spans.keys())))
    return Changes(now, spans)


def _as_spans(told: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, int]]:
    return {source: (first, count) for source, (first, count) in told.items()}


def _to_compare(table: pa.Table, are_alike: bool, specification: Specification) -> list[str]:
    """All that linkage reads; without what is worked out of the rest when it was worked out alike."""
    caps = {rule.cap.column for rule in specification.rules if rule.cap is not None}
    named = {ID, "source", "record_id"}
    every = [name for name in table.column_names if name not in named]
    return [name for name in every if name in caps or name in STANDARD_COLUMNS] if are_alike else every

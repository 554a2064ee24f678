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

from counterfoil.lab.paths import LabPaths
from counterfoil.linkage.batch.stages import Stage, make_stage
from counterfoil.linkage.model import Resources
from counterfoil.linkage.prepare import ID, STANDARD_COLUMNS, check_columns, hot_blocks, prepare
from counterfoil.linkage.specification import Specification
from counterfoil.provenance import key_of
from counterfoil.warehouse import connect, read_table, write_table

PREPARED = "encoded.parquet"
_GONE = -1

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Records:
    """The prepared records of a run: row i is record number i, and a source's records stand together."""

    stage: Stage
    table: pa.Table
    spans: Mapping[str, tuple[int, int]]  # source -> first record number and how many
    inputs: Mapping[str, str]  # source -> SHA-256 of its identifiers
    about: Mapping[str, Any]

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
    paths: LabPaths, extracts: Mapping[str, Path], inputs: Mapping[str, str], specification: Specification
) -> Records:
    """The stage `records`: every extract's identifiers as one table that is ready to compare."""
    key = key_of(inputs=dict(inputs), specification=specification.record_key)
    stage = Stage("records", key)

    def make(folder: Path) -> Mapping[str, Any]:
        prepared = prepare(_read(extracts), specification)
        with ThreadPoolExecutor(1) as beside:
            written = beside.submit(write_table, prepared, folder / PREPARED)
            hot = [asdict(block) for block in hot_blocks(prepared, specification)]
            written.result()
        return {"records": prepared.num_rows, "spans": _spans(prepared, extracts), "hot_blocks": hot}

    make_stage(stage, paths, make)
    about = stage.about(paths)
    spans = {source: (first, count) for source, (first, count) in sorted(about["spans"].items())}
    return Records(stage, read_table(stage.folder(paths) / PREPARED), spans, inputs, about)


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


def changes_since(was: Stage, records: Records, paths: LabPaths, resources: Resources) -> Changes:
    """Compare two runs record by record, on every column that linkage reads; `source` and `record_id` name a record."""
    about = was.about(paths)
    spans = {source: (first, count) for source, (first, count) in about["spans"].items()}
    now = np.full(about["records"], _GONE, dtype=np.int64)
    if was.key == records.stage.key:
        return Changes(np.arange(about["records"]), spans)
    columns = [name for name in records.table.column_names if name not in (ID, "source", "record_id")]
    same = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in columns)
    one, other = (str(stage.folder(paths) / PREPARED).replace("'", "''") for stage in (was, records.stage))
    sql = f"""SELECT a.{ID} AS was, b.{ID} AS now FROM read_parquet('{one}') a JOIN read_parquet('{other}') b
              ON a.source = b.source AND a.record_id = b.record_id AND {same} ORDER BY 1"""
    connection = connect(threads=resources.threads, memory_limit=resources.memory)
    try:
        found = connection.sql(sql).to_arrow_table()
    finally:
        connection.close()
    now[found["was"].to_numpy()] = found["now"].to_numpy()
    return Changes(now, spans)

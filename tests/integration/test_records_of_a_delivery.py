"""The records of a later delivery, prepared from those of the one before, are those that are prepared from nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.linkage.batch.records import PREPARED, Records, read_records
from counterfoil.linkage.specification import Specification, load_specification
from counterfoil.provenance import sha256_of_file
from counterfoil.warehouse import write_table
from lib.links import TODAY, make_records

SOURCES = ("pnc", "prison", "probation")
SPECIFICATION = load_specification("justice")
SEVERAL = 8  # records of a block from which on it is hot, in the tests of hot blocks

Files = tuple[Mapping[str, Path], Mapping[str, str]]


def _capped(records: int) -> Specification:
    """Blocks of more records than these are hot."""
    rules = [rule if rule.cap is None else replace(rule, cap=replace(rule.cap, records=records)) for rule in RULES]
    return replace(SPECIFICATION, rules=tuple(rules))


RULES = SPECIFICATION.rules


def _deliver(lab: OpenLab, records: pa.Table, delivery: str) -> Files:
    files = {source: lab.paths.linker_extract(source, delivery) / "identifiers.parquet" for source in SOURCES}
    for source, file in files.items():
        write_table(records.filter(pa.array([name == source for name in records["source"].to_pylist()])), file)
    return files, {source: sha256_of_file(file) for source, file in files.items()}


def _later(records: pa.Table, *, common: int) -> pa.Table:
    """Without some records, with others, with other postcodes for some; `common` of the new share names and dates."""
    rows = records.to_pylist()
    for at in range(0, len(rows), 17):
        rows[at]["postcode_std"], rows[at]["outcode"] = "ZZ11ZZ", "ZZ1"
    for at in range(5, len(rows), 23):
        rows[at]["alias_names"] = ["MARY OTHER"]
    kept = [row for at, row in enumerate(rows) if at % 13]
    first = rows[1]
    same = [first | {"source": "pnc", "record_id": f"A{i:07d}", "outcode": f"AB{i % 3}"} for i in range(common)]
    more = make_records(60, seed=9).records.to_pylist()
    return pa.Table.from_pylist(
        [*kept, *same, *(row | {"record_id": f"N{row['record_id']}"} for row in more)], schema=records.schema
    )


def _arrays(records: Records) -> list[np.ndarray[Any, Any]]:
    sides = [side for order in records.orders for side in (order.left, order.right)]
    return [array for side in sides for array in (side.hashes, side.records)]


def _same_by_hand(before: pa.Table, after: pa.Table) -> list[int]:
    """For each old record the number of the new one with its name and the same values, or -1."""
    numbers = {(row["source"], row["record_id"]): (at, row) for at, row in enumerate(_plain(after))}
    found = []
    for row in _plain(before):
        at, now = numbers.get((row["source"], row["record_id"]), (-1, None))
        found.append(at if now == row else -1)
    return found


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.drop_columns(["unique_id"]).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("specification", "common"),
    [(SPECIFICATION, 0), (_capped(SEVERAL), 0), (_capped(SEVERAL), 2 * SEVERAL), (_capped(3), SEVERAL)],
    ids=["no hot block", "none turns hot", "blocks turn hot", "hot before and after"],
)
def test_prepared_from_the_delivery_before_as_from_nothing(
    tmp_path: Path, specification: Specification, common: int
) -> None:
    lab = make_lab(tmp_path / "lab", today=TODAY)
    given = make_records(400, seed=4).records
    files, inputs = _deliver(lab, given, "2026-01-01")
    first = read_records(lab.paths, files, inputs, specification)
    files, later = _deliver(lab, _later(given, common=common), "2026-02-01")
    grown = read_records(lab.paths, files, later, specification, before=inputs)
    arrays, table = [array.copy() for array in _arrays(grown)], grown.table
    whole = read_records(lab.paths, files, later, specification, anew=True)
    assert table.equals(whole.table)
    assert grown.about == whole.about
    assert all(one.tobytes() == other.tobytes() for one, other in zip(arrays, _arrays(whole), strict=True))
    assert (grown.changes is None) == bool(first.about["hot_blocks"] or whole.about["hot_blocks"])
    if grown.changes is not None:
        assert grown.changes.now.tolist() == _same_by_hand(first.table, whole.table)
        assert 0 < np.count_nonzero(grown.changes.now < 0) < first.table.num_rows


def test_a_damaged_order_of_the_delivery_before_is_not_used(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab", today=TODAY)
    given = make_records(200, seed=4).records
    files, inputs = _deliver(lab, given, "2026-01-01")
    first = read_records(lab.paths, files, inputs, SPECIFICATION)
    damaged = first.written["keys_04"].path
    data = bytearray(damaged.read_bytes())
    data[8] ^= 1
    damaged.write_bytes(bytes(data))
    files, later = _deliver(lab, _later(given, common=0), "2026-02-01")
    grown = read_records(lab.paths, files, later, SPECIFICATION, before=inputs)
    arrays = [array.copy() for array in _arrays(grown)]
    whole = read_records(lab.paths, files, later, SPECIFICATION, anew=True)
    assert grown.changes is None
    assert all(one.tobytes() == other.tobytes() for one, other in zip(arrays, _arrays(whole), strict=True))


def test_records_of_other_rules_are_not_used(tmp_path: Path) -> None:
    """The stage before is named by the rules, so that of others is another."""
    lab = make_lab(tmp_path / "lab", today=TODAY)
    given = make_records(100, seed=4).records
    files, inputs = _deliver(lab, given, "2026-01-01")
    first = read_records(lab.paths, files, inputs, SPECIFICATION)
    assert (first.stage.folder(lab.paths) / PREPARED).is_file()
    files, later = _deliver(lab, _later(given, common=0), "2026-02-01")
    others = replace(SPECIFICATION, record_key="other rules")
    assert read_records(lab.paths, files, later, others, before=inputs).changes is None
    assert read_records(lab.paths, files, later, SPECIFICATION, before=inputs).changes is not None

"""Tables on disk: what is read is what was written, equal tables have equal bytes, and what has a dictionary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.warehouse import read_table, write_table

ROWS = 150_000  # more than a row group


def _table() -> pa.Table:
    numbers = np.arange(ROWS)
    return pa.table(
        {
            "number": numbers,
            "key": pa.array([f"R{i}" for i in range(ROWS)]),
            "few": pa.array([None if i % 7 == 0 else f"V{i % 7}" for i in range(ROWS)]),
            "parts": pa.array([[f"P{i % 3}", f"Q{i % 5}"] if i % 4 else None for i in range(ROWS)]),
            "coded": pa.array(["x", "y"] * (ROWS // 2)).dictionary_encode(),
            "nothing": pa.nulls(ROWS),
        }
    )


def test_what_is_read_is_what_was_written_and_equal_tables_have_equal_bytes(tmp_path: Path) -> None:
    table = _table()
    write_table(table, tmp_path / "one.parquet")
    write_table(pa.concat_tables([table.slice(0, 1_000), table.slice(1_000)]), tmp_path / "other.parquet")
    assert read_table(tmp_path / "one.parquet").equals(table)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_a_column_whose_values_are_its_own_has_no_dictionary(tmp_path: Path) -> None:
    write_table(_table(), tmp_path / "t.parquet")
    meta = pq.read_metadata(tmp_path / "t.parquet")
    for group in range(meta.num_row_groups):
        columns = [meta.row_group(group).column(i) for i in range(meta.num_columns)]
        found = {each.path_in_schema: "RLE_DICTIONARY" in each.encodings for each in columns}
        assert not found["number"]
        assert not found["key"]
        assert found["few"]
        assert found["parts.list.element"]


def test_tables_of_other_shapes(tmp_path: Path) -> None:
    structs = pa.table({"s": pa.array([{"a": 1, "b": "x"}, None]), "n": pa.array([[[1], [2, 3]], None])})
    for number, table in enumerate((structs, structs.slice(0, 0), _table().slice(0, 0), pa.table({}))):
        write_table(table, tmp_path / f"{number}.parquet")
        assert read_table(tmp_path / f"{number}.parquet").equals(table)

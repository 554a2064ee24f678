"""Rows of two tables that are the same: as SQL's IS NOT DISTINCT FROM says, whatever the type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.linkage.core.sameness import same_rows
from counterfoil.warehouse import query

VALUES: Mapping[str, tuple[pa.DataType, Sequence[Any]]] = {
    "text": (pa.string(), ["", "A", "AB", "ÅB", None]),
    "date": (pa.date32(), [dt.date(1970, 1, 1), dt.date(1970, 1, 2), None]),
    "flag": (pa.bool_(), [True, False, None]),
    "whole": (pa.int32(), [0, -1, 300, None]),
    "texts": (pa.list_(pa.string()), [[], [None], ["A"], ["A", "B"], ["AB"], ["", "AB"], None]),
}


def _records(seed: int, names: list[str]) -> pa.Table:
    random = np.random.default_rng(seed)
    columns = {
        column: pa.array([values[n] for n in random.integers(0, len(values), len(names))], kind)
        for column, (kind, values) in VALUES.items()
    }
    return pa.table({"name": pa.array(names, pa.string()), **columns})


def test_same_rows_are_those_of_sql() -> None:
    names = sorted({f"{n:x}" for n in range(2000)} | {"", "Ø", "é1"}, key=str.encode)
    old = _records(1, [name for n, name in enumerate(names) if n % 7])
    new = _records(2, [name for n, name in enumerate(names) if n % 5])
    for column in VALUES:
        found = same_rows(old, new, "name", [column])
        sql = f"""SELECT a.row AS a, b.row AS b FROM old a JOIN new b
                  ON a.name = b.name AND a.{column} IS NOT DISTINCT FROM b.{column} ORDER BY 1"""
        tables = {
            name: each.append_column("row", pa.array(np.arange(each.num_rows)))
            for name, each in (("old", old), ("new", new))
        }
        expected = np.full(old.num_rows, -1)
        pairs = query(sql, tables)
        expected[pairs["a"].to_numpy()] = pairs["b"].to_numpy()
        assert found.tolist() == expected.tolist(), column
        assert 0 < (found >= 0).sum() < old.num_rows


def test_all_columns_must_be_the_same() -> None:
    names = sorted(f"{n:x}" for n in range(300))
    table = _records(1, names)
    changed = table.set_column(2, "date", table["date"].combine_chunks().take(pa.array(np.arange(300)[::-1])))
    assert same_rows(table, table, "name", list(VALUES)).tolist() == list(range(300))
    both = same_rows(table, changed, "name", list(VALUES)) >= 0
    assert both.tolist() == (same_rows(table, changed, "name", ["date"]) >= 0).tolist()


def test_slices_and_nothing() -> None:
    table = _records(1, sorted(f"{n:x}" for n in range(300)))
    part = table.slice(100, 50)
    assert same_rows(part, table, "name", list(VALUES)).tolist() == list(range(100, 150))
    assert same_rows(table.slice(0, 0), table, "name", list(VALUES)).tolist() == []
    assert same_rows(part, table.slice(0, 0), "name", list(VALUES)).tolist() == [-1] * 50

"""`Values` of the core straight from a table, one tuple a row, as plainly as can be."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from counterfoil.linkage.core.layout import Input, Kind, Values
from counterfoil.linkage.core.splink_json import CoreModel


class _Texts:
    """Each text once, and lists of them."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.lists: list[list[int]] = []

    def number(self, value: object) -> float:
        return np.nan if value is None else float(self.numbers.setdefault(str(value), len(self.numbers)))

    def list_number(self, value: list[str | None] | None) -> float:
        if value is None:
            return np.nan
        self.lists.append([-1 if each is None else int(self.number(each)) for each in value])
        return float(len(self.lists) - 1)


def values_of(table: pa.Table, model: CoreModel, shares: dict[str, dict[Any, float]] | None = None) -> Values:
    """Tuple i of each comparison is row i of the table."""
    texts, cells, first = _Texts(), [], [0]
    for inputs in model.inputs:
        columns = [_column(table, item, texts, shares or {}) for item in inputs]
        cells.append(np.array(columns, dtype=np.float64).T.reshape(-1))
        first.append(first[-1] + cells[-1].size)
    raw = [text.encode() for text in texts.numbers]
    letters = [_letters(each) for each in raw]
    return Values(
        cells=np.concatenate(cells),
        first_cell=np.array(first, np.int64),
        tuples=np.full(len(model.inputs), table.num_rows, np.int64),
        text=np.array(bytearray(b"".join(raw) or b"\0"), np.uint8),
        text_start=np.cumsum([0, *map(len, raw)]).astype(np.int64),
        letters=np.array(letters or [np.uint64(0)], np.uint64),
        lists=np.array([text for each in texts.lists for text in each], np.int32),
        list_start=np.cumsum([0, *map(len, texts.lists)]).astype(np.int64),
    )


def _letters(text: bytes) -> np.uint64:
    """One bit for each byte that occurs; all of them when not every character is ASCII."""
    return np.uint64(sum(1 << bit for bit in ({byte & 63 for byte in text} if text.isascii() else range(64))))


def _column(table: pa.Table, item: Input, texts: _Texts, shares: dict[str, dict[Any, float]]) -> list[float]:
    if item.kind is Kind.FREQUENCY:
        known = shares[item.columns[0]]
        return [np.log2(known.get(value, np.nan)) for value in table[item.columns[0]].to_pylist()]
    sql = item.sql
    if item.kind is Kind.NUMBER:
        dated = f"TRY_CAST(CASE WHEN typeof({sql}) = 'DATE' THEN ({sql})::VARCHAR END AS DATE)"
        sql = f"coalesce(({dated} - DATE '1970-01-01')::DOUBLE, TRY_CAST(({sql})::VARCHAR AS DOUBLE), "
        sql += f"TRY_CAST(({item.sql})::VARCHAR AS BOOLEAN)::DOUBLE)"
    elif item.kind is Kind.TEXT:
        sql = f"({sql})::VARCHAR"
    with duckdb.connect() as connection:
        connection.register("given", table)
        found = [row[0] for row in connection.sql(f"SELECT {sql} FROM given").fetchall()]
    if item.kind is Kind.TEXT:
        return [texts.number(value) for value in found]
    if item.kind is Kind.TEXTS:
        return [texts.list_number(value) for value in found]
    return [np.nan if value is None else float(value) for value in found]

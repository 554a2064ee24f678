"""A delivered table against its schema: every row kept, mended or refused, for its first reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import Column, TableSchema
from counterfoil.records.cells import RAW_SUFFIX, Cells, CheckContext, check_cells
from counterfoil.records.receipt import Reason, TableReceipt

Mask = npt.NDArray[np.bool_]  # of rows
_NONE = 0  # in _Tally.first: no reason yet


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """`accepted` rows in delivered order, `refused` rows as they came with `row` (from 1) and `reason`."""

    accepted: pa.Table
    refused: pa.Table
    receipt: TableReceipt


@dataclass(frozen=True, slots=True)
class Known:
    """Rows of a table that are held already, in one or more tables. `corrects`: one with other content is replaced."""

    tables: tuple[pa.Table, ...]
    corrects: bool


class _Tally:
    """The first reason of each row, as a number into `reasons` from 1."""

    def __init__(self, rows: int) -> None:
        self.first: npt.NDArray[np.int32] = np.zeros(rows, dtype=np.int32)
        self.reasons: list[str] = []

    def add(self, mask: pa.Array, column: str, reason: Reason) -> None:
        held = mask.to_numpy(zero_copy_only=False)
        if held.any():
            self.reasons.append(f"{column}: {reason.value}")
            self.first[held & (self.first == _NONE)] = len(self.reasons)

    def held(self) -> npt.NDArray[np.bool_]:
        held: npt.NDArray[np.bool_] = self.first != _NONE
        return held

    def counts(self, among: npt.NDArray[np.bool_]) -> dict[str, int]:
        numbers = np.bincount(self.first[among], minlength=len(self.reasons) + 1)[1:]
        return {reason: int(n) for reason, n in zip(self.reasons, numbers.tolist(), strict=True) if n}

    def texts(self, among: npt.NDArray[np.bool_]) -> pa.Array:
        return pa.array(["", *self.reasons]).take(pa.array(self.first[among]))


def check_table(
    delivered: pa.Table,
    schema: TableSchema,
    context: CheckContext,
    parents: Mapping[str, pa.Array],
    known: Known | None = None,
) -> CheckedTable:
    """Check every column, then keys, then parents. `parents` maps a parent's key column to the keys that were accepted.

    A required value that cannot be had refuses its row; another becomes null and its row counts as mended. A row that
    is `known` word for word is neither accepted nor refused; one whose key is known with other content is refused,
    unless it is to correct what is there.
    """
    refused, mended = _Tally(delivered.num_rows), _Tally(delivered.num_rows)
    columns: dict[str, pa.Array] = {}
    for column in schema.columns.values():
        cells = check_cells(column, delivered.column(column.name), context)
        _tally_cells(column, cells, refused, mended)
        columns[column.name] = cells.values
        if cells.raw is not None:
            columns[f"{column.name}{RAW_SUFFIX}"] = cells.raw
    refused.add(_seen_before(columns[schema.key], refused.held()), schema.key, Reason.DUPLICATE)
    for name, keys in parents.items():
        refused.add(pc.invert(pc.is_in(columns[name], value_set=keys)), name, Reason.PARENT)
    table, nothing = pa.table(columns), np.zeros(delivered.num_rows, dtype=np.bool_)
    again, changed = (nothing, nothing) if known is None else _known_rows(table, schema.key, known.tables)
    if known is not None and not known.corrects:
        refused.add(pa.array(changed), schema.key, Reason.HELD)
    return _sorted_out(table, delivered, schema.name, refused, mended, again=again, changed=changed)


def _known_rows(table: pa.Table, key: str, held: Sequence[pa.Table]) -> tuple[Mask, Mask]:
    """Rows that are held word for word, and rows of whose key another content is held."""
    again, changed = np.zeros(table.num_rows, dtype=np.bool_), np.zeros(table.num_rows, dtype=np.bool_)
    for there in held:
        place = pc.index_in(table[key].combine_chunks(), value_set=there[key].combine_chunks())
        found = pc.is_valid(place).to_numpy(zero_copy_only=False)
        rows, own = there.take(pc.drop_null(place)), table.filter(pa.array(found))
        names = [name for name in table.column_names if name in there.column_names]
        same = np.ones(rows.num_rows, dtype=np.bool_)
        for name in names:
            same &= _equal(own[name].combine_chunks(), rows[name].combine_chunks())
        again[found] |= same
        changed[found] |= ~same
    return again, changed & ~again


def _equal(one: pa.Array, other: pa.Array) -> Mask:
    """Whether two values are the same, where missing is the same as missing."""
    same = pc.fill_null(pc.equal(one, other.cast(one.type)), False)
    neither = pc.and_(pc.is_null(one), pc.is_null(other))
    equal: Mask = pc.or_(same, neither).to_numpy(zero_copy_only=False)
    return equal


def _tally_cells(column: Column, cells: Cells, refused: _Tally, mended: _Tally) -> None:
    for reason, mask in cells.lost.items():
        (refused if column.required else mended).add(mask, column.name, reason)
    if column.required:
        refused.add(pc.is_null(cells.values), column.name, Reason.REQUIRED)
    for reason, mask in cells.mended.items():
        mended.add(mask, column.name, reason)


def _seen_before(keys: pa.Array, refused: npt.NDArray[np.bool_]) -> pa.Array:
    """True where an earlier row that stands has the same key."""
    codes = keys.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    standing = np.flatnonzero(~refused)
    _, first = np.unique(codes[standing], return_index=True)
    again = np.zeros(len(keys), dtype=bool)
    again[standing] = True
    again[standing[first]] = False
    return pa.array(again)


def _sorted_out(
    table: pa.Table, delivered: pa.Table, name: str, refused: _Tally, mended: _Tally, *, again: Mask, changed: Mask
) -> CheckedTable:
    out = refused.held()
    there = again & ~out
    taken = ~out & ~there
    put_right = mended.held() & taken
    left_out = delivered.filter(pa.array(out))
    left_out = left_out.append_column("row", pa.array(np.flatnonzero(out) + 1, pa.int64()))
    left_out = left_out.append_column("reason", refused.texts(out))
    receipt = TableReceipt(
        table=name,
        rows=delivered.num_rows,
        kept=int((taken & ~put_right).sum()),
        mended=int(put_right.sum()),
        refused=int(out.sum()),
        mended_by=mended.counts(put_right),
        refused_by=refused.counts(out),
        held=int(there.sum()),
        corrected=int((changed & taken).sum()),
    )
    return CheckedTable(table.filter(pa.array(taken)), left_out, receipt)

"""The extract that a delivery is added to: found, read back from both sides, and joined with what came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import SourceSchema, TableSchema
from counterfoil.domains.schema import ANALYST_CLASSES, LINKER_CLASSES
from counterfoil.errors import Fault, UsageError
from counterfoil.records.cells import RAW_SUFFIX
from counterfoil.records.receipt import Receipt, read_receipt
from counterfoil.warehouse import read_table

RECEIPT = "receipt.json"
IDENTIFIERS = "identifiers.parquet"
FACTS = "facts.parquet"
ORGANISATIONS = "organisations.parquet"  # the linker's: companies among a source's people, as they came
REFUSED = "refused"  # folder of rows that were refused, one file a table


@dataclass(frozen=True, slots=True)
class Held:
    """What both sides hold of one source, put together again: rows as they were accepted."""

    linker: Path
    analyst: Path
    receipt: Receipt
    tables: Mapping[str, pa.Table]
    organisations: pa.Table | None  # the linker's columns only

    def of(self, table: str, schema: SourceSchema) -> tuple[pa.Table, ...]:
        """The rows of one table; companies, of which less is kept, come as a table of their own."""
        if table == schema.person_table and self.organisations is not None:
            return (self.tables[table], self.organisations)
        return (self.tables[table],)


def linker_columns(schema: TableSchema, table: pa.Table) -> list[str]:
    """The linker's columns of a table, and the text beside those that were not in one form."""
    for_linker = [name for name, column in schema.columns.items() if column.classes & LINKER_CLASSES]
    raw = [f"{name}{RAW_SUFFIX}" for name in for_linker]
    return for_linker + [name for name in raw if name in table.column_names]


def analyst_columns(schema: TableSchema) -> list[str]:
    """The analyst's columns of a table."""
    return [name for name, column in schema.columns.items() if column.classes & ANALYST_CLASSES]


def find_held(linker: Path, analyst: Path, schema: SourceSchema, delivery: dt.date) -> Held:
    """The newest extract from before `delivery` that both sides hold. `linker`, `analyst`: folders of all deliveries.

    UsageError when there is none to add to, when a newer one is there, or when that very day has a whole delivery.
    """
    dates = {side: _dates(side) for side in (linker, analyst)}
    newest = max((date for there in dates.values() for date in there), default=None)
    day = delivery.isoformat()
    if newest is not None and newest > day:
        raise UsageError(
            f"{schema.name} has an extract of {newest}, which is later than {day}. Add deliveries in the order of "
            "their dates, or load a whole delivery."
        )
    if any(_is_whole(side / day) for side in (linker, analyst)):
        raise UsageError(
            f"The extract of {schema.name} of {day} is a whole delivery. Give --date the day to which the addition is "
            "complete; it must be a later one."
        )
    for date in sorted(dates[linker] & dates[analyst], reverse=True):
        receipts = [read_receipt(side / date / RECEIPT) for side in (linker, analyst)]
        if date < day and receipts[0].key == receipts[1].key:
            return _read(linker / date, analyst / date, schema, receipts[0])
    raise UsageError(
        f"There is no extract of {schema.name} from before {day} to add to. Load a whole delivery first, without --add."
    )


def _dates(side: Path) -> set[str]:
    return {folder.name for folder in side.glob("[!.]*") if (folder / RECEIPT).is_file()}


def _is_whole(folder: Path) -> bool:
    return (folder / RECEIPT).is_file() and not read_receipt(folder / RECEIPT).added_to


def _read(linker: Path, analyst: Path, schema: SourceSchema, receipt: Receipt) -> Held:
    tables = {}
    for name, table in schema.tables.items():
        is_person = name == schema.person_table
        sides = [_optional(linker / (IDENTIFIERS if is_person else f"{name}.parquet"))]
        sides.append(_optional(analyst / (FACTS if is_person else f"{name}.parquet")))
        tables[name] = _together(sides, table)
    organisations = _optional(linker / ORGANISATIONS)
    return Held(linker, analyst, receipt, tables, organisations)


def _optional(file: Path) -> pa.Table | None:
    return read_table(file) if file.is_file() else None


def _together(sides: list[pa.Table | None], schema: TableSchema) -> pa.Table:
    """The columns of both sides, whose rows are in one order. Standardised columns and coarser facts are left out."""
    there = [side for side in sides if side is not None]
    wanted = [*schema.columns, *(f"{name}{RAW_SUFFIX}" for name in schema.columns)]
    columns = {name: side[name] for side in reversed(there) for name in wanted if name in side.column_names}
    lost = [name for name in schema.columns if name not in columns]
    if lost or len({side.num_rows for side in there}) != 1:
        raise Fault(
            f"The table {schema.name} of the extract cannot be added to: its two sides differ, or it was loaded under "
            "another schema. Load a whole delivery."
        )
    return pa.table({name: columns[name] for name in wanted if name in columns})


def join_rows(held: pa.Table, came: pa.Table, key: str, *, moved: pa.Array | None = None) -> pa.Table:
    """`held` with rows of `came` in place of those with the same key, then the others of `came`, in their order.

    `moved`: keys whose rows have gone to another table.
    """
    both = pa.concat_tables([held, came], promote_options="permissive").select(_columns(held, came))
    keys = held[key].combine_chunks()
    place = pc.index_in(came[key].combine_chunks(), value_set=keys)
    is_correction = pc.is_valid(place).to_numpy(zero_copy_only=False)
    order = np.arange(held.num_rows)
    order[pc.drop_null(place).to_numpy(zero_copy_only=False)] = held.num_rows + np.flatnonzero(is_correction)
    if moved is not None:
        order = order[~pc.is_in(keys, value_set=moved).to_numpy(zero_copy_only=False)]
    fresh = held.num_rows + np.flatnonzero(~is_correction)
    return both.take(pa.array(np.concatenate([order, fresh]))).combine_chunks()


def _columns(held: pa.Table, came: pa.Table) -> list[str]:
    """In the order of what came, which is the schema's; columns that only the held rows have are put last."""
    return [*came.column_names, *(name for name in held.column_names if name not in came.column_names)]

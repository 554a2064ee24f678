"""Load a delivery: check it, standardise it, split it between linker and analyst, keep the receipt (DESIGN 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import PersonWhen, SourceSchema, TableSchema
from counterfoil.domains.schema import ANALYST_CLASSES, LINKER_CLASSES
from counterfoil.errors import Fault
from counterfoil.lab.files import atomic_folder, write_json
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.records.cells import RAW_SUFFIX, CheckContext
from counterfoil.records.delivery import name_tables, parts_of, read_tables
from counterfoil.records.names import TRADING_AS
from counterfoil.records.receipt import Receipt, read_receipt
from counterfoil.records.rows import CheckedTable, check_table
from counterfoil.records.standardise import STANDARD_COLUMNS, standardise_people
from counterfoil.warehouse import write_table

RULES_VERSION = 2  # raise it when standardising or checking changes, so that a delivery is loaded again
RECEIPT = "receipt.json"
IDENTIFIERS = "identifiers.parquet"
FACTS = "facts.parquet"
ORGANISATIONS = "organisations.parquet"  # the linker's: companies among a source's people, as they came
REFUSED = "refused"  # folder of rows that were refused, one file a table
_BIRTH = "date_of_birth"
_SURNAME = "surname"


@dataclass(frozen=True, slots=True)
class _Delivery:
    schema: SourceSchema
    receipt: Receipt
    tables: Mapping[str, CheckedTable]
    identifiers: pa.Table
    organisations: pa.Table | None  # None where the source holds people only


def load(
    files: Sequence[Path],
    schema: SourceSchema,
    paths: LabPaths,
    *,
    delivery: dt.date,
    codes: Mapping[str, Mapping[str, str]],
    today: dt.date,
    progress: Progress = silent,
) -> Receipt:
    """Load the files of one delivery of one source, dated `delivery`, into both sides of the lab, whole or not at all.

    The same files under the same rules again are not loaded again. Other files under the same date replace the first.
    """
    named = name_tables(files, schema)
    progress("Reading the delivery", 0.0)
    hashes = {name: sha256_of_file(file) for name, file in parts_of(named).items()}
    rules = {"version": RULES_VERSION, "schema": _described(schema), "codes": codes}
    if when := schema.person_when:
        rules["person_when"] = [when.column, sorted(when.organisations), sorted(when.words)]
    key = key_of(rules=rules, files=hashes, delivery=delivery, today=today)
    linker, analyst = _places(paths, schema, delivery.isoformat())
    if (known := _loaded_before(linker, analyst, key)) is not None:
        return known
    delivered = read_tables(named, schema)
    tables = _check_tables(delivered, schema, CheckContext(codes, delivery, today), progress)
    tables, organisations = _people_only(tables, schema)
    progress("Standardising names, dates and numbers", 0.6)
    identifiers = _identifiers(tables[schema.person_table].accepted, schema, today)
    receipts = tuple(tables[table].receipt for table in schema.tables)
    receipt = Receipt(schema.name, delivery.isoformat(), key, hashes, receipts)
    progress("Writing both sides", 0.8)
    with atomic_folder(linker) as linker_folder, atomic_folder(analyst) as analyst_folder:
        content = _Delivery(schema, receipt, tables, identifiers, organisations)
        _write_linker_side(content, linker_folder)
        _write_analyst_side(content, analyst_folder)
    progress("Loaded", 1.0)
    return receipt


def _places(paths: LabPaths, schema: SourceSchema, delivery: str) -> tuple[Path, Path]:
    """Where identifiers and where facts go. Facts of a share are held until its link says whose they are."""
    if schema.is_share:
        return paths.share_identifiers(schema.name, delivery), paths.share_held(schema.name, delivery)
    return paths.linker_extract(schema.name, delivery), paths.analyst_extract(schema.name, delivery)


def _described(schema: SourceSchema) -> dict[str, Any]:
    """A schema as plain values in a fixed order, for a hash."""
    return {
        table.name: [
            {**asdict(column), "classes": sorted(kind.value for kind in column.classes)}
            for column in table.columns.values()
        ]
        + [table.key, table.parent]
        for table in schema.tables.values()
    }


def _loaded_before(linker: Path, analyst: Path, key: str) -> Receipt | None:
    """The receipt when both sides hold this very delivery. One that cannot be read counts as none."""
    receipts = [folder / RECEIPT for folder in (linker, analyst)]
    if not all(receipt.is_file() for receipt in receipts):
        return None
    try:
        first, second = (read_receipt(receipt, repeated=True) for receipt in receipts)
    except Fault:
        return None
    return first if first.key == second.key == key else None


def _check_tables(
    delivered: Mapping[str, pa.Table], schema: SourceSchema, context: CheckContext, progress: Progress
) -> dict[str, CheckedTable]:
    """Check parents before their children."""
    checked: dict[str, CheckedTable] = {}
    for name in _parents_first(schema):
        progress(f"Checking {name}", 0.1 + 0.5 * len(checked) / len(delivered))
        parents = {}
        if parent := schema.tables[name].parent:
            column = schema.tables[name].parent_column or schema.tables[parent].key
            parents[column] = checked[parent].accepted.column(column).combine_chunks()
        checked[name] = check_table(delivered[name], schema.tables[name], context, parents)
    return checked


def _parents_first(schema: SourceSchema) -> list[str]:
    ordered: list[str] = []
    waiting = list(schema.tables)
    while waiting:
        ready = [name for name in waiting if schema.tables[name].parent in (None, *ordered)]
        if not ready:
            raise Fault(f"The tables {', '.join(waiting)} of {schema.name} name each other, or none, as parents.")
        ordered += ready
        waiting = [name for name in waiting if name not in ready]
    return ordered


def _people_only(
    tables: dict[str, CheckedTable], schema: SourceSchema
) -> tuple[dict[str, CheckedTable], pa.Table | None]:
    """`tables` with people alone in the person table, and the companies that were among them.

    A company's cases stay in the other tables: they are facts about courts, and belong to no person.
    """
    if schema.person_when is None:
        return tables, None
    held = tables[schema.person_table]
    company = _organisations(held.accepted, schema.person_when)
    people, organisations = held.accepted.filter(pc.invert(company)), held.accepted.filter(company)
    receipt = replace(held.receipt, organisations=organisations.num_rows)
    return {**tables, schema.person_table: replace(held, accepted=people, receipt=receipt)}, organisations


def _organisations(people: pa.Table, when: PersonWhen) -> pa.ChunkedArray:
    """Rows that say they are organisations, and those whose names do though they are typed in as people."""
    names = pa.array(sorted(when.organisations), pa.string())
    declared = pc.is_in(people.column(when.column), value_set=names)
    if not when.words:
        return declared
    surname = pc.fill_null(people.column(_SURNAME), "")
    named = pc.match_substring_regex(surname, rf"(?i)\S\s+(?:{'|'.join(sorted(when.words))})\.?\s*$")
    trades = pc.match_substring_regex(surname, TRADING_AS)
    return pc.or_(declared, pc.and_not(named, trades))


def _identifiers(people: pa.Table, schema: SourceSchema, today: dt.date) -> pa.Table:
    """The linker's columns of the people, raw and standardised."""
    columns = _linker_columns(schema.tables[schema.person_table], people)
    return standardise_people(people.select(columns), schema, today=today)


def _linker_columns(schema: TableSchema, table: pa.Table) -> list[str]:
    for_linker = [name for name, column in schema.columns.items() if column.classes & LINKER_CLASSES]
    raw = [f"{name}{RAW_SUFFIX}" for name in for_linker]
    return for_linker + [name for name in raw if name in table.column_names]


def _analyst_columns(schema: TableSchema) -> list[str]:
    return [name for name, column in schema.columns.items() if column.classes & ANALYST_CLASSES]


def _facts(people: pa.Table, identifiers: pa.Table, schema: TableSchema) -> pa.Table:
    """The analyst's columns of the people, and the coarser facts that the schema makes from identifiers."""
    facts = people.select(_analyst_columns(schema))
    for column in schema.columns.values():
        for name, transform in (column.fact_as or {}).items():
            standard = "dob" if column.name == _BIRTH else column.name
            facts = facts.append_column(name, _coarser(identifiers[standard], transform))
    return facts


def _coarser(values: pa.ChunkedArray, transform: str) -> pa.ChunkedArray:
    if transform != "month":
        raise Fault(f"The schema asks for a fact by {transform!r}; `month` is the only one there is.")
    return pc.floor_temporal(values, unit="month").cast(pa.date32())


def _write_linker_side(content: _Delivery, folder: Path) -> None:
    schema = content.schema
    write_table(content.identifiers, folder / IDENTIFIERS)
    if content.organisations is not None:
        apart = content.organisations
        columns = _linker_columns(schema.tables[schema.person_table], apart)
        write_table(apart.select(columns), folder / ORGANISATIONS)
    for name, table in schema.tables.items():
        columns = _linker_columns(table, content.tables[name].accepted)
        if name != schema.person_table and columns:
            write_table(content.tables[name].accepted.select(columns), folder / f"{name}.parquet")
        _write_refused(content.tables[name].refused, columns, folder / REFUSED / f"{name}.parquet")
    write_json(folder / RECEIPT, content.receipt.to_json())


def _write_analyst_side(content: _Delivery, folder: Path) -> None:
    schema = content.schema
    for name, table in schema.tables.items():
        accepted = content.tables[name].accepted
        if name == schema.person_table:
            write_table(_facts(accepted, content.identifiers, table), folder / FACTS)
        else:
            write_table(accepted.select(_analyst_columns(table)), folder / f"{name}.parquet")
        refused = content.tables[name].refused
        _write_refused(refused, _analyst_columns(table), folder / REFUSED / f"{name}.parquet")
    write_json(folder / RECEIPT, content.receipt.to_json())


def _write_refused(refused: pa.Table, columns: Sequence[str], path: Path) -> None:
    """Refused rows as they came, with row number and reason: each side its own columns, so that nothing is lost."""
    kept = [name for name in columns if name in refused.column_names]
    if refused.num_rows and kept:
        write_table(refused.select(["row", "reason", *kept]), path)


__all__ = ["FACTS", "IDENTIFIERS", "ORGANISATIONS", "RECEIPT", "REFUSED", "STANDARD_COLUMNS", "load"]

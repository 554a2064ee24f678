"""Load a delivery: check it, standardise it, split it between linker and analyst, keep the receipt (DESIGN 3).

A whole delivery replaces the extract before it. An addition holds new records only: a new extract is made of what both
sides hold and of what came (docs/decisions/0014).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import PersonWhen, SourceSchema, TableSchema
from counterfoil.errors import Fault
from counterfoil.lab.files import atomic_folder, write_json
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.records.cells import CheckContext
from counterfoil.records.delivery import name_tables, parts_of, read_tables
from counterfoil.records.extract import (
    FACTS,
    IDENTIFIERS,
    ORGANISATIONS,
    RECEIPT,
    REFUSED,
    Held,
    analyst_columns,
    find_held,
    join_rows,
    linker_columns,
)
from counterfoil.records.names import TRADING_AS
from counterfoil.records.receipt import Receipt, read_receipt
from counterfoil.records.rows import CheckedTable, Known, check_table
from counterfoil.records.standardise import STANDARD_COLUMNS, standardise_people
from counterfoil.warehouse import write_table

RULES_VERSION = 2  # raise it when standardising or checking changes, so that a delivery is loaded again
_BIRTH = "date_of_birth"
_SURNAME = "surname"


class Intake(Enum):
    """What a delivery is to the extract that is there."""

    WHOLE = "whole"  # replaces it
    ADD = "add"  # is added to it; a row whose key is held with other content is refused
    ADD_AND_CORRECT = "add_and_correct"  # is added to it; such a row takes the place of the one that is held


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
    intake: Intake = Intake.WHOLE,
    progress: Progress = silent,
) -> Receipt:
    """Load the files of one delivery of one source, dated `delivery`, into both sides of the lab, whole or not at all.

    The same files under the same rules again are not loaded again. Other files under the same date replace the first.
    An addition (`intake`) goes to the newest extract from before its date, and makes a new one; that one stays.
    """
    named = name_tables(files, schema)
    progress("Reading the delivery", 0.0)
    hashes = {name: sha256_of_file(file) for name, file in parts_of(named).items()}
    rules = {"version": RULES_VERSION, "schema": _described(schema), "codes": codes}
    if when := schema.person_when:
        rules["person_when"] = [when.column, sorted(when.organisations), sorted(when.words)]
    linker, analyst = _places(paths, schema, delivery.isoformat())
    held = None if intake is Intake.WHOLE else find_held(linker.parent, analyst.parent, schema, delivery)
    added = {} if held is None else {"added": {"to": held.receipt.key, "how": intake.value}}
    key = key_of(rules=rules, files=hashes, delivery=delivery, today=today, **added)
    if (known := _loaded_before(linker, analyst, key)) is not None:
        return known
    delivered = read_tables(named, schema)
    corrects = intake is Intake.ADD_AND_CORRECT
    tables = _check_tables(delivered, schema, CheckContext(codes, delivery, today), held, corrects, progress)
    tables, organisations = _people_only(tables, schema)
    receipts = tuple(tables[table].receipt for table in schema.tables)
    if held is not None:
        progress("Adding to the extract", 0.55)
        tables, organisations = _joined(held, tables, organisations, schema)
    progress("Standardising names, dates and numbers", 0.6)
    identifiers = _identifiers(tables[schema.person_table].accepted, schema, today)
    before = () if held is None else held.receipt.parts()
    receipt = Receipt(schema.name, delivery.isoformat(), key, hashes, receipts, before)
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
    delivered: Mapping[str, pa.Table],
    schema: SourceSchema,
    context: CheckContext,
    held: Held | None,
    corrects: bool,
    progress: Progress,
) -> dict[str, CheckedTable]:
    """Check parents before their children. A child's parent may have come now or be `held`."""
    checked: dict[str, CheckedTable] = {}
    for name in _parents_first(schema):
        progress(f"Checking {name}", 0.1 + 0.5 * len(checked) / len(delivered))
        parents = {}
        if parent := schema.tables[name].parent:
            column = schema.tables[name].parent_column or schema.tables[parent].key
            there = () if held is None else held.of(parent, schema)
            keys = [table[column] for table in (checked[parent].accepted, *there) if column in table.column_names]
            parents[column] = pa.chunked_array([chunk for each in keys for chunk in each.chunks]).combine_chunks()
        known = None if held is None else Known(held.of(name, schema), corrects)
        checked[name] = check_table(delivered[name], schema.tables[name], context, parents, known)
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


def _joined(
    held: Held, came: Mapping[str, CheckedTable], organisations: pa.Table | None, schema: SourceSchema
) -> tuple[dict[str, CheckedTable], pa.Table | None]:
    """What is held and what came, as one. Who was a company and is corrected to a person leaves the companies."""
    joined = {}
    for name, table in schema.tables.items():
        is_split = name == schema.person_table and organisations is not None
        moved = organisations[table.key].combine_chunks() if is_split and organisations is not None else None
        rows = join_rows(held.tables[name], came[name].accepted, table.key, moved=moved)
        joined[name] = replace(came[name], accepted=rows)
    if organisations is None or held.organisations is None:
        return joined, organisations
    person = schema.tables[schema.person_table]
    companies = organisations.select(linker_columns(person, organisations))
    people = came[schema.person_table].accepted[person.key].combine_chunks()
    return joined, join_rows(held.organisations, companies, person.key, moved=people)


def _identifiers(people: pa.Table, schema: SourceSchema, today: dt.date) -> pa.Table:
    """The linker's columns of the people, raw and standardised."""
    columns = linker_columns(schema.tables[schema.person_table], people)
    return standardise_people(people.select(columns), schema, today=today)


def _facts(people: pa.Table, identifiers: pa.Table, schema: TableSchema) -> pa.Table:
    """The analyst's columns of the people, and the coarser facts that the schema makes from identifiers."""
    facts = people.select(analyst_columns(schema))
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
        columns = linker_columns(schema.tables[schema.person_table], apart)
        write_table(apart.select(columns), folder / ORGANISATIONS)
    for name, table in schema.tables.items():
        columns = linker_columns(table, content.tables[name].accepted)
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
            write_table(accepted.select(analyst_columns(table)), folder / f"{name}.parquet")
        refused = content.tables[name].refused
        _write_refused(refused, analyst_columns(table), folder / REFUSED / f"{name}.parquet")
    write_json(folder / RECEIPT, content.receipt.to_json())


def _write_refused(refused: pa.Table, columns: Sequence[str], path: Path) -> None:
    """Refused rows as they came, with row number and reason: each side its own columns, so that nothing is lost."""
    kept = [name for name in columns if name in refused.column_names]
    if refused.num_rows and kept:
        write_table(refused.select(["row", "reason", *kept]), path)


__all__ = ["FACTS", "IDENTIFIERS", "ORGANISATIONS", "RECEIPT", "REFUSED", "STANDARD_COLUMNS", "Intake", "load"]

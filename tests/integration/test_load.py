"""Loading a delivery: every row accounted for, identifiers on one side, facts on the other, whole or not at all."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil import domains
from counterfoil.domains import Column, ColumnClass, PersonWhen, SourceSchema
from counterfoil.errors import CounterfoilError, Fault, FileNotTaken, UsageError
from counterfoil.lab.paths import LabPaths
from counterfoil.records import load as load_module
from counterfoil.records.cells import CheckContext, check_cells
from counterfoil.records.load import FACTS, IDENTIFIERS, ORGANISATIONS, RECEIPT, load
from counterfoil.records.receipt import Reason, Receipt, TableReceipt, read_receipt
from lib.deliveries import DELIVERED, pnc_delivery, pnc_number, with_cells, write_csv, write_parquet

TODAY = dt.date(2024, 6, 1)
PEOPLE = 50
MARKER = "Zzyzxmarker"  # a surname that no message may hold


def load_pnc(files: Sequence[Path], lab: Path, *, delivery: dt.date = DELIVERED) -> Receipt:
    domain = domains.load()
    return load(files, domain.source("pnc"), LabPaths(lab), delivery=delivery, codes=domain.codes, today=TODAY)


def load_tables(tables: Mapping[str, pa.Table], root: Path) -> tuple[Receipt, LabPaths]:
    return load_pnc(write_parquet(tables, root / "delivery"), root / "lab"), LabPaths(root / "lab")


def receipt_of(receipt: Receipt, table: str) -> TableReceipt:
    return next(found for found in receipt.tables if found.table == table)


def linker_side(paths: LabPaths) -> Path:
    return paths.linker_extract("pnc", DELIVERED.isoformat())


def analyst_side(paths: LabPaths) -> Path:
    return paths.analyst_extract("pnc", DELIVERED.isoformat())


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_faultless_delivery_is_kept_whole(tmp_path: Path) -> None:
    receipt, paths = load_tables(pnc_delivery(PEOPLE), tmp_path)
    assert [(table.table, table.rows, table.kept) for table in receipt.tables] == [
        ("people", PEOPLE, PEOPLE),
        ("offences", 2 * PEOPLE, 2 * PEOPLE),
        ("disposals", PEOPLE, PEOPLE),
    ]
    assert not list(tmp_path.rglob("refused"))
    assert json.loads((linker_side(paths) / RECEIPT).read_bytes()) == receipt.to_json()
    assert (analyst_side(paths) / RECEIPT).read_bytes() == (linker_side(paths) / RECEIPT).read_bytes()


def test_identifiers_and_facts_part(tmp_path: Path) -> None:
    _, paths = load_tables(pnc_delivery(PEOPLE), tmp_path)
    identifiers = pq.read_table(linker_side(paths) / IDENTIFIERS)
    facts = pq.read_table(analyst_side(paths) / FACTS)
    assert facts.column_names == ["record_id", "sex", "ethnicity", "nationality", "birth_month"]
    assert {"surname", "surname_std", "date_of_birth", "dob", "pnc_std", "source", "sex"} <= set(
        identifiers.column_names
    )
    assert not {"ethnicity", "nationality"} & set(identifiers.column_names)
    assert set(tree(linker_side(paths))) == {IDENTIFIERS, RECEIPT}
    assert set(tree(analyst_side(paths))) == {FACTS, "offences.parquet", "disposals.parquet", RECEIPT}
    births = identifiers["dob"].to_pylist()
    assert facts["birth_month"].to_pylist() == [birth.replace(day=1) for birth in births]


def test_no_identifier_lies_on_the_analysts_side(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    tables["people"] = with_cells(tables["people"], "surname", {3: MARKER})
    tables["people"] = with_cells(tables["people"], "record_id", {3: None})  # refused
    _, paths = load_tables(tables, tmp_path)
    for path in analyst_side(paths).rglob("*.parquet"):
        table = pq.read_table(path)
        assert not {"surname", "forename1", "date_of_birth", "pnc_id", "postcode"} & set(table.column_names)
        assert MARKER not in str(table.to_pydict())
    refused = pq.read_table(linker_side(paths) / "refused" / "people.parquet")
    assert refused["surname"].to_pylist() == [MARKER]


# table, column, cells by row -> how many rows become mended, how many refused, for which reason
FAULTS: list[tuple[str, str, dict[int, object], int, int, Reason | None]] = [
    ("people", "record_id", {7: None}, 0, 1, Reason.REQUIRED),
    ("people", "record_id", {7: "P6"}, 0, 1, Reason.DUPLICATE),
    ("people", "record_id", {7: " P7 "}, 1, 0, Reason.SPELLING),
    ("people", "sex", {0: "m"}, 1, 0, Reason.SPELLING),
    ("people", "sex", {0: "purple"}, 1, 0, Reason.CODE),
    ("people", "ethnicity", {0: "w1", 1: "W4"}, 2, 0, Reason.SPELLING),
    ("people", "pnc_id", {0: "1978/9912345A"}, 1, 0, Reason.CHECK),
    ("people", "pnc_id", {0: "78/9912345z"}, 1, 0, Reason.CANONICAL),
    ("people", "postcode", {0: "nowhere"}, 1, 0, Reason.CHECK),
    ("people", "postcode", {0: "ZZ99 3VZ"}, 0, 0, None),
    ("people", "date_of_birth", {0: dt.date(1900, 1, 1)}, 1, 0, Reason.UNKNOWN_DATE),
    ("people", "date_of_birth", {0: "31/02/1980"}, 1, 0, Reason.TYPE),
    ("people", "date_of_birth", {0: None}, 0, 0, None),
    ("offences", "record_id", {0: "P999"}, 0, 1, Reason.PARENT),
    ("offences", "tier", {0: "serious", 5: "serious"}, 0, 2, Reason.CODE),
    ("offences", "tier", {0: None}, 0, 1, Reason.REQUIRED),
    ("offences", "tier", {0: "Summary "}, 1, 0, Reason.SPELLING),
    ("offences", "offence_date", {0: DELIVERED + dt.timedelta(days=1)}, 0, 1, Reason.RANGE),
    ("offences", "offence_date", {0: DELIVERED}, 0, 0, None),
    ("offences", "offence_date", {0: dt.date(1899, 12, 29)}, 0, 1, Reason.RANGE),
    ("offences", "offence_date", {0: "1 May 2015"}, 1, 0, Reason.SPELLING),
    ("offences", "offence_date", {0: "05/06/2015"}, 1, 0, Reason.SPELLING),
    ("offences", "offence_date", {0: "last week"}, 0, 1, Reason.TYPE),
    ("offences", "recordable", {0: "perhaps"}, 0, 1, Reason.TYPE),
    ("offences", "recordable", {0: "Y", 1: "0"}, 0, 0, None),
    ("disposals", "sentence_days", {0: 36500}, 0, 0, None),
    ("disposals", "sentence_days", {0: 36501}, 1, 0, Reason.RANGE),
    ("disposals", "sentence_days", {0: -1}, 1, 0, Reason.RANGE),
    ("disposals", "sentence_days", {0: "28.0"}, 0, 0, None),
    ("disposals", "sentence_days", {0: "a month"}, 1, 0, Reason.TYPE),
    ("disposals", "region", {0: "atlantis"}, 1, 0, Reason.CODE),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "cells", "mended", "refused", "reason"), FAULTS)
def test_every_fault_is_mended_or_refused_with_its_reason(
    tmp_path: Path, table: str, column: str, cells: dict[int, object], mended: int, refused: int, reason: Reason | None
) -> None:
    tables = pnc_delivery(PEOPLE)
    tables[table] = with_cells(tables[table], column, cells)
    found = receipt_of(load_tables(tables, tmp_path)[0], table)
    assert (found.mended, found.refused) == (mended, refused)
    assert found.kept == found.rows - mended - refused
    assert {**found.mended_by, **found.refused_by} == (
        {f"{column}: {reason.value}": mended + refused} if reason else {}
    )


def test_children_of_a_refused_person_are_refused(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    tables["people"] = with_cells(tables["people"], "record_id", {7: None})
    receipt, paths = load_tables(tables, tmp_path)
    assert receipt_of(receipt, "offences").refused_by == {"record_id: no such parent": 2}
    assert receipt_of(receipt, "disposals").refused_by == {"record_id: no such parent": 1}
    refused = pq.read_table(analyst_side(paths) / "refused" / "offences.parquet")
    assert refused["row"].to_pylist() == [15, 16]
    assert refused["record_id"].to_pylist() == ["P7", "P7"]


def test_a_row_counts_once_under_its_first_reason(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    for column in ("tier", "proof"):
        tables["offences"] = with_cells(tables["offences"], column, {0: "?"})
    found = receipt_of(load_tables(tables, tmp_path)[0], "offences")
    assert found.refused_by == {"proof: not in its list of codes": 1}


def test_what_cannot_be_had_is_null_and_raw_identifiers_stay(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    people = with_cells(tables["people"], "pnc_id", {0: "1978/9912345A", 1: " 78/9912345z"})
    people = with_cells(people, "date_of_birth", {0: "31/02/1980", 1: "14 June 1980"})
    tables["people"] = with_cells(people, "sex", {0: "purple"})
    _, paths = load_tables(tables, tmp_path)
    rows = pq.read_table(linker_side(paths) / IDENTIFIERS).slice(0, 2).to_pylist()
    assert [row["pnc_id"] for row in rows] == ["1978/9912345A", " 78/9912345z"]
    assert [row["pnc_std"] for row in rows] == [None, "1978/9912345Z"]
    assert [row["dob"] for row in rows] == [None, dt.date(1980, 6, 14)]
    assert [row["date_of_birth_raw"] for row in rows] == ["31/02/1980", "14 June 1980"]
    assert rows[0]["sex"] is None


def test_csv_and_parquet_load_alike(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    first = load_pnc(write_parquet(tables, tmp_path / "a"), tmp_path / "lab_a")
    second = load_pnc(write_csv(tables, tmp_path / "b"), tmp_path / "lab_b")
    assert first.tables == second.tables
    for name in (FACTS, "offences.parquet", "disposals.parquet"):
        folders = [analyst_side(LabPaths(tmp_path / lab)) for lab in ("lab_a", "lab_b")]
        assert pq.read_table(folders[0] / name).equals(pq.read_table(folders[1] / name))


def test_windows_text_keeps_its_letters(tmp_path: Path) -> None:
    files = write_csv(pnc_delivery(PEOPLE), tmp_path / "delivery")
    for file in files:
        file.write_bytes(file.read_text(encoding="utf-8").encode("cp1252"))
    load_pnc(files, tmp_path / "lab")
    surnames = pq.read_table(linker_side(LabPaths(tmp_path / "lab")) / IDENTIFIERS, columns=["surname"])
    assert "Núñez" in surnames["surname"].to_pylist()


def test_the_same_delivery_is_not_loaded_twice(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    files = write_parquet(tables, tmp_path / "delivery")
    first = load_pnc(files, tmp_path / "lab")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "lab").rglob("*")}
    again = load_pnc(files, tmp_path / "lab")
    assert again.repeated
    assert again == first
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "lab").rglob("*")}
    assert again.lines() == ["pnc of 2024-01-31 was loaded before from the same files: nothing to do."]


def test_other_files_of_the_same_date_replace_the_first(tmp_path: Path) -> None:
    load_pnc(write_parquet(pnc_delivery(PEOPLE), tmp_path / "a"), tmp_path / "lab")
    second = load_pnc(write_parquet(pnc_delivery(PEOPLE + 1), tmp_path / "b"), tmp_path / "lab")
    assert not second.repeated
    assert pq.read_table(analyst_side(LabPaths(tmp_path / "lab")) / FACTS).num_rows == PEOPLE + 1


def test_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    files = write_parquet(pnc_delivery(PEOPLE), tmp_path / "delivery")
    for lab in ("one", "two"):
        load_pnc(files, tmp_path / lab)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_file_names_may_carry_the_source_and_a_date(tmp_path: Path) -> None:
    files = write_parquet(pnc_delivery(PEOPLE), tmp_path)
    renamed = [file.rename(file.with_name(f"PNC_{file.stem}_2024-01-31.parquet")) for file in files]
    assert load_pnc(renamed, tmp_path / "lab").tables[0].kept == PEOPLE


def damage(people: Path, change: Callable[[bytes], bytes]) -> None:
    people.write_bytes(change(people.read_bytes()))


def without_columns(people: Path) -> None:
    write_csv({"people": marked_delivery()["people"].drop_columns(["sex", "cro"])}, people.parent)


def second_copy(people: Path) -> None:
    people.with_name("pnc_people.csv").write_bytes(people.read_bytes())


# What is done to people.csv; every file of the folder is then delivered.
DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing table": Path.unlink,
    "unknown table": lambda people: people.rename(people.with_name("persons.csv")),
    "two of one table": second_copy,
    "missing columns": without_columns,
    "no headings": lambda people: damage(people, lambda data: data.partition(b"\n")[2]),
    "ragged": lambda people: damage(people, lambda data: data + f"\n{MARKER},too,short\n".encode()),
    "empty": lambda people: damage(people, lambda _: b""),
    "binary": lambda people: damage(people, lambda _: b"PK\x03\x04\0\0" + MARKER.encode()),
    "wrong text": lambda people: damage(people, lambda data: data.replace(b"Smith", b"Sm\x81th")),
    "repeated heading": lambda people: damage(people, lambda data: data.replace(b'"forename2"', b'"forename1"')),
    "damaged parquet": lambda people: damage(people, lambda _: b"PAR1" + MARKER.encode()),
    "encrypted parquet": lambda people: damage(people, lambda _: b"PARE" + MARKER.encode()),
}


def marked_delivery() -> dict[str, pa.Table]:
    tables = pnc_delivery(PEOPLE)
    return tables | {"people": with_cells(tables["people"], "surname", {0: MARKER})}


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("missing table", UsageError, "has no file for: people"),
        ("unknown table", FileNotTaken, "people, offences, disposals"),
        ("two of one table", FileNotTaken, "are both the table people"),
        ("missing columns", FileNotTaken, "lacks the columns sex, cro"),
        ("no headings", FileNotTaken, "lacks the columns record_id, forename1"),
        ("ragged", FileNotTaken, "rows differ in width"),
        ("empty", FileNotTaken, "is empty"),
        ("binary", FileNotTaken, "neither Parquet nor CSV"),
        ("wrong text", FileNotTaken, "neither UTF-8 nor Windows"),
        ("repeated heading", FileNotTaken, "more than one column called forename1"),
        ("damaged parquet", FileNotTaken, "cut short or damaged"),
        ("encrypted parquet", FileNotTaken, "without a password"),
    ],
)
def test_a11_a_delivery_that_is_not_taken_leaves_no_trace_and_quotes_no_row(
    tmp_path: Path, kind: str, error: type[CounterfoilError], says: str
) -> None:
    delivered = tmp_path / "delivery"
    write_csv(marked_delivery(), delivered)
    DAMAGE[kind](delivered / "people.csv")
    files = sorted(delivered.iterdir())
    with pytest.raises(error, match=says) as caught:
        load_pnc(files, tmp_path / "lab")
    assert MARKER not in str(caught.value)
    assert caught.value.__suppress_context__ or MARKER not in str(caught.value.__context__)
    assert not (tmp_path / "lab").exists()


def test_an_absent_file_is_a_mistake_of_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        load_pnc([tmp_path / "people.csv"], tmp_path / "lab")


def test_problems_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    tables["people"] = tables["people"].drop_columns(["sex"])
    tables["offences"] = tables["offences"].append_column(MARKER, pa.nulls(2 * PEOPLE))
    with pytest.raises(FileNotTaken) as caught:
        load_tables(tables, tmp_path)
    assert len(caught.value.problems) == 2
    assert "lacks the columns sex" in caught.value.problems[0]
    assert "at places 11" in caught.value.problems[1]
    assert MARKER not in str(caught.value)  # a heading may be data


def test_a_write_that_fails_leaves_the_old_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_pnc(write_parquet(pnc_delivery(PEOPLE), tmp_path / "a"), tmp_path / "lab")
    before = tree(tmp_path / "lab")

    def full_disk(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(load_module, "_write_analyst_side", full_disk)
    with pytest.raises(OSError, match="no space"):
        load_pnc(write_parquet(pnc_delivery(PEOPLE + 1), tmp_path / "b"), tmp_path / "lab")
    assert tree(tmp_path / "lab") == before


def test_standins_by_frequency_are_missing_for_comparison_only(tmp_path: Path) -> None:
    tables = pnc_delivery(400)
    unknown = dt.date(1985, 7, 4)
    tables["people"] = with_cells(tables["people"], "date_of_birth", dict.fromkeys(range(40), unknown))
    _, paths = load_tables(tables, tmp_path)
    rows = pq.read_table(linker_side(paths) / IDENTIFIERS)
    assert rows["date_of_birth"].slice(0, 40).to_pylist() == [unknown] * 40
    assert rows["dob"].slice(0, 40).null_count == 40
    assert rows["dob"].slice(40).null_count == 0
    assert pq.read_table(analyst_side(paths) / FACTS)["birth_month"].null_count == 40


def test_lines_never_say_a_small_count() -> None:
    reasons = {"tier: not in its list of codes": 13, "record_id: no such parent": 3}
    table = TableReceipt("offences", 1234, 1218, 0, 16, {}, reasons)
    lines = Receipt("pnc", "2024-01-31", "k", {}, (table,)).lines()
    assert lines == [
        "pnc offences: about 1,230 rows in: about 1,220 kept as they came, none mended, about 20 refused.",
        "  refused: tier: not in its list of codes (about 10)",
        "  refused: record_id: no such parent (fewer than 10)",
    ]


def empty(schema: SourceSchema, table: str) -> pa.Table:
    """A table without rows."""
    return pa.table({name: pa.array([], pa.string()) for name in schema.tables[table].columns})


def test_other_sources_load_too(tmp_path: Path) -> None:
    """Prison: a journey that is not over has no end."""
    domain = domains.load()
    people = pnc_delivery(PEOPLE)["people"].drop_columns(["cro"])
    numbers = pa.array([f"A{i:04}BC" for i in range(PEOPLE)])
    journeys = {
        "row_id_hash": [f"S{i}" for i in range(PEOPLE)],
        "record_id": people["record_id"],
        "custody_start_date": pa.repeat(pa.scalar(dt.date(2020, 2, 29), pa.date32()), PEOPLE),
        "legal_status": pa.repeat("sentenced", PEOPLE),
    }
    schema = domain.source("prison")
    tables = {
        "prison_people": people.append_column("prison_number", numbers),
        "prison_nomis": pa.table({n: journeys.get(n, pa.nulls(PEOPLE)) for n in schema.tables["nomis"].columns}),
        **{f"prison_{name}": empty(schema, name) for name in ("oasys_in_custody", "safety_in_custody")},
    }
    files = write_parquet(tables, tmp_path)
    receipt = load(
        files,
        schema,
        LabPaths(tmp_path / "lab"),
        delivery=DELIVERED,
        codes=domain.codes,
        today=TODAY,
    )
    assert [table.kept for table in receipt.tables] == [PEOPLE, PEOPLE, 0, 0]
    found = pq.read_table(LabPaths(tmp_path / "lab").linker_extract("prison", "2024-01-31") / IDENTIFIERS)
    assert found["prison_number_std"].to_pylist() == numbers.to_pylist()
    assert pc.all(pc.equal(found["source"], "prison")).as_py()
    assert found["pnc_std"][0].as_py() == pnc_number(1980, 1)


def test_dictionary_encoded_and_chunked_columns_are_read(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    tier = tables["offences"]["tier"].combine_chunks().dictionary_encode()
    halves = pa.concat_tables([tables["offences"].slice(0, 60), tables["offences"].slice(60)])
    tables["offences"] = halves.set_column(halves.column_names.index("tier"), "tier", tier)
    receipt, paths = load_tables(tables, tmp_path)
    assert receipt_of(receipt, "offences").kept == 2 * PEOPLE
    assert pq.read_table(analyst_side(paths) / "offences.parquet")["tier"].to_pylist() == ["either_way"] * 2 * PEOPLE


def test_empty_tables_are_a_delivery(tmp_path: Path) -> None:
    receipt, paths = load_tables({name: table.slice(0, 0) for name, table in pnc_delivery(1).items()}, tmp_path)
    assert [table.rows for table in receipt.tables] == [0, 0, 0]
    assert pq.read_table(linker_side(paths) / IDENTIFIERS).num_rows == 0


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (Column("tier", "tea", frozenset({ColumnClass.FACT})), "the type 'tea'"),
        (Column("tier", "code", frozenset({ColumnClass.FACT}), codes="teas"), "the code list 'teas'"),
    ],
)
def test_a_schema_that_asks_for_what_there_is_not_is_a_fault(column: Column, says: str) -> None:
    with pytest.raises(Fault, match=says):
        check_cells(column, pa.chunked_array([["a"]]), CheckContext({}, DELIVERED, TODAY))


def edited(table: str, **changes: object) -> SourceSchema:
    """The pnc schema with one table changed."""
    schema = domains.load().source("pnc")
    return replace(schema, tables={**schema.tables, table: replace(schema.tables[table], **changes)})  # type: ignore[arg-type]


def test_tables_that_are_each_others_parents_are_a_fault(tmp_path: Path) -> None:
    schema = edited("people", parent="offences")
    files = write_parquet(pnc_delivery(PEOPLE), tmp_path)
    with pytest.raises(Fault, match="as parents"):
        load(files, schema, LabPaths(tmp_path / "lab"), delivery=DELIVERED, codes=domains.load().codes, today=TODAY)


def test_link_evidence_of_another_table_goes_to_the_linker(tmp_path: Path) -> None:
    """A court date is evidence for a link and no fact: the analyst does not get it."""
    columns = dict(domains.load().source("pnc").tables["disposals"].columns)
    for name in ("record_id", "disposal_date"):
        columns[name] = replace(columns[name], classes=columns[name].classes | {ColumnClass.LINK_EVIDENCE})
    columns["disposal_date"] = replace(columns["disposal_date"], classes=frozenset({ColumnClass.LINK_EVIDENCE}))
    paths = LabPaths(tmp_path / "lab")
    files = write_parquet(pnc_delivery(PEOPLE), tmp_path / "delivery")
    schema = edited("disposals", columns=columns)
    load(files, schema, paths, delivery=DELIVERED, codes=domains.load().codes, today=TODAY)
    evidence = pq.read_table(linker_side(paths) / "disposals.parquet")
    assert {"record_id", "disposal_date"} <= set(evidence.column_names)
    assert evidence["disposal_date"].to_pylist() == [dt.date(2020, 3, 4)] * PEOPLE
    assert "disposal_date" not in pq.read_table(analyst_side(paths) / "disposals.parquet").column_names


def test_a_receipt_that_cannot_be_read_is_made_again(tmp_path: Path) -> None:
    files = write_parquet(pnc_delivery(PEOPLE), tmp_path / "delivery")
    first = load_pnc(files, tmp_path / "lab")
    path = linker_side(LabPaths(tmp_path / "lab")) / RECEIPT
    path.write_text("{}")
    with pytest.raises(Fault, match="Load the delivery again"):
        read_receipt(path)
    assert not load_pnc(files, tmp_path / "lab").repeated
    assert read_receipt(path) == first


def load_with_companies(
    tables: dict[str, pa.Table], root: Path, words: frozenset[str] = frozenset()
) -> tuple[Receipt, LabPaths]:
    """The police source, as if rows of nationality ZZ were companies."""
    domain = domains.load()
    schema = replace(domain.source("pnc"), person_when=PersonWhen("nationality", frozenset({"ZZ"}), words))
    codes = {**domain.codes, "nationality": {**domain.codes["nationality"], "ZZ": "company"}}
    files = write_parquet(tables, root / "delivery")
    paths = LabPaths(root / "lab")
    return load(files, schema, paths, delivery=DELIVERED, codes=codes, today=TODAY), paths


def test_companies_are_kept_from_the_people_and_counted(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    tables["people"] = with_cells(tables["people"], "nationality", {3: "ZZ", 7: "ZZ", 8: None})
    receipt, paths = load_with_companies(tables, tmp_path)
    people = receipt_of(receipt, "people")
    assert (people.rows, people.kept, people.organisations) == (PEOPLE, PEOPLE, 2)
    kept = pq.read_table(linker_side(paths) / IDENTIFIERS)["record_id"].to_pylist()
    assert kept == [f"P{i}" for i in range(PEOPLE) if i not in (3, 7)]  # an empty type is a person
    assert pq.read_table(analyst_side(paths) / FACTS)["record_id"].to_pylist() == kept
    assert pq.read_table(linker_side(paths) / ORGANISATIONS)["record_id"].to_pylist() == ["P3", "P7"]
    assert not (analyst_side(paths) / ORGANISATIONS).exists()
    assert pq.read_table(analyst_side(paths) / "offences.parquet").num_rows == 2 * PEOPLE  # their cases stay
    assert "  organisations, kept apart from people: fewer than 10." in receipt.lines()
    assert read_receipt(analyst_side(paths) / RECEIPT) == receipt


def test_a_company_typed_in_as_a_person_is_told_by_its_name_and_one_who_trades_is_a_person(tmp_path: Path) -> None:
    tables = pnc_delivery(PEOPLE)
    surnames = {
        0: "Haulage Ltd",
        1: "Castle Finance plc.",
        2: "Trust",
        3: "Ltd Smith",
        4: "Smith T/A Smith Roofing Ltd",
    }
    tables["people"] = with_cells(tables["people"], "surname", surnames)
    receipt, paths = load_with_companies(tables, tmp_path, frozenset({"LTD", "PLC", "TRUST"}))
    assert receipt_of(receipt, "people").organisations == 2
    people = pq.read_table(linker_side(paths) / IDENTIFIERS)
    assert people["record_id"].to_pylist() == [f"P{i}" for i in range(2, PEOPLE)]
    assert people["surname_std"].to_pylist()[:3] == ["TRUST", "LTDSMITH", "SMITH"]
    assert people["surname"].to_pylist()[2] == surnames[4]  # as it came

"""The upload template: asks what EVALUATION A4 lists, keeps zeros, holds nothing that runs, and passes `check`."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest

from counterfoil.errors import UsageError
from counterfoil.records.gate.archive import open_archive
from counterfoil.records.gate.limits import Limits
from counterfoil.records.provider import Level, check_file, write_template
from counterfoil.records.provider.columns import Language, heading_key, load_columns
from counterfoil.records.provider.template import safe_text
from lib.provider_files import TODAY, read

EVERY = [(format, language) for format in ("xlsx", "csv") for language in ("en", "cy")]
A4_FIELDS = {
    "surname",
    "forename1",
    "date_of_birth",
    "sex",
    "pnc_id",
    "prison_number",
    "index_date",
    "conviction_date",
    "start_date",
    "end_date",
}
FILLED: dict[str, dict[str, str]] = {
    "surname": dict.fromkeys(("en", "cy"), "Archer"),
    "forename1": dict.fromkeys(("en", "cy"), "Nerys"),
    "date_of_birth": dict.fromkeys(("en", "cy"), "27/03/1984"),
    "sex": {"en": "Female", "cy": "Benyw"},
    "pnc_id": dict.fromkeys(("en", "cy"), "1984/0012345W"),
    "start_date": dict.fromkeys(("en", "cy"), "14/06/2018"),
    "completed": {"en": "Yes", "cy": "Ie"},
}


def headings(path: Path) -> list[str]:
    if path.suffix == ".csv":
        return next(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    return [str(cell.value) for cell in openpyxl.load_workbook(path).worksheets[0][1]]


def filled(path: Path, language: str) -> None:
    """Write one row into the template, as a person would."""
    names = [load_columns().by_heading[key] for key in map(heading_key, headings(path))]
    cells = [FILLED[name][language] if name in FILLED else "" for name in names]
    if path.suffix == ".csv":
        path.write_text(path.read_text(encoding="utf-8-sig") + ",".join(cells) + "\r\n", encoding="utf-8-sig")
        return
    book = openpyxl.load_workbook(path)
    for position, (name, text) in enumerate(zip(names, cells, strict=True), 1):
        is_date = name in {"date_of_birth", "start_date"}
        book.worksheets[0].cell(2, position).value = dt.datetime.strptime(text, "%d/%m/%Y") if is_date else text or None
    book.save(path)


@pytest.mark.parametrize(("format", "language"), EVERY)
def test_template_asks_for_every_field_of_the_real_one(tmp_path: Path, format: str, language: str) -> None:
    path = tmp_path / f"t.{format}"
    write_template(path, format, language=language)
    names = {load_columns().by_heading[heading_key(text)] for text in headings(path)}
    assert names >= A4_FIELDS


@pytest.mark.parametrize(("format", "language"), EVERY)
def test_template_with_a_valid_row_passes_and_empty_says_so(tmp_path: Path, format: str, language: str) -> None:
    path = tmp_path / f"t.{format}"
    write_template(path, format, language=language)
    empty = check_file(path, TODAY)
    assert [one.code.value for one in empty.findings if one.level is Level.MUST_FIX] == ["no rows"]
    filled(path, language)
    submission = read(path)
    assert not submission.must_fix
    entry = submission.entries.to_pylist()[0]
    assert (entry["surname"], entry["sex"], entry["completed"]) == ("Archer", "2", True)
    assert (entry["date_of_birth"], entry["start_date"]) == (dt.date(1984, 3, 27), dt.date(2018, 6, 14))


@pytest.mark.parametrize(("format", "language"), EVERY)
def test_template_has_the_same_bytes_each_time(tmp_path: Path, format: str, language: str) -> None:
    for name in ("a", "b"):
        write_template(tmp_path / name, format, language=language)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_template_workbook_helps_and_holds_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_template(path)
    open_archive(path.read_bytes(), Limits()).close()  # passes our own gate: no macros, links, objects
    book = openpyxl.load_workbook(path)
    people, guidance = book.worksheets
    assert people.freeze_panes == "A2"
    lists = {str(rule.sqref): rule.formula1 for rule in people.data_validations.dataValidation if rule.type == "list"}
    assert sorted(lists.values()) == ['"Male,Female,Not known"', '"Yes,No,Not known"']
    spans = [(one.min, one.max, one.number_format) for one in people.column_dimensions.values()]
    formats = {
        load_columns().by_heading[heading_key(str(cell.value))]: format
        for cell in people[1]
        for first, last, format in spans
        if first <= cell.column <= last
    }
    assert formats["pnc_id"] == formats["prison_number"] == "@"
    assert formats["date_of_birth"] == formats["start_date"] == "dd/mm/yyyy"
    explained = {str(row[0].value) for row in guidance.iter_rows()}
    assert {
        column.label[Language.ENGLISH] for column in load_columns().columns.values() if column.in_template
    } <= explained
    with zipfile.ZipFile(path) as archive:
        core = archive.read("docProps/core.xml").decode()
    assert "<dc:creator></dc:creator>" in core
    assert core.count("2020-01-01") == 2


def test_template_example_numbers_are_sound() -> None:
    """The letter of a PNC is YY and serial of seven, mod 23; of a CRO, YY and serial of six (INPUTS)."""
    letters = "ZABCDEFGHJKLMNPQRTUVWXY"
    columns = load_columns().columns
    assert columns["pnc_id"].examples == (f"1984/0012345{letters[840012345 % 23]}",)
    assert columns["cro"].examples == (f"123456/84{letters[84123456 % 23]}",)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\ta", "\ra"])
def test_template_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert safe_text(text) == f"'{text}"
    assert safe_text("Surname") == "Surname"


def test_template_in_an_unknown_form_is_a_mistake_of_usage(tmp_path: Path) -> None:
    for arguments in ({"format": "ods"}, {"language": "fr"}):
        with pytest.raises(UsageError, match="xlsx or csv, in en"):
            write_template(tmp_path / "t", **arguments)

"""The upload template, as XLSX or CSV, in English or Welsh. Same choices, same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_write
from counterfoil.records.gate.reader import Format
from counterfoil.records.provider.columns import ColumnType, Language, ProviderColumn, load_columns

_MADE = dt.datetime(2020, 1, 1)  # fixed, so that the same template has the same bytes
_ROWS = 5000  # rows that carry formats and drop-downs
_DATE_FORMAT = "dd/mm/yyyy"
_LEAST_WIDTH = 14
_MEANING_WIDTH = 70
_FILLED = 0.9  # of a line's characters, since words are not broken
_LINE_HEIGHT = 15  # points
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_WORDS = {
    Language.ENGLISH: {
        "people": "People",
        "guidance": "Guidance",
        "title": "How to fill in the list",
        "column": "Column",
        "needed": "Needed",
        "meaning": "What to write",
        "example": "Example",
        "yes": "Yes",
        "one date": "At least one of these dates",
        "wanted": "Helps a lot",
        "if known": "If known",
        "date": "Write dates with the day first, as 27/03/1984.",
    },
    Language.WELSH: {
        "people": "Pobl",
        "guidance": "Canllawiau",
        "title": "Sut i lenwi'r rhestr",
        "column": "Colofn",
        "needed": "Angen",
        "meaning": "Beth i'w ysgrifennu",
        "example": "Enghraifft",
        "yes": "Oes",
        "one date": "O leiaf un o'r dyddiadau hyn",
        "wanted": "Yn help mawr",
        "if known": "Os yw'n hysbys",
        "date": "Ysgrifennwch ddyddiadau gyda'r diwrnod yn gyntaf, fel 27/03/1984.",
    },
}

_GUIDANCE = {
    Language.ENGLISH: (
        "Write one row for each person on the sheet 'People', from row 2.",
        "Include everyone who started, also those who left early: those who finished alone prove little.",
        "Send at least 60 people: no result is published for fewer.",
        "Leave a cell empty when you do not know. Do not write 'unknown' or a stand-in date.",
        "Keep the headings as they are. Do not merge cells, and add no total.",
        "Send no other columns: anything that is not asked for is dropped and not kept.",
        "Before you send the file, run: counterfoil check FILE",
    ),
    Language.WELSH: (
        "Ysgrifennwch un rhes ar gyfer pob person ar y daflen 'Pobl', o res 2.",
        "Rhowch bawb a ddechreuodd, hefyd y rhai a adawodd yn gynnar: ychydig a brofir gan y gweddill yn unig.",
        "Anfonwch o leiaf 60 o bobl: ni chyhoeddir canlyniad ar gyfer llai.",
        "Gadewch gell yn wag pan nad ydych yn gwybod. Peidiwch ag ysgrifennu 'anhysbys' na dyddiad ffug.",
        "Cadwch y penawdau fel y maent. Peidiwch ag uno celloedd, na rhoi cyfanswm.",
        "Peidiwch ag anfon colofnau eraill: caiff unrhyw beth na ofynnir amdano ei ollwng heb ei gadw.",
        "Cyn i chi anfon y ffeil, rhedwch: counterfoil check FFEIL",
    ),
}


def write_template(path: Path, format: str = "xlsx", *, language: str = "en", domain: str = "justice") -> None:
    """Write the template to `path`. `format` is "xlsx" or "csv", `language` "en" or "cy"."""
    try:
        kind, chosen = Format(format), Language(language)
    except ValueError as error:
        raise UsageError("The template comes as xlsx or csv, in en (English) or cy (Welsh).") from error
    columns = [column for column in load_columns(domain).columns.values() if column.in_template]
    write = _workbook if kind is Format.XLSX else _csv
    atomic_write(path, write(columns, chosen))


def _csv(columns: Sequence[ProviderColumn], language: Language) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([safe_text(column.label[language]) for column in columns])
    return text.getvalue().encode("utf-8-sig")  # the mark makes spreadsheet programs read accents rightly


def safe_text(text: str) -> str:
    """Text that a spreadsheet program will not run when it opens a CSV: a quote before = + - @ tab or return."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _workbook(columns: Sequence[ProviderColumn], language: Language) -> bytes:
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": _MADE, "title": _WORDS[language]["title"]})
        _people_sheet(book, columns, language)
        _guidance_sheet(book, columns, language)
    return buffer.getvalue()


def _people_sheet(book: Any, columns: Sequence[ProviderColumn], language: Language) -> None:
    sheet = book.add_worksheet(_WORDS[language]["people"])
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "num_format": "@"})
    text = book.add_format({"num_format": "@"})  # as text, zeros at the front stay and codes do not become dates
    date = book.add_format({"num_format": _DATE_FORMAT, "align": "left"})
    sheet.freeze_panes(1, 0)
    _print_on_one_width(sheet)
    for position, column in enumerate(columns):
        label = column.label[language]
        is_date = column.type is ColumnType.DATE
        sheet.set_column(position, position, max(_LEAST_WIDTH, len(label) + 2), date if is_date else text)
        sheet.write_string(0, position, label, heading)
        rule = _validation(column, language)
        if rule:
            sheet.data_validation(1, position, _ROWS, position, rule)


def _validation(column: ProviderColumn, language: Language) -> dict[str, Any] | None:
    """The drop-down of a column of choices, and the hint of a date. A hint stops nobody from typing."""
    if column.choices:
        return {"validate": "list", "source": list(column.choices[language]), "error_type": "warning"}
    if column.type is ColumnType.DATE:
        return {
            "validate": "any",
            "input_title": column.label[language][:32],
            "input_message": _WORDS[language]["date"],
        }
    return None


def _guidance_sheet(book: Any, columns: Sequence[ProviderColumn], language: Language) -> None:
    words = _WORDS[language]
    sheet = book.add_worksheet(words["guidance"])
    title = book.add_format({"bold": True, "font_size": 14})
    heading = book.add_format({"bold": True, "bottom": 1})
    cell = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    _print_on_one_width(sheet)
    for position, width in enumerate((24, 26, _MEANING_WIDTH, 26)):
        sheet.set_column(position, position, width)
    sheet.write_string(0, 0, words["title"], title)
    for row, line in enumerate(_GUIDANCE[language], 2):
        sheet.write_string(row, 0, line)
    start = len(_GUIDANCE[language]) + 3
    for position, key in enumerate(("column", "needed", "meaning", "example")):
        sheet.write_string(start, position, words[key], heading)
    for row, column in enumerate(columns, start + 1):
        texts = (column.label[language], words[_need(column)], column.meaning[language], _example(column, language))
        lines = math.ceil(len(column.meaning[language]) / (_MEANING_WIDTH * _FILLED))
        sheet.set_row(row, _LINE_HEIGHT * lines)
        for position, text in enumerate(texts):
            sheet.write_string(row, position, text, cell)


def _print_on_one_width(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _example(column: ProviderColumn, language: Language) -> str:
    return column.choices[language][0] if column.choices else column.examples[0]


def _need(column: ProviderColumn) -> str:
    if column.required or column.one_of == "name":
        return "yes"
    if column.one_of == "date":
        return "one date"
    return "wanted" if column.identifier else "if known"

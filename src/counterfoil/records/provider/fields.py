"""Columns of text to typed values, with what a reader should know of them. One function a kind of column."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from counterfoil.records.dates import DateFlag, DateForm, DateRole, ParsedDate, parse_dates
from counterfoil.records.identifiers import Identifier, IdentifierFlag, IdentifierKind, IdentifierStatus, canonical
from counterfoil.records.names import is_placeholder
from counterfoil.records.postcodes import is_no_address, read_postcode
from counterfoil.records.provider.columns import ColumnType, heading_key
from counterfoil.records.provider.findings import Finding, finding
from counterfoil.records.provider.rules import Code
from counterfoil.records.provider.shape import shape
from counterfoil.records.standins import find_standins

JANUARY_SHARE = 0.05  # births on 1 January above this share are a pile-up (INPUTS 19)
LEAST_FOR_SHARES = 20  # rows; a share of fewer says nothing
_SHAPES_SHOWN = 3
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE_LIKE = re.compile(
    rf"\d{{1,4}}[-/ ](?:{_MONTHS})[a-z]*(?:[-/ ]\d{{2,4}})?|(?:{_MONTHS})[a-z]*[-/ ]\d{{2,4}}|"
    r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{2,4}",
    re.IGNORECASE,
)
_EXPONENT = re.compile(r"\d(?:\.\d+)?E\+?\d{1,3}", re.IGNORECASE)
_ONE_DIGIT_YEAR = re.compile(r"\d/\d{1,7}[A-Za-z]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of the rows with a person: the text as it stood, row numbers, which were dates to the spreadsheet."""

    title: str  # how findings name the column
    rows: Sequence[int]
    texts: Sequence[str]
    typed_dates: Sequence[bool]


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """A column read: one value a row (None is missing) and findings."""

    values: list[object | None]
    findings: list[Finding]


class Notes:
    """Gathers rows and shapes by code while a column is read."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._rows: dict[Code, list[int]] = defaultdict(list)
        self._shapes: dict[Code, Counter[str]] = defaultdict(Counter)

    def add(self, code: Code, row: int, text: str = "") -> None:
        """Note `code` for a row; of `text` only the shape is kept."""
        self._rows[code].append(row)
        if text:
            self._shapes[code][shape(text)] += 1

    def findings(self) -> list[Finding]:
        """One finding a code, with the commonest shapes."""
        return [
            finding(code, rows, column=self.title, shape=_commonest(self._shapes[code]))
            for code, rows in self._rows.items()
        ]


def _commonest(shapes: Counter[str]) -> str:
    ordered = sorted(shapes, key=lambda drawn: (-shapes[drawn], drawn))
    return " or ".join(ordered[:_SHAPES_SHOWN]) + (" …" if len(ordered) > _SHAPES_SHOWN else "")


def tidy(text: str) -> str:
    """Text without blanks at its ends, doubled blanks and invisible characters. Letters are never changed."""
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf") if not text.isascii() else text
    return " ".join(visible.split())


def has_invisible(text: str) -> bool:
    """Whether a cell holds characters that nobody sees: marks of writing direction and their kind."""
    return not text.isascii() and any(unicodedata.category(c) == "Cf" for c in text)


def read_text(cells: Cells) -> ReadColumn:
    """Free text and names: tidied; a placeholder is missing."""
    notes, values = Notes(cells.title), []
    for row, text in zip(cells.rows, cells.texts, strict=True):
        value = tidy(text)
        if has_invisible(text):
            notes.add(Code.INVISIBLE, row, text)
        if value and not any(map(str.isdigit, value)) and is_placeholder(value):
            notes.add(Code.PLACEHOLDER, row, value)
            value = ""
        elif text.startswith(_FORMULA_STARTS):
            notes.add(Code.FORMULA_LIKE, row, value)
        values.append(value or None)
    return ReadColumn(list(values), notes.findings())


def read_words(cells: Cells, words: Mapping[str, str], *, unread: Code) -> ReadColumn:
    """A column of a few known words: what each means, None for not known or not understood."""
    notes, values = Notes(cells.title), []
    for row, text in zip(cells.rows, cells.texts, strict=True):
        key = heading_key(text)
        meaning = words.get(key)
        if meaning is None and tidy(text):
            notes.add(Code.PLACEHOLDER if is_placeholder(text) else unread, row, tidy(text))
        values.append(meaning or None)
    return ReadColumn(list(values), notes.findings())


def read_yes_no(cells: Cells, words: Mapping[str, str]) -> ReadColumn:
    """Whether each completed: True, False or None. All true is a list of completers, which is said."""
    read = read_words(cells, words, unread=Code.COMPLETED_UNREAD)
    values: list[object | None] = [None if value is None else value == "yes" for value in read.values]
    known = [value for value in values if value is not None]
    if len(known) >= LEAST_FOR_SHARES and all(known):
        return ReadColumn(values, [*read.findings, finding(Code.COMPLETERS_ONLY, column=cells.title)])
    return ReadColumn(values, read.findings)


TOOK_PART, GROUP_UNKNOWN = "treated", "unknown"


def read_group(cells: Cells, words: Mapping[str, str]) -> ReadColumn:
    """Who took part, was refused or was waiting. Empty is who took part; what is not understood is in no group."""
    notes, values = Notes(cells.title), []
    for row, text in zip(cells.rows, cells.texts, strict=True):
        said = tidy(text)
        meaning = words.get(heading_key(text)) if said else TOOK_PART
        if meaning is None:
            notes.add(Code.GROUP_UNREAD, row, said)
        values.append(meaning or GROUP_UNKNOWN)
    return ReadColumn(list(values), notes.findings())


def read_postcodes(cells: Cells) -> ReadColumn:
    """Postcodes without their blank; a code for no address is missing."""
    notes, values = Notes(cells.title), []
    for row, text in zip(cells.rows, cells.texts, strict=True):
        value = tidy(text)
        found = read_postcode(value)
        values.append(found.code if found else None)
        if value and found is None:
            missing = is_no_address(value) or is_placeholder(value)
            notes.add(Code.PLACEHOLDER if missing else Code.POSTCODE_UNREAD, row, value)
    return ReadColumn(list(values), notes.findings())


_KINDS = {
    ColumnType.PNC: IdentifierKind.PNC,
    ColumnType.CRO: IdentifierKind.CRO,
    ColumnType.PRISON_NUMBER: IdentifierKind.PRISON_NUMBER,
    ColumnType.CRN: IdentifierKind.CRN,
}

_STATUS_CODES = (
    (IdentifierFlag.PLACEHOLDER, Code.PLACEHOLDER),
    (IdentifierFlag.CHECK_LETTER, Code.ID_LETTER),
    (IdentifierFlag.SHAPE, Code.ID_SHAPE),
    (IdentifierFlag.NO_CHECK_LETTER, Code.ID_SHAPE),
    (IdentifierFlag.CENTURY, Code.ID_CENTURY),
    (IdentifierFlag.EXPANDED, Code.ID_SHORT),
)


def read_identifiers(cells: Cells, kind: ColumnType, today: dt.date) -> ReadColumn:
    """Numbers in canonical spelling, None unless valid. A code that a spreadsheet turned into a date is refused."""
    notes = Notes(cells.title)
    values: list[object | None] = []
    for row, text, was_date in zip(cells.rows, cells.texts, cells.typed_dates, strict=True):
        value = tidy(text)
        if was_date or _DATE_LIKE.fullmatch(value):
            notes.add(Code.ID_AS_DATE, row, value)
            values.append(None)
        elif _EXPONENT.fullmatch(value):
            notes.add(Code.ID_EXPONENT, row, value)
            values.append(None)
        else:
            found = _identifier(value, _KINDS[kind], today)
            _note_identifier(found, row, value, notes)
            values.append(found.canonical)
    return ReadColumn(values, notes.findings())


def _identifier(value: str, kind: IdentifierKind, today: dt.date) -> Identifier:
    """The number; a PNC year that lost its zero ("5/123A") gets it back where the check letter proves it."""
    found = canonical(kind, value, today=today)
    if kind is IdentifierKind.PNC and found.status is IdentifierStatus.INVALID and _ONE_DIGIT_YEAR.fullmatch(value):
        padded = canonical(kind, "0" + value, today=today)
        return replace(padded, raw=value) if padded.status is IdentifierStatus.VALID else found
    return found


def _note_identifier(found: Identifier, row: int, value: str, notes: Notes) -> None:
    if found.status is IdentifierStatus.AMBIGUOUS:
        notes.add(Code.ID_AMBIGUOUS, row, value)
        return
    for flag, code in _STATUS_CODES:
        if flag in found.flags:
            notes.add(code, row, value)


_DATE_CODES = (
    (DateFlag.IMPOSSIBLE, Code.DATE_IMPOSSIBLE),
    (DateFlag.STAND_IN, Code.DATE_STAND_IN),
    (DateFlag.IMPLAUSIBLE, Code.DATE_IMPLAUSIBLE),
    (DateFlag.CENTURY_UNKNOWN, Code.DATE_CENTURY),
    (DateFlag.FUTURE, Code.DATE_FUTURE),
    (DateFlag.AMBIGUOUS_ORDER, Code.DATE_AMBIGUOUS),
    (DateFlag.MIXED_ORDER, Code.DATE_MIXED_ORDER),
    (DateFlag.MONTH_FIRST, Code.DATE_MONTH_FIRST),
    (DateFlag.SERIAL, Code.DATE_SERIAL),
    (DateFlag.TWO_DIGIT_YEAR, Code.DATE_TWO_DIGIT),
)


def read_dates(cells: Cells, today: dt.date, role: DateRole, *, uses_1904: bool) -> ReadColumn:
    """Dates; None where there is none that can be used. The mix of forms is said."""
    parsed = parse_dates(cells.texts, today=today, role=role, uses_1904=uses_1904)
    notes = Notes(cells.title)
    for row, text, cell in zip(cells.rows, cells.texts, parsed, strict=True):
        _note_date(cell, row, text, notes)
    values: list[object | None] = [cell.value for cell in parsed]
    piled = find_standins(pa.array(values, pa.date32())) if role is DateRole.BIRTH else frozenset()
    for position, value in enumerate(values):
        if value in piled:
            notes.add(Code.DATE_STAND_IN, cells.rows[position], cells.texts[position])
            values[position] = None
    january = _january(values, cells) if role is DateRole.BIRTH else []
    return ReadColumn(values, [*notes.findings(), *january, *_forms(parsed, cells)])


def _note_date(cell: ParsedDate, row: int, text: str, notes: Notes) -> None:
    if cell.form is DateForm.UNREADABLE:
        notes.add(Code.DATE_UNREADABLE, row, text)
    elif cell.form is DateForm.BLANK and text.strip():
        notes.add(Code.PLACEHOLDER, row, text)
    for flag, code in _DATE_CODES:
        if flag in cell.flags:
            notes.add(code, row, text)


def _january(values: Sequence[object | None], cells: Cells) -> list[Finding]:
    days = [(row, value) for row, value in zip(cells.rows, values, strict=True) if isinstance(value, dt.date)]
    first = [row for row, value in days if (value.month, value.day) == (1, 1)]
    if len(days) < LEAST_FOR_SHARES or len(first) <= JANUARY_SHARE * len(days):
        return []
    return [finding(Code.DATE_JANUARY, first, column=cells.title)]


def _forms(parsed: Iterable[ParsedDate], cells: Cells) -> list[Finding]:
    used = Counter(cell.form for cell in parsed if cell.form not in (DateForm.BLANK, DateForm.UNREADABLE))
    if len(used) < 2:
        return []
    words = [f"{form.value} ({count} rows)" for form, count in used.most_common()]
    return [finding(Code.DATE_FORMS, column=cells.title, shape="; ".join(words))]

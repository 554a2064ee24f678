"""A CSV's bytes to rows of text cells. Runs in the child process."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from counterfoil.errors import FileNotTaken
from counterfoil.records.gate.kinds import AS_CSV
from counterfoil.records.gate.limits import Limits

SEPARATORS = ",;\t|"
_SNIFFED_ROWS = 20  # as far down as a header is looked for
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class TextRows:
    """Every row of a text file, blank ones included, in order; row numbers count from 1."""

    rows: list[list[str]]
    encoding: str  # utf-8, utf-8 with a mark, utf-16, cp1252
    separator: str
    line_ends: str  # lf crlf cr mixed
    reread_rows: list[int]  # rows with letters beyond ASCII when the text was not UTF-8
    loose_quotes: bool


def read_text(data: bytes, limits: Limits) -> TextRows:
    """Decode strictly, find the separator on the first rows, and parse; FileNotTaken when it cannot be done truly."""
    text, encoding = decode(data)
    if "\x00" in text:
        raise FileNotTaken(f"The file holds NUL characters, which a CSV never has; it may be damaged. {AS_CSV}")
    separator = find_separator(text)
    loose = False
    try:
        rows = _parse(text, separator, limits, strict=True)
    except csv.Error as error:
        if "expected after" not in str(error):
            raise FileNotTaken(_unreadable(error, limits)) from error
        loose, rows = True, _parse_loosely(text, separator, limits)
    reread = [n for n, row in enumerate(rows, 1) if not "".join(row).isascii()] if encoding == "cp1252" else []
    return TextRows(rows, encoding, separator, line_ends(text), reread, loose)


def decode(data: bytes) -> tuple[str, str]:
    """The text and its encoding: UTF-16 by its mark, else UTF-8 strictly, else Windows-1252. No byte is dropped."""
    if data.startswith(_UTF16_MARKS):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as error:
            raise FileNotTaken(f"The file begins as UTF-16 text, but is not whole. {AS_CSV}") from error
    try:
        marked = data.startswith(b"\xef\xbb\xbf")
        return data.decode("utf-8-sig"), "utf-8 with a mark" if marked else "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError as error:
        raise FileNotTaken(
            f"The file's letters are neither UTF-8 nor Windows-1252, so accented names would be read wrongly. {AS_CSV}"
        ) from error


def line_ends(text: str) -> str:
    """Which line ends the text uses, cells included: lf, crlf, cr, or mixed."""
    pairs = text.count("\r\n")
    found = {"crlf": pairs, "cr": text.count("\r") - pairs, "lf": text.count("\n") - pairs}
    used = [name for name, count in found.items() if count]
    return used[0] if len(used) == 1 else ("mixed" if used else "lf")


def find_separator(text: str) -> str:
    """The separator by which most of the first rows share one width above 1; a comma when nothing tells."""
    best, best_score = ",", (0, 0)
    for separator in SEPARATORS:
        widths = [len(row) for row in _first_rows(text, separator) if any(row)]
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        commonest = max(set(wide), key=lambda width: (wide.count(width), width))
        score = (wide.count(commonest), commonest)
        if score > best_score:
            best, best_score = separator, score
    return best


def _first_rows(text: str, separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            rows.append(row)
            if len(rows) == _SNIFFED_ROWS:
                break
    except csv.Error:
        pass  # the full parse says what is wrong, with the row
    return rows


class _AtRow(csv.Error):
    """A csv.Error that knows the row it happened in, as a spreadsheet counts rows."""

    def __init__(self, error: csv.Error, row: int) -> None:
        super().__init__(str(error))
        self.row = row


def _numbered(text: str, separator: str, *, strict: bool) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _AtRow(error, row) from error
        yield cells


def _parse(text: str, separator: str, limits: Limits, *, strict: bool) -> list[list[str]]:
    csv.field_size_limit(limits.cell_characters)
    rows: list[list[str]] = []
    for cells in _numbered(text, separator, strict=strict):
        if len(cells) > limits.columns and any(cells[limits.columns :]):
            raise FileNotTaken(
                f"Row {len(rows) + 1} has more than {limits.columns} columns, and a list of people has "
                f"far fewer. Send only the columns of the template."
            )
        rows.append(cells[: limits.columns])
        if len(rows) > limits.rows and any(cells):
            raise FileNotTaken(
                f"The file has more than {limits.rows:,} rows. Send one list of people, without "
                "rows from other tables, or ask the lab how to split it."
            )
    return rows


def _parse_loosely(text: str, separator: str, limits: Limits) -> list[list[str]]:
    try:
        return _parse(text, separator, limits, strict=False)
    except csv.Error as error:
        raise FileNotTaken(_unreadable(error, limits)) from error


def _unreadable(error: csv.Error, limits: Limits) -> str:
    row = f"row {error.row}" if isinstance(error, _AtRow) else "a row"
    if "field larger" in str(error):
        return (
            f"A cell in {row} holds more than {limits.cell_characters:,} characters. Usually a quotation mark was "
            f"opened there and never closed. Mend that cell, or send the workbook itself. {AS_CSV}"
        )
    if "unexpected end" in str(error):
        return (
            f"A quotation mark opened in {row} is never closed, so the rows after it cannot be told apart. "
            f"Mend that cell, or send the workbook itself. {AS_CSV}"
        )
    return f"The text cannot be read as a CSV at {row}. {AS_CSV}"

"""The workbook as XLSX, for programs that do not read OpenDocument well. The same sheets and the same cells."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator

import xlsxwriter

from counterfoil.report.tables import DANGEROUS_STARTS
from counterfoil.report.workbook import Entry, Link, Number, Sheet, Workbook, text_of
from counterfoil.visible import visible

FONT = {"font_name": "Arial", "font_size": 12, "valign": "top"}
A4 = 9  # XLSX's number for the paper
LINE, TALLEST = 16.0, 409.0  # points; the second is the most that a row may have
NO_FORMULA = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class _Exact(float):
    """A number that is written with just its digits. XlsxWriter writes 16 figures, which makes 0.07000000000000001."""

    def __format__(self, wanted: str) -> str:
        """The shortest digits that are this number, whatever was asked for."""
        return repr(float(self))


class _Formats:
    """Formats of a workbook, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._made: dict[str, xlsxwriter.format.Format] = {}

    def of(self, **wanted: object) -> xlsxwriter.format.Format:
        """The format with these properties."""
        key = repr(sorted(wanted.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({**FONT, **wanted})
        return self._made[key]


def to_xlsx(book: Workbook) -> bytes:
    """The same workbook gives the same bytes: the only date in the file is the day of the run."""
    out = io.BytesIO()
    midnight = dt.datetime.combine(book.about.today, dt.time())
    with xlsxwriter.Workbook(out, NO_FORMULA) as made:
        title = visible(f"{book.title}: {book.subject}")
        made.set_properties({"title": title, "subject": book.subject, "created": midnight})
        formats = _Formats(made)
        for sheet in book.sheets:
            _write(made.add_worksheet(sheet.tab), sheet, formats)
    return out.getvalue()


def _write(page: xlsxwriter.worksheet.Worksheet, sheet: Sheet, formats: _Formats) -> None:
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    for place, width in enumerate(sheet.widths):
        page.set_column(place, place, width)
    for row, height in enumerate(_heights(sheet)):
        page.set_row(row, height)
    for row, line in enumerate(sheet.lines):
        style: dict[str, object] = {"bold": True, "font_size": 15} if row == 0 else {"text_wrap": not sheet.header}
        _put(page, (row, 0), line, formats, style)
    if not sheet.header:
        return
    first, last = len(sheet.lines), len(sheet.lines) + len(sheet.rows)
    sides: list[dict[str, object]] = [{"align": "right"} if n else {"indent": 1} for n in sheet.are_numbers]
    page.add_table(first, 0, last, len(sheet.header) - 1, {
        "name": f"table_{sheet.name}",
        "columns": [{"header": visible(title), "header_format": formats.of(bold=True, text_wrap=True, bottom=1, **side)}
                    for title, side in zip(sheet.header, sides, strict=True)],
        "autofilter": False,
        "style": None,
    })  # fmt: skip
    for down, row_of in enumerate(sheet.rows, first + 1):
        for across, entry in enumerate(row_of):
            _put(page, (down, across), entry, formats, {"text_wrap": True, **sides[across]})


def _heights(sheet: Sheet) -> Iterator[float]:
    """Of each row in points: programs that read XLSX do not make room for text that wraps."""
    yield LINE * 1.4
    for line in sheet.lines[1:]:
        yield min(LINE * (1 if sheet.header else _lines(line, sheet.widths[0])), TALLEST)
    for row in (sheet.header, *sheet.rows) if sheet.header else ():
        yield min(LINE * max(map(_lines, map(text_of, row), sheet.widths)), TALLEST)


def _lines(text: str, width: int) -> int:
    return sum(-(-max(len(part), 1) // max(width - 2, 1)) for part in text.splitlines() or ("",))


def _put(
    page: xlsxwriter.worksheet.Worksheet, at: tuple[int, int], entry: Entry, formats: _Formats, style: dict[str, object]
) -> None:
    """A number as a number, everything else as text, whatever it begins with (DISCLOSURE A6)."""
    if isinstance(entry, Number):
        shown = formats.of(num_format=_number_format(entry))
        page.write_number(*at, _Exact(entry.value), shown)
        return
    text = visible(text_of(entry))
    quoted = {"quote_prefix": True} if text.startswith(DANGEROUS_STARTS) else {}
    shown = formats.of(**style, **quoted, num_format="@")
    if isinstance(entry, Link):
        page.write_url(*at, f"internal:'{entry.tab}'!A1", formats.of(**style, underline=1), text)
    else:
        page.write_string(*at, text, shown)


def _number_format(number: Number) -> str:
    decimals = f".{'0' * number.places}" if number.places else ""
    return f"0{decimals}%" if number.percent else f"#,##0{decimals}"

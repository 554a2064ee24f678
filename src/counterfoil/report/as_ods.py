"""The workbook as OpenDocument 1.3. Four small parts from templates, so that nothing is in the file that we did not put
there: office programs and libraries write who, when, where and with what (decision 17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment

from counterfoil.report.archive import to_zip
from counterfoil.report.workbook import Entry, Link, Number, Sheet, Workbook, text_of

MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
CENTIMETRES = 0.235  # of a character of the 12 point font
COUNTRY = {"en": "GB", "cy": "GB"}


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell as the template writes it. `kind` is an OpenDocument value type."""

    kind: str
    style: str
    value: str
    lines: tuple[str, ...]
    link: str


def to_ods(book: Workbook, templates: Environment) -> bytes:
    """The same workbook gives the same bytes."""
    words = {"book": book, "language": book.language, "country": COUNTRY[book.language]}
    sheets = [_sheet_view(place, sheet) for place, sheet in enumerate(book.sheets)]
    filling = {**words, "sheets": sheets, "widths": _widths(book), "styles": _number_styles(book), "mimetype": MIMETYPE}
    parts = {"mimetype": MIMETYPE.encode()}
    for name in ("content.xml", "styles.xml", "meta.xml"):
        parts[name] = templates.get_template(f"ods/{name}").render(filling).encode("utf-8")
    parts["META-INF/manifest.xml"] = templates.get_template("ods/manifest.xml").render(filling).encode("utf-8")
    return to_zip(parts, stored=("mimetype",))


def _sheet_view(place: int, sheet: Sheet) -> dict[str, object]:
    first = len(sheet.lines) + 1
    last = first + len(sheet.rows)
    tab = sheet.tab.replace("'", "''")
    corner = _column(len(sheet.header) - 1) if sheet.header else ""
    return {
        "tab": sheet.tab,
        "name": sheet.name,
        "columns": sheet.widths,
        "lines": [_cell(line, "title" if n == 0 else "line") for n, line in enumerate(sheet.lines)],
        "header": [_cell(title, style) for title, style in zip(sheet.header, _styles("header", sheet), strict=True)],
        "rows": [[_cell(e, style) for e, style in zip(row, _styles("text", sheet), strict=True)] for row in sheet.rows],
        "range": f"'{tab}'.A{first}:'{tab}'.{corner}{last}" if sheet.header else "",
        "place": place,
    }


def _styles(style: str, sheet: Sheet) -> Iterator[str]:
    return (f"{style}-right" if is_number else style for is_number in sheet.are_numbers)


def _cell(entry: Entry, style: str) -> CellView:
    if isinstance(entry, Number):
        kind = "percentage" if entry.percent else "float"
        return CellView(kind, style_of(entry), f"{entry.value:f}", (entry.text,), "")
    link = f"#{entry.tab}" if isinstance(entry, Link) else ""
    return CellView("string", style, "", tuple(text_of(entry).splitlines()) or ("",), link)


def style_of(number: Number) -> str:
    """The name of a style: n2 is two decimals, p1 a per cent with one."""
    return f"{'p' if number.percent else 'n'}{number.places}"


def _numbers(book: Workbook) -> Iterator[Number]:
    for sheet in book.sheets:
        yield from (entry for row in sheet.rows for entry in row if isinstance(entry, Number))


def _number_styles(book: Workbook) -> list[tuple[str, bool, int]]:
    """Name, per cent or not, decimals: those that are used."""
    return sorted({(style_of(n), n.percent, n.places) for n in _numbers(book)})


def _widths(book: Workbook) -> list[tuple[int, str]]:
    """Characters and centimetres of every width that is used."""
    return [(w, f"{w * CENTIMETRES:.2f}cm") for w in sorted({w for sheet in book.sheets for w in sheet.widths})]


def _column(place: int) -> str:
    """A, B, ... Z, AA."""
    letters = ""
    place += 1
    while place:
        place, left = divmod(place - 1, 26)
        letters = chr(ord("A") + left) + letters
    return letters

"""A workbook's bytes to rows of text cells. Runs in the child process, after the gate."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from io import BytesIO

import python_calamine

from counterfoil.errors import FileNotTaken
from counterfoil.records.gate.archive import DAMAGED, open_archive
from counterfoil.records.gate.limits import Limits
from counterfoil.records.gate.sheets import SheetFacts, look_through

_WHOLE = 1e15  # whole numbers below this are exact as floats


@dataclass(frozen=True, slots=True)
class SheetRows:
    """One sheet: every row in order as text, and where a cell was a date to the spreadsheet."""

    rows: list[list[str]]
    date_cells: dict[int, list[int]] = field(repr=False)  # row number -> column positions from 0
    is_visible: bool
    facts: SheetFacts


@dataclass(frozen=True, slots=True)
class WorkbookRows:
    """Every worksheet, in order."""

    sheets: list[SheetRows]
    uses_1904: bool


def read_workbook(data: bytes, limits: Limits) -> WorkbookRows:
    """Gate, then values only: no formula is worked out, no link followed, nothing run."""
    with open_archive(data, limits) as archive:
        facts = look_through(archive, limits)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        sheets = [
            _sheet(book, position, found)
            for position, found in enumerate(facts.sheets)
            if book.sheets_metadata[position].typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
    except (python_calamine.CalamineError, OSError, ValueError, IndexError) as error:
        raise FileNotTaken(DAMAGED) from error
    return WorkbookRows(sheets, facts.uses_1904)


def _sheet(book: python_calamine.CalamineWorkbook, position: int, facts: SheetFacts) -> SheetRows:
    sheet = book.get_sheet_by_index(position)
    rows: list[list[str]] = []
    dates: dict[int, list[int]] = {}
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), 1):
        rows.append([as_text(cell) for cell in cells])
        typed = [column for column, cell in enumerate(cells) if isinstance(cell, datetime.date)]
        if typed:
            dates[number] = typed
    visible = book.sheets_metadata[position].visible == python_calamine.SheetVisibleEnum.Visible
    return SheetRows(rows, dates, visible, facts)


def as_text(cell: object) -> str:
    """A cell as text: dates in ISO form, whole numbers without a decimal point, everything else as it stands."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _WHOLE:
        return str(int(cell))
    return "" if cell is None else str(cell)

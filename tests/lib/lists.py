"""Lists made of Northgate's: parts of it, and with who took part."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from python_calamine import CalamineWorkbook

from lib.labs import MadeLab


def rows_of(made: MadeLab) -> list[list[str]]:
    """Northgate's list as text, its headings first."""
    book = CalamineWorkbook.from_path(str(made.population.programmes["northgate"].file))
    sheet = max((book.get_sheet_by_name(name).to_python() for name in book.sheet_names), key=len)
    return [[f"{c:%d/%m/%Y}" if isinstance(c, dt.date) else str(c) for c in row] for row in sheet]


def write(rows: Sequence[Sequence[str]], file: Path) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(rows)
    return file


def people_of(made: MadeLab) -> tuple[list[str], list[list[str]]]:
    """The headings of Northgate's list, and its people without titles and totals.

    In the order of their dates of birth as text, by the day of the month: whoever is there twice is beside himself, and
    parts of the list are alike.
    """
    rows = rows_of(made)
    (first,) = (place for place, row in enumerate(rows) if "Surname" in row)
    born = rows[first].index("Date of birth")
    return rows[first], sorted(
        (row for row in rows[first + 1 :] if row[1] and row[0] != "TOTAL"), key=lambda r: r[born]
    )

"""How a careful list becomes the file that arrives: the patterns of INPUTS that a lab must read, one function each.

A cell is text, a date (a true date of the spreadsheet) or empty. Numbers in the comments are those of INPUTS.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from counterfoil.population.provider_rows import ProviderRow

Cell = str | dt.date | None
Cells = dict[str, Cell]

COLUMNS = (
    "surname", "forename", "other_names", "born", "sex", "pnc", "prison", "postcode", "index_date", "start", "end",
    "site", "completed", "notes", "health",
)  # fmt: skip
# 10: headings as providers word them; 34: a column that nobody asked for, with something sensitive.
HEADINGS = (
    (
        "Surname", "Forename", "Other names", "Date of birth", "Sex", "PNC ID", "Prison number", "Postcode",
        "Release or sentence date", "Start date", "End date", "Site", "Completed", "Notes", "Health needs",
    ),
    (
        "SURNAME ", "First Name", "A.K.A.", "D.O.B.", "Gender", "PNC No.", "Prison No", "Post Code", "Release date",
        "Date started", "Date ended", "Location", "Completed Y/N", "Comments", "Mental health",
    ),
    (
        "Last name", "Given name", "Also known as", "dob", "M/F", "Police National Computer number", "NOMS number",
        "Last known postcode", "Sentence date", "Programme start date", "Completion date", "Centre", "Finished",
        "Other", "Medication",
    ),
)  # fmt: skip

_NO_POSTCODE = ("NFA", "N/A", "UNKNOWN", "-", "TBC", "ZZ99 3VZ")
_NO_NUMBER = ("#N/A", "Unknown", "n/k", "TBC", "-")
_HEALTH = ("", "", "", "Asthma", "On a waiting list", "Sees GP monthly", "Declined to say")
_FORMULA_LIKE = ("=1+1", "+44 20 7946 0000", "-", "@team please call", '=HYPERLINK("x","y")')
_BASE_1900 = dt.date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class Mess:
    """A pattern and how common it is. `least`: rows at least, in the file that holds every pattern."""

    number: int  # in INPUTS
    share: float
    change: Callable[[np.random.Generator, Cells], None]
    least: int = 4
    by_default: bool = True


def plain_cells(row: ProviderRow) -> Cells:
    """The row as a careful clerk would type it, true dates as dates."""
    return {
        "surname": row.surname,
        "forename": row.forename,
        "other_names": row.other_names,
        "born": row.born,
        "sex": row.sex,
        "pnc": row.pnc,
        "prison": row.prison,
        "postcode": row.postcode,
        "index_date": row.index_date,
        "start": row.start,
        "end": row.end,
        "site": row.site,
        "completed": row.completed,
        "notes": "",
        "health": "",
    }


def mess_up(rng: np.random.Generator, rows: Sequence[ProviderRow], *, every: bool) -> list[Cells]:
    """Cells of each row with the patterns in them. `every`: each pattern in some rows at least, the rare ones too."""
    table = [plain_cells(row) for row in rows]
    for mess in MESSES:
        if not every and not mess.by_default:
            continue
        chosen = np.flatnonzero(rng.random(len(table)) < mess.share)
        if every and len(chosen) < mess.least:
            chosen = rng.permutation(len(table))[: mess.least]
        for position in chosen:
            mess.change(rng, table[position])
    for cells in table:
        cells["health"] = _HEALTH[int(rng.integers(0, len(_HEALTH)))]
    return table


def as_text(cell: Cell) -> str:
    """A cell in a text file: dates day first."""
    return cell.strftime("%d/%m/%Y") if isinstance(cell, dt.date) else (cell or "")


def month_first(cell: Cell) -> Cell:
    """16: a whole column in the order of the United States."""
    return cell.strftime("%m/%d/%Y") if isinstance(cell, dt.date) else cell


def _written_date(name: str, form: str) -> Callable[[np.random.Generator, Cells], None]:
    """13, 15, 17: one of the ways in which dates are written."""

    def change(rng: np.random.Generator, cells: Cells) -> None:
        value = cells[name]
        if not isinstance(value, dt.date):
            return
        if form == "serial":
            cells[name] = str((value - _BASE_1900).days)
        elif form == "ordinal":
            cells[name] = f"{_ordinal(value.day)} {value:%b %Y}"
        else:
            cells[name] = value.strftime(form)
        del rng

    return change


def _ordinal(day: int) -> str:
    ending = "th" if day in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _put(name: str, *values: str) -> Callable[[np.random.Generator, Cells], None]:
    """17 to 19, 27, 33: a cell that holds one of some values."""

    def change(rng: np.random.Generator, cells: Cells) -> None:
        cells[name] = values[int(rng.integers(0, len(values)))]

    return change


def _put_where_empty(name: str, *values: str) -> Callable[[np.random.Generator, Cells], None]:
    def change(rng: np.random.Generator, cells: Cells) -> None:
        if not cells[name]:
            cells[name] = values[int(rng.integers(0, len(values)))]

    return change


def _no_zeros(rng: np.random.Generator, cells: Cells) -> None:
    """20: the zeros of the serial are lost."""
    pnc = cells["pnc"]
    if isinstance(pnc, str) and "/" in pnc:
        year, serial = pnc.split("/")
        cells["pnc"] = f"{year}/{serial.lstrip('0')}"
    del rng


def _short_pnc(rng: np.random.Generator, cells: Cells) -> None:
    pnc = cells["pnc"]
    if isinstance(pnc, str) and len(pnc) > 10:
        cells["pnc"] = f"{pnc[2:5]}{pnc[5:].lstrip('0')}"
    del rng


def _untidy_number(rng: np.random.Generator, cells: Cells) -> None:
    """Small letters, blanks inside, a dash for the slash."""
    for name in ("pnc", "prison"):
        value = cells[name]
        if isinstance(value, str) and value:
            cells[name] = [value.lower(), f" {value} ", value.replace("/", "-"), f"{value[:5]} {value[5:]}"][
                int(rng.integers(0, 4))
            ]


def _wrong_digit(rng: np.random.Generator, cells: Cells) -> None:
    pnc = cells["pnc"]
    if isinstance(pnc, str) and len(pnc) > 9:
        cells["pnc"] = (
            f"{pnc[:6]}{(int(pnc[6]) + 1 + int(rng.integers(0, 8))) % 10}{pnc[7:]}" if pnc[6].isdigit() else pnc
        )


def _number_as_date(rng: np.random.Generator, cells: Cells) -> None:
    """22: the spreadsheet took a code for a date."""
    if not cells["pnc"] and not cells["prison"]:
        cells["pnc"] = dt.date(1998 + int(rng.integers(0, 20)), 3, 1)


def _curly(rng: np.random.Generator, cells: Cells) -> None:
    """23: another apostrophe, a blank for it, none, small letters."""
    surname = str(cells["surname"] or "")
    if "'" in surname:
        cells["surname"] = [surname.replace("'", "’"), surname.replace("'", " "), surname.replace("'", "").lower()][
            int(rng.integers(0, 3))
        ]


def _halves_swapped(rng: np.random.Generator, cells: Cells) -> None:
    """24: the halves of a double name the other way round, or apart by a blank."""
    surname = str(cells["surname"] or "")
    if surname.count("-") == 1:
        first, second = surname.split("-")
        cells["surname"] = f"{second}-{first}" if rng.random() < 0.5 else f"{first} {second}"


def _one_cell(rng: np.random.Generator, cells: Cells) -> None:
    """26: SMITH, John (aka Jon), all in the surname's cell."""
    surname, forename = str(cells["surname"] or ""), str(cells["forename"] or "")
    if surname and forename and "," not in surname:
        alias = str(cells["other_names"] or "").split(";")[0].strip()
        aka = f" (aka {alias or forename[:3]})" if rng.random() < 0.6 else ""
        cells["surname"], cells["forename"] = f"{surname.upper()}, {forename}{aka}", ""


def _names_swapped(rng: np.random.Generator, cells: Cells) -> None:
    cells["surname"], cells["forename"] = cells["forename"], cells["surname"]
    del rng


def _alias_in_forename(rng: np.random.Generator, cells: Cells) -> None:
    forename = str(cells["forename"] or "")
    if forename and "(" not in forename:
        cells["forename"] = f"{forename} ({forename[:3]})" if rng.random() < 0.5 else f"{forename} aka {forename[:4]}"


def _titled(rng: np.random.Generator, cells: Cells) -> None:
    if cells["forename"]:
        cells["forename"] = f"{'Ms' if cells['sex'] == 'F' else 'Mr'} {cells['forename']}"
    del rng


def _capitals(rng: np.random.Generator, cells: Cells) -> None:
    for name in ("surname", "forename"):
        value = str(cells[name] or "")
        cells[name] = value.upper() if rng.random() < 0.6 else f" {value.lower()} "


def _sex_in_words(rng: np.random.Generator, cells: Cells) -> None:
    words = {"M": ("Male", "male", "m", "Man"), "F": ("Female", "female", "f", "Woman")}.get(str(cells["sex"]))
    if words:
        cells["sex"] = words[int(rng.integers(0, len(words)))]


def _invisible(rng: np.random.Generator, cells: Cells) -> None:
    cells["surname"] = f"{cells['surname']}\u00a0" if rng.random() < 0.5 else f"\u200b{cells['surname']}"


MESSES = (
    Mess(23, 0.5, _curly),
    Mess(24, 0.25, _halves_swapped),
    Mess(26, 0.02, _one_cell),
    Mess(26, 0.01, _names_swapped),
    Mess(26, 0.015, _alias_in_forename),
    Mess(25, 0.01, _titled),
    Mess(25, 0.12, _capitals),
    Mess(25, 0.005, _invisible),
    Mess(10, 0.3, _sex_in_words),
    Mess(15, 0.05, _written_date("born", "%d %B %Y")),
    Mess(15, 0.03, _written_date("born", "ordinal")),
    Mess(15, 0.03, _written_date("born", "%d.%m.%Y")),
    Mess(15, 0.02, _written_date("born", "%Y-%m-%d")),
    Mess(15, 0.10, _written_date("born", "%d/%m/%Y")),
    Mess(17, 0.03, _written_date("born", "%d/%m/%y")),
    Mess(17, 0.03, _written_date("start", "%d/%m/%y")),
    Mess(15, 0.04, _written_date("start", "%d %b %Y")),
    Mess(15, 0.05, _written_date("index_date", "%d-%m-%Y")),
    Mess(13, 0.008, _written_date("born", "serial")),
    Mess(18, 0.004, _put("born", "31/02/1985", "00/00/0000", "30/02/1979")),
    Mess(18, 0.004, _put("end", "31/11/2018", "TBC", "ongoing")),
    Mess(19, 0.008, _put("born", "01/01/1900", "01/01/1970", "11/11/1111")),
    Mess(20, 0.15, _no_zeros),
    Mess(20, 0.12, _short_pnc),
    Mess(20, 0.10, _untidy_number),
    Mess(20, 0.012, _wrong_digit),
    Mess(22, 0.0, _number_as_date, least=3, by_default=False),
    Mess(27, 0.05, _put_where_empty("pnc", *_NO_NUMBER)),
    Mess(27, 0.25, _put_where_empty("postcode", *_NO_POSTCODE)),
    Mess(27, 0.004, _put("forename", "Unknown", "N/A", "XXX")),
    Mess(33, 0.02, _put("notes", *_FORMULA_LIKE)),
    Mess(34, 0.10, _put("notes", "Good progress", "Moved area", "Ref. by PO")),
)

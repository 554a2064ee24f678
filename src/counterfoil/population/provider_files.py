"""The provider's list as a file, and the plan of its evaluation."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xlsxwriter

from counterfoil.lab.files import atomic_write
from counterfoil.population.programmes import FileFormat, ProgrammeSpec
from counterfoil.population.provider_mess import COLUMNS, HEADINGS, Cell, as_text, mess_up, month_first
from counterfoil.population.provider_rows import ProviderRow
from counterfoil.population.slips import plain_letters

_TWICE = 0.02  # of people are listed twice: again the same row, or a second course
_BLANK_EVERY = 140  # rows
_MADE_ON = dt.datetime(2021, 11, 1, 9, 0, 0)  # in the workbook's properties, so that equal lists have equal bytes
_FORMATTED_EMPTY_ROWS = 400  # 11: rows with a format and nothing in them, below the list of the worst file


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A row of the written file (from 1) and the member that it is of; -1 where it is of nobody."""

    row: int
    member: int


@dataclass(frozen=True, slots=True)
class _Sheet:
    lines: list[list[Cell]]
    listed: list[ListedRow]


def write_list(
    path: Path, rng: np.random.Generator, rows: Sequence[ProviderRow], spec: ProgrammeSpec, *, wording: int
) -> list[ListedRow]:
    """Write the list of a programme in its format. Which row of the file is which member is returned."""
    sheet = _lay_out(rng, rows, spec, every=False, wording=wording)
    if spec.file_format is FileFormat.XLSX:
        atomic_write(path, _workbook(sheet, formatted_rows=0))
    else:
        atomic_write(path, _csv(sheet, spec.file_format))
    return sheet.listed


def write_messy_cohort(
    path: Path, rng: np.random.Generator, rows: Sequence[ProviderRow], spec: ProgrammeSpec
) -> list[ListedRow]:
    """The same people in a workbook with every pattern of INPUTS that a workbook may hold and still be taken."""
    sheet = _lay_out(rng, rows, spec, every=True, wording=1)
    atomic_write(path, _workbook(sheet, formatted_rows=_FORMATTED_EMPTY_ROWS))
    return sheet.listed


def plan_text(spec: ProgrammeSpec, *, started: int) -> str:
    """The plan of the evaluation. `started`: how many the provider says started, which the list should nearly reach."""
    return f"""# The plan of one evaluation. Written with the synthetic population; every name is invented.
title = "{spec.title}"
provider = "{spec.provider}"
description = "{spec.description}"
seed = 1

[service]
people_started = {started}
setting = "both"

[cohort]
index_kinds = ["release", "community"]
index_window_days = 183
follow_from = "index"
first_year = 2016
last_year = 2019

[comparison]
design = "matched"
method = "radius"
exact = ["sex"]

[outcomes]
measures = ["reoffending_rate", "reoffending_frequency", "days_to_first_reoffence"]
follow_up_months = 12
waiting_months = 6
"""


def _lay_out(
    rng: np.random.Generator, rows: Sequence[ProviderRow], spec: ProgrammeSpec, *, every: bool, wording: int
) -> _Sheet:
    """6, 11, 12, 28: title rows, headings, people, some twice, blank rows, a total."""
    people = _some_twice(rng, rows)
    table = mess_up(rng, people, every=every)
    if every:
        table = [{**cells, "end": month_first(cells["end"])} for cells in table]
    width = len(COLUMNS)
    lines: list[list[Cell]] = [
        [spec.provider, *[None] * (width - 1)],
        ["Participants, all sites", *[None] * (width - 1)],
    ]
    lines += [[None] * width, list(HEADINGS[wording % len(HEADINGS)])]
    listed = []
    for position, (row, cells) in enumerate(zip(people, table, strict=True)):
        if position and position % _BLANK_EVERY == 0:
            lines.append([None] * width)
        lines.append([cells[name] for name in COLUMNS])
        listed.append(ListedRow(len(lines), row.member))
    lines += [[None] * width, ["TOTAL", str(len(people)), *[None] * (width - 2)]]
    listed.append(ListedRow(len(lines), -1))
    return _Sheet(lines, listed)


def _some_twice(rng: np.random.Generator, rows: Sequence[ProviderRow]) -> list[ProviderRow]:
    """28: the same row again, or the same person on a later course with the name spelt a little otherwise."""
    people = list(rows)
    for position in rng.permutation(len(rows))[: round(_TWICE * len(rows))]:
        row = rows[position]
        later = row.start + dt.timedelta(days=int(rng.integers(20, 120)))
        again = replace(row, start=later, end=None, surname=_doubled(row.surname)) if rng.random() < 0.6 else row
        people.insert(int(rng.integers(0, len(people) + 1)), again)
    return people


def _doubled(name: str) -> str:
    """A consonant doubled or a doubled one made single."""
    for place in range(len(name) - 2, 0, -1):
        if name[place] in "lnst":
            return name[:place] + name[place] * 2 + name[place + 1 :].lstrip(name[place])
    return name


def _workbook(sheet: _Sheet, *, formatted_rows: int) -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": _MADE_ON})
    page = book.add_worksheet("Participants")
    day, bold = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"bold": True})
    for number, line in enumerate(sheet.lines):
        for place, cell in enumerate(line):
            if isinstance(cell, dt.date):
                page.write_datetime(number, place, dt.datetime.combine(cell, dt.time()), day)
            elif cell:
                page.write_string(number, place, cell, bold if number < 4 else None)
    for number in range(len(sheet.lines), len(sheet.lines) + formatted_rows):
        page.write_blank(number, 0, None, day)
    book.close()
    return made.getvalue()


def _csv(sheet: _Sheet, form: FileFormat) -> bytes:
    """1 and 2: with a byte-order mark, or in Windows-1252, where letters that it lacks lose their marks."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([as_text(cell) for cell in line] for line in sheet.lines)
    if form is FileFormat.CSV_WITH_MARK:
        return text.getvalue().encode("utf-8-sig")
    return b"".join(_windows(letter) for letter in text.getvalue())


def _windows(letter: str) -> bytes:
    for attempt in (letter, plain_letters(letter)):
        try:
            return attempt.encode("cp1252")
        except UnicodeEncodeError:
            continue
    return b"?"

"""A provider's file read whole: a typed table of entries, findings, and an account of every row."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pyarrow as pa

from counterfoil.lab.progress import Progress, silent
from counterfoil.records.dates import DateRole, age
from counterfoil.records.gate.limits import DEFAULT_LIMITS, Limits
from counterfoil.records.gate.reader import Format, RawFile, RawRow, read_file
from counterfoil.records.gate.sheets import column_letters
from counterfoil.records.names import is_placeholder
from counterfoil.records.provider.columns import (
    ColumnType,
    Language,
    ProviderColumns,
    heading_key,
    load_columns,
)
from counterfoil.records.provider.duplicates import Person, find_same_people
from counterfoil.records.provider.fields import (
    Cells,
    ReadColumn,
    read_dates,
    read_group,
    read_identifiers,
    read_postcodes,
    read_text,
    read_words,
    read_yes_no,
    tidy,
)
from counterfoil.records.provider.file_findings import find_in_file
from counterfoil.records.provider.findings import Finding, finding
from counterfoil.records.provider.layout import Layout, find_layout
from counterfoil.records.provider.people import PersonNames, find_swapped, read_names
from counterfoil.records.provider.rules import Code, Level

LEAST_PEOPLE = 60  # R1: M, people submitted
_RESPONSIBLE_AGE = 10
_IDENTIFIERS = (ColumnType.PNC, ColumnType.CRO, ColumnType.PRISON_NUMBER, ColumnType.CRN)
_NAME_COLUMNS = ("surname", "forename1", "full_name")
_TOTALS = ("total", "subtotal", "grandtotal", "endof", "endlist", "cyfanswm", "diwedd")


class Outcome(Enum):
    """What became of a row."""

    KEPT = "kept"
    MENDED = "mended"  # a value was changed or left out
    EXCLUDED = "excluded"


# Findings that mean a value of the row was changed or read as missing.
_MENDING = frozenset(
    {
        Code.NAME_SPLIT, Code.NAME_GUESSED, Code.ALIAS_TAKEN, Code.PLACEHOLDER, Code.INVISIBLE, Code.DATE_UNREADABLE,
        Code.DATE_IMPOSSIBLE, Code.DATE_IMPLAUSIBLE, Code.DATE_CENTURY, Code.DATE_STAND_IN, Code.DATE_SERIAL,
        Code.DATE_TWO_DIGIT, Code.DATE_MONTH_FIRST, Code.DATE_MIXED_ORDER, Code.ID_LETTER, Code.ID_SHAPE,
        Code.ID_AMBIGUOUS, Code.ID_SHORT, Code.ID_AS_DATE, Code.ID_EXPONENT, Code.SEX_UNREAD, Code.COMPLETED_UNREAD,
        Code.POSTCODE_UNREAD, Code.UNSAVED_FORMULA, Code.ERROR_CELLS,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that was read.

    `entries`: one row for each row kept or mended, in file order, as `ENTRY_COLUMNS`. `accounts`: every row below the
    headings that is not blank, with `outcome` and, when excluded, the `reason`. `n_people` counts people, not rows.
    """

    entries: pa.Table
    accounts: pa.Table
    findings: tuple[Finding, ...]
    n_people: int
    header_row: int
    blank_rows: int

    @property
    def must_fix(self) -> bool:
        """Whether anything must be fixed by the sender."""
        return any(found.level is Level.MUST_FIX for found in self.findings)


@dataclass(frozen=True, slots=True)
class _Table:
    """The rows that hold a person, with the columns that were found."""

    raw: RawFile
    layout: Layout
    known: ProviderColumns
    rows: tuple[RawRow, ...]
    today: dt.date

    @property
    def numbers(self) -> list[int]:
        return [row.number for row in self.rows]

    def cells(self, name: str) -> Cells:
        position = self.layout.positions[name]
        texts = [row.cells[position] if position < len(row.cells) else "" for row in self.rows]
        return Cells(self.title(name), self.numbers, texts, [position in row.date_cells for row in self.rows])

    def title(self, name: str) -> str:
        label = self.known.columns[name].label[Language.ENGLISH]
        return f"{label} (column {column_letters(self.layout.positions[name] + 1)})"


def read_submission(
    path: Path,
    today: dt.date,
    *,
    domain: str = "justice",
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress = silent,
) -> Submission:
    """Read a provider's file. UsageError when it is absent, FileNotTaken when it cannot be taken as a whole.

    `today` decides ages and two-digit years. Nothing here looks at a lab (R12).
    """
    progress("opening the file", None)
    raw = read_file(path, limits)
    known = load_columns(domain)
    layout = find_layout(raw, known)
    excluded = _find_excluded(raw, layout)
    rows = tuple(row for row in layout.rows if row.number not in excluded)
    progress("reading the columns", None)
    return _read(_Table(raw, layout, known, rows, today), excluded)


def _read(table: _Table, excluded: Mapping[int, Code]) -> Submission:
    columns = {name: _read_column(table, name) for name in table.layout.positions}
    named = read_names(table.numbers, {n: columns[n] for n in (*_NAME_COLUMNS, "aliases") if n in columns}, "Name")
    findings = [*find_in_file(table.raw, table.layout), *(f for c in columns.values() for f in c.findings)]
    findings += [*named.findings, *find_swapped(named.names, table.known.common_forenames, "Name")]
    findings += _find_in_rows(table, columns)
    undated = _undated(table, columns)
    dropped = {**excluded, **dict.fromkeys(undated, Code.NO_DATE)}
    findings += _find_excluded_rows(dropped)
    keep = [position for position, row in enumerate(table.rows) if row.number not in undated]
    same = find_same_people([_person(table, columns, named.names, position) for position in keep])
    findings += same.findings
    n_people = len(set(same.first_rows))
    findings += _find_in_size(len(keep), n_people)
    return Submission(
        entries=_entries(table, columns, named.names, keep, same.first_rows),
        accounts=_accounts(table.layout.rows, dropped, findings),
        findings=tuple(findings),
        n_people=n_people,
        header_row=table.layout.header.number,
        blank_rows=table.layout.sheet.blank_inside + table.layout.sheet.blank_after,
    )


def _find_excluded(raw: RawFile, layout: Layout) -> dict[int, Code]:
    """Rows below the headings that hold no person that can be read, each with the reason."""
    excluded: dict[int, Code] = {}
    for row in layout.rows:
        if _is_heading_again(row, layout):
            excluded[row.number] = Code.REPEATED_HEADINGS
        elif _is_total(row, layout):
            excluded[row.number] = Code.NOT_A_PERSON
        elif raw.format is Format.CSV and _is_ragged(row, layout.width):
            excluded[row.number] = Code.RAGGED_ROW
        elif not _holds(row, layout, _NAME_COLUMNS) and not _holds(row, layout, _ID_COLUMNS):
            excluded[row.number] = Code.NOT_A_PERSON
    return excluded


_ID_COLUMNS = ("pnc_id", "prison_number", "cro", "crn")


def _is_heading_again(row: RawRow, layout: Layout) -> bool:
    pairs = zip(row.cells, layout.header.cells, strict=False)
    return all(heading_key(text) == heading_key(heading) for text, heading in pairs)


def _is_total(row: RawRow, layout: Layout) -> bool:
    """A row with a word for a total or the end in it, and neither a date of birth nor a number of a person."""
    if _holds(row, layout, ("date_of_birth", *_ID_COLUMNS)):
        return False
    return any(heading_key(text).startswith(_TOTALS) for text in row.cells)


def _is_ragged(row: RawRow, width: int) -> bool:
    return len(row.cells) < width or any(text.strip() for text in row.cells[width:])


def _holds(row: RawRow, layout: Layout, names: Iterable[str]) -> bool:
    places = [layout.positions[name] for name in names if name in layout.positions]
    return any(place < len(row.cells) and not is_placeholder(row.cells[place]) for place in places)


def _find_excluded_rows(dropped: Mapping[int, Code]) -> list[Finding]:
    return [
        finding(code, (row for row, reason in dropped.items() if reason is code))
        for code in Code
        if code in dropped.values()
    ]


def _read_column(table: _Table, name: str) -> ReadColumn:
    column, cells = table.known.columns[name], table.cells(name)
    match column.type:
        case ColumnType.DATE:
            role = DateRole.BIRTH if column.birth else DateRole.EVENT
            return read_dates(cells, table.today, role, uses_1904=table.raw.uses_1904)
        case ColumnType.SEX:
            return read_words(cells, table.known.words[column.type], unread=Code.SEX_UNREAD)
        case ColumnType.YES_NO:
            return read_yes_no(cells, table.known.words[column.type])
        case ColumnType.GROUP:
            return read_group(cells, table.known.words[column.type])
        case ColumnType.POSTCODE:
            return read_postcodes(cells)
        case ColumnType.TEXT | ColumnType.NAME | ColumnType.NAMES:
            return read_text(cells)
        case ColumnType.PNC | ColumnType.CRO | ColumnType.PRISON_NUMBER | ColumnType.CRN:
            return read_identifiers(cells, column.type, table.today)


def _dates(columns: Mapping[str, ReadColumn], name: str, count: int) -> list[dt.date | None]:
    if name not in columns:
        return [None] * count
    return [value if isinstance(value, dt.date) else None for value in columns[name].values]


def _undated(table: _Table, columns: Mapping[str, ReadColumn]) -> set[int]:
    """Rows without any date of those of which one is needed."""
    names = [name for name, column in table.known.columns.items() if column.one_of == "date" and name in columns]
    return {
        row.number
        for position, row in enumerate(table.rows)
        if all(columns[name].values[position] is None for name in names)
    }


def _find_in_rows(table: _Table, columns: Mapping[str, ReadColumn]) -> list[Finding]:
    """What one row's values say of each other."""
    count = len(table.rows)
    born, starts, ends = (_dates(columns, name, count) for name in ("date_of_birth", "start_date", "end_date"))
    numbers = [name for name in _ID_COLUMNS if name in columns]
    has_number = [any(columns[name].values[p] is not None for name in numbers) for p in range(count)]
    rows: dict[Code, list[int]] = {}

    def note(code: Code, position: int) -> None:
        rows.setdefault(code, []).append(table.rows[position].number)

    for p in range(count):
        if born[p] is None:
            note(Code.DATE_MISSING if has_number[p] else Code.CANNOT_BE_FOUND, p)
        start, end, birth = starts[p], ends[p], born[p]
        if start and end and end < start:
            note(Code.END_BEFORE_START, p)
        if start and birth and (start < birth or age(birth, start) < _RESPONSIBLE_AGE):
            note(Code.START_BEFORE_BIRTH, p)
        pnc = columns["pnc_id"].values[p] if "pnc_id" in columns else None
        if isinstance(pnc, str) and birth and int(pnc[:4]) < birth.year + _RESPONSIBLE_AGE:
            note(Code.ID_BEFORE_TEN, p)
        if "sex" in columns and not tidy(table.rows[p].cells[table.layout.positions["sex"]]):
            note(Code.SEX_MISSING, p)
    return [finding(code, found) for code, found in rows.items()]


def _find_in_size(n_rows: int, n_people: int) -> list[Finding]:
    if n_rows == 0:
        return [finding(Code.NO_ROWS)]
    return [finding(Code.TOO_FEW)] if n_people < LEAST_PEOPLE else []


def _person(table: _Table, columns: Mapping[str, ReadColumn], names: Sequence[PersonNames], position: int) -> Person:
    row, name = table.rows[position], names[position]
    numbers = ((key, columns[key].values[position]) for key in _ID_COLUMNS if key in columns)
    born = columns["date_of_birth"].values[position] if "date_of_birth" in columns else None
    return Person(
        row=row.number,
        forename=name.forename,
        surname=name.surname,
        born=born if isinstance(born, dt.date) else None,
        numbers=tuple((key, value) for key, value in numbers if isinstance(value, str)),
        whole_row=row.cells,
    )


_ARROW = {ColumnType.DATE: pa.date32(), ColumnType.YES_NO: pa.bool_()}


def entry_schema(known: ProviderColumns) -> pa.Schema:
    """`row`, `entry_id`, `first_row` (of the same person), then each column typed, then each as its raw text."""
    asked = [column for name, column in known.columns.items() if name not in ("entry_id", "full_name")]
    fields = [pa.field("row", pa.int64()), pa.field("entry_id", pa.string()), pa.field("first_row", pa.int64())]
    fields += [pa.field(column.name, _ARROW.get(column.type, pa.string())) for column in asked]
    fields += [pa.field(f"{name}_raw", pa.string()) for name in known.columns]
    return pa.schema(fields)


def _entries(
    table: _Table,
    columns: Mapping[str, ReadColumn],
    names: Sequence[PersonNames],
    keep: Sequence[int],
    first_rows: Sequence[int],
) -> pa.Table:
    schema = entry_schema(table.known)
    made: dict[str, list[object | None]] = {name: _kept(column, keep) for name, column in columns.items()}
    made["row"] = [table.rows[p].number for p in keep]
    made["first_row"] = list(first_rows)
    given = made.get("entry_id", [None] * len(keep))
    made["entry_id"] = [value or f"row {table.rows[p].number}" for value, p in zip(given, keep, strict=True)]
    made["forename1"] = [names[p].forename for p in keep]
    made["surname"] = [names[p].surname for p in keep]
    made["aliases"] = ["; ".join(names[p].aliases) or None for p in keep]
    for name in columns:
        texts = table.cells(name).texts
        made[f"{name}_raw"] = [texts[p] or None for p in keep]
    empty: list[object | None] = [None] * len(keep)
    return pa.table({field.name: pa.array(made.get(field.name, empty), field.type) for field in schema}, schema=schema)


def _kept(column: ReadColumn, keep: Sequence[int]) -> list[object | None]:
    return [column.values[position] for position in keep]


def _accounts(rows: Sequence[RawRow], dropped: Mapping[int, Code], findings: Sequence[Finding]) -> pa.Table:
    mended = {row for found in findings if found.code in _MENDING for row in found.rows}
    outcomes = [
        Outcome.EXCLUDED if row.number in dropped else Outcome.MENDED if row.number in mended else Outcome.KEPT
        for row in rows
    ]
    reasons = [dropped[row.number].value if row.number in dropped else None for row in rows]
    return pa.table(
        {
            "row": pa.array([row.number for row in rows], pa.int64()),
            "outcome": pa.array([outcome.value for outcome in outcomes], pa.string()),
            "reason": pa.array(reasons, pa.string()),
        }
    )


def count_outcomes(submission: Submission) -> dict[str, int]:
    """Rows by outcome and reason: "kept", "mended", "excluded: reason". They add up to the rows of the file."""
    pairs = zip(submission.accounts["outcome"].to_pylist(), submission.accounts["reason"].to_pylist(), strict=True)
    counts = Counter(outcome if reason is None else f"{outcome}: {reason}" for outcome, reason in pairs)
    return dict(sorted(counts.items()))

"""Where the table is in a provider's file: which sheet, which row holds the headings, what each column is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from counterfoil.errors import FileNotTaken
from counterfoil.records.gate.reader import Format, RawFile, RawRow, RawSheet
from counterfoil.records.gate.sheets import column_letters
from counterfoil.records.provider.columns import Language, ProviderColumns, heading_key
from counterfoil.records.provider.findings import say_rows

HEADER_SEARCH_ROWS = 20
_LEAST_KNOWN = 2  # one known word may be a title or a cell of the table
_TEMPLATE = "`counterfoil template` writes a file with every heading in place."


@dataclass(frozen=True, slots=True)
class Layout:
    """A table that was found. Positions count from 0."""

    sheet: RawSheet
    header: RawRow
    positions: Mapping[str, int]  # column name -> position
    unknown: tuple[int, ...]  # columns with a heading we do not ask for; dropped
    sensitive: tuple[int, ...]  # those of them whose heading speaks of something sensitive
    empty_unnamed: tuple[int, ...]  # no heading and nothing below
    rows: tuple[RawRow, ...]  # below the headings
    width: int  # cells to the last column with a heading
    other_sheets: tuple[int, ...]  # sheets left alone, from 1


def find_layout(raw: RawFile, known: ProviderColumns) -> Layout:
    """The one table of the file; FileNotTaken lists everything that keeps it from being read, with column letters."""
    sheets = [sheet for sheet in raw.sheets if sheet.rows]
    if not sheets:
        raise FileNotTaken(f"The file has no cell with anything in it. {_TEMPLATE}", *remarks(raw))
    found = [(sheet, header) for sheet in sheets if (header := _find_header(sheet, known)) is not None]
    if not found:
        raise FileNotTaken(*_no_header(sheets, known), *remarks(raw))
    complete = [pair for pair in found if not _missing(pair[1], known)] or found
    if len(complete) > 1:
        numbers = _listed(str(sheet.position) for sheet, _ in complete)
        raise FileNotTaken(
            f"Sheets {numbers} of the workbook each hold a list, and it is not ours to choose. Keep one "
            "list on one sheet and delete the others, or send a workbook each.",
            *remarks(raw),
        )
    sheet, header = complete[0]
    problems = _problems(sheet, header, known)
    if problems:
        raise FileNotTaken(*problems, *remarks(raw))
    return _layout(raw, sheet, header, known)


def _layout(raw: RawFile, sheet: RawSheet, header: RawRow, known: ProviderColumns) -> Layout:
    rows = _below(sheet, header)
    filled = _filled(rows)
    named = {position for position, text in enumerate(header.cells) if text.strip()}
    taken = _positions(header, known)
    unknown = sorted(named - {position for places in taken.values() for position in places})
    return Layout(
        sheet=sheet,
        header=header,
        positions={name: places[0] for name, places in taken.items()},
        unknown=tuple(unknown),
        sensitive=tuple(p for p in unknown if _is_sensitive(header.cells[p], known)),
        empty_unnamed=tuple(p for p in range(len(header.cells)) if p not in named and p not in filled),
        rows=rows,
        width=max(named) + 1,
        other_sheets=tuple(other.position for other in raw.sheets if other is not sheet),
    )


def _find_header(sheet: RawSheet, known: ProviderColumns) -> RawRow | None:
    """The row among the first 20 with most known headings, the first of equals."""
    first = [row for row in sheet.rows if row.number <= HEADER_SEARCH_ROWS]
    best = max(first, key=lambda row: (len(_positions(row, known)), -row.number), default=None)
    return best if best is not None and len(_positions(best, known)) >= _LEAST_KNOWN else None


def _positions(row: RawRow, known: ProviderColumns) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(row.cells):
        name = known.by_heading.get(heading_key(text))
        if name is not None:
            positions[name].append(position)
    return dict(positions)


def _below(sheet: RawSheet, header: RawRow) -> tuple[RawRow, ...]:
    return tuple(row for row in sheet.rows if row.number > header.number)


def _filled(rows: Iterable[RawRow]) -> set[int]:
    """Positions of columns with something in them."""
    return {position for row in rows for position, text in enumerate(row.cells) if text.strip()}


def _problems(sheet: RawSheet, header: RawRow, known: ProviderColumns) -> list[str]:
    problems = [*_unnamed(header, _filled(_below(sheet, header))), *_repeated(header, known)]
    if missing := _missing(header, known):
        problems.append(
            f"Row {header.number} has the headings, but there is no column for: {'; '.join(missing)}. Add what is "
            f"missing, or give the column its usual heading. {_TEMPLATE}"
        )
    return problems


def _unnamed(header: RawRow, filled: set[int]) -> list[str]:
    blank = [p for p in range(len(header.cells)) if not header.cells[p].strip() and p in filled]
    if not blank:
        return []
    return [
        f"{_columns(blank)} no heading in row {header.number}, but values below. Give each column a heading, or "
        "delete it if nobody needs it."
    ]


def _repeated(header: RawRow, known: ProviderColumns) -> list[str]:
    return [
        f"Columns {_listed(column_letters(p + 1) for p in places)} are each headed as "
        f"{known.columns[name].label[Language.ENGLISH]}, and it is not ours to choose. Keep one of them."
        for name, places in _positions(header, known).items()
        if len(places) > 1
    ]


def _missing(header: RawRow, known: ProviderColumns) -> list[str]:
    """What is needed and has no column, in the words of the template."""
    there = _positions(header, known).keys()
    labels = {name: column.label[Language.ENGLISH] for name, column in known.columns.items()}
    missing = [] if {"surname", "forename1"} <= there or "full_name" in there else _names_missing(there, labels)
    missing += [labels[name] for name, column in known.columns.items() if column.required and name not in there]
    dates = [name for name, column in known.columns.items() if column.one_of == "date"]
    if not there & set(dates):
        missing.append(" or ".join(labels[name] for name in dates))
    return missing


def _names_missing(there: Iterable[str], labels: Mapping[str, str]) -> list[str]:
    return [labels[name] for name in ("surname", "forename1") if name not in set(there)]


def _is_sensitive(heading: str, known: ProviderColumns) -> bool:
    key = heading_key(heading)
    return any(word in key for word in known.sensitive_words)


def _no_header(sheets: Sequence[RawSheet], known: ProviderColumns) -> list[str]:
    """What to say when no row has known headings: what the first full row looks like, and what to do."""
    problems = [
        f"None of the first {HEADER_SEARCH_ROWS} rows has headings that are known here, such as "
        f"{_listed(known.columns[name].label[Language.ENGLISH] for name in ('surname', 'date_of_birth'))}. "
        f"Put the headings in one row above the list. {_TEMPLATE}"
    ]
    sheet = sheets[0]
    likely = next((row for row in sheet.rows if sum(1 for text in row.cells if text.strip()) > 1), None)
    if likely is None or likely.number > HEADER_SEARCH_ROWS:
        return problems
    filled = _filled(_below(sheet, likely))
    problems += _unnamed(likely, filled)
    counts = Counter(key for text in likely.cells if (key := heading_key(text)))
    twice = [p for p, text in enumerate(likely.cells) if counts[heading_key(text)] > 1]
    if twice:
        problems.append(
            f"Columns {_listed(column_letters(p + 1) for p in twice)} in row {likely.number} are headed alike."
        )
    return problems


def remarks(raw: RawFile) -> list[str]:
    """What is true of the file as a whole and worth knowing when it is not taken. No value, no heading."""
    said = []
    if raw.encoding == "utf-8 with a mark":
        said.append("The text begins with a byte-order mark, which was taken off before the first heading was read.")
    if raw.encoding == "cp1252":
        said.append(
            "The text is not UTF-8; it was read as Windows-1252. Look at accented names "
            f"{'in ' + say_rows(raw.reread_rows) if raw.reread_rows else ''}.".replace(" .", ".")
        )
    said += [_LINE_ENDS[raw.line_ends]] if raw.line_ends in _LINE_ENDS else []
    if raw.format is Format.CSV and raw.separator != ",":
        said.append(f"The cells are separated by {SEPARATOR_WORDS[raw.separator]}, which was understood.")
    for sheet in raw.sheets:
        said += _sheet_remarks(sheet, several=len(raw.sheets) > 1)
    if len(raw.sheets) > 1:
        said.append(f"The workbook has sheets 1 to {len(raw.sheets)}; the list should be on one sheet.")
    return said


_LINE_ENDS = {
    "cr": "The lines end as on an old Mac (CR only); they were read as separate rows.",
    "mixed": "The lines end in different ways; each was read as the end of a row.",
}
SEPARATOR_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "upright bars"}


def _sheet_remarks(sheet: RawSheet, *, several: bool) -> list[str]:
    where = f"Sheet {sheet.position}" if several else "The file"
    said = []
    if sheet.merged_rows:
        said.append(
            f"{where} has merged cells, from {say_rows(sheet.merged_rows)}. Unmerge them, and write each value in "
            "its own cell: nothing is filled down."
        )
    if sheet.blank_inside or sheet.blank_after:
        said.append(f"{where} has blank rows between or after the others; they were skipped.")
    return [*said, *_first_row_remarks(sheet, where)]


def _first_row_remarks(sheet: RawSheet, where: str) -> list[str]:
    """What the other rows say of the first: that it is a title, or that they differ from it in width."""
    if len(sheet.rows) < 2:
        return []
    first, *others = sheet.rows
    if sum(1 for text in first.cells if text.strip()) == 1 and max(len(row.cells) for row in others) > 1:
        return [f"{where} has one value in row {first.number}, which looks like a title and not like headings."]
    ragged = [row.number for row in others if len(row.cells) != len(first.cells)]
    if not ragged:
        return []
    return [f"{where} has rows with more or fewer cells than row {first.number}: {say_rows(ragged)}."]


def _columns(positions: Sequence[int]) -> str:
    letters = _listed(column_letters(p + 1) for p in positions)
    return f"Column {letters} has" if len(positions) == 1 else f"Columns {letters} have"


def _listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    all_words = list(words)
    return all_words[0] if len(all_words) == 1 else f"{', '.join(all_words[:-1])} and {all_words[-1]}"

"""A report's tables as one workbook: what stands on each sheet. ODS and XLSX are two ways to write the same one.

Laid out as the Analysis Function asks of published tables: a cover, the contents, notes that explain every shorthand,
then one marked table a sheet under its title, with one header row and no merged, blank or hidden cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.disclosure import Cell, Protected, ProtectedRefusal, Shown
from counterfoil.report import numbers, sentences, tables
from counterfoil.report.about import About
from counterfoil.report.words import Words

WIDEST, NARROWEST, NUMBERS = 52, 12, 18  # characters: of a text, of any column, of a column of numbers
PER_CENT = {("survival", "treated_share"), ("survival", "comparison_share"), ("profile", "share"), ("pool", "share")}
RATE_VALUES = ("treated_value", "comparison_value")  # of a measure whose unit is a rate
P_VALUES = ("p", "p_holm")
BANDS = ("band_before", "band_after")
POOL_ROWS = {("run", "pooled"): "mean", ("run", "prediction"): "prediction"}  # rows that are no run
NOTHING = "[z]"  # a text that does not apply; no cell is blank
LOW = "[low]"
SHORTHAND = ("c", "x", "z", "low")


@dataclass(frozen=True, slots=True)
class Number:
    """A number with just the decimals it was protected with. `percent`: held 0-1, shown as a per cent."""

    value: Decimal
    percent: bool = False

    @property
    def places(self) -> int:
        """Decimals that are shown."""
        exponent = self.value.as_tuple().exponent
        places = -exponent if isinstance(exponent, int) else 0
        return max(places - (numbers.HUNDRED_PLACES if self.percent else 0), 0)

    @property
    def text(self) -> str:
        """As a spreadsheet shows it."""
        shown = self.value.scaleb(numbers.HUNDRED_PLACES) if self.percent else self.value
        return f"{shown:,.{self.places}f}{'%' if self.percent else ''}"


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to another sheet."""

    text: str
    tab: str


Entry = str | Number | Link


@dataclass(frozen=True, slots=True)
class Sheet:
    """`lines`: the title in A1 and what follows it, one a row; then, if there is a header, the table."""

    tab: str
    lines: tuple[str, ...]
    name: str = ""  # of the table
    header: tuple[str, ...] = ()
    rows: tuple[tuple[Entry, ...], ...] = ()

    @property
    def widths(self) -> tuple[int, ...]:
        """Of each column, in characters; long texts wrap."""
        if not self.header:
            return (WIDEST * 2,)
        columns = zip(self.header, *self.rows, strict=True)
        wide = (NUMBERS if is_number else WIDEST for is_number in self.are_numbers)
        longest = (max(len(text_of(entry)) for entry in column) + 2 for column in columns)
        return tuple(min(max(length, NARROWEST), most) for length, most in zip(longest, wide, strict=True))

    @property
    def are_numbers(self) -> tuple[bool, ...]:
        """Which columns hold numbers, and so stand to the right, shorthand and header included."""
        return tuple(any(isinstance(row[n], Number) for row in self.rows) for n in range(len(self.header)))


@dataclass(frozen=True, slots=True)
class Workbook:
    """Everything that is written. No author, no path and no time of day (R24)."""

    title: str
    subject: str
    about: About
    language: str
    sheets: tuple[Sheet, ...]


def text_of(entry: Entry) -> str:
    """What a reader sees in a cell."""
    return entry if isinstance(entry, str) else entry.text


def workbook_of(
    protected: Protected | ProtectedRefusal, about: About, made: Sequence[tables.Table], words: Words
) -> Workbook:
    """The workbook of a report's tables."""
    return book_of(about, tuple(_cover_lines(protected, about, words)), made, words, protected)


def book_of(
    about: About,
    cover_lines: tuple[str, ...],
    made: Sequence[tables.Table],
    words: Words,
    protected: Protected | ProtectedRefusal | None = None,
    kind: str = "page.kind",
) -> Workbook:
    """A workbook of these tables behind a cover. `protected`: what they are of, where that is one report.

    `kind`: the key of what such a document is called.
    """
    data = tuple(_table_sheet(table, protected, words) for table in made)
    notes = _notes(words)
    cover = Sheet(words("workbook.cover"), cover_lines)
    links = tuple((Link(sheet.tab, sheet.tab), sheet.lines[0]) for sheet in (notes, *data))
    contents = Sheet(
        words("workbook.contents"),
        (words("workbook.contents_title"), words("workbook.one_table")),
        "contents",
        (words("workbook.column_sheet"), words("workbook.column_what")),
        links,
    )
    return Workbook(about.title, words(kind), about, words.language, (cover, contents, notes, *data))


def _cover_lines(protected: Protected | ProtectedRefusal, about: About, words: Words) -> Iterator[str]:
    yield f"{about.title}: {words('page.kind').lower()}"
    yield f"{words('page.status')}. {words('page.status_more')}"
    if words.language in about.drafts:
        yield f"{words('page.draft')}. {words('page.draft_more')}"
    yield about.provider
    yield words("page.dated", date=words.date(about.today))
    if isinstance(protected, Protected):
        yield sentences.statement_of(protected.headline, protected.design, words).text
        yield from sentences.caveats_of(protected, words)
        yield sentences.scope_of(protected, words)
    else:
        yield words.given(protected.reason)
    yield words("workbook.beside")
    yield words("workbook.accessible")
    yield words("page.footer", version=dict(about.versions).get("counterfoil", ""), run=about.run)


def _notes(words: Words) -> Sheet:
    return Sheet(
        words("workbook.notes"),
        (words("workbook.notes_title"), words("workbook.one_table")),
        "notes",
        (words("workbook.column_shorthand"), words("workbook.column_means")),
        tuple((f"[{key}]", words(f"workbook.shorthand_{key}")) for key in SHORTHAND),
    )


def _table_sheet(table: tables.Table, protected: Protected | ProtectedRefusal | None, words: Words) -> Sheet:
    key = f"workbook.{table.name}"
    lines = [words(f"{key}.title"), words("workbook.one_table"), words(f"{key}.about")]
    if any(text_of(e).startswith("[") for row in _entries(table, protected, words) for e in row):
        lines.append(words("workbook.has_shorthand"))
    if not table.rows:
        lines.append(words("workbook.empty"))
    return Sheet(
        words(f"{key}.tab"),
        tuple(lines),
        table.name,
        column_titles(table, words),
        tuple(_entries(table, protected, words)) or (tuple(NOTHING for _ in table.columns),),
    )


def column_titles(table: tables.Table, words: Words) -> tuple[str, ...]:
    """What each column is called where people read it."""
    return tuple(words(f"workbook.{table.name}.columns.{name}") for name in table.columns)


def _entries(
    table: tables.Table, protected: Protected | ProtectedRefusal | None, words: Words
) -> Iterator[tuple[Entry, ...]]:
    for row in table.rows:
        line = dict(zip(table.columns, row, strict=True))
        is_rate = line.get("unit") == "rate"
        yield tuple(
            _text(name, found, line, protected, words) if isinstance(found, str)
            else _number(found, percent=(table.name, name) in PER_CENT or (is_rate and name in RATE_VALUES),
                         is_p=name in P_VALUES)
            for name, found in line.items()
        )  # fmt: skip


def _number(cell: Cell, *, percent: bool, is_p: bool) -> Entry:
    if cell.value is None:
        return numbers.machine(cell) or NOTHING
    number = Number(numbers.exact(cell), percent)
    return LOW if is_p and not number.value else number


def _text(
    column: str, text: str, line: dict[str, tables.Entry], protected: Protected | ProtectedRefusal | None, words: Words
) -> str:
    if not text:
        return NOTHING
    if column == "verdict":
        return _verdict(text, str(line.get("measure", "")), protected, words)
    if column in BANDS and text != Shown.SUPPRESSED.value:
        return words(f"balance.{text}")
    if (column, text) == ("unit", "rate"):
        return words("workbook.unit_rate")
    if (column, text) in POOL_ROWS:
        return words(f"pool.{POOL_ROWS[column, text]}")
    if (column, text) == ("note", "rounded"):
        return words("workbook.note_rounded")
    return text


def _verdict(value: str, measure: str, protected: Protected | ProtectedRefusal | None, words: Words) -> str:
    """As the page says it: an amount is lower, never fewer."""
    measures = protected.measures if isinstance(protected, Protected) else ()
    named = next((m for m in measures if m.measure.name == measure), None)
    return words(f"verdict.{value}") if named is None else sentences.verdict_word(named, words)

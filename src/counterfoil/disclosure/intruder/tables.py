"""A table of counts of people with its totals, as a publication: cells are atoms, totals are populations of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from counterfoil.disclosure.intruder.statements import Exact, Line, Piece, Publication, Rounded, Truth, Withheld
from counterfoil.disclosure.primary import is_count_safe
from counterfoil.disclosure.rounding import round_to_base
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.errors import Fault

TOTAL = "total"  # the row of all rows, the column of all columns

Place = tuple[str, str]  # row, column


@dataclass(frozen=True, slots=True)
class CountTable:
    """Counts of people by row and column. A place that is absent is a structural zero: nobody can be there.

    `totals`: whether row, column and grand totals are printed. `base`: what is printed is rounded to it; None is exact.
    """

    name: str
    counts: Mapping[Place, int]
    totals: bool = True
    base: int | None = None

    def __post_init__(self) -> None:
        """Put the cells in their fixed order, which is that of their names and not that in which they came."""
        if any(TOTAL in place for place in self.counts):
            raise Fault('No row or column of a table may be called "total": that is the name of its sums.')
        object.__setattr__(self, "counts", MappingProxyType(dict(sorted(self.counts.items()))))

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of rows, in order."""
        return tuple(sorted({row for row, _ in self.counts}))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of columns, in order."""
        return tuple(sorted({column for _, column in self.counts}))

    def places(self) -> tuple[Place, ...]:
        """Every place that is printed, totals last, in the fixed order."""
        return (*self.counts, *self._totals()) if self.totals else tuple(self.counts)

    def inside(self, place: Place) -> tuple[Place, ...]:
        """The cells that a place is the sum of."""
        row, column = place
        return tuple(cell for cell in self.counts if row in (TOTAL, cell[0]) and column in (TOTAL, cell[1]))

    def value(self, place: Place) -> int:
        """The true count of a cell or a total."""
        return sum(self.counts[cell] for cell in self.inside(place))

    def _totals(self) -> Iterator[Place]:
        rows, columns = self.rows, self.columns
        if len(columns) > 1:
            yield from ((row, TOTAL) for row in rows)
        if len(rows) > 1:
            yield from ((TOTAL, column) for column in columns)
        if len(rows) > 1 and len(columns) > 1:
            yield (TOTAL, TOTAL)


def label_of(place: Place) -> str:
    """Where a reader finds a place."""
    row, column = place
    if row == column == TOTAL:
        return "the total"
    if TOTAL in place:
        return f"the total of {row if column == TOTAL else column}"
    return f"{row}, {column}"


def find_unsafe(table: CountTable, settings: DisclosureSettings) -> tuple[Place, ...]:
    """R2: places whose count is over 0 and under T. R4: lines in which all people are in one cell, with their zeros."""
    alone = {cell for line in _cells_of_lines(table) for cell in line if sum(table.counts[c] > 0 for c in line) == 1}
    return tuple(p for p in table.places() if p in alone or not is_count_safe(table.value(p), settings))


def _cells_of_lines(table: CountTable) -> Iterator[tuple[Place, ...]]:
    """Rows and columns of more than one cell."""
    for total in [*((row, TOTAL) for row in table.rows), *((TOTAL, column) for column in table.columns)]:
        cells = table.inside(total)
        if len(cells) > 1:
            yield cells


def publish_table(table: CountTable, hidden: Collection[Place], settings: DisclosureSettings) -> Publication:
    """What a reader sees of a table in which some places are hidden: suppress first, round second (R5)."""
    return Publication(
        name=table.name,
        populations={label_of(place): tuple(map(label_of, table.inside(place))) for place in table.places()},
        statements=tuple(_state(table, place, place in hidden, settings) for place in table.places()),
        lines=tuple(_lines(table)),
    )


def truth_of(table: CountTable) -> Truth:
    """The true counts of a table's cells."""
    return Truth({(label_of(place), ""): count for place, count in table.counts.items()})


def _state(table: CountTable, place: Place, hides: bool, settings: DisclosureSettings) -> Exact | Rounded | Withheld:
    of = (Piece(label_of(place)),)
    count = table.value(place)
    if hides:
        return Withheld(label_of(place), of)
    if table.base is None or count == 0:  # a rounded table hides 1 to T - 1, so a printed 0 is 0
        return Exact(label_of(place), of, count)
    least = settings.threshold if count >= settings.threshold else 0
    return Rounded(label_of(place), of, round_to_base(count, table.base), table.base, least)


def _lines(table: CountTable) -> Iterator[Line]:
    """Rows and columns whose total is printed; the totals of rows, and of columns, are lines too."""
    if not table.totals:
        return
    places = set(table.places())
    for total in table.places()[len(table.counts) :]:
        row, column = total
        if column == TOTAL and row != TOTAL:
            yield Line(f"row {row}", tuple(map(label_of, table.inside(total))))
        elif row == TOTAL and column != TOTAL:
            yield Line(f"column {column}", tuple(map(label_of, table.inside(total))))
    sums = [(row, TOTAL) for row in table.rows], [(TOTAL, column) for column in table.columns]
    for which, line in zip(("rows", "columns"), sums, strict=True):
        if (TOTAL, TOTAL) in places:
            yield Line(f"the totals of {which}", tuple(map(label_of, line)))

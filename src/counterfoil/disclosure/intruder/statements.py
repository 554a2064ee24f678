"""What a publication says, as statements about unknown counts (R13).

The unknowns are counts of an *outcome* in an *atom*: the people who belong to exactly the same populations. A
population is a set of atoms. A statement speaks of a sum of pieces; a piece is an outcome over a population. The
outcome `PEOPLE` is the people themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from counterfoil.errors import Fault

PEOPLE = ""  # the outcome that everybody has: a count of it is a number of people

Unknown = tuple[str, str]  # atom, outcome


class Counts(Enum):
    """What one person can add to a count of an outcome."""

    ONCE = "once"  # nobody or one: a count of people who did something, so never more than the people
    OFTEN = "often"  # any whole number: a total of events


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something counted over people. `behind`: for a total of events, the outcome "had one or more", where counted."""

    name: str
    counts: Counts = Counts.ONCE
    behind: str | None = None


@dataclass(frozen=True, slots=True)
class AddsUp:
    """In an atom, the outcome `whole` is the sum of the outcomes `parts`. A part may come with a minus sign.

    `whole` may be `PEOPLE`: then everybody has just one of the parts. `within`: populations in whose atoms it holds;
    none: everywhere.
    """

    whole: str
    parts: tuple[tuple[str, int], ...]  # outcome, +1 or -1
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a reader knows before any number is printed: everybody in `population` has an outcome, or nobody has.

    `without`: only those who are not in this population as well. A group of women is known to be of women, and whoever
    is left of all not to be.
    """

    population: str
    outcome: str
    have: bool
    without: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """`times` the count of `outcome` over `population`."""

    population: str
    outcome: str = PEOPLE
    times: int = 1


Pieces = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Exact:
    """A count printed as it is."""

    label: str  # where a reader finds it: "table 2, row 3"
    of: Pieces
    value: int


@dataclass(frozen=True, slots=True)
class Rounded:
    """A count to the nearest multiple of `base`, halves up: 15 to base 5 is 13 to 17. `least`: smaller is not shown."""

    label: str
    of: Pieces
    value: int
    base: int
    least: int = 0


@dataclass(frozen=True, slots=True)
class Withheld:
    """`[c]`: 0 or more, and nothing else is known. `vague`: it must stay W wide whatever it is (a hidden size)."""

    label: str
    of: Pieces
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A rate or a mean, `of` divided by `over`, as it is printed: "0.35" has two decimals, halves go up."""

    label: str
    of: Pieces
    over: Pieces
    shown: str


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number that lies from `low` to `high`; None is no bound."""

    label: str
    of: Pieces
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Weighted:
    """A rate of weighted people as it is printed: a real number, called `name`. No count of people follows from it."""

    label: str
    name: str
    shown: str


@dataclass(frozen=True, slots=True)
class Difference:
    """100 * (`of` / `over` - the weighted rate `against`), in points as printed in steps of `step`. `over` is exact."""

    label: str
    of: Pieces
    over: int
    against: str
    shown: str
    step: int = 1  # of the last decimal


@dataclass(frozen=True, slots=True)
class OneOf:
    """Several sums are together one of `points`: what an interval, an error or a p-value leaves open (R7)."""

    label: str
    of: tuple[Pieces, ...]
    points: tuple[tuple[int, ...], ...]


Statement = Exact | Rounded | Withheld | Share | Between | Weighted | Difference | OneOf


@dataclass(frozen=True, slots=True)
class Line:
    """Statements that stand in one line of a table, by their labels: hidden ones of a line have a sum (R15)."""

    label: str
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """One report or table: its populations (name to atoms), what is counted over them, and what is said.

    The reader is taken to know which atoms have people in them, and nothing of how many.
    """

    name: str
    populations: Mapping[str, tuple[str, ...]]
    statements: tuple[Statement, ...]
    outcomes: tuple[Outcome, ...] = ()
    sums: tuple[AddsUp, ...] = ()
    lines: tuple[Line, ...] = ()
    known: tuple[Known, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a label twice, and a statement about nothing."""
        labels = [one.label for one in self.statements]
        if len(set(labels)) < len(labels):
            raise Fault("Two statements of a publication have the same label. A label is where a reader finds one.")
        spoken = {piece.population for one in self.statements for piece in pieces_of(one)}
        spoken |= {name for one in self.sums for name in one.within}
        spoken |= {name for one in self.known for name in (one.population, one.without) if name}
        if not spoken <= set(self.populations):
            raise Fault("A statement speaks of a population that its publication does not have.")
        known = {PEOPLE} | {one.name for one in self.outcomes}
        if not {piece.outcome for one in self.statements for piece in pieces_of(one)} <= known:
            raise Fault("A statement speaks of an outcome that its publication does not have.")
        if not {label for line in self.lines for label in line.of} <= set(labels):
            raise Fault("A line of a table names a statement that its publication does not have.")
        object.__setattr__(self, "populations", MappingProxyType(dict(self.populations)))


@dataclass(frozen=True, slots=True)
class Truth:
    """The true count of every unknown. It never leaves the lab."""

    counts: Mapping[Unknown, int] = field(default_factory=dict)

    def __getitem__(self, unknown: Unknown) -> int:
        """One true count."""
        if unknown not in self.counts:
            raise Fault("A publication speaks of a count whose true value was not given to the audit.")
        return self.counts[unknown]


def pieces_of(statement: Statement) -> Iterator[Piece]:
    """Every piece that a statement speaks of."""
    if isinstance(statement, Weighted):
        return
    if isinstance(statement, OneOf):
        for pieces in statement.of:
            yield from pieces
        return
    yield from statement.of
    if isinstance(statement, Share):
        yield from statement.over

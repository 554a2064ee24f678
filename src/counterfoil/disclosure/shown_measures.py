"""Measures, balance and the flow as they may be shown. Made by `protect` alone."""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from counterfoil.comparison.values import Band
from counterfoil.disclosure.cells import Box, Cell, Rule, check_maker
from counterfoil.disclosure.states import Verdict
from counterfoil.outcomes.measures import Measure


@dataclass(frozen=True, slots=True)
class ProtectedGroup:
    """One side of one measure. `per_100`: the rate in whole people of every 100, rounded once; [z] for other kinds."""

    n: Cell
    value: Cell
    per_100: Cell
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedEstimate:
    """A difference (treated minus comparison), its 95% interval and p; in points for rates, else in the unit."""

    difference: Cell
    low: Cell
    high: Cell
    p: Cell
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedRatio:
    """A ratio, treated over comparison, with its 95% interval; 1 is no difference."""

    value: Cell
    low: Cell
    high: Cell
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedMeasure:
    """One measure as it may be shown. `hidden` is the rule that hides its difference, if one does."""

    measure: Measure
    treated: ProtectedGroup
    comparison: ProtectedGroup
    estimate: ProtectedEstimate
    score: ProtectedEstimate | None
    adjusted: ProtectedEstimate | None
    verdict: Verdict
    disagrees: tuple[str, ...]
    hidden: Rule | None
    maker: InitVar[object]
    ratio: ProtectedRatio | None = None  # of mean counts

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedTerm:
    """Balance of one term: bands always; the standardised difference only where R3 allows it."""

    term: str
    covariate: str
    before: Band | None  # None where the difference is undefined, or R3 hides it
    after: Band
    smd: Cell
    maker: InitVar[object]
    before_hidden: bool = False

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedBalance:
    """Balance after the comparison. Counts here are of terms, not of people."""

    terms: tuple[ProtectedTerm, ...]
    worst_smd: Cell  # `at_least` when the worst term is one whose value R3 hides
    ess: Cell  # Kish's effective size of the comparison group
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)

    def count(self, band: Band) -> int:
        """Terms in a band, after."""
        return sum(term.after is band for term in self.terms)

    def count_before(self, band: Band) -> int:
        """Terms in a band, before."""
        return sum(term.before is band for term in self.terms)


@dataclass(frozen=True, slots=True)
class ProtectedBox:
    """One box of the flow: the boxes it stands for, in order, and the people in it."""

    boxes: tuple[Box, ...]
    people: Cell


@dataclass(frozen=True, slots=True)
class ProtectedAttrition:
    """The public flow: four boxes or fewer, merged so that no small step can be read off."""

    boxes: tuple[ProtectedBox, ...]
    started: Cell  # as the provider says; [x] when it did not
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)

    @property
    def submitted(self) -> Cell:
        """People in the list that was sent."""
        return self.boxes[0].people

    @property
    def analysed(self) -> Cell:
        """People whose outcomes the result is about."""
        return self.boxes[-1].people

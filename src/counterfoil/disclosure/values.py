"""What may be shown. `Protected` and its parts are made by `protect` alone; a report accepts nothing else."""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from counterfoil.comparison.values import Design, Estimand
from counterfoil.disclosure.cells import NOT_APPLICABLE, Cell, Rule, check_maker
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_beside import (
    ProtectedCost,
    ProtectedLinking,
    ProtectedSample,
    ProtectedSubAnalysis,
    ProtectedSurvival,
    ProtectedTable,
    ProtectedTrust,
    ProtectedWay,
)
from counterfoil.disclosure.shown_measures import ProtectedAttrition, ProtectedBalance, ProtectedMeasure
from counterfoil.disclosure.states import Verdict
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that hid something, and where. Never a number."""

    rule: Rule
    where: str  # a measure's name, "flow" or "balance"


@dataclass(frozen=True, slots=True)
class Protected:
    """An evaluation as it may be shown. It is still inside the lab until it is cleared (R12)."""

    measures: tuple[ProtectedMeasure, ...]
    attrition: ProtectedAttrition
    balance: ProtectedBalance
    design: Design
    estimand: Estimand
    verdict: Verdict
    reliable: bool
    caveats: tuple[str, ...]
    smallest_detectable: Cell  # of the headline measure, in the unit of its difference
    findings: tuple[Finding, ...]
    settings: DisclosureSettings
    maker: InitVar[object]
    asked: Estimand | None = None
    people_needed: Cell = NOT_APPLICABLE  # treated, to show a difference of the size seen
    survival: ProtectedSurvival | None = None
    sub_analyses: tuple[ProtectedSubAnalysis, ...] = ()
    ways: tuple[ProtectedWay, ...] = ()
    pool: str = ""  # which of several pools the headline is made from: a key of the wording
    sample: ProtectedSample | None = None
    costs: tuple[ProtectedCost, ...] = ()
    trust: ProtectedTrust | None = None
    linking: ProtectedLinking | None = None
    tables: tuple[ProtectedTable, ...] = ()

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)

    @property
    def headline(self) -> ProtectedMeasure:
        """The measure whose verdict is the report's: the first rate, else the first."""
        return headline_of(self.measures)


@dataclass(frozen=True, slots=True)
class ProtectedRefusal:
    """A run that a rule stopped: the rule and its sentence, never the number behind it (R25)."""

    rule: str
    reason: str
    verdict: Verdict
    settings: DisclosureSettings
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


def headline_of(measures: tuple[ProtectedMeasure, ...]) -> ProtectedMeasure:
    """The first rate, else the first measure."""
    headline = headline_measure(tuple(m.measure for m in measures))
    return next(m for m in measures if m.measure is headline)


def headline_measure(measures: tuple[Measure, ...]) -> Measure:
    """The same, of measures that are not measured yet."""
    rates = [m for m in measures if m.kind is Kind.RATE]
    return (rates or list(measures))[0]

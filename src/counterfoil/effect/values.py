"""What `estimate` gives. Calculated, not showable: only `disclosure` turns an Effect into something that may leave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from counterfoil.comparison.printing import as_html, as_text, number
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind


class ErrorKind(Enum):
    """How a standard error was found. It is said beside every interval."""

    HC0 = "robust (HC0)"
    HC1 = "robust (HC1)"
    HC2 = "robust (HC2)"
    HC3 = "robust (HC3)"
    CLUSTERED = "clustered by pair or person (HC1)"
    ABADIE_IMBENS = "Abadie-Imbens (2006)"
    MODEL = "from the model's information"


@dataclass(frozen=True, slots=True)
class Inference:
    """One number with its 95% interval and p, on the scale that its owner names (stored units; logs where it says log).

    `df` of the t distribution; None: normal. `notes`: a sentence for whatever a reader must know, without counts.
    """

    estimate: float
    low: float
    high: float
    p: float
    error: float
    kind: ErrorKind
    df: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One side of one measure."""

    n: int  # unweighted people in the measure's support
    ess: float  # Kish; equals n when unweighted
    value: float  # weighted mean, in the measure's stored unit (rates 0-1)
    variance: float  # of one person's value (reliability weights)
    events: int | None  # unweighted people with the outcome: whose value is not 0
    largest: float | None = None  # one person's largest share of the unweighted total of values, signs left out


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference (treated minus comparison) with its 95% interval, in points for rates and stored units otherwise."""

    difference: float
    low: float
    high: float
    p: float
    method: str  # "welch", "proportions", "score", "adjusted, … errors"
    df: float | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """Treated mean over comparison mean, with its 95% interval and p; 1 is no difference."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Effect:
    """One measure's answer. `compatible` is the Justice Data Lab's test; `disagrees` names methods that differ on
    significance at 5%."""

    measure: Measure
    treated: Group
    comparison: Group
    compatible: Estimate | None  # None when a group is too small to have a variance
    score: Estimate | None = None  # Newcombe, rates only
    adjusted: Estimate | None = None
    disagrees: tuple[str, ...] = ()
    ratio: Ratio | None = None  # of mean counts, for counts

    def __str__(self) -> str:
        return as_text(*self._summary())

    def _repr_html_(self) -> str:
        return as_html(*self._summary())

    def _summary(self) -> tuple[str, list[tuple[str, str]], tuple[str, ...], list[tuple[str, ...]]]:
        """Title, facts, heading and rows, for whoever works with the data."""
        unit = "points" if self.measure.kind is Kind.RATE else self.measure.unit or self.measure.kind.value
        facts: list[tuple[str, str]] = [
            ("treated", f"{number(self.treated.value)} ({self.treated.n:,} people)"),
            ("comparison", f"{number(self.comparison.value)} ({self.comparison.n:,} people, weighted)"),
            ("difference in", unit),
        ]
        facts += [("differs on significance", name) for name in self.disagrees]
        heading = ("estimate", "difference", "low", "high", "p")
        found = (("compatible", self.compatible), ("score", self.score), ("adjusted", self.adjusted))
        rows: list[tuple[str, ...]] = [
            (name, number(e.difference, 2), number(e.low, 2), number(e.high, 2), number(e.p))
            for name, e in found
            if e is not None
        ]
        return self.measure.label, facts, heading, rows

"""What `compare` takes and gives. Frozen; arrays are row-aligned with the people table that was handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.methods import Method, MethodSettings, Radius
from counterfoil.comparison.printing import as_html, as_text, number

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


class Design(Enum):
    """How people came to be in one group or the other."""

    MATCHED = "matched"
    RANDOMISED = "randomised"


class Estimand(Enum):
    """The question. Dropping treated people changes the one achieved from ATT to ATT_MATCHED."""

    ATT = "effect on the treated"
    ATT_MATCHED = "effect on those treated people who could be matched"
    ATE = "effect on everyone, treated or not"
    ATO = "effect on people who could have been in either group"
    ATE_TRIAL = "effect on everyone in the trial"


class Band(Enum):
    """Balance of one term: |SMD| up to 0.05, up to 0.10, above."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class ComparisonSettings:
    """Every setting of the comparison; the study's plan fills it. Units are in the names."""

    covariates: tuple[str, ...]  # columns of the people table; strings, booleans and dictionaries are factors
    exact: tuple[str, ...] = ()  # factors within which people are matched
    design: Design = Design.MATCHED
    method: MethodSettings = field(default_factory=Radius)
    key: str | None = None  # column that tells people apart; nearest matching breaks ties by it
    keep_share: float = 0.95  # of the treated that must be kept; a caliper that keeps fewer is not chosen
    max_red_share: float = 0.2  # more reds than this: refused
    min_level: int = 10  # a factor level under this many people folds into "other"
    terms: tuple[str, ...] = ()  # "age^2", "re74*re75": also in the model and the balance table
    references: dict[str, str] = field(default_factory=dict)  # factor -> reference level; default the commonest
    threads: int = 2


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One term's balance, before and after. SMD is over the treated SD before matching. None where undefined."""

    term: str  # "age", "race: black"
    covariate: str  # the column it came from
    binary: bool
    treated_mean: float
    comparison_mean_before: float
    comparison_mean: float
    smd_before: float | None
    smd: float | None
    variance_ratio_before: float | None  # None for binary terms
    variance_ratio: float | None
    ks_before: float
    ks: float
    band: Band
    treated_people: int  # unweighted people with a binary term (R3 and R23 act on it); 0 for numeric terms
    comparison_people: int


@dataclass(frozen=True, slots=True)
class CaliperStep:
    """One rung of the caliper ladder, kept whether it was chosen or not."""

    caliper_sd: float
    kept_share: float  # of the treated
    worst_smd: float
    ess: float
    chosen: bool


def _none() -> IntArray:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who was matched with whom, one entry a pair, in order of (treated row, rank). Rows of the people table."""

    treated: IntArray
    comparison: IntArray
    rank: IntArray  # 1: the first partner that this treated person was given
    distance: FloatArray  # on the ruler's scale, logit or probability
    share: FloatArray  # part of the treated person's weight of 1 that this partner carries

    @classmethod
    def in_order(
        cls, treated: IntArray, comparison: IntArray, rank: IntArray, distance: FloatArray, share: FloatArray
    ) -> Pairs:
        """The pairs, put in order."""
        order = np.lexsort((rank, treated))
        return cls(treated[order], comparison[order], rank[order], distance[order], share[order])

    def renumbered(self, rows: IntArray) -> Pairs:
        """The same pairs where row i is row `rows[i]`."""
        return Pairs.in_order(rows[self.treated], rows[self.comparison], self.rank, self.distance, self.share)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A frozen design, the same for every method.

    `weight`: 0 for whoever is not used, never negative, and the same sum in both groups. ATT: 1 for each treated person
    who is used, so the sum is their number; ATE: the sum is everyone's number; ATO: the probability of the other group.
    """

    treated: BoolArray
    weight: FloatArray
    logit_propensity: FloatArray  # empty for a randomised design
    settings: ComparisonSettings
    balance: tuple[BalanceRow, ...]
    steps: tuple[CaliperStep, ...]
    caliper_sd: float | None
    caliper: float | None  # on the logit
    n_treated: int  # people before matching
    n_treated_matched: int
    n_pool: int
    n_comparison: int  # unweighted comparison people with weight > 0
    ess: float  # Kish, of the comparison weights
    asked: Estimand
    achieved: Estimand
    reliable: bool
    warnings: tuple[str, ...]  # sentences without counts: "Some characteristics stay apart after matching."
    ridge: float  # 0.0 unless separation was found
    # One number a person, -1 for none; empty in a trial. `pair`: nearest without replacement, whom to cluster by.
    pair: IntArray = field(default_factory=_none)
    stratum: IntArray = field(default_factory=_none)  # subclassification and coarsened exact
    pairs: Pairs | None = None  # nearest, with replacement too
    ess_treated: float = 0.0  # Kish, of the treated weights
    largest_share: float = 0.0  # of the comparison group's weight, on one person

    @property
    def method(self) -> Method | None:
        """None for a trial: nobody is matched or weighted."""
        return self.settings.method.kind if self.settings.design is Design.MATCHED else None

    @property
    def worst_smd(self) -> float:
        """Largest |SMD| after, over terms where it is defined."""
        return max((abs(r.smd) for r in self.balance if r.smd is not None), default=0.0)

    def count(self, band: Band) -> int:
        """Terms in a band."""
        return sum(r.band is band for r in self.balance)

    def __str__(self) -> str:
        return as_text(*self._summary())

    def _repr_html_(self) -> str:
        return as_html(*self._summary())

    def _summary(self) -> tuple[str, list[tuple[str, str]], tuple[str, ...], list[tuple[str, ...]]]:
        """Title, facts, heading and rows, for whoever works with the data."""
        method = "nobody is matched: a trial" if self.method is None else self.method.value.replace("_", " ")
        facts = [
            ("method", method),
            ("treated", f"{self.n_treated_matched:,} of {self.n_treated:,} used"),
            ("comparison", f"{self.n_comparison:,} of {self.n_pool:,} used, as good as {self.ess:,.0f}"),
            ("answers for", self.achieved.value),
            ("largest difference left", f"{number(self.worst_smd)} SD"),
            ("reliable", "yes" if self.reliable else "no"),
        ]
        if self.caliper_sd is not None:
            facts.insert(1, ("caliper", f"{self.caliper_sd:g} SD of the logit propensity"))
        facts += [("note", warning) for warning in self.warnings]
        heading = ("characteristic", "treated", "before", "after", "SMD before", "SMD after", "band")
        rows = [
            (
                row.term,
                *(number(v) for v in (row.treated_mean, row.comparison_mean_before, row.comparison_mean)),
                *(number(v) for v in (row.smd_before, row.smd)),
                row.band.value,
            )
            for row in self.balance
        ]
        return "Comparison", facts, heading, rows

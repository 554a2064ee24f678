"""What stands beside the measures of an evaluation, calculated, on its way to `protect`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import Comparison
from counterfoil.effect.sub_analyses import SubAnalysis
from counterfoil.effect.survival import Survival
from counterfoil.effect.values import Effect

BoolArray = npt.NDArray[np.bool_]


class Gaps(Enum):
    """What the test of start dates said (A1)."""

    NONE = "none"
    FOUND = "found"
    UNKNOWN = "unknown"  # too few dates to test


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """How the people of the list came to be in it (A1). Nothing here depends on who was linked (R12)."""

    gaps: Gaps = Gaps.UNKNOWN
    repeated: bool = False  # some people were in the list more than once
    completers_only: bool = False
    requests: int = 1  # analyses that this organisation has asked for, this one among them
    changed: bool = False  # the plan was changed after the same list had been sent


@dataclass(frozen=True, slots=True)
class UnitCost:
    """What one event of a count costs, as the lab's settings say. In whole units of the currency."""

    measure: str
    amount: float
    currency: str
    source: str


@dataclass(frozen=True, slots=True)
class SubResult:
    """One sub-analysis of the plan. `members`: the treated analysed in it, as rows of the whole analysis."""

    name: str
    about: str  # "sex: F", what makes its people up
    members: BoolArray
    comparison: Comparison | None
    found: SubAnalysis | None  # None when a rule stopped it before outcomes were opened
    rule: str  # that rule: "R1", "balance", "overlap"; "" when none did
    after_start: bool = False  # by something that happened after the start, such as completing


@dataclass(frozen=True, slots=True)
class WayResult:
    """Another way to make the comparison, on the headline measure. `members`: as of a sub-analysis."""

    name: str  # a key of the wording
    members: BoolArray
    comparison: Comparison | None
    effect: Effect | None  # None when a rule stopped it before outcomes were opened
    rule: str  # that rule: "R1", "balance", "overlap"; "" when none did


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it; by default nothing. `members`: the treated who were analysed, row by row."""

    members: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    headline: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # its outcome, row by row
    survival: Survival | None = None
    sub_analyses: tuple[SubResult, ...] = ()
    ways: tuple[WayResult, ...] = ()
    pool: str = ""  # which of several pools the headline is made from
    sample: SampleFacts | None = None
    costs: tuple[UnitCost, ...] = ()


NOTHING_BESIDE = Beside()

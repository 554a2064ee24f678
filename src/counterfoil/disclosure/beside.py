"""What stands beside the measures of an evaluation, calculated, on its way to `protect`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import Comparison, Design
from counterfoil.disclosure.states import Gaps, NoGamma, WayGroup
from counterfoil.effect.combining import Combined
from counterfoil.effect.sub_analyses import SubAnalysis
from counterfoil.effect.survival import Survival
from counterfoil.effect.values import Effect, Group
from counterfoil.outcomes.measures import Measure

BoolArray = npt.NDArray[np.bool_]

_NOBODY = np.zeros(0, np.bool_)


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
    compared: BoolArray = field(default_factory=lambda: _NOBODY)  # as `Beside.compared`


@dataclass(frozen=True, slots=True)
class WayResult:
    """Another way to make the comparison, on the headline measure. `members`: as of a sub-analysis."""

    name: str  # a key of the wording
    members: BoolArray
    comparison: Comparison | None
    effect: Effect | None  # None when a rule stopped it before outcomes were opened
    rule: str  # that rule: "R1", "balance", "overlap"; "" when none did
    group: WayGroup = WayGroup.COMPARISON
    label: str = ""  # what fills its name: a caliper, a site
    # as `Beside.compared`; of a way with another pool, as rows of everyone there is, the headline's rows among them
    compared: BoolArray = field(default_factory=lambda: _NOBODY)


@dataclass(frozen=True, slots=True)
class HiddenBias:
    """How strong something that no record holds would have to be (METHODS 5). Ratios of 1 or more.

    `speaking`: pairs of which only the treated person, or only the other, had the outcome: the rarer kind.
    """

    e_point: float | None = None
    e_limit: float | None = None
    gamma: float | None = None
    no_gamma: NoGamma | None = NoGamma.NO_PAIRS
    speaking: int = 0


@dataclass(frozen=True, slots=True)
class TrustResult:
    """How far to trust the headline. `control`: the outcome of before, which no programme can have changed."""

    ways: tuple[WayResult, ...] = ()
    bias: HiddenBias = HiddenBias()
    control: WayResult | None = None
    control_outcome: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # as `Beside.headline`
    placebo_p: float | None = None  # of all placebo cohorts together


@dataclass(frozen=True, slots=True)
class DrawnGroups:
    """One set of people that came up in `times` draws of the links. `weight`: of each treated person, 0: not there."""

    times: int
    weight: npt.NDArray[np.float64]
    comparison: Group


@dataclass(frozen=True, slots=True)
class LinkingResult:
    """The headline measure under draws of the links. `outcome` and the weights: of everyone who is treated in any."""

    measure: Measure
    design: Design
    combined: Combined | None  # None when a draw has no estimate
    outcome: npt.NDArray[np.float64]
    headline: npt.NDArray[np.float64]  # weights in the headline
    draws: tuple[DrawnGroups, ...]  # together as many as were drawn

    @property
    def in_doubt(self) -> BoolArray:
        """Who counts otherwise in some draw than in the headline."""
        if not self.draws:
            return np.zeros(len(self.headline), np.bool_)
        found: BoolArray = np.any(np.stack([each.weight for each in self.draws]) != self.headline, axis=0)
        return found

    @property
    def is_plain(self) -> bool:
        """Everyone counts once or not at all, and was measured."""
        weights = np.stack([self.headline, *(each.weight for each in self.draws)])
        return bool(np.isin(weights, (0.0, 1.0)).all() and np.isfinite(self.outcome).all())


@dataclass(frozen=True, slots=True)
class GroupTable:
    """A table of counts over parts of the group: what they are like (age, sex), never what became of them.

    The one door by which such a table enters a report and its audit. Put it into `Beside.tables`; `protect` gives a
    `ProtectedTable` of the same name in `Protected.tables`, and the intruder audit holds every line of it as a
    constraint and as a target, beside all other numbers of the report and of earlier ones. `cells`: of each kind of
    people, its members as rows of the whole analysis, in the order in which they are printed. Everyone of the treated
    must be in exactly one ("not known" is a kind). A kind must have the same name in every report, and mean the same:
    that is how earlier reports are read beside it. `ordered`: a kind of too few people is merged with its neighbour;
    else all such kinds are merged into one.
    """

    name: str  # "age"
    cells: Mapping[str, BoolArray]  # "18 to 24": ...
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it; by default nothing. `members`: the treated who were analysed, row by row.

    `compared`: the comparison people, where they count once each (`counts_once`); else nobody. `terms`: of each term of
    the balance table that is yes or no, who has it.
    """

    members: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    headline: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # its outcome, row by row
    survival: Survival | None = None
    sub_analyses: tuple[SubResult, ...] = ()
    ways: tuple[WayResult, ...] = ()
    pool: str = ""  # which of several pools the headline is made from
    sample: SampleFacts | None = None
    costs: tuple[UnitCost, ...] = ()
    trust: TrustResult | None = None
    linking: LinkingResult | None = None
    tables: tuple[GroupTable, ...] = ()
    compared: BoolArray = field(default_factory=lambda: _NOBODY)
    terms: Mapping[str, BoolArray] = field(default_factory=dict)


NOTHING_BESIDE = Beside()

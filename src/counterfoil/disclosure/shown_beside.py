"""What stands beside the measures, as it may be shown (`beside` has it as calculated). Made by `protect` alone."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from enum import Enum

from counterfoil.disclosure.cells import Cell, Rule, check_maker
from counterfoil.disclosure.shown_measures import ProtectedEstimate, ProtectedRatio
from counterfoil.disclosure.states import Gaps, LinkAnswer, NoGamma, Verdict, WayGroup
from counterfoil.outcomes.measures import Measure


@dataclass(frozen=True, slots=True)
class ProtectedPoint:
    """A point of both curves: the share (0-1) that had the event by the end of a whole month."""

    month: Cell
    treated: Cell
    comparison: Cell


@dataclass(frozen=True, slots=True)
class ProtectedSurvival:
    """Time to the first event of everyone (R30). Means are days free of it within `months`."""

    measure: Measure  # the one over those with the event that this stands beside
    months: Cell
    points: tuple[ProtectedPoint, ...]
    treated: Cell
    comparison: Cell
    difference: ProtectedEstimate
    log_rank_p: Cell
    hazard: ProtectedRatio
    hidden: Rule | None
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)

    @property
    def verdict(self) -> Verdict:
        """More days free of the event, fewer, or not enough evidence."""
        low, high = self.difference.low.value, self.difference.high.value
        if low is None or high is None:
            return Verdict.HIDDEN
        return Verdict.MORE if low > 0 else Verdict.FEWER if high < 0 else Verdict.NOT_ENOUGH_EVIDENCE


@dataclass(frozen=True, slots=True)
class ProtectedSubAnalysis:
    """One sub-analysis of the headline measure: difference and interval coarsely, never its people (R17)."""

    name: str
    about: str
    difference: Cell
    low: Cell
    high: Cell
    p_holm: Cell
    verdict: Verdict  # after Holm's correction
    green: int  # characteristics, not people
    amber: int
    red: int
    hidden: str | None  # a rule, or "balance", "overlap", "spread"
    after_start: bool
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedWay:
    """Another way to make the comparison: the headline measure's difference coarsely, never its people (R17)."""

    name: str  # a key of the wording
    difference: Cell
    low: Cell
    high: Cell
    green: int  # characteristics, not people
    amber: int
    red: int
    hidden: str | None  # a rule, or "balance", "overlap", "spread"
    is_headline: bool
    maker: InitVar[object]
    group: WayGroup = WayGroup.COMPARISON
    label: str = ""  # what fills its name: a caliper, a site
    verdict: Verdict = Verdict.HIDDEN  # whether its interval leaves 0 out, and on which side

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


class Placebos(Enum):
    """What the placebo cohorts, judged together, came to."""

    AS_EXPECTED = "as expected"  # near nothing
    ALARM = "alarm"
    NONE = "none"  # there were none


@dataclass(frozen=True, slots=True)
class ProtectedTrust:
    """How far to trust the headline: it and the other ways side by side, and how strong a hidden difference must be."""

    ways: tuple[ProtectedWay, ...]  # the headline's first; none: only the headline was made
    e_point: Cell
    e_limit: Cell  # 1: the interval holds no difference already
    gamma: Cell
    no_gamma: NoGamma | None
    control: ProtectedWay | None
    placebos: Placebos
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)

    @property
    def is_flagged(self) -> bool:
        """Whether the groups differ on an outcome of before the programme, which it cannot have changed."""
        return self.control is not None and self.control.verdict in (Verdict.FEWER, Verdict.MORE)


@dataclass(frozen=True, slots=True)
class ProtectedSample:
    """How the list came to be (A1): bands and what the provider itself knows."""

    gaps: Gaps
    repeated: bool
    completers_only: bool
    requests: Cell
    p_corrected: Cell  # of the headline, for all requests of the organisation (Bonferroni)
    changed: bool
    missing: Cell  # whole per cent of those who started; [x] when the service did not say
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedCost:
    """What a difference in events comes to for every 100 people, in the currency; positive is saved."""

    measure: Measure
    currency: str
    source: str
    unit_cost: Cell
    low: Cell
    high: Cell
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedLinking:
    """Doubt about links: the headline measure's combined range coarsely, and a band of the variance that doubt adds.

    `is_outward`: the range holds that of every pattern of outcomes of those in doubt, and no difference is shown.
    """

    difference: Cell
    low: Cell
    high: Cell
    is_outward: bool
    answer: LinkAnswer
    share_from: Cell  # of the variance, 0-1
    share_to: Cell
    draws: Cell
    hidden: str | None  # a rule, or "spread"
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)


@dataclass(frozen=True, slots=True)
class ProtectedCell:
    """A line of a table of the group: the kinds it stands for, its people exactly, and their share (0-1) of all."""

    place: str  # the table's name and its own: what the audit calls it
    kinds: tuple[str, ...]  # names of cells of the table that was calculated; several where they were merged
    people: Cell
    share: Cell


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    """How the people analysed divide into kinds (a profile). Either every number of a line may be printed, or none."""

    name: str
    cells: tuple[ProtectedCell, ...]
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        """Refuse any other maker."""
        check_maker(maker, self)

    @property
    def is_shown(self) -> bool:
        """Whether any number is left."""
        return any(cell.people.value is not None for cell in self.cells)

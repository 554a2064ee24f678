"""What may be shown. `Protected` and its parts are made by `protect` alone; a report accepts nothing else."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from enum import Enum

from counterfoil.comparison.values import Band, Design, Estimand
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.states import Gaps, LinkAnswer, NoGamma, Verdict, WayGroup
from counterfoil.errors import Fault
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

MAKER = object()  # the key that `protect` and `refuse` hold; nothing else in the package may use it


class Shown(Enum):
    """Shorthand that stands where a number may not or cannot stand (the government's symbols for tables)."""

    SUPPRESSED = "[c]"
    NOT_APPLICABLE = "[z]"
    NOT_AVAILABLE = "[x]"
    LOW = "[low]"


class Rule(Enum):
    """The rule that hid something."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R6 = "R6"
    R7 = "R7"
    R8 = "R8"
    R9 = "R9"
    R11 = "R11"
    R13 = "R13"
    R17 = "R17"
    R30 = "R30"


class Box(Enum):
    """The four boxes of the public flow (R11)."""

    SUBMITTED = "submitted"
    IN_SCOPE = "linked and in scope"
    COMPARABLE = "comparable"
    ANALYSED = "analysed"


@dataclass(frozen=True, slots=True)
class Cell:
    """A number rounded once to `decimals`, or the shorthand that stands for it and the rule that hid it."""

    value: float | None
    decimals: int = 0
    shown: Shown | None = None
    rule: Rule | None = None
    at_least: bool = False  # the value is a lower bound
    about: bool = False  # the value is rounded to the base

    def __post_init__(self) -> None:
        """A number or a shorthand, never both and never neither."""
        if (self.value is None) is (self.shown is None):
            raise Fault("A cell must hold either a number or a shorthand. Report this as a fault of the program.")


def hidden(rule: Rule) -> Cell:
    """A cell that `rule` hides."""
    return Cell(value=None, shown=Shown.SUPPRESSED, rule=rule)


NOT_APPLICABLE = Cell(value=None, shown=Shown.NOT_APPLICABLE)
NOT_AVAILABLE = Cell(value=None, shown=Shown.NOT_AVAILABLE)


def check_maker(maker: object, what: object) -> None:
    """Only `disclosure` makes what may be shown."""
    if maker is not MAKER:
        raise Fault(
            f"{type(what).__name__} was made outside disclosure. Only protect() and refuse() make what may be shown."
        )


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

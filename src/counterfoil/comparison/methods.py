"""Every method of making a comparison group, and the settings of each. The arithmetic of each has its own file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar


class Method(Enum):
    """How the comparison group is made (METHODS 4). The value is its name in a plan."""

    RADIUS = "radius"
    NEAREST = "nearest"
    INVERSE_PROBABILITY = "inverse_probability"
    OVERLAP = "overlap"
    ENTROPY_BALANCING = "entropy_balancing"
    KERNEL = "kernel"
    SUBCLASSIFICATION = "subclassification"
    COARSENED_EXACT = "coarsened_exact"


class Scale(Enum):
    """What distances are measured on."""

    LOGIT = "logit of the propensity"
    PROBABILITY = "propensity"


class Unit(Enum):
    """What a caliper or bandwidth of 1 is."""

    POOLED_SD = "SD of the score, pooled within group"  # Austin 2011; ours
    SD = "SD of the score of everyone"  # MatchIt
    SCORE = "the score itself"  # psmatch2


@dataclass(frozen=True, slots=True)
class Ruler:
    """How far apart two people are, and who may be compared at all."""

    scale: Scale = Scale.LOGIT
    unit: Unit = Unit.POOLED_SD
    common_support: bool = False  # leave out whoever lies outside the other group's range, on both sides


class Order(Enum):
    """Who chooses a partner first, when a partner can be used once."""

    LARGEST = "largest"  # propensity; those who are hardest to match
    SMALLEST = "smallest"
    CLOSEST = "closest"  # the pair that is closest of all, then the next
    DATA = "data"  # order of the rows


class Ties(Enum):
    """Which of several people with one score is taken."""

    PERSON = "person"  # by the settings' `key`, else by a hash of what the row holds; never by its place
    ROWS = "rows"  # by place among the rows, as MatchIt
    SHARE = "share"  # all of them, with equal parts; only with replacement (psmatch2's option `ties`)


class Target(Enum):
    """Whom the weights make alike."""

    TREATED = "treated"  # ATT
    EVERYONE = "everyone"  # ATE


@dataclass(frozen=True, slots=True)
class Radius:
    """Everyone in reach, with replacement. The caliper is chosen by balance among those listed."""

    kind: ClassVar[Method] = Method.RADIUS
    calipers: tuple[float, ...] = (0.2, 0.1, 0.05, 0.02, 0.01)  # in the ruler's unit (METHODS 4)
    ruler: Ruler = Ruler()


@dataclass(frozen=True, slots=True)
class Nearest:
    """The `ratio` nearest people, in rounds: everyone's first partner, then everyone's second."""

    kind: ClassVar[Method] = Method.NEAREST
    ratio: int = 1
    replace: bool = False
    caliper: float | None = 0.2  # in the ruler's unit (Austin 2011); None: however far
    order: Order = Order.LARGEST
    ties: Ties = Ties.PERSON
    ruler: Ruler = Ruler()


@dataclass(frozen=True, slots=True)
class InverseProbability:
    """Odds of treatment (ATT), or one over the probability of what happened (ATE)."""

    kind: ClassVar[Method] = Method.INVERSE_PROBABILITY
    target: Target = Target.TREATED


@dataclass(frozen=True, slots=True)
class Overlap:
    """The probability of the other group (Li, Morgan and Zaslavsky 2018): means of the covariates become equal."""

    kind: ClassVar[Method] = Method.OVERLAP


@dataclass(frozen=True, slots=True)
class EntropyBalancing:
    """The weights closest to equal ones that give the pool the treated people's moments (Hainmueller 2012)."""

    kind: ClassVar[Method] = Method.ENTROPY_BALANCING
    moments: int = 1  # 1: means; 2: the means of the numbers' squares too


@dataclass(frozen=True, slots=True)
class Kernel:
    """Everyone in reach, nearer people counting for more (Epanechnikov), with replacement."""

    kind: ClassVar[Method] = Method.KERNEL
    bandwidth: float = 0.2  # in the ruler's unit
    ruler: Ruler = Ruler()


@dataclass(frozen=True, slots=True)
class Subclassification:
    """Groups of similar propensity, cut at quantiles of the treated (ATT) or of everyone (ATE)."""

    kind: ClassVar[Method] = Method.SUBCLASSIFICATION
    subclasses: int = 6
    target: Target = Target.TREATED


@dataclass(frozen=True, slots=True)
class CoarsenedExact:
    """The same value of every covariate, numbers in bands, levels in groups (Iacus, King and Porro 2012)."""

    kind: ClassVar[Method] = Method.COARSENED_EXACT
    cutpoints: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # a band holds its lower end; default
    # bands of equal width, as many as Sturges' rule says
    groups: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)  # levels that count as one

    def of(self, covariates: Collection[str]) -> CoarsenedExact:
        """The same with the bands and groups of these covariates alone, for a comparison that has no others."""
        return CoarsenedExact(
            {name: points for name, points in self.cutpoints.items() if name in covariates},
            {name: groups for name, groups in self.groups.items() if name in covariates},
        )


MethodSettings = (
    Radius | Nearest | InverseProbability | Overlap | EntropyBalancing | Kernel | Subclassification | CoarsenedExact
)

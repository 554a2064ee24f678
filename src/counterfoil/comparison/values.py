"""What `compare` takes and gives. Frozen; arrays are row-aligned with the people table that was handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Design(Enum):
    """How people came to be in one group or the other."""

    MATCHED = "matched"
    RANDOMISED = "randomised"


class Estimand(Enum):
    """The question. Dropping treated people changes the one achieved from ATT to ATT_MATCHED."""

    ATT = "effect on the treated"
    ATT_MATCHED = "effect on those treated people who could be matched"
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
    calipers_sd: tuple[float, ...] = (0.2, 0.1, 0.05, 0.02, 0.01)  # SD of the logit, pooled within group (METHODS 4)
    keep_share: float = 0.95  # of the treated that a caliper must keep to be chosen
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """A frozen design. `weight`: 1 for a matched treated person, the shared weight for a comparison person, else 0."""

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

    @property
    def worst_smd(self) -> float:
        """Largest |SMD| after, over terms where it is defined."""
        return max((abs(r.smd) for r in self.balance if r.smd is not None), default=0.0)

    def count(self, band: Band) -> int:
        """Terms in a band."""
        return sum(r.band is band for r in self.balance)

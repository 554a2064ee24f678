"""What every method is given, and what it gives back: one shape, so that all are judged and carried on alike."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from counterfoil.comparison.balance import Baseline
from counterfoil.comparison.design import Covariates
from counterfoil.comparison.propensity import Propensity
from counterfoil.comparison.values import (
    BoolArray,
    CaliperStep,
    ComparisonSettings,
    Estimand,
    FloatArray,
    IntArray,
    Pairs,
)
from counterfoil.errors import Refused

KEEPS_TOO_FEW = "More of the treated people were left out than the plan allows."


@dataclass(frozen=True, slots=True)
class Groups:
    """Both groups, as a method sees them: rows in one order, no outcome."""

    people: pa.Table
    treated: BoolArray
    covariates: Covariates
    baseline: Baseline
    stratum: IntArray | None  # combination of the exact factors; None: all in one
    settings: ComparisonSettings


@dataclass(frozen=True, slots=True)
class Made:
    """A comparison group as a method made it, by row of the groups it was given."""

    weight: FloatArray
    propensity: Propensity | None = None
    asked: Estimand = Estimand.ATT
    pair: IntArray | None = None
    stratum: IntArray | None = None
    pairs: Pairs | None = None
    steps: tuple[CaliperStep, ...] = ()
    caliper_sd: float | None = None
    caliper: float | None = None
    keeps_too_few: str = KEEPS_TOO_FEW  # what to say when more treated people are lost than the settings allow


def no_overlap(what: str, remedy: str) -> Refused:
    """The refusal that every method raises when nobody is comparable."""
    return Refused(f"Nobody in the comparison pool is like the treated people: {what} {remedy}", rule="overlap")

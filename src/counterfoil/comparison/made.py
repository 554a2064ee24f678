"""What every method is given, and what it gives back: one shape, so that all are judged and carried on alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
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
    propensity: Propensity | None = None  # where it is estimated already, to be used by several methods

    def take(self, order: IntArray) -> Groups:
        """The same people in another order; the table, which no method that needs this reads, stays as it is."""
        covariates = replace(self.covariates, design=self.covariates.design.take(order))
        return replace(
            self,
            treated=self.treated[order],
            covariates=covariates,
            baseline=replace(self.baseline, design=covariates.design, treated=self.treated[order]),
            stratum=None if self.stratum is None else self.stratum[order],
            propensity=None if self.propensity is None else self.propensity.take(order),
        )


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

    def put_back(self, order: IntArray) -> Made:
        """The same by the rows that `order` was taken from. Pairs are numbered and listed by those rows."""
        if self.propensity is None or self.pairs is None:
            raise TypeError("Only what pairs people by a score is made in another order.")
        where = np.empty(len(order), np.int64)
        where[order] = np.arange(len(order))
        pairs = self.pairs.renumbered(order)
        fit = replace(self.propensity.fit, eta=self.propensity.fit.eta[where])
        return replace(
            self,
            weight=self.weight[where],
            propensity=Propensity(fit.eta, fit),
            pair=None if self.pair is None else number_pairs(pairs, len(order)),
            pairs=pairs,
        )


def number_pairs(pairs: Pairs, rows: int) -> IntArray:
    """A number for each matched set, in the order of the treated rows; -1 for whoever is in none."""
    number = np.full(rows, -1, np.int64)
    _, sets = np.unique(pairs.treated, return_inverse=True)
    number[pairs.treated] = sets
    number[pairs.comparison] = sets
    return number


def covariates_of(covariates: Covariates, slots: BoolArray) -> tuple[str, ...]:
    """The covariates, each once, that these slots of the design belong to. Never their levels: a refusal is shown."""
    sources = ("", *covariates.slot_sources)
    return tuple(dict.fromkeys(name for name, is_one in zip(sources, slots, strict=True) if is_one and name))


def no_overlap(what: str, remedy: str) -> Refused:
    """The refusal that every method raises when nobody is comparable."""
    return Refused(f"Nobody in the comparison pool is like the treated people: {what} {remedy}", rule="overlap")

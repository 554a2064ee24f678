"""The propensity score: log odds of being treated, given the covariates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from counterfoil.comparison.methods import Ruler, Scale, Unit
from counterfoil.comparison.scores import common_support
from counterfoil.comparison.values import BoolArray, FloatArray, IntArray
from counterfoil.logit import CodedDesign, LogitFit, fit


@dataclass(frozen=True, slots=True)
class Propensity:
    """Each person's log odds and the fit behind them."""

    logit: FloatArray
    fit: LogitFit

    @property
    def probability(self) -> FloatArray:
        """Of being treated, 0-1."""
        return np.exp(-np.logaddexp(0.0, -self.logit))

    def take(self, order: IntArray) -> Propensity:
        """The same people in another order."""
        fitted = replace(self.fit, eta=self.fit.eta[order])
        return Propensity(fitted.eta, fitted)


@dataclass(frozen=True, slots=True)
class Measured:
    """Scores as a ruler reads them: what a caliper of 1 is on them, their pooled SD, and who takes part (None: all)."""

    score: FloatArray
    unit: float
    sd: float
    inside: BoolArray | None


def estimate_propensity(design: CodedDesign, treated: BoolArray, *, threads: int) -> Propensity:
    """Exact maximum likelihood on everyone; two people or more in each group."""
    fitted = fit(design, treated.astype(np.float64), threads=threads, covariance=False)
    return Propensity(fitted.eta, fitted)


def measure(propensity: Propensity, treated: BoolArray, ruler: Ruler) -> Measured:
    """The score on the ruler's scale, its unit and who is on common support."""
    score = propensity.logit if ruler.scale is Scale.LOGIT else propensity.probability
    sd = pooled_sd(score, treated)
    unit = {Unit.POOLED_SD: sd, Unit.SD: float(np.std(score, ddof=1)), Unit.SCORE: 1.0}[ruler.unit]
    return Measured(score, unit, sd, common_support(score, treated) if ruler.common_support else None)


def pooled_sd(score: FloatArray, treated: BoolArray) -> float:
    """SD of the score pooled within group: sqrt((variance of treated + variance of the pool) / 2) (Austin 2011,
    Pharmaceutical Statistics 10(2)). MatchIt uses the SD of everyone instead."""
    return math.sqrt((float(np.var(score[treated], ddof=1)) + float(np.var(score[~treated], ddof=1))) / 2.0)

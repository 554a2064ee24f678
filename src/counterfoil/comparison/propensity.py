"""The propensity score: log odds of being treated, given the covariates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.logit import CodedDesign, LogitFit, fit


@dataclass(frozen=True, slots=True)
class Propensity:
    """Each person's log odds, the SD that calipers are measured in, and the fit behind them."""

    logit: FloatArray
    sd: float  # square root of the mean of the two groups' variances
    fit: LogitFit


def estimate_propensity(design: CodedDesign, treated: BoolArray, *, threads: int) -> Propensity:
    """Exact maximum likelihood on everyone; two people or more in each group."""
    fitted = fit(design, treated.astype(np.float64), threads=threads, covariance=False)
    return Propensity(fitted.eta, pooled_sd(fitted.eta, treated), fitted)


def pooled_sd(score: FloatArray, treated: BoolArray) -> float:
    """SD of the score pooled within group: sqrt((variance of treated + variance of the pool) / 2) (Austin 2011,
    Pharmaceutical Statistics 10(2)). MatchIt uses the SD of everyone instead."""
    return math.sqrt((float(np.var(score[treated], ddof=1)) + float(np.var(score[~treated], ddof=1))) / 2.0)

"""Offences a person: the quasi-Poisson ratio with a robust error, and the difference.

A log-linear regression of the mean count. Its robust errors ask nothing of the counts' distribution; `dispersion` says
how far they are from Poisson (1), and `quasi` is the error that rests on it alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.values import BoolArray, Estimand, FloatArray
from counterfoil.effect.characteristics import Characteristics
from counterfoil.effect.g_computation import Adjusted, ModelledOn, g_compute
from counterfoil.effect.influence import ESTIMATE_RULE, Clusters, with_interval
from counterfoil.effect.inputs import MIN_EVENTS, Sample, sample_of
from counterfoil.effect.mean_model import Link
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.errors import Refused, UsageError
from counterfoil.logit import CodedDesign


@dataclass(frozen=True, slots=True)
class Frequency:
    """Mean counts (for each unit of exposure, where that is given): ratio as its logarithm, difference in counts."""

    adjusted: Adjusted
    log_ratio: Inference
    dispersion: float  # Pearson's, of the two groups' means: 1 for Poisson counts
    quasi: Inference  # the log ratio of the two means as they stand, its error from the dispersion


def adjusted_frequency(
    count: FloatArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    covariates: FloatArray | CodedDesign | Characteristics | None = None,
    *,
    exposure: FloatArray | None = None,
    cluster: Clusters | None = None,
    errors: ErrorKind = ErrorKind.HC3,
    estimand: Estimand = Estimand.ATT,
    modelled_on: ModelledOn | None = None,
) -> Frequency:
    """Ratio and difference of mean counts. `exposure`: time at risk, above 0, in any unit; means are then for each.

    Raises UsageError when a count is negative, Refused when too few people on a side have a count above 0.
    """
    sample = sample_of(count, treated, weight, covariates, cluster, what="count")
    at_risk = None if exposure is None else _exposure(exposure, sample)
    _check_counts(sample)
    adjusted = g_compute(sample, Link.LOG, errors=errors, estimand=estimand, modelled_on=modelled_on, exposure=at_risk)
    if adjusted.log_ratio is None:  # both sides have events, so both means are above 0
        raise Refused("A group has no event, so there is no ratio.", rule=ESTIMATE_RULE)
    dispersion, quasi = _quasi_poisson(sample, np.ones(len(sample.outcome)) if at_risk is None else at_risk)
    return Frequency(adjusted, adjusted.log_ratio, dispersion, quasi)


def _exposure(exposure: FloatArray, sample: Sample) -> FloatArray:
    given = np.asarray(exposure, np.float64)
    if given.shape != sample.rows.shape:
        raise UsageError("`exposure` and `count` must have one value for each person.")
    at_risk: FloatArray = given[sample.rows]
    if not np.isfinite(at_risk).all() or (at_risk <= 0).any():
        raise UsageError("`exposure` must be finite and above 0 for everyone who has a count and a weight.")
    return at_risk


def _check_counts(sample: Sample) -> None:
    if (sample.outcome < 0).any():
        raise UsageError("`count` holds values under 0; a count is 0 or more.")
    for side, people in (("treated", sample.treated), ("comparison", ~sample.treated)):
        if np.count_nonzero(sample.outcome[people]) < MIN_EVENTS:
            raise Refused(
                f"Fewer than {MIN_EVENTS} people in the {side} group have a count above 0: too few for a ratio. "
                "Read the test of the means as they stand.",
                rule=ESTIMATE_RULE,
            )


def _quasi_poisson(sample: Sample, at_risk: FloatArray) -> tuple[float, Inference]:
    """As R's `glm(count ~ treated + offset(log(exposure)), quasipoisson, weights)`: dispersion over n - 2."""
    w, y, treated = sample.weight, sample.outcome, sample.treated
    events = np.array([(w * y)[side].sum() for side in (treated, ~treated)])
    time = np.array([(w * at_risk)[side].sum() for side in (treated, ~treated)])
    mean = np.where(treated, events[0] / time[0], events[1] / time[1]) * at_risk
    df = float(len(y) - 2)
    dispersion = float((w * (y - mean) ** 2 / mean).sum()) / df
    estimate = math.log(events[0] / time[0]) - math.log(events[1] / time[1])
    error = math.sqrt(dispersion * float((1.0 / events).sum()))
    return dispersion, with_interval(estimate, error, ErrorKind.MODEL, df=df)

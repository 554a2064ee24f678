"""Covariate-adjusted rates and means by g-computation on matched or weighted people.

The outcome is regressed on the covariates; the model then says what the treated people's mean would have been without
the service; their own mean is set against that. On a matched or weighted sample this is doubly robust: it is right if
either the weights or the outcome model are. What is estimated is the effect on the treated who were matched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.influence import Clusters, Influence, infer
from counterfoil.effect.inputs import Sample, check_events, check_zero_one, sample_of
from counterfoil.effect.mean_model import Link, MeanModel, fit_mean
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.logit import CodedDesign

TREATED = "treated"
CROWDED = 5.0  # people of the rarer outcome for each column of the model; under this the model is stretched
CROWDED_NOTE = "The model has many characteristics for the number of outcomes; its adjusted figures are uncertain."


class ModelledOn(Enum):
    """Whose outcomes the model is fitted on."""

    COMPARISON = "the comparison group"  # the treated are represented by their own mean; never overfits a small cohort
    EACH = "each group by itself"  # treatment times every covariate, as R's `y ~ treat * (x1 + x2)`
    TOGETHER = "both groups together"  # one coefficient of treatment, as R's `y ~ treat + x1 + x2`


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The treated people's mean, and what it would have been. Stored units (rates 0-1); the ratio as its logarithm."""

    treated: float
    comparison: float
    difference: Inference
    log_ratio: Inference | None  # None when a mean is not above 0
    modelled_on: ModelledOn
    notes: tuple[str, ...]


def adjusted_rate(
    outcome: FloatArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    covariates: FloatArray | CodedDesign | None = None,
    *,
    cluster: Clusters | None = None,
    errors: ErrorKind = ErrorKind.HC3,
    modelled_on: ModelledOn = ModelledOn.COMPARISON,
) -> Adjusted:
    """Difference and ratio of rates, the model a logistic regression. `outcome` is 0 or 1, NaN where not measured.

    `cluster` (pairs, or persons of several rows) turns the errors into clustered ones. Raises Refused (rule
    "estimate") when fewer than ten people on a side are with, or without, the outcome.
    """
    sample = sample_of(outcome, treated, weight, covariates, cluster)
    check_zero_one(sample.outcome)
    check_events(sample.outcome, sample.treated)
    return g_compute(sample, Link.LOGIT, errors=errors, modelled_on=modelled_on)


def adjusted_mean(
    outcome: FloatArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    covariates: FloatArray | CodedDesign | None = None,
    *,
    cluster: Clusters | None = None,
    errors: ErrorKind = ErrorKind.HC3,
    modelled_on: ModelledOn = ModelledOn.COMPARISON,
) -> Adjusted:
    """Difference of means (days, amounts) by weighted least squares. Without covariates: the weighted difference."""
    sample = sample_of(outcome, treated, weight, covariates, cluster)
    return g_compute(sample, Link.IDENTITY, errors=errors, modelled_on=modelled_on)


def g_compute(
    sample: Sample,
    link: Link,
    *,
    errors: ErrorKind,
    modelled_on: ModelledOn,
    exposure: FloatArray | None = None,
) -> Adjusted:
    """The two means and what each person moves them by, then difference and ratio."""
    offset = None if exposure is None else np.log(exposure)
    share = np.where(sample.treated, sample.weight, 0.0)
    share = share / (share.sum() if exposure is None else float((share * exposure).sum()))
    if modelled_on is ModelledOn.TOGETHER:
        with_service, without, notes = _together(sample, link, share, offset)
    else:
        with_service, without, notes = _by_group(sample, link, share, offset, modelled_on)
    notes = tuple(dict.fromkeys((*notes, *_crowded(sample, link, without.influence.parameters))))
    return _compare(sample, with_service, without, errors, modelled_on, notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Mean:
    value: float
    influence: Influence


def _by_group(
    sample: Sample, link: Link, share: FloatArray, offset: FloatArray | None, modelled_on: ModelledOn
) -> tuple[_Mean, _Mean, tuple[str, ...]]:
    model = fit_mean(sample.design, sample.outcome, np.where(sample.treated, 0.0, sample.weight), link, offset=offset)
    comparison = model.mean_over(share)
    if modelled_on is ModelledOn.EACH:
        own = fit_mean(sample.design, sample.outcome, np.where(sample.treated, sample.weight, 0.0), link, offset=offset)
        leverage, parameters = own.leverage + model.leverage, own.parameters + model.parameters
        treated = own.mean_over(share)
        moved = own.influence_over(share).value
        through = model.influence_over(share).value
        notes = (*model.notes, *own.notes)
    else:
        mass = sample.weight * sample.treated
        leverage = model.leverage + mass / mass.sum()
        parameters = model.parameters + 1
        treated = float((share * sample.outcome).sum())
        exposed = np.ones(len(share)) if offset is None else np.exp(offset)
        moved = share * (sample.outcome - treated * exposed)
        through = model.influence_over(share).value + share * (model.mean - comparison * exposed)
        notes = model.notes
    return (
        _Mean(treated, Influence(moved, leverage, parameters)),
        _Mean(comparison, Influence(through, leverage, parameters)),
        notes,
    )


def _together(
    sample: Sample, link: Link, share: FloatArray, offset: FloatArray | None
) -> tuple[_Mean, _Mean, tuple[str, ...]]:
    """Treatment is a column; the treated are predicted twice, once as they are and once without it."""
    n, again = len(share), np.flatnonzero(sample.treated)
    rows = np.concatenate([np.arange(n), again])
    served = np.concatenate([sample.treated.astype(np.float64), np.zeros(len(again))])
    model = fit_mean(
        _with_treatment(sample.design.take(rows), served),
        sample.outcome[rows],
        np.concatenate([sample.weight, np.zeros(len(again))]),
        link,
        offset=None if offset is None else offset[rows],
    )
    with_service = np.concatenate([share, np.zeros(len(again))])
    without = np.concatenate([np.zeros(n), share[again]])
    return _mean_of(model, with_service, n), _mean_of(model, without, n), model.notes


def _with_treatment(design: CodedDesign, served: FloatArray) -> CodedDesign:
    numeric = np.ascontiguousarray(np.column_stack([served, design.numeric]))
    return CodedDesign(design.factors, design.codes, (TREATED, *design.numeric_names), numeric)


def _mean_of(model: MeanModel, share: FloatArray, n: int) -> _Mean:
    moved = model.influence_over(share)
    return _Mean(model.mean_over(share), Influence(moved.value[:n], moved.leverage[:n], moved.parameters))


def _crowded(sample: Sample, link: Link, parameters: int) -> tuple[str, ...]:
    if link is not Link.LOGIT:
        return ()
    others = sample.outcome[~sample.treated]
    rarer = min(np.count_nonzero(others), np.count_nonzero(others == 0.0))
    return (CROWDED_NOTE,) if rarer < CROWDED * parameters else ()


def _compare(
    sample: Sample,
    treated: _Mean,
    comparison: _Mean,
    errors: ErrorKind,
    modelled_on: ModelledOn,
    notes: tuple[str, ...],
) -> Adjusted:
    def inferred(estimate: float, influence: Influence) -> Inference:
        return infer(
            estimate,
            influence,
            errors,
            treated=sample.treated,
            weight=sample.weight,
            cluster=sample.cluster,
            notes=notes,
        )

    log_ratio = None
    if treated.value > 0.0 and comparison.value > 0.0:
        parts = treated.influence.times(1.0 / treated.value), comparison.influence.times(1.0 / comparison.value)
        log_ratio = inferred(math.log(treated.value / comparison.value), parts[0].plus(parts[1], by=-1.0))
    difference = inferred(treated.value - comparison.value, treated.influence.plus(comparison.influence, by=-1.0))
    return Adjusted(treated.value, comparison.value, difference, log_ratio, modelled_on, notes)

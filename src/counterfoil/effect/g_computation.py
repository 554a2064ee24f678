"""Covariate-adjusted rates and means by g-computation on matched or weighted people.

The outcome is regressed on the covariates; the model then says what the treated people's mean would have been without
the service; their own mean is set against that. On a matched or weighted sample this is doubly robust: it is right if
either the weights or the outcome model are. What is estimated is the effect on the treated who were matched; in a
trial, or with weights that make everyone alike, the effect on everyone (straight models: Lin 2013, Annals of Applied
Statistics 7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from counterfoil.comparison.values import BoolArray, Estimand, FloatArray, IntArray
from counterfoil.effect.characteristics import Characteristics, Once
from counterfoil.effect.influence import Clusters, Influence, infer
from counterfoil.effect.inputs import Sample, check_events, check_zero_one, sample_of
from counterfoil.effect.mean_model import Link, MeanModel, fit_mean
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.errors import UsageError
from counterfoil.logit import CodedDesign

TREATED = "treated"
ON_TREATED = (Estimand.ATT, Estimand.ATT_MATCHED)
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
    covariates: FloatArray | CodedDesign | Characteristics | None = None,
    *,
    cluster: Clusters | None = None,
    errors: ErrorKind = ErrorKind.HC3,
    estimand: Estimand = Estimand.ATT,
    modelled_on: ModelledOn | None = None,
) -> Adjusted:
    """Difference and ratio of rates, the model a logistic regression. `outcome` is 0 or 1, NaN where not measured.

    `cluster` (pairs, or persons of several rows) turns the errors into clustered ones. Raises Refused (rule
    "estimate") when fewer than ten people on a side are with, or without, the outcome. `modelled_on` None: the
    comparison group for an effect on the treated, each group by itself for an effect on everyone.
    """
    sample = sample_of(outcome, treated, weight, covariates, cluster)
    check_zero_one(sample.outcome)
    check_events(sample.outcome, sample.treated)
    return g_compute(sample, Link.LOGIT, errors=errors, estimand=estimand, modelled_on=modelled_on)


def adjusted_mean(
    outcome: FloatArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    covariates: FloatArray | CodedDesign | Characteristics | None = None,
    *,
    cluster: Clusters | None = None,
    errors: ErrorKind = ErrorKind.HC3,
    estimand: Estimand = Estimand.ATT,
    modelled_on: ModelledOn | None = None,
) -> Adjusted:
    """Difference of means (days, amounts) by weighted least squares. Without covariates: the weighted difference."""
    sample = sample_of(outcome, treated, weight, covariates, cluster)
    return g_compute(sample, Link.IDENTITY, errors=errors, estimand=estimand, modelled_on=modelled_on)


def g_compute(
    sample: Sample,
    link: Link,
    *,
    errors: ErrorKind,
    estimand: Estimand = Estimand.ATT,
    modelled_on: ModelledOn | None = None,
    exposure: FloatArray | None = None,
) -> Adjusted:
    """The two means and what each person moves them by, then difference and ratio."""
    model_on = _model_on(estimand, modelled_on)
    offset = None if exposure is None else np.log(exposure)
    share = _share(sample, estimand)
    share = share / (share.sum() if exposure is None else float((share * exposure).sum()))
    match model_on:
        case ModelledOn.COMPARISON:
            made = _on_comparison(sample, link, share, offset)
        case ModelledOn.EACH:
            made = _on_each(sample, link, share, offset, sampled=estimand not in ON_TREATED)
        case ModelledOn.TOGETHER:
            made = _on_together(sample, link, share, offset)
    notes = tuple(dict.fromkeys((*made.notes, *_crowded(sample, link, made.comparison.influence.parameters))))
    return _compare(sample, made, errors, model_on, notes)


def _model_on(estimand: Estimand, asked: ModelledOn | None) -> ModelledOn:
    if asked is None:
        return ModelledOn.COMPARISON if estimand in ON_TREATED else ModelledOn.EACH
    if asked is ModelledOn.COMPARISON and estimand not in ON_TREATED:
        raise UsageError("An effect on everyone needs a model of both groups: choose `EACH` or `TOGETHER`.")
    return asked


def _share(sample: Sample, estimand: Estimand) -> FloatArray:
    """Over whom means are taken: the treated; everyone; or everyone by their overlap weight."""
    if estimand in ON_TREATED:
        return np.where(sample.treated, sample.weight, 0.0)
    return sample.weight if estimand is Estimand.ATO else np.ones(len(sample.weight))


@dataclass(frozen=True, slots=True, eq=False)
class _Mean:
    value: float
    influence: Influence


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    treated: _Mean
    comparison: _Mean
    notes: tuple[str, ...]


def _on_comparison(sample: Sample, link: Link, share: FloatArray, offset: FloatArray | None) -> _Means:
    """The treated's own mean, and the model of the others taken to them; who the treated are is left to chance."""
    model = fit_mean(sample.given, sample.outcome, np.where(sample.treated, 0.0, sample.weight), link, offset=offset)
    exposed = np.ones(len(share)) if offset is None else np.exp(offset)
    mass = sample.weight * sample.treated
    leverage, parameters = model.leverage + mass / mass.sum(), model.parameters + 1
    treated, comparison = float((share * sample.outcome).sum()), model.mean_over(share)
    moved = share * (sample.outcome - treated * exposed)
    through = model.influence_over(share).value + share * (model.mean - comparison * exposed)
    return _Means(
        _Mean(treated, Influence(moved, leverage, parameters)),
        _Mean(comparison, Influence(through, leverage, parameters)),
        model.notes,
    )


def _on_each(sample: Sample, link: Link, share: FloatArray, offset: FloatArray | None, *, sampled: bool) -> _Means:
    """Both groups predicted. `sampled`: who they are is left to chance; else the covariates count as fixed, as in R."""
    groups = (sample.treated, ~sample.treated)
    models = [
        fit_mean(sample.given, sample.outcome, np.where(people, sample.weight, 0.0), link, offset=offset)
        for people in groups
    ]
    exposed = np.ones(len(share)) if offset is None else np.exp(offset)
    leverage, parameters = models[0].leverage + models[1].leverage, models[0].parameters + models[1].parameters
    means = []
    for model in models:
        value, moved = model.mean_over(share), model.influence_over(share).value
        if sampled:
            moved = moved + share * (model.mean - value * exposed)
        means.append(_Mean(value, Influence(moved, leverage, parameters)))
    return _Means(means[0], means[1], (*models[1].notes, *models[0].notes))


def _on_together(sample: Sample, link: Link, share: FloatArray, offset: FloatArray | None) -> _Means:
    """Treatment is a column; everyone who counts is predicted twice, with it and without."""
    n, counts = len(share), np.flatnonzero(share)
    rows = np.concatenate([np.arange(n), counts, counts])
    served = np.concatenate([sample.treated, np.ones(len(counts)), np.zeros(len(counts))]).astype(np.float64)
    model = fit_mean(
        _with_treatment(sample.given, rows, served),
        sample.outcome[rows],
        np.concatenate([sample.weight, np.zeros(2 * len(counts))]),
        link,
        offset=None if offset is None else offset[rows],
    )
    nobody = np.zeros(len(counts))
    with_service = np.concatenate([np.zeros(n), share[counts], nobody])
    without = np.concatenate([np.zeros(n), nobody, share[counts]])
    return _Means(_mean_of(model, with_service, n), _mean_of(model, without, n), model.notes)


def _with_treatment(given: Characteristics, rows: IntArray, served: FloatArray) -> Characteristics:
    return replace(given, design=given.design.take(rows), once=Once()).with_first_number(TREATED, served)


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
    sample: Sample, made: _Means, errors: ErrorKind, modelled_on: ModelledOn, notes: tuple[str, ...]
) -> Adjusted:
    treated, comparison = made.treated, made.comparison

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

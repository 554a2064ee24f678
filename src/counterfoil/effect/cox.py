"""Cox's regression of the hazard: weights, Efron's or Breslow's ties, strata, and robust errors that know of ties.

A check beside the restricted means, not a headline: a hazard ratio says less and assumes more. Efron's method and its
score residuals are as in Therneau and Grambsch (2000), Modeling Survival Data, chapters 3 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.influence import ESTIMATE_RULE, Clusters, with_interval
from counterfoil.effect.inputs import sample_of
from counterfoil.effect.risk_sets import RiskSets, check_event, check_time, risk_sets
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.errors import Refused, UsageError

MAX_STEPS = 40
TOLERANCE = 1e-12  # squared Newton decrement
LARGEST = 10.0  # of a log hazard ratio for one SD: beyond it the likelihood rises for ever


class Ties(Enum):
    """What is done with events at one time."""

    EFRON = "Efron"
    BRESLOW = "Breslow"


@dataclass(frozen=True, slots=True, eq=False)
class Cox:
    """Log hazard ratios: the treatment's, then the covariates' in their order."""

    treatment: Inference
    coef: FloatArray
    error: FloatArray  # robust or clustered, else from the information
    naive_error: FloatArray  # from the information, whatever was asked for
    ties: Ties


def cox(
    time: FloatArray,
    event: BoolArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    covariates: FloatArray | None = None,
    *,
    strata: Clusters | None = None,
    cluster: Clusters | None = None,
    robust: bool | None = None,
    ties: Ties = Ties.EFRON,
) -> Cox:
    """Log hazard ratio of the treated. `robust` None: where weights differ or clusters are given, as R's `coxph`.

    Refuses (rule "estimate") where no finite ratio is the likeliest, as when one group has no event.
    """
    sample = sample_of(time, treated, weight, covariates, cluster, what="time")
    check_time(sample.outcome)
    ended = check_event(event, len(time))[sample.rows]
    if not ended.any():
        raise Refused("Nobody has the event, so there is no hazard to compare.", rule=ESTIMATE_RULE)
    x = np.column_stack([sample.treated.astype(np.float64), sample.given.design.numeric])
    if np.linalg.matrix_rank(x - x.mean(axis=0)) < x.shape[1]:
        raise UsageError("A covariate is the same for everyone, or follows from the others. Leave it out.")
    sets = risk_sets(sample.outcome, None if strata is None else np.asarray(strata)[sample.rows])
    data = _Data(sets, ended, sample.weight, (x - x.mean(axis=0)) / x.std(axis=0), ties)
    coef, point = _climb(data)
    scale = x.std(axis=0)
    inverse = np.linalg.inv(point.information) / np.outer(scale, scale)
    naive = np.sqrt(np.diag(inverse))
    is_robust = cluster is not None or np.ptp(sample.weight) > 0.0 if robust is None else robust
    error, kind = naive, ErrorKind.MODEL
    if is_robust:
        moved = sample.weight[:, None] * (_residuals(data, coef) * scale) @ inverse
        error, kind = _sandwich(moved, sample.cluster)
    return Cox(
        treatment=with_interval(float(coef[0] / scale[0]), float(error[0]), kind),
        coef=coef / scale,
        error=error,
        naive_error=naive,
        ties=ties,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    sets: RiskSets
    event: BoolArray
    weight: FloatArray
    x: FloatArray  # (people, columns), in SDs
    ties: Ties

    @property
    def deaths(self) -> FloatArray:
        """People with the event at each time, unweighted."""
        return self.sets.total(self.event.astype(np.float64))

    def parts(self, deaths: int) -> FloatArray:
        """The share of those with the event at a time that has left the risk set, one for each of them (Efron)."""
        return np.arange(deaths) / deaths if self.ties is Ties.EFRON else np.zeros(deaths)


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    value: float
    slope: FloatArray
    information: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums over those at risk at each time, and over those of them who have the event then."""

    risk: FloatArray
    risk_x: FloatArray
    risk_xx: FloatArray
    event: FloatArray
    event_x: FloatArray
    event_xx: FloatArray


def _sums(data: _Data, hazard: FloatArray) -> _Sums:
    ends = hazard * data.event
    outer = data.x[:, :, None] * data.x[:, None, :]
    return _Sums(
        data.sets.at_risk(hazard),
        data.sets.at_risk(hazard[:, None] * data.x),
        data.sets.at_risk(hazard[:, None, None] * outer),
        data.sets.total(ends),
        data.sets.total(ends[:, None] * data.x),
        data.sets.total(ends[:, None, None] * outer),
    )


def _evaluate(data: _Data, coef: FloatArray) -> _Point:
    linear = data.x @ coef
    sums = _sums(data, data.weight * np.exp(linear))
    ended = data.weight * data.event
    value, slope = float(ended @ linear), ended @ data.x
    information = np.zeros((len(coef), len(coef)))
    deaths, masses = data.deaths, data.sets.total(ended)
    for i in np.flatnonzero(deaths):
        mass, parts = masses[i] / deaths[i], data.parts(int(deaths[i]))
        at_risk = sums.risk[i] - parts * sums.event[i]
        mean = (sums.risk_x[i] - parts[:, None] * sums.event_x[i]) / at_risk[:, None]
        squares = sums.risk_xx[i] * (1.0 / at_risk).sum() - sums.event_xx[i] * (parts / at_risk).sum()
        value -= mass * float(np.log(at_risk).sum())
        slope = slope - mass * mean.sum(axis=0)
        information += mass * (squares - np.einsum("pi,pj->ij", mean, mean))
    return _Point(value, slope, information)


def _climb(data: _Data) -> tuple[FloatArray, _Point]:
    """Newton with halving."""
    coef = np.zeros(data.x.shape[1])
    point = _evaluate(data, coef)
    for _ in range(MAX_STEPS):
        step = np.asarray(np.linalg.lstsq(point.information, point.slope, rcond=None)[0], np.float64)
        share, decrement = 1.0, float(point.slope @ step)
        following = _evaluate(data, coef + step)
        while following.value < point.value - 1e-12 * abs(point.value) and share > 1e-6:
            share /= 2.0
            following = _evaluate(data, coef + share * step)
        coef, point = coef + share * step, following
        if np.abs(coef).max() > LARGEST:
            break
        if decrement < TOLERANCE:
            return coef, point
    raise Refused(
        "No finite hazard ratio is the likeliest: one group, or those with some characteristic, have no event at all.",
        rule=ESTIMATE_RULE,
    )


def _residuals(data: _Data, coef: FloatArray) -> FloatArray:
    """Score residuals, one row a person: what each adds to the slope, ties as in the likelihood."""
    hazard = np.exp(data.x @ coef)
    sums = _sums(data, data.weight * hazard)
    deaths, masses = data.deaths, data.sets.total(data.weight * data.event)
    times, columns = len(deaths), data.x.shape[1]
    step, step_x = np.zeros(times), np.zeros((times, columns))  # hazard at each time, and times the mean
    kept, kept_x = np.zeros(times), np.zeros((times, columns))  # the part of it that those with the event escape
    centre = np.zeros((times, columns))
    for i in np.flatnonzero(deaths):
        mass, parts = masses[i] / deaths[i], data.parts(int(deaths[i]))
        at_risk = sums.risk[i] - parts * sums.event[i]
        mean = (sums.risk_x[i] - parts[:, None] * sums.event_x[i]) / at_risk[:, None]
        jumps = mass / at_risk
        step[i], step_x[i] = jumps.sum(), jumps @ mean
        kept[i], kept_x[i] = (jumps * parts).sum(), (jumps * parts) @ mean
        centre[i] = mean.mean(axis=0)
    own, ended = data.sets.own, data.event[:, None]
    passed, passed_x = data.sets.so_far(step)[own, None], data.sets.so_far(step_x)[own]
    escaped = ended * (data.x * kept[own, None] - kept_x[own])
    residuals: FloatArray = ended * (data.x - centre[own]) - hazard[:, None] * (data.x * passed - passed_x - escaped)
    return residuals


def _sandwich(moved: FloatArray, cluster: Clusters | None) -> tuple[FloatArray, ErrorKind]:
    if cluster is None:
        return np.sqrt((moved**2).sum(axis=0)), ErrorKind.HC0
    labels, member = np.unique(cluster, return_inverse=True)
    together = np.zeros((len(labels), moved.shape[1]))
    np.add.at(together, member, moved)
    return np.sqrt((together**2).sum(axis=0)), ErrorKind.CLUSTERED

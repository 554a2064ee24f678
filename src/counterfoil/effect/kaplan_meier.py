"""Time to the first event of everyone: weighted Kaplan-Meier curves and the difference in restricted means.

The mean time free of the event up to a horizon (the area under the curve) uses everyone, whoever has no event included,
so that it does not condition on reoffending as the days among reoffenders do. Errors are the infinitesimal jackknife:
what each person moves the curve by. Without weights and censoring that is Greenwood's formula exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.influence import Clusters, Influence, infer
from counterfoil.effect.inputs import sample_of
from counterfoil.effect.risk_sets import RiskSets, check_event, check_time, risk_sets
from counterfoil.effect.values import ErrorKind, Inference
from counterfoil.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One group's curve at each distinct time. Inside the lab only: steps give events away (R30)."""

    time: FloatArray
    survival: FloatArray  # share without the event, after that time's events
    error: FloatArray  # of the share
    at_risk: FloatArray  # weight of those at risk just before
    events: FloatArray  # weight of those with the event at that time

    def mean_until(self, horizon: float) -> float:
        """Restricted mean: area under the curve from 0 to `horizon`, in the unit of time."""
        return float((_widths(self.time, horizon) * np.concatenate([[1.0], self.survival])).sum())


@dataclass(frozen=True, slots=True)
class RestrictedMeans:
    """Mean time free of the event up to `horizon`, in the unit of time; the difference is treated minus comparison."""

    treated: Inference
    comparison: Inference
    difference: Inference
    horizon: float


def kaplan_meier(time: FloatArray, event: BoolArray, weight: FloatArray | None = None) -> Curve:
    """One group's curve, as R's `survfit(Surv(time, event) ~ 1, weights, robust = TRUE)`."""
    w = np.ones(len(time)) if weight is None else np.asarray(weight, np.float64)
    sets = risk_sets(time)
    steps = _steps(sets, check_event(event, len(time)), w)
    left = np.concatenate([np.cumsum((w**2)[np.argsort(-sets.own, kind="stable")]), [0.0]])
    later = len(time) - np.searchsorted(np.sort(sets.own), np.arange(len(sets.time)), side="right")
    still = np.where(later > 0, left[later - 1], 0.0)
    gone = np.cumsum(sets.total((w * steps.end) ** 2))
    error = steps.survival * np.sqrt(gone + steps.hazard**2 * still)
    return Curve(sets.time, steps.survival, error, steps.at_risk, steps.events)


def restricted_means(
    time: FloatArray,
    event: BoolArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    *,
    horizon: float,
    cluster: Clusters | None = None,
) -> RestrictedMeans:
    """Difference in restricted mean time between the groups. `event` false: follow-up was cut off at `time`.

    Raises UsageError when nobody of a group was followed to the horizon: the curve says nothing there.
    """
    sample = sample_of(time, treated, weight, None, cluster, what="time")
    check_time(sample.outcome)
    ended = check_event(event, len(time))[sample.rows]
    is_treated, days, w = sample.treated, sample.outcome, sample.weight
    if not 0.0 < horizon <= min(days[is_treated].max(), days[~is_treated].max()):
        raise UsageError("`horizon` must be above 0 and within the follow-up of both groups. Choose an earlier one.")
    means, moved = np.zeros(2), np.zeros((2, len(days)))
    for side, people in enumerate((is_treated, ~is_treated)):
        curve = kaplan_meier(days[people], ended[people], w[people])
        means[side] = curve.mean_until(horizon)
        moved[side, people] = _moved(days[people], ended[people], w[people], horizon)

    def inferred(estimate: float, value: FloatArray) -> Inference:
        part = Influence(value, np.zeros(len(value)), 1)
        return infer(float(estimate), part, ErrorKind.HC0, treated=is_treated, weight=w, cluster=sample.cluster)

    return RestrictedMeans(
        treated=inferred(means[0], moved[0]),
        comparison=inferred(means[1], moved[1]),
        difference=inferred(means[0] - means[1], moved[0] - moved[1]),
        horizon=horizon,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """The pieces of a curve. A person with the event moves log S by `end`, one at risk by -`hazard`, both by weight."""

    at_risk: FloatArray
    events: FloatArray
    survival: FloatArray
    hazard: FloatArray  # running sum of d / (n (n - d)); a step to 0 adds nothing, for nothing moves a 0
    end: FloatArray  # one a person


def _steps(sets: RiskSets, event: BoolArray, w: FloatArray) -> _Steps:
    n, d = sets.at_risk(w), sets.total(w * event)
    last = d >= n * (1.0 - 1e-12)  # everyone who is left has the event
    survival: FloatArray = np.cumprod(np.where(last, 0.0, 1.0 - d / n), dtype=np.float64)
    over = np.where(last, 1.0, n - d)
    hazard = np.cumsum(np.where(last, 0.0, d / (n * over)))
    own = sets.own
    end = np.where(event & ~last[own], 1.0 / over[own], 0.0) - hazard[own]
    return _Steps(n, d, survival, hazard, end)


def _moved(time: FloatArray, event: BoolArray, w: FloatArray, horizon: float) -> FloatArray:
    """What each person moves the restricted mean by: the area that their part of log S takes or gives."""
    sets = risk_sets(time)
    steps = _steps(sets, event, w)
    widths = _widths(sets.time, horizon)  # before the first time, then after each
    area = np.concatenate([[0.0], np.cumsum(widths[1:] * steps.survival)])  # from the first time to each
    pull = np.concatenate([[0.0], np.cumsum(widths[1:] * steps.survival * steps.hazard)])
    own = sets.own
    moved: FloatArray = w * (pull[own] - steps.end * (area[-1] - area[own]))
    return moved


def _widths(time: FloatArray, horizon: float) -> FloatArray:
    """How long the curve stays at each height up to the horizon: 1 until the first time, then after each."""
    edges: FloatArray = np.minimum(np.concatenate([[0.0], time, [np.inf]]), horizon)
    return np.diff(edges)

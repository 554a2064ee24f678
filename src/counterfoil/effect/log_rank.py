"""Log-rank tests of two groups' times: the usual one, in strata, with Peto's weights; and a robust one for weights.

With weights or clusters the usual variance counts weights as people. The robust one is the score test of a weighted Cox
model (Lin and Wei 1989, Journal of the American Statistical Association 84): squares of what each person adds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.influence import ESTIMATE_RULE, Clusters
from counterfoil.effect.inputs import Sample, sample_of
from counterfoil.effect.risk_sets import RiskSets, check_event, check_time, risk_sets
from counterfoil.effect.values import ErrorKind
from counterfoil.errors import Refused


@dataclass(frozen=True, slots=True)
class LogRank:
    """Chi-square on one degree of freedom; observed and expected events of the treated, weighted."""

    chi_square: float
    p: float
    observed: float
    expected: float
    kind: ErrorKind


def log_rank(
    time: FloatArray,
    event: BoolArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    *,
    strata: Clusters | None = None,
    cluster: Clusters | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Are the two groups' times alike? `rho` 0: log-rank; 1: early events count more (Peto).

    Weights that differ, or clusters, make the test robust; it then has no `rho`.
    """
    sample = sample_of(time, treated, weight, None, cluster, what="time")
    check_time(sample.outcome)
    ended = check_event(event, len(time))[sample.rows]
    sets = risk_sets(sample.outcome, None if strata is None else np.asarray(strata)[sample.rows])
    if cluster is None and np.ptp(sample.weight) == 0.0:
        return _usual(sets, ended, sample.treated, rho)
    return _robust(sets, ended, sample)


def _usual(sets: RiskSets, event: BoolArray, treated: BoolArray, rho: float) -> LogRank:
    n, n1 = sets.at_risk(np.ones(len(event))), sets.at_risk(treated.astype(np.float64))
    d, d1 = sets.total(event.astype(np.float64)), sets.total((event & treated).astype(np.float64))
    counts = _before(sets, n, d) ** rho
    share = n1 / n
    variance = np.where(n > 1, d * share * (1.0 - share) * (n - d) / np.maximum(n - 1.0, 1.0), 0.0)
    observed, expected = float((counts * d1).sum()), float((counts * d * share).sum())
    return _answer(observed, expected, float((counts**2 * variance).sum()), ErrorKind.MODEL)


def _before(sets: RiskSets, n: FloatArray, d: FloatArray) -> FloatArray:
    """Everyone's curve just before each time, within its stratum."""
    left = 1.0 - d / n
    before = np.ones(len(left))
    for i in range(1, len(left)):
        before[i] = 1.0 if sets.first[i] == i else before[i - 1] * left[i - 1]
    return before


def _robust(sets: RiskSets, event: BoolArray, sample: Sample) -> LogRank:
    w, x = sample.weight, sample.treated.astype(np.float64)
    n, n1, d = sets.at_risk(w), sets.at_risk(w * x), sets.total(w * event)
    share, own = n1 / n, sets.own
    hazard, shared = sets.so_far(d / n), sets.so_far(d / n * share)
    part = w * (event * (x - share[own]) - (x * hazard[own] - shared[own]))
    if sample.cluster is not None:
        member = np.unique(sample.cluster, return_inverse=True)[1]
        part = np.bincount(member, weights=part).astype(np.float64)
    observed, expected = float((w * event * x).sum()), float((d * share).sum())
    kind = ErrorKind.HC0 if sample.cluster is None else ErrorKind.CLUSTERED
    return _answer(observed, expected, float((part**2).sum()), kind)


def _answer(observed: float, expected: float, variance: float, kind: ErrorKind) -> LogRank:
    if not variance > 0.0:
        raise Refused(
            "No event happens while both groups are at risk, so their times cannot be tested.", rule=ESTIMATE_RULE
        )
    chi_square = (observed - expected) ** 2 / variance
    return LogRank(chi_square, float(stats.chi2.sf(chi_square, 1)), observed, expected, kind)

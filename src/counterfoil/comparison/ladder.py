"""The caliper ladder: try each caliper, keep every step, choose on balance. Outcomes play no part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.balance import Baseline, effective_sample_size, standardised_differences
from counterfoil.comparison.made import Groups, Made, no_overlap
from counterfoil.comparison.methods import Radius
from counterfoil.comparison.propensity import Propensity, measure
from counterfoil.comparison.radius import match_radius
from counterfoil.comparison.scores import SortedScores, sort_scores
from counterfoil.comparison.values import CaliperStep, FloatArray

# Steps whose worst SMDs agree to this are equally good, so that rounding never decides.
SMD_PRECISION = 9


@dataclass(frozen=True, slots=True)
class Chosen:
    """The step that was chosen and all that were tried."""

    steps: tuple[CaliperStep, ...]
    caliper_sd: float
    caliper: float  # on the score
    weight: FloatArray


@dataclass(frozen=True, slots=True)
class _Try:
    step: CaliperStep
    caliper: float
    weight: FloatArray


def climb_ladder(
    people: SortedScores,
    baseline: Baseline,
    *,
    calipers: Sequence[float],
    unit: float,
    sd: float,
    keep_share: float,
    threads: int = 1,
) -> Chosen:
    """`unit` is what a caliper of 1 is on the score, `sd` the score's SD pooled within group, in which steps are told.

    Among calipers that keep `keep_share` of the treated: the smallest worst |SMD|, then the largest effective
    sample size, then the narrowest. If none keeps enough: the widest.

    Refused when the widest caliper matches nobody.
    """
    n_treated = int(np.count_nonzero(baseline.treated))
    measured = [
        (caliper if unit == sd else caliper * unit / sd if sd > 0.0 else 0.0, caliper * unit) for caliper in calipers
    ]
    tries = [
        _try(people, baseline, caliper_sd, caliper, n_treated, threads=threads) for caliper_sd, caliper in measured
    ]
    enough = [t for t in tries if t.step.kept_share >= keep_share]
    best = min(enough, key=_merit) if enough else max(tries, key=lambda t: t.step.caliper_sd)
    if not best.weight.any():
        raise no_overlap(
            "their propensity scores do not overlap within the widest caliper.",
            "Use fewer covariates, a wider caliper or another pool.",
        )
    steps = tuple(_marked(t.step, chosen=t is best) for t in tries)
    return Chosen(steps, best.step.caliper_sd, best.caliper, best.weight)


def _try(
    people: SortedScores, baseline: Baseline, caliper_sd: float, caliper: float, n_treated: int, *, threads: int
) -> _Try:
    weight = match_radius(people, caliper)
    kept = float(weight[people.treated_rows].sum()) / n_treated
    comparison = weight[people.pool_rows]
    worst = math.inf
    if kept > 0.0:
        smds = np.abs(standardised_differences(baseline, weight, threads=threads))
        worst = float(np.max(smds, initial=0.0, where=~np.isnan(smds)))
    return _Try(CaliperStep(caliper_sd, kept, worst, effective_sample_size(comparison), chosen=False), caliper, weight)


def _merit(attempt: _Try) -> tuple[float, float, float]:
    step = attempt.step
    return round(step.worst_smd, SMD_PRECISION), -round(step.ess, SMD_PRECISION), step.caliper_sd


def _marked(step: CaliperStep, *, chosen: bool) -> CaliperStep:
    return CaliperStep(step.caliper_sd, step.kept_share, step.worst_smd, step.ess, chosen=chosen)


def make_radius(groups: Groups, method: Radius, propensity: Propensity) -> Made:
    """Radius matching with the caliper that balance chooses."""
    measured = measure(propensity, groups.treated, method.ruler)
    chosen = climb_ladder(
        sort_scores(measured.score, groups.treated, groups.stratum, measured.inside),
        groups.baseline,
        calipers=method.calipers,
        unit=measured.unit,
        sd=measured.sd,
        keep_share=groups.settings.keep_share,
        threads=groups.settings.threads,
    )
    return Made(
        weight=chosen.weight,
        propensity=propensity,
        steps=chosen.steps,
        caliper_sd=chosen.caliper_sd,
        caliper=chosen.caliper,
        keeps_too_few="No caliper keeps enough of the treated people; the widest was used.",
    )

"""The caliper ladder: try each caliper, keep every step, choose on balance. Outcomes play no part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.balance import Baseline, effective_sample_size, standardised_differences
from counterfoil.comparison.radius import SortedScores, match_radius
from counterfoil.comparison.values import CaliperStep, FloatArray
from counterfoil.errors import Refused

# Steps whose worst SMDs agree to this are equally good, so that rounding never decides.
SMD_PRECISION = 9


@dataclass(frozen=True, slots=True)
class Chosen:
    """The step that was chosen and all that were tried."""

    steps: tuple[CaliperStep, ...]
    caliper_sd: float
    caliper: float  # on the logit
    weight: FloatArray
    keeps_enough: bool


@dataclass(frozen=True, slots=True)
class _Try:
    step: CaliperStep
    caliper: float
    weight: FloatArray


def climb_ladder(
    people: SortedScores,
    baseline: Baseline,
    *,
    calipers_sd: Sequence[float],
    sd: float,
    keep_share: float,
    threads: int = 1,
) -> Chosen:
    """Among calipers that keep `keep_share` of the treated: the smallest worst |SMD|, then the largest effective
    sample size, then the narrowest. If none keeps enough: the widest, and `keeps_enough` is False.

    Refused when the widest caliper matches nobody.
    """
    tries = [_try(people, baseline, caliper_sd, sd, threads=threads) for caliper_sd in calipers_sd]
    enough = [t for t in tries if t.step.kept_share >= keep_share]
    best = min(enough, key=_merit) if enough else max(tries, key=lambda t: t.step.caliper_sd)
    if not best.weight.any():
        raise Refused(
            "Nobody in the comparison pool is like the treated people: their propensity scores do not overlap within "
            "the widest caliper. Use fewer covariates, a wider caliper or another pool.",
            rule="overlap",
        )
    steps = tuple(_marked(t.step, chosen=t is best) for t in tries)
    return Chosen(steps, best.step.caliper_sd, best.caliper, best.weight, bool(enough))


def _try(people: SortedScores, baseline: Baseline, caliper_sd: float, sd: float, *, threads: int) -> _Try:
    caliper = caliper_sd * sd
    weight = match_radius(people, caliper)
    kept = float(weight[people.treated_rows].sum()) / len(people.treated_rows)
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

"""`adjusted`: the covariate-adjusted model of each measure on a frozen comparison, its errors chosen by the design.

Errors (METHODS 5): by pair where people were paired once; Abadie-Imbens where partners were used again; else HC3.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.checks import as_table
from counterfoil.comparison.design import Covariates, encode_covariates
from counterfoil.comparison.methods import Nearest
from counterfoil.comparison.values import Comparison, Design, FloatArray
from counterfoil.effect.abadie_imbens import abadie_imbens
from counterfoil.effect.characteristics import Characteristics
from counterfoil.effect.frequency import adjusted_frequency
from counterfoil.effect.g_computation import adjusted_mean, adjusted_rate
from counterfoil.effect.influence import ESTIMATE_RULE, Clusters
from counterfoil.effect.inputs import check_events, sample_of
from counterfoil.effect.mean_model import Link, fit_mean
from counterfoil.effect.model_room import SOME, room_for, within_room
from counterfoil.effect.reading import Outcomes, read_exposures, read_outcomes
from counterfoil.effect.values import Estimate, Inference
from counterfoil.errors import Refused, UsageError
from counterfoil.outcomes.measures import Measure, Support
from counterfoil.units import Kind, difference_scale

CONDITIONAL = (
    "It is over those with the outcome only, so that the groups are no longer those that were made alike; "
    "read the restricted mean over everyone."
)
NO_TIME = "Matching with replacement has no adjusted estimate of events for a unit of time."
NOTHING = "The design has no covariates to adjust for."


@dataclass(frozen=True, slots=True)
class AdjustedEffect:
    """One measure's adjusted estimate, or the sentence that says why there is none. For inside the lab: not cleared."""

    measure: Measure
    estimate: Estimate | None
    why_not: str
    notes: tuple[str, ...]


def adjusted(
    outcomes: Outcomes, comparison: Comparison, measures: Sequence[Measure], people: object
) -> tuple[AdjustedEffect, ...]:
    """One adjusted effect a measure, in the order asked.

    `people` is the table that the comparison was made from, row for row, or its covariates as `prepare` encoded them;
    the covariates and terms of its settings are adjusted for. A null or NaN outcome is a person outside the measure's
    support: left out, never a 0.
    """
    columns = read_outcomes(outcomes, comparison, measures)
    covariates = _characteristics(comparison, people)
    times = read_exposures(outcomes, comparison, measures)
    with ThreadPoolExecutor(max(comparison.settings.threads, 1)) as pool:
        return tuple(
            pool.map(lambda m: _adjust(columns[m.name], comparison, m, covariates, times.get(m.exposure)), measures)
        )


def _characteristics(comparison: Comparison, people: object) -> Characteristics | None:
    """What is adjusted for; None for a comparison without covariates."""
    given = people if isinstance(people, Covariates) else as_table(people)
    rows = given.design.rows if isinstance(given, Covariates) else given.num_rows
    if rows != len(comparison.treated):
        raise UsageError(
            "`people` and the comparison must be the same rows; they are not. Hand in the table it came from."
        )
    if not comparison.settings.covariates:
        return None
    encoded = given if isinstance(given, Covariates) else encode_covariates(given, comparison.settings)
    return Characteristics(encoded.design)


def _adjust(
    outcome: FloatArray,
    comparison: Comparison,
    measure: Measure,
    covariates: Characteristics | None,
    time: FloatArray | None,
) -> AdjustedEffect:
    if measure.support is Support.THOSE_WITH:
        return AdjustedEffect(measure, None, CONDITIONAL, ())
    if covariates is None:
        return AdjustedEffect(measure, None, NOTHING, ())
    if time is not None:  # a model of events for a unit of time knows nothing of those who had none
        outcome = np.where(time > 0, outcome, np.nan)
    try:
        chosen = within_room(covariates, room_for(outcome, comparison, measure.kind), comparison)
        found = _inference(outcome, comparison, measure, chosen, time)
    except Refused as refused:
        if refused.rule != ESTIMATE_RULE:
            raise
        return AdjustedEffect(measure, None, refused.reason, ())
    notes = found.notes if chosen is covariates else (*found.notes, SOME)
    return AdjustedEffect(measure, _estimate(found, measure), "", notes)


def _inference(
    outcome: FloatArray,
    comparison: Comparison,
    measure: Measure,
    covariates: Characteristics,
    time: FloatArray | None,
) -> Inference:
    method = comparison.settings.method
    paired = comparison.settings.design is Design.MATCHED and isinstance(method, Nearest)
    if paired and isinstance(method, Nearest) and method.replace:
        if time is not None:
            raise Refused(NO_TIME, rule=ESTIMATE_RULE)
        return _with_replacement(outcome, comparison, measure, covariates)
    cluster: Clusters | None = comparison.pair if paired else None
    given = (outcome, comparison.treated, comparison.weight, covariates)
    match measure.kind:
        case Kind.RATE:
            return adjusted_rate(*given, cluster=cluster, estimand=comparison.achieved).difference
        case Kind.COUNT:
            found = adjusted_frequency(*given, exposure=time, cluster=cluster, estimand=comparison.achieved)
            return found.adjusted.difference
        case Kind.DAYS | Kind.AMOUNT:
            return adjusted_mean(*given, cluster=cluster, estimand=comparison.achieved).difference


def _with_replacement(
    outcome: FloatArray, comparison: Comparison, measure: Measure, covariates: Characteristics
) -> Inference:
    """Differences of the treated from their partners, corrected by a model of the partners' outcomes."""
    pairs = comparison.pairs
    if pairs is None:
        raise UsageError("The comparison was matched with replacement but holds no pairs. Make it again.")
    if measure.kind is Kind.RATE:
        sample = sample_of(outcome, comparison.treated, comparison.weight)
        check_events(sample.outcome, sample.treated)
    link = {Kind.RATE: Link.LOGIT, Kind.COUNT: Link.LOG}.get(measure.kind, Link.IDENTITY)
    known = ~np.isnan(outcome)
    weight = np.where(known & ~comparison.treated, comparison.weight, 0.0)
    model = fit_mean(covariates, np.where(known, outcome, 0.0), weight, link)
    return abadie_imbens(
        outcome,
        comparison.treated,
        comparison.logit_propensity,
        pairs.treated,
        pairs.comparison,
        pairs.share,
        predicted=model.mean,
    )


def _estimate(found: Inference, measure: Measure) -> Estimate:
    scale = difference_scale(measure.kind)
    return Estimate(
        difference=scale * found.estimate,
        low=scale * found.low,
        high=scale * found.high,
        p=found.p,
        method=f"adjusted, {found.kind.value} errors",
        df=found.df,
    )

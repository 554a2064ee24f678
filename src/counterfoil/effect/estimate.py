"""`estimate`: from a frozen design and measured outcomes to one `Effect` a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from counterfoil.comparison.values import Comparison, Design, FloatArray
from counterfoil.effect.adjusting import adjusted
from counterfoil.effect.exposure import for_each_unit
from counterfoil.effect.groups import Side, group_of, side_of
from counterfoil.effect.proportions import proportions_estimate
from counterfoil.effect.ratio import ratio_of
from counterfoil.effect.reading import Outcomes, read_exposures, read_outcomes
from counterfoil.effect.score import score_estimate
from counterfoil.effect.values import Effect, Estimate, Group
from counterfoil.effect.welch import welch_estimate
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind


def estimate(
    outcomes: Outcomes, comparison: Comparison, measures: Sequence[Measure], people: object | None = None
) -> tuple[Effect, ...]:
    """One effect a measure, in the order asked. Rows of `outcomes` are the rows that were compared.

    A null or NaN is a person outside the measure's support (or not covered): left out on either side, never a 0.
    Differences of rates are in points, others in the measure's unit. Weights are the design's: 1 each in a trial.
    With `people` (the table that the comparison was made from, or its covariates as `prepare` encoded them) each effect
    has its covariate-adjusted estimate too.
    """
    columns = read_outcomes(outcomes, comparison, measures)
    times = read_exposures(outcomes, comparison, measures)
    with ThreadPoolExecutor(max(comparison.settings.threads, 1)) as pool:
        sides = _sides(comparison)
        effects = tuple(
            pool.map(lambda m: _effect_of(columns[m.name], comparison, m, times.get(m.exposure), sides), measures)
        )
    if people is None:
        return effects
    beside = adjusted({**columns, **times}, comparison, measures, people)
    return tuple(_with_adjusted(effect, b.estimate) for effect, b in zip(effects, beside, strict=True))


@dataclass(frozen=True, slots=True)
class Compatible:
    """Both groups of one measure and the compatible test; None where a group has no variance."""

    treated: Group
    comparison: Group
    estimate: Estimate | None


def compatible(
    columns: Mapping[str, FloatArray], comparison: Comparison, measures: Sequence[Measure]
) -> dict[str, Compatible]:
    """By measure, the compatible part of `estimate` alone, for who asks it of many comparisons of the same people.

    `columns` are as `read_outcomes` and `read_exposures` gave them: they are not looked at again.
    """
    found, sides = {}, _sides(comparison)
    for measure in measures:
        value, time = columns[measure.name], columns.get(measure.exposure)
        treated, others = (_group(value, comparison, side, time) for side in sides)
        found[measure.name] = Compatible(treated, others, _compatible(treated, others, comparison, measure))
    return found


def is_significant(estimate: Estimate) -> bool:
    """Whether the interval excludes 0 (at 5%, both ways)."""
    return estimate.low > 0.0 or estimate.high < 0.0


def _sides(comparison: Comparison) -> tuple[Side, Side]:
    """The treated and the others."""
    treated = comparison.treated
    return side_of(comparison.weight, treated), side_of(comparison.weight, ~treated)


def _effect_of(
    value: FloatArray, comparison: Comparison, measure: Measure, time: FloatArray | None, sides: tuple[Side, Side]
) -> Effect:
    treated, others = (_group(value, comparison, side, time) for side in sides)
    compatible = _compatible(treated, others, comparison, measure)
    score = score_estimate(treated, others) if measure.kind is Kind.RATE else None
    return Effect(
        measure=measure,
        treated=treated,
        comparison=others,
        compatible=compatible,
        score=score,
        disagrees=("score",) if _differ(compatible, score) else (),
        ratio=ratio_of(value, comparison, time) if measure.kind is Kind.COUNT and compatible is not None else None,
    )


def _group(value: FloatArray, comparison: Comparison, side: Side, time: FloatArray | None) -> Group:
    group = group_of(value, side)
    if time is None:
        return group
    within = np.zeros(len(value), np.bool_)
    within[side.rows] = True
    spread = group_of(for_each_unit(value, time, comparison.weight, within), side)
    return replace(spread, events=group.events, largest=group.largest)


def _with_adjusted(effect: Effect, beside: Estimate | None) -> Effect:
    """Without a compatible test there is no adjusted figure either: what stands beside nothing says nothing."""
    if beside is None or effect.compatible is None:
        return effect
    differ = ("adjusted",) if _differ(effect.compatible, beside) else ()
    return replace(effect, adjusted=beside, disagrees=(*effect.disagrees, *differ))


def _compatible(treated: Group, others: Group, comparison: Comparison, measure: Measure) -> Estimate | None:
    if comparison.settings.design is Design.RANDOMISED and measure.kind is Kind.RATE:
        return proportions_estimate(treated, others)
    return welch_estimate(treated, others, measure.kind)


def _differ(compatible: Estimate | None, beside: Estimate | None) -> bool:
    if compatible is None or beside is None:
        return False
    return is_significant(compatible) != is_significant(beside)

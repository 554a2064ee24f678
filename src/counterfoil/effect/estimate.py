"""`estimate`: from a frozen design and measured outcomes to one `Effect` a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.comparison.values import Comparison, Design, FloatArray
from counterfoil.effect.groups import group_of
from counterfoil.effect.proportions import proportions_estimate
from counterfoil.effect.score import score_estimate
from counterfoil.effect.values import Effect, Estimate, Group
from counterfoil.effect.welch import welch_estimate
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

Outcomes: TypeAlias = pa.Table | Mapping[str, FloatArray]


def estimate(outcomes: Outcomes, comparison: Comparison, measures: Sequence[Measure]) -> tuple[Effect, ...]:
    """One effect a measure, in the order asked. Rows of `outcomes` are the rows that were compared.

    A null or NaN is a person outside the measure's support (or not covered): left out on either side, never a 0.
    Differences of rates are in points, others in the measure's unit. Weights are the design's: 1 each in a trial.
    """
    columns = _columns_of(outcomes, comparison, measures)
    return tuple(_effect_of(columns[m.name], comparison, m) for m in measures)


def is_significant(estimate: Estimate) -> bool:
    """Whether the interval excludes 0 (at 5%, both ways)."""
    return estimate.low > 0.0 or estimate.high < 0.0


def _effect_of(value: FloatArray, comparison: Comparison, measure: Measure) -> Effect:
    treated = group_of(value, comparison.weight, comparison.treated, measure.kind)
    others = group_of(value, comparison.weight, ~comparison.treated, measure.kind)
    compatible = _compatible(treated, others, comparison, measure)
    score = score_estimate(treated, others) if measure.kind is Kind.RATE else None
    return Effect(
        measure=measure,
        treated=treated,
        comparison=others,
        compatible=compatible,
        score=score,
        disagrees=("score",) if _differ(compatible, score) else (),
    )


def _compatible(treated: Group, others: Group, comparison: Comparison, measure: Measure) -> Estimate | None:
    if comparison.settings.design is Design.RANDOMISED and measure.kind is Kind.RATE:
        return proportions_estimate(treated, others)
    return welch_estimate(treated, others, measure.kind)


def _differ(compatible: Estimate | None, score: Estimate | None) -> bool:
    if compatible is None or score is None:
        return False
    return is_significant(compatible) != is_significant(score)


def _columns_of(outcomes: Outcomes, comparison: Comparison, measures: Sequence[Measure]) -> dict[str, FloatArray]:
    names = set(outcomes.column_names) if isinstance(outcomes, pa.Table) else set(outcomes)
    problems = [
        f"The plan asks for the measure `{m.name}`, which is not a column of the outcomes. Name one that is measured."
        for m in measures
        if m.name not in names
    ]
    if problems:
        raise UsageError(*problems)
    columns = {m.name: _floats(outcomes[m.name]) for m in measures}
    problems = [why for m in measures if (why := _why_not(columns[m.name], comparison, m)) is not None]
    if problems:
        raise UsageError(*problems)
    return columns


def _floats(column: FloatArray | pa.ChunkedArray) -> FloatArray:
    if isinstance(column, pa.ChunkedArray):
        numbers = pc.fill_null(pc.cast(column, pa.float64()), float("nan"))
        return np.asarray(numbers.to_numpy(), dtype=np.float64)
    return np.asarray(column, dtype=np.float64)


def _why_not(value: FloatArray, comparison: Comparison, measure: Measure) -> str | None:
    """The sentence that says why a column cannot be used, or nothing."""
    if value.shape != comparison.treated.shape:
        return f"The outcomes of `{measure.name}` and the people who were compared must be the same rows; they are not."
    known = value[~np.isnan(value)]
    if not np.isfinite(known).all():
        return f"`{measure.name}` holds an infinite value. Leave what was not measured empty."
    if measure.kind is Kind.RATE and not np.isin(known, (0.0, 1.0)).all():
        return f"`{measure.name}` is a rate, so each person has 0 or 1; it holds other values. Is its kind right?"
    return None

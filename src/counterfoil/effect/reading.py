"""Columns of outcomes, read and checked beside the comparison they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.comparison.checks import as_table
from counterfoil.comparison.values import Comparison, FloatArray
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

# A mapping of arrays, or any table that `compare` takes
Outcomes: TypeAlias = Any


def read_outcomes(outcomes: Outcomes, comparison: Comparison, measures: Sequence[Measure]) -> dict[str, FloatArray]:
    """One column a measure, NaN where it was not measured. Raises UsageError with every problem at once."""
    if not isinstance(outcomes, Mapping):
        outcomes = as_table(outcomes)
    names = set(outcomes.column_names) if isinstance(outcomes, pa.Table) else set(outcomes)
    problems = [
        f"The plan asks for the measure `{m.name}`, which is not a column of the outcomes. Name one that is measured."
        for m in measures
        if not {m.name, m.exposure} - {""} <= names
    ]
    if problems:
        raise UsageError(*problems)
    columns = {m.name: _floats(outcomes[m.name]) for m in measures}
    problems = [why for m in measures if (why := _why_not(columns[m.name], comparison, m)) is not None]
    if problems:
        raise UsageError(*problems)
    return columns


def read_exposures(outcomes: Outcomes, comparison: Comparison, measures: Sequence[Measure]) -> dict[str, FloatArray]:
    """The time at risk of each measure that is for a unit of it, by the name of its column. UsageError: bad values."""
    found = {m.exposure: _floats(outcomes[m.exposure]) for m in measures if m.exposure}
    problems = [
        f"`{name}` is a time at risk: one value of 0 or more for each person who was compared. It holds something else."
        for name, time in found.items()
        if time.shape != comparison.treated.shape or not (time[~np.isnan(time)] >= 0).all()
    ]
    if problems:
        raise UsageError(*problems)
    return found


def _floats(column: FloatArray | pa.ChunkedArray) -> FloatArray:
    if isinstance(column, pa.ChunkedArray):
        numbers = pc.fill_null(pc.cast(column, pa.float64()), float("nan"))
        return np.asarray(numbers.to_numpy(), dtype=np.float64)
    return np.asarray(column, dtype=np.float64)


def _why_not(value: FloatArray, comparison: Comparison, measure: Measure) -> str | None:
    """The sentence that says why a column cannot be used, or nothing."""
    if value.shape != comparison.treated.shape:
        return f"The outcomes of `{measure.name}` and the people who were compared must be the same rows; they are not."
    return why_unusable(value, measure)


def why_unusable(value: FloatArray, measure: Measure) -> str | None:
    """The sentence that says why values cannot be those of a measure, or nothing. NaN is not measured."""
    known = value[~np.isnan(value)]
    if not np.isfinite(known).all():
        return f"`{measure.name}` holds an infinite value. Leave what was not measured empty."
    if measure.kind is Kind.RATE and not ((known == 0.0) | (known == 1.0)).all():
        return f"`{measure.name}` is a rate, so each person has 0 or 1; it holds other values. Is its kind right?"
    return None

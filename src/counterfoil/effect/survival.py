"""Time to the first event of everyone, as a report needs it: estimates, and how many had the event month by month."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from counterfoil.comparison.values import BoolArray, Comparison, FloatArray
from counterfoil.effect.influence import ESTIMATE_RULE
from counterfoil.effect.kaplan_meier import kaplan_meier
from counterfoil.effect.reading import Outcomes, read_outcomes
from counterfoil.effect.time_to_first import TimeToFirst, time_to_first
from counterfoil.errors import Refused
from counterfoil.outcomes.measures import Measure, Support
from counterfoil.units import Kind

DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class MonthlyCurve:
    """One group at the end of each whole month from 1. Inside the lab only: steps give events away (R30)."""

    people: int  # unweighted
    events: tuple[int, ...]  # unweighted people whose first event fell in the month
    share: tuple[float, ...]  # weighted share with the event by the end of the month, 0-1


@dataclass(frozen=True, slots=True)
class Survival:
    """Everyone's time to the first event. `measure` is the one over those with the event that it stands beside."""

    measure: Measure
    months: int
    estimates: TimeToFirst
    treated: MonthlyCurve
    comparison: MonthlyCurve
    days: FloatArray = field(default_factory=lambda: np.zeros(0))  # row by row: see `days_to_first`
    rate: str = ""  # the measure of whether there was such an event; who has no value of it was not followed


def measure_of_first(measures: tuple[Measure, ...], name: str = "") -> Measure | None:
    """The measure that counts days to a first event among those who had it, if there is one: the first, or `name`."""
    days = [m for m in measures if m.kind is Kind.DAYS and m.support is Support.THOSE_WITH and name in ("", m.name)]
    return days[0] if days else None


def survival(
    outcomes: Outcomes, comparison: Comparison, measures: tuple[Measure, ...], *, months: int, of: str = ""
) -> Survival | None:
    """Curves and estimates over a follow-up of `months`, of the first measure of days or the one named `of`. None
    without a measure of days, or when nothing can be tested.

    Someone who has no value of the rate of the same event was not followed up: left out, rather than counted as free.
    None where the plan has rates and none of them is of the event that the days lead to.
    """
    measure = measure_of_first(measures, of)
    if measure is None:
        return None
    columns = read_outcomes(outcomes, comparison, measures)
    rates = [columns[m.name] for m in measures if m.kind is Kind.RATE and m.support is Support.ALL]
    same = [rate for rate in rates if _is_of_one_event(rate, columns[measure.name])]
    if rates and not same:
        return None
    covered = ~np.isnan(same[0]) if same else np.ones(len(comparison.treated), np.bool_)
    days, horizon = columns[measure.name], months * DAYS_A_MONTH
    try:
        estimates = time_to_first(days, comparison, horizon=horizon, covered=covered)
    except Refused as refused:
        if refused.rule != ESTIMATE_RULE:
            raise
        return None
    sides = (comparison.treated, ~comparison.treated)
    treated, others = (_monthly(days, comparison.weight, side & covered, months) for side in sides)
    return Survival(
        measure,
        months,
        estimates,
        treated,
        others,
        days_to_first(days, covered, months=months),
        next((m.name for m in measures if same and columns[m.name] is same[0]), ""),
    )


def days_to_first(days: FloatArray, covered: BoolArray, *, months: int) -> FloatArray:
    """Days to the first event; infinite for whoever had none in so many months, NaN for whoever was not followed."""
    horizon = months * DAYS_A_MONTH
    had = np.nan_to_num(days, nan=np.inf) <= horizon
    found: FloatArray = np.where(covered, np.where(had, days, np.inf), np.nan)
    return found


def _is_of_one_event(rate: FloatArray, days: FloatArray) -> bool:
    """Whether those for whom a rate is 1 are those who have days to the event: a rate of two years has more."""
    return bool(np.array_equal(rate == 1, ~np.isnan(days)))


def _monthly(days: FloatArray, weight: FloatArray, side: BoolArray, months: int) -> MonthlyCurve:
    used = side & (weight > 0)
    first, w = days[used], weight[used]
    ends = np.arange(1, months + 1) * DAYS_A_MONTH
    had = np.nan_to_num(first, nan=np.inf) <= ends[-1]
    curve = kaplan_meier(np.where(had, first, ends[-1]), had, w)
    place = np.searchsorted(curve.time, ends, side="right")
    heights = np.concatenate([[1.0], curve.survival])[place]
    edges = np.concatenate([[-np.inf], ends])
    events = [int(np.count_nonzero(had & (first > a) & (first <= b))) for a, b in itertools.pairwise(edges)]
    return MonthlyCurve(len(first), tuple(events), tuple((1.0 - heights).tolist()))

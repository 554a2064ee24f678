"""What a difference in events comes to in money, for every 100 people: from the printed difference and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

from counterfoil.disclosure.beside import UnitCost
from counterfoil.disclosure.cells import MAKER, Cell
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.shown_beside import ProtectedCost
from counterfoil.disclosure.shown_measures import ProtectedMeasure
from counterfoil.units import Kind

PEOPLE = 100
DIGITS = 2  # significant: a unit cost is an average that nobody knows better


def protect_costs(costs: Sequence[UnitCost], measures: Sequence[ProtectedMeasure]) -> tuple[ProtectedCost, ...]:
    """One line a unit cost whose measure is a count that is shown; a hidden difference has none.

    A count for each unit of time at risk is no count for each person, and what it costs 100 people nobody can say.
    """
    counts = {m.measure.name: m for m in measures if m.measure.kind is Kind.COUNT and not m.measure.exposure}
    return tuple(_cost(cost, counts[cost.measure]) for cost in costs if _is_shown(counts.get(cost.measure)))


def _is_shown(measure: ProtectedMeasure | None) -> bool:
    return measure is not None and measure.estimate.low.value is not None and measure.estimate.high.value is not None


def _cost(cost: UnitCost, measure: ProtectedMeasure) -> ProtectedCost:
    estimate = measure.estimate
    return ProtectedCost(
        measure=measure.measure,
        currency=cost.currency,
        source=cost.source,
        unit_cost=Cell(value=round_half_up(cost.amount, 0)),
        low=_money(-(estimate.high.value or 0.0) * PEOPLE * cost.amount),
        high=_money(-(estimate.low.value or 0.0) * PEOPLE * cost.amount),
        maker=MAKER,
    )


def _money(amount: float) -> Cell:
    """Rounded to two significant digits; at least to whole units."""
    if amount == 0.0:
        return Cell(value=0)
    places = DIGITS - 1 - math.floor(math.log10(abs(amount)))
    step = 10.0 ** -min(places, 0)
    return Cell(value=round_half_up(amount / step, 0) * step)

"""What an inconclusive result does say: the effects it rules out, the smallest it could have shown, who is missing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from counterfoil.effect.estimate import is_significant
from counterfoil.effect.power import people_to_show
from counterfoil.effect.values import Effect, Estimate
from counterfoil.effect.welch import LEVEL
from counterfoil.units import difference_scale

POWER = 0.8  # chance of seeing a real difference, as in the power table
MOST_PEOPLE = 100_000  # more than this is "no number of people that a service will ever have"


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """Beside a result that is not significant. Differences: treated minus comparison, points for rates, else units."""

    rules_out_below: float  # effects lower than this do not agree with the data (95%)
    rules_out_above: float
    smallest_detectable: float  # size of a true difference that this many people would have shown, 4 times in 5
    people_needed: int | None  # treated people to show a difference of the size seen, 4 times in 5; None: too many
    more_people: int | None  # people_needed less those analysed


def inconclusive(effect: Effect) -> Inconclusive | None:
    """None when the compatible test is significant or could not be made.

    `people_needed` takes the difference seen as the true one and lets both groups grow alike; it is a guide to
    whether to come back with more people, and no estimate of the effect.
    """
    result = effect.compatible
    if result is None or is_significant(result):
        return None
    reach = _standard_error(effect) * float(stats.norm.ppf(0.5 + LEVEL / 2.0) + stats.norm.ppf(POWER))
    needed = _people_needed(effect.treated.n, _standard_error(effect), result)
    return Inconclusive(
        rules_out_below=result.low,
        rules_out_above=result.high,
        smallest_detectable=reach,
        people_needed=needed,
        more_people=None if needed is None else max(1, needed - effect.treated.n),
    )


def _standard_error(effect: Effect) -> float:
    parts = effect.treated.variance / effect.treated.ess + effect.comparison.variance / effect.comparison.ess
    return difference_scale(effect.measure.kind) * math.sqrt(parts)


def _people_needed(n: int, error: float, result: Estimate) -> int | None:
    """As the power page has it; both groups grow alike, so one person's variance is n times the squared error."""
    size = abs(result.difference)
    if size == 0.0:
        return None
    needed = people_to_show(size, n * error**2, alpha=1.0 - LEVEL, power=POWER)
    return None if needed > MOST_PEOPLE else needed

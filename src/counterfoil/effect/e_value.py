"""E-values: how strong a hidden difference would have to be to explain an answer away.

VanderWeele and Ding (2017), Annals of Internal Medicine 167(4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from counterfoil.effect.values import Effect, Group
from counterfoil.errors import UsageError
from counterfoil.units import Kind

NORMAL_95 = 1.959963984540054
# A standardised difference as a risk ratio, and its standard error to the end of the interval (the paper's appendix).
RATIO_A_SD, RATIO_A_SD_ERROR = 0.91, 1.78


@dataclass(frozen=True, slots=True)
class RiskRatio:
    """A ratio of risks with its 95% interval; 1 is no difference."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EValue:
    """Both are risk ratios of 1 or more. A hidden difference would have to be tied to treatment and to the outcome by
    at least this much, each, to move the estimate (`point`), or the nearer end of its interval (`limit`), to none."""

    point: float
    limit: float  # 1: the interval already holds no difference


def e_value(found: RiskRatio) -> EValue:
    """The E-value of a ratio and of the end of its interval that is nearer to 1. Raises UsageError for a bad ratio."""
    if not 0.0 < found.low <= found.ratio <= found.high < math.inf:
        raise UsageError("A risk ratio and its interval must be over 0 and in rising order: low, ratio, high.")
    nearer = found.low if found.ratio >= 1.0 else found.high
    crosses = found.low <= 1.0 <= found.high
    return EValue(_of_ratio(found.ratio), 1.0 if crosses else _of_ratio(nearer))


def _of_ratio(ratio: float) -> float:
    over = ratio if ratio >= 1.0 else 1.0 / ratio
    return over + math.sqrt(over * (over - 1.0))


def ratio_of_rates(treated: Group, comparison: Group) -> RiskRatio | None:
    """The ratio of two rates, its interval by the delta method on its log. None where a rate is 0."""
    if treated.value <= 0.0 or comparison.value <= 0.0:
        return None
    variance = sum(g.variance / g.ess / g.value**2 for g in (treated, comparison))
    log, reach = math.log(treated.value / comparison.value), NORMAL_95 * math.sqrt(variance)
    return RiskRatio(math.exp(log), math.exp(log - reach), math.exp(log + reach))


def ratio_of_means(difference: float, error: float) -> RiskRatio:
    """The ratio that a difference in SDs, with its standard error, about amounts to."""
    log, reach = RATIO_A_SD * difference, RATIO_A_SD_ERROR * error
    return RiskRatio(math.exp(log), math.exp(log - reach), math.exp(log + reach))


def e_value_of(effect: Effect) -> EValue | None:
    """The E-value of one measure's compatible estimate; None where there is none or a rate is 0."""
    if effect.compatible is None:
        return None
    if effect.measure.kind is Kind.RATE:
        ratio = ratio_of_rates(effect.treated, effect.comparison)
        return None if ratio is None else e_value(ratio)
    sides = (effect.treated, effect.comparison)
    sd = math.sqrt(sum(group.variance for group in sides) / len(sides))
    if sd <= 0.0:
        return None
    error = math.sqrt(sum(group.variance / group.ess for group in sides))
    return e_value(ratio_of_means((effect.treated.value - effect.comparison.value) / sd, error / sd))

"""Estimates, intervals, tests and power. Calculated here, shown only through `disclosure`."""

from counterfoil.effect.estimate import estimate, is_significant
from counterfoil.effect.inconclusive import Inconclusive, inconclusive
from counterfoil.effect.power import HidingRules, PowerResult, PowerRow, people_needed, power_table
from counterfoil.effect.values import Effect, Estimate, Group

__all__ = [
    "Effect",
    "Estimate",
    "Group",
    "HidingRules",
    "Inconclusive",
    "PowerResult",
    "PowerRow",
    "estimate",
    "inconclusive",
    "is_significant",
    "people_needed",
    "power_table",
]

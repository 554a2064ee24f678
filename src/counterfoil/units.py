"""Kinds of quantity and the words for their units. Rates are stored 0-1; differences of rates are points (x 100)."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What a measure counts. It decides the unit of a value and of a difference."""

    RATE = "rate"  # value 0-1, difference in percentage points
    COUNT = "count"  # per person, zeros included
    DAYS = "days"  # days
    AMOUNT = "amount"  # money and the like


def difference_scale(kind: Kind) -> float:
    """What a difference of stored values is multiplied by to be in its unit: 100 for rates (points), else 1."""
    return 100.0 if kind is Kind.RATE else 1.0

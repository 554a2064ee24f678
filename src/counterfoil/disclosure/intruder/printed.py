"""Which numbers a printed number can stand for, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`; whether each end itself belongs to it."""

    low: Fraction
    high: Fraction
    with_low: bool
    with_high: bool


def range_of(shown: str, step: int = 1) -> Range:
    """What "0.35" can stand for: 0.345 and over, under 0.355. Halves go away from zero, as `rounding` has it.

    `step` of the last decimal: "20" in steps of 5 stands for 17.5 to 22.5.
    """
    value = Fraction(shown)
    half = Fraction(step, 2 * 10 ** decimals_in(shown))
    return Range(value - half, value + half, with_low=value > 0, with_high=value < 0)


def decimals_in(shown: str) -> int:
    """Decimals of a printed number."""
    return len(shown.partition(".")[2])


def whole_from(low: Fraction, *, itself: bool) -> int:
    """The smallest whole number at or over `low`; over it, where the end itself does not belong."""
    return math.ceil(low) if itself else math.floor(low) + 1


def whole_to(high: Fraction, *, itself: bool) -> int:
    """The largest whole number at or under `high`."""
    return math.floor(high) if itself else math.ceil(high) - 1

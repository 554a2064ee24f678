"""Rounding, in one place. Halves go away from zero (2.5 to 3, -2.5 to -3), in every table and on every machine."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def round_half_up(value: float, decimals: int) -> float:
    """`value` rounded once. Decimal arithmetic on the shortest text of the float, so 0.285 goes to 0.29; never -0.0."""
    step = Decimal(1).scaleb(-decimals)
    return float(Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP)) + 0.0


def round_to_base(count: float, base: float) -> int:
    """A count to the nearest multiple of `base`, halves up (25 to base 10 is 30, where Python's round gives 20)."""
    steps = (Decimal(repr(float(count))) / Decimal(repr(float(base)))).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return int(steps * Decimal(repr(float(base))))

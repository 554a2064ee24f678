"""R2: a count over 0 and under T is not shown."""

from __future__ import annotations

from math import inf

from counterfoil.disclosure.cells import Cell, Rule, hidden
from counterfoil.disclosure.settings import DisclosureSettings


def is_count_safe(count: float | None, settings: DisclosureSettings) -> bool:
    """Zero, or T and over. What is not a whole number of people (None, NaN, -1, 9.5) is unsafe: fail shut."""
    if count is None or not 0 <= count < inf or count != int(count):
        return False
    return count == 0 or count >= settings.threshold


def protect_count(count: float | None, settings: DisclosureSettings) -> Cell:
    """An exact count where R2 clears it, else [c]."""
    if count is None or not is_count_safe(count, settings):
        return hidden(Rule.R2)
    return Cell(value=int(count))

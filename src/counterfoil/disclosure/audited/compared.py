"""Which comparison groups are counts of people.

A rate of weighted people is a real number: with weights that nobody is told, any number of those used can have had the
outcome, from one to all but one. What narrows that is how uneven the weights are (Kish's effective size, which is
printed, and which an interval gives away). A rate r over n people of effective size e leaves room for a share x of
those used only where (x - r)^2 <= c x (1 - x) with c = n / e - 1, which is sqrt(c^2 + 4 c r (1 - r)) / (1 + c) wide.
Where that is fewer than W people, the number is taken to be known, and the comparison group is audited as the treated
are.
"""

from __future__ import annotations

import math
from fractions import Fraction

from counterfoil.disclosure.cells import Cell
from counterfoil.disclosure.intruder import Exact, Share
from counterfoil.disclosure.intruder.statements import Pieces
from counterfoil.disclosure.settings import DisclosureSettings

ENDS = 2  # an interval of so many people more than W holds two whole numbers that are W apart


def counts_once(people: int, ess: float, settings: DisclosureSettings) -> bool:
    """Whether a rate of `people`, whose effective size is `ess`, gives the number with the outcome away.

    Judged by the rate that leaves the least room of those that R3 shows: T of them, or all but T.
    """
    if people < 1 or not ess > 0.0:
        return False
    rate = min(0.5, settings.threshold / people)
    uneven = max(0.0, people / ess - 1.0)
    room = people * math.sqrt(uneven**2 + 4.0 * uneven * rate * (1.0 - rate)) / (1.0 + uneven)
    return room < settings.min_width + ENDS


def as_printed(label: str, of: Pieces, over: Pieces, cell: Cell, count: int, people: int) -> Share | Exact:
    """A rate or mean of `count` over `people` as it is printed; or the count itself, where weights that differ a little
    put what is printed on the other side of a half."""
    low = Fraction(str(cell.value)) - Fraction(1, 2 * 10**cell.decimals)
    if people and low <= Fraction(count, people) < low + Fraction(1, 10**cell.decimals):
        return Share(label, of, over, f"{cell.value:.{cell.decimals}f}")
    return Exact(label, of, count)

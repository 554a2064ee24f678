"""R6 and R7: a rounded rate, an interval or a p-value can give a count back. Enumerate what a reader could conclude.

The reader is assumed strong: the comparison group's rate and variance and the multiplier of the standard error are
taken as known exactly. What is safe against that reader is safe against a real one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings


def totals_that_agree(shown: float, decimals: int, people: int) -> range:
    """Every whole total for which total / people is shown as `shown`, halves going up. `shown` is 0 or more."""
    half = Fraction(1, 2 * 10**decimals)
    rate = Fraction(repr(float(shown)))
    first = math.ceil((rate - half) * people)
    last = math.ceil((rate + half) * people) - 1
    return range(max(first, 0), last + 1)


def counts_that_agree(shown: float, decimals: int, people: int) -> range:
    """Every k of `people` for which k / people is shown as `shown` (0-1)."""
    totals = totals_that_agree(shown, decimals, people)
    return range(totals.start, min(totals.stop, people + 1))


def is_rate_vague(
    shown: float, decimals: int, sizes: Iterable[int], settings: DisclosureSettings, *, cleared: bool
) -> bool:
    """R6: the possible k span W, or N is large, or size and k are both cleared as exact (`cleared`).

    `sizes` is every N that agrees with all else that is published. Nothing that agrees is a contradiction: unsafe.
    """
    if cleared:
        return True
    possible = list(sizes)
    counts = [k for n in possible for k in counts_that_agree(shown, decimals, n)]
    if not counts:
        return False
    return min(possible) >= settings.large_group or max(counts) - min(counts) >= settings.min_width


@dataclass(frozen=True, slots=True)
class PublishedDifference:
    """A treated rate and the interval of a difference of rates, as printed, with what the reader may know besides."""

    rate: float  # 0-1, as shown
    rate_decimals: int
    difference: float  # points, as shown; so are low and high
    low: float
    high: float
    points_decimals: int
    comparison_rate: float  # 0-1
    comparison_variance: float  # of the comparison rate itself, points squared
    multiplier: float  # standard errors to the end of the interval
    below: bool  # the verdict says that the whole interval lies under zero
    above: bool  # or over it


def _agrees(published: PublishedDifference, events: int, people: int) -> bool:
    rate = events / people
    difference = 100 * (rate - published.comparison_rate)
    variance = 1e4 * rate * (1 - rate) / max(people - 1, 1) + published.comparison_variance
    half_width = published.multiplier * math.sqrt(variance)
    found = (difference, difference - half_width, difference + half_width)
    if (found[2] < 0, found[1] > 0) != (published.below, published.above):
        return False
    shown = (published.difference, published.low, published.high)
    return all(
        abs(round_half_up(value, published.points_decimals) - known) < 1e-9
        for value, known in zip(found, shown, strict=True)
    )


def sizes_that_agree(published: PublishedDifference, sizes: Iterable[int]) -> list[int]:
    """R7: every N of `sizes` that could have given what is printed."""
    return [
        n
        for n in sizes
        if any(_agrees(published, k, n) for k in counts_that_agree(published.rate, published.rate_decimals, n))
    ]


def sizes_from_wald(
    rate: float, low: float, high: float, sizes: Iterable[int], *, decimals: int, multiplier: float = 1.96
) -> list[int]:
    """R7 for one group: every N whose Wald interval around `rate` prints as `low` to `high` (all 0-1)."""

    def prints(n: int) -> bool:
        half_width = multiplier * math.sqrt(rate * (1 - rate) / n)
        return (round_half_up(rate - half_width, decimals), round_half_up(rate + half_width, decimals)) == (low, high)

    return [n for n in sizes if prints(n)]


def is_size_vague(possible: Iterable[int], submitted: int, settings: DisclosureSettings) -> bool:
    """What a reader can still believe of N spans W, and those lost between submitted and N could be T or more."""
    found = list(possible)
    if not found:
        return False
    return max(found) - min(found) >= settings.min_width and submitted - min(found) >= settings.threshold

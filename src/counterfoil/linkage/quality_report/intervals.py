"""Intervals for shares, and for sums and ratios of what is known with an interval.

Wilson's interval for one share (Wilson 1927, JASA 22); sums by the method of variance estimates recovery, which keeps
the asymmetry of its parts (Zou and Donner 2008, Statistics in Medicine 27; for strata Yan and Su 2010, Statistics in
Biopharmaceutical Research 2); ratios by the same (Donner and Zou 2012, Statistical Methods in Medical Research 21);
an imperfect reviewer by Rogan and Gladen (1978, American Journal of Epidemiology 107).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054  # 97.5th percentile of the normal distribution


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95% interval, in the estimate's own unit."""

    estimate: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """All three times a factor of 0 or more."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)

    def within(self, low: float, high: float) -> Interval:
        """All three moved to the nearest value between `low` and `high`."""
        return Interval(*(min(max(value, low), high) for value in (self.estimate, self.low, self.high)))


def exactly(value: float) -> Interval:
    """What is counted and not estimated."""
    return Interval(value, value, value)


def wilson(part: float, whole: float, z: float = Z95) -> Interval:
    """part / whole (0-1), `z` normal standard errors either way. With nothing looked at, anything is possible."""
    if whole <= 0:
        return Interval(0.5, 0.0, 1.0)
    share = part / whole
    scale = 1 + z**2 / whole
    centre = (share + z**2 / (2 * whole)) / scale
    half = z * sqrt(max(share * (1 - share), 0.0) / whole + z**2 / (4 * whole**2)) / scale
    return Interval(share, max(centre - half, 0.0), min(centre + half, 1.0))


def total(parts: Sequence[Interval]) -> Interval:
    """Sum of independent parts."""
    middle = sum(part.estimate for part in parts)
    below = sqrt(sum((part.estimate - part.low) ** 2 for part in parts))
    above = sqrt(sum((part.high - part.estimate) ** 2 for part in parts))
    return Interval(middle, middle - below, middle + above)


def difference(one: Interval, other: Interval) -> Interval:
    """one - other of independent shares (Newcombe 1998, Statistics in Medicine 17, method 10)."""
    return total([one, Interval(-other.estimate, -other.high, -other.low)])


def ratio(top: Interval, bottom: Interval) -> Interval:
    """top / bottom of independent numbers of 0 or more; `bottom.low` above 0."""
    t, b = top.estimate, bottom.estimate
    low = t * b - sqrt(max((t * b) ** 2 - top.low * bottom.high * (2 * t - top.low) * (2 * b - bottom.high), 0.0))
    high = t * b + sqrt(max((t * b) ** 2 - top.high * bottom.low * (2 * t - top.high) * (2 * b - bottom.low), 0.0))
    return Interval(
        t / b, max(low / (bottom.high * (2 * b - bottom.high)), 0.0), high / (bottom.low * (2 * b - bottom.low))
    )


def share_of(part: Interval, rest: Interval) -> Interval:
    """part / (part + rest) of independent numbers of 0 or more."""
    if part.low <= 0:
        worst = part.low / (part.low + rest.high) if part.low + rest.high > 0 else 0.0
        best = part.high / (part.high + rest.low) if part.high + rest.low > 0 else 1.0
        whole = part.estimate + rest.estimate
        return Interval(part.estimate / whole if whole else 0.5, max(worst, 0.0), best)
    odds = ratio(rest, part)
    return Interval(1 / (1 + odds.estimate), 1 / (1 + odds.high), 1 / (1 + max(odds.low, 0.0)))


def corrected(said: Interval, error: float) -> Interval:
    """The true share behind a share that reviewers said, each wrong with probability `error` (below 0.5) either way."""
    return Interval(*((value - error) / (1 - 2 * error) for value in (said.estimate, said.low, said.high))).within(0, 1)

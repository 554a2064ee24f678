"""Power before personal data: what a number of people can show, and what would be hidden, before anyone is uploaded.

The comparison group is treated as very large, as the published intervals of the Justice Data Lab fit (EVALUATION,
"Checking published results"). Normal approximation: at a base rate of 40%, 5 points need about 715 people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from counterfoil.errors import UsageError
from counterfoil.units import Kind, difference_scale

TYPICAL_CHANGE = 5.0  # points; what a charity's work may come to (EVALUATION, "Checking published results")
CURVE_POINTS = 60
BASE_RATE = 0.27  # a typical one-year proven reoffending rate of adults
ANALYSED_SHARES = (1.0, 0.75, 0.5, 0.25)  # published requests kept 11% to 74% of those submitted (EVALUATION A4)


@dataclass(frozen=True, slots=True)
class HidingRules:
    """What would hide a measure (DISCLOSURE: M and J of R1, T of R3, J of R9). A lab may be stricter."""

    people: int = 60  # submitted
    group: int = 30  # analysed; and with the outcome, for days
    count: int = 10  # with the outcome, and without


@dataclass(frozen=True, slots=True)
class PowerRow:
    """What can be shown when a share of the people submitted ends up analysed. Differences in points."""

    share: float  # analysed of those submitted, 0-1
    analysed: int  # people
    fewer: float  # smallest fall that would be seen, as a positive number of points
    more: float  # smallest rise
    half_width: float  # of the 95% interval at the base rate
    chance_rate_hidden: float  # 0-1, at the base rate
    chance_days_hidden: float  # time to first, which needs enough people who did it


@dataclass(frozen=True, slots=True)
class ComeBack:
    """How many people to come back with, so that a fall of `change` points shows, at one share analysed."""

    share: float  # analysed of those submitted, 0-1
    analysed: int  # people
    people: int  # submitted; never under what R1 asks


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One place on the curve: people analysed, and the smallest fall and rise in points that they would show."""

    analysed: int
    fewer: float
    more: float


@dataclass(frozen=True, slots=True)
class PowerCase:
    """Which sentence of the wording table says it, and the numbers that stand in its gaps, as characters."""

    key: str
    filling: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PowerResult:
    """The whole answer; `cases` name the sentences that say it, one a row and one for each rule that bites."""

    people: int
    rate: float
    alpha: float
    power: float
    rows: tuple[PowerRow, ...]
    cases: tuple[PowerCase, ...]
    change: float = 0.0  # points that it is hoped to show, as a positive number
    come_back: tuple[ComeBack, ...] = ()
    curve: tuple[CurvePoint, ...] = ()


def power_table(
    people: int,
    rate: float = BASE_RATE,
    shares: Sequence[float] = ANALYSED_SHARES,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    rules: HidingRules | None = None,
    change: float | None = None,
) -> PowerResult:
    """The smallest change that `people` can show against a base `rate` (0-1), two-sided, for each share analysed.

    `change`: a fall in points that it is hoped to show, TYPICAL_CHANGE by default; `come_back` says with how many
    people. UsageError where nobody would be left with the outcome.
    """
    _check(people, rate, shares, alpha, power)
    used = rules or HidingRules()
    reach = float(stats.norm.ppf(1.0 - alpha / 2.0) + stats.norm.ppf(power))
    rows = tuple(_row(people, share, rate, reach, alpha, used) for share in shares)
    hoped = min(TYPICAL_CHANGE, difference_scale(Kind.RATE) * rate / 2.0) if change is None else change
    needed = people_needed(-hoped, rate, alpha=alpha, power=power)
    back = tuple(_come_back(needed, share, used) for share in shares)
    said = _cases(people, rate, alpha, power, rows, used)
    if people >= used.people:  # what the numbers rest on stands last
        said = (*said[:-1], *_come_back_cases(people, hoped, back), said[-1])
    curve = _curve(max(people, needed), rate, reach, used)
    return PowerResult(people, rate, alpha, power, rows, said, hoped, back, curve)


def people_needed(points: float, rate: float = BASE_RATE, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """People analysed to show a change of `points` (negative: fewer) against a base `rate` (0-1)."""
    changed = rate + points / difference_scale(Kind.RATE)
    if points == 0.0 or not 0.0 < changed < 1.0:
        raise UsageError(
            "The change must not be 0 and must leave a rate between 0 and 100 in 100. Ask for another one."
        )
    _check(1, rate, (1.0,), alpha, power)
    return people_to_show(changed - rate, changed * (1.0 - changed), alpha=alpha, power=power)


def people_to_show(difference: float, variance: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """People whose mean would show a true `difference`. `variance`: of one treated person's share of the difference.

    The one rule of the power page and of an inconclusive report: errors shrink with the root of people.
    """
    reach = float(stats.norm.ppf(1.0 - alpha / 2.0) + stats.norm.ppf(power))
    return math.ceil(reach**2 * variance / difference**2)


def _check(people: int, rate: float, shares: Sequence[float], alpha: float, power: float) -> None:
    problems = []
    if people < 1:
        problems.append("The number of people must be a whole number from 1.")
    if not 0.0 < rate < 1.0:
        problems.append("The base rate must lie between 0 and 1; 27 of 100 people is 0.27.")
    if not shares or any(not 0.0 < share <= 1.0 for share in shares):
        problems.append("Each share analysed must be more than 0 and at most 1.")
    if not 0.0 < alpha < 1.0 or not 0.0 < power < 1.0:
        problems.append("The level of the test and the power must lie between 0 and 1; 0.05 and 0.8 are usual.")
    if problems:
        raise UsageError(*problems)


def _row(people: int, share: float, rate: float, reach: float, alpha: float, rules: HidingRules) -> PowerRow:
    analysed = max(1, math.floor(people * share + 0.5))
    fewer, more = _detectable(rate, analysed, reach)
    half_width = float(stats.norm.ppf(1.0 - alpha / 2.0)) * math.sqrt(rate * (1.0 - rate) / analysed)
    scale = difference_scale(Kind.RATE)
    return PowerRow(
        share=share,
        analysed=analysed,
        fewer=scale * fewer,
        more=scale * more,
        half_width=scale * half_width,
        chance_rate_hidden=_chance_hidden(people, analysed, rate, rules.count, rules),
        chance_days_hidden=_chance_hidden(people, analysed, rate, rules.group, rules, both_sides=False),
    )


def _detectable(rate: float, n: int, reach: float) -> tuple[float, float]:
    """The two changes c, down and up, with c = reach x sqrt(q (1 - q) / n) where q is the changed rate.

    The error is the changed group's own, so this is a quadratic in q: the Wilson limits at `reach`.
    """
    k = reach**2 / n
    middle, root = 2.0 * rate + k, math.sqrt(k * (k + 4.0 * rate * (1.0 - rate)))
    lower, upper = (middle - root) / (2.0 + 2.0 * k), (middle + root) / (2.0 + 2.0 * k)
    return rate - lower, upper - rate


def _chance_hidden(
    people: int, analysed: int, rate: float, least: int, rules: HidingRules, *, both_sides: bool = True
) -> float:
    """1 when R1 hides everything, else the binomial chance of too few with (or without) the outcome."""
    if people < rules.people or analysed < rules.group:
        return 1.0
    with_outcome = np.arange(analysed + 1)
    hidden = with_outcome < least
    if both_sides:
        hidden = hidden | (analysed - with_outcome < least)
    return float(stats.binom.pmf(with_outcome[hidden], analysed, rate).sum())


def _cases(
    people: int, rate: float, alpha: float, power: float, rows: tuple[PowerRow, ...], rules: HidingRules
) -> tuple[PowerCase, ...]:
    if people < rules.people:
        return (PowerCase("too_few", {"least": str(rules.people)}),)
    basis = {"rate": _per_hundred(rate), "level": _per_hundred(alpha), "power": _per_hundred(power)}
    return (*(_row_case(rate, row, rules) for row in rows), PowerCase("basis", basis))


def _row_case(rate: float, row: PowerRow, rules: HidingRules) -> PowerCase:
    whom = {"share": _per_hundred(row.share), "analysed": f"{row.analysed:,}"}
    if row.analysed < rules.group:
        return PowerCase("none_published", {**whom, "least": str(rules.group)})
    change = {"fewer": f"{row.fewer:.1f}", "more": f"{row.more:.1f}", "rate": _per_hundred(rate),
              "changed": f"{100.0 * rate - row.fewer:.1f}"}  # fmt: skip
    if row.chance_rate_hidden < 0.005:
        return PowerCase("change", {**whom, **change})
    return PowerCase("hidden", {**whom, **change, "chance": _per_hundred(row.chance_rate_hidden)})


def _per_hundred(share: float) -> str:
    return f"{100.0 * share:.3g}"


def _come_back(needed: int, share: float, rules: HidingRules) -> ComeBack:
    analysed = max(needed, rules.group)
    return ComeBack(share, analysed, max(math.ceil(round(analysed / share, 9)), rules.people))


def _come_back_cases(people: int, change: float, back: tuple[ComeBack, ...]) -> tuple[PowerCase, ...]:
    """When to ask again, for each share at which the people there are do not do."""
    points = f"{change:g}"
    return tuple(
        PowerCase("come_back", {"change": points, "share": _per_hundred(each.share), "people": f"{each.people:,}"})
        for each in back
        if each.people > people
    ) or (PowerCase("enough", {"change": points}),)


def _curve(most: int, rate: float, reach: float, rules: HidingRules) -> tuple[CurvePoint, ...]:
    """From the fewest that may be analysed to the most that matter, closer together where the curve is steep."""
    sizes = np.unique(np.geomspace(rules.group, max(most, 2 * rules.group), CURVE_POINTS).round().astype(int))
    scale = difference_scale(Kind.RATE)
    found = [(int(n), *_detectable(rate, int(n), reach)) for n in sizes]
    return tuple(CurvePoint(n, scale * fewer, scale * more) for n, fewer, more in found)

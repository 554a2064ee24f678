"""R17 among sub-analyses and the whole: what can be had by adding and taking away is T and D people, or is not shown.

A reader holds one sum for each population (the whole, and each sub-analysis that is shown) and may add and subtract
them. Every such combination, with factors -1, 0 and 1, must describe nobody or at least D people; where it describes
a plain set of people, its count with the outcome must pass R3 as if it were printed. So complements are covered, and
what is left of the whole after several sub-analyses together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from counterfoil.comparison.values import Band
from counterfoil.disclosure.beside import BoolArray, SubResult
from counterfoil.disclosure.measures import show_number
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.values import MAKER, NOT_APPLICABLE, Cell, ProtectedSubAnalysis, Rule, Verdict, hidden
from counterfoil.effect.values import Effect, Estimate
from counterfoil.units import Kind

P_DECIMALS = 2  # a finer one would give the size back (R7)
MOST = 8  # sub-analyses in one plan: every combination of them is looked at


def find_differenced(
    whole: BoolArray, parts: Sequence[BoolArray], outcome: npt.NDArray[np.float64] | None, settings: DisclosureSettings
) -> tuple[bool, ...]:
    """Which parts R17 hides, in order: a part is shown if it is safe beside the whole and all parts shown before it.

    `outcome`: 0 or 1 for each person where the measure is a rate, else None; NaN is nobody's outcome.
    """
    shown: list[BoolArray] = [whole]
    hides = []
    for part in parts:
        safe = _is_safe([*shown, part], outcome, settings)
        hides.append(not safe)
        if safe:
            shown.append(part)
    return tuple(hides)


def _is_safe(
    populations: Sequence[BoolArray], outcome: npt.NDArray[np.float64] | None, settings: DisclosureSettings
) -> bool:
    """Every combination in which the newest population has part. The atoms are people with the same membership."""
    stacked = np.column_stack(populations).astype(np.int8)
    atoms, place = np.unique(stacked, axis=0, return_inverse=True)
    people = np.bincount(place.ravel(), minlength=len(atoms))
    events = None
    if outcome is not None:
        events = np.bincount(place.ravel(), weights=np.nan_to_num(outcome), minlength=len(atoms))
    for others in itertools.product((-1, 0, 1), repeat=len(populations) - 1):
        made = atoms @ np.array([*others, 1], np.int64)
        described = made != 0
        n = int(people[described].sum())
        if 0 < n < settings.min_difference:
            return False
        plain = set(np.unique(made[described]).tolist()) in ({1}, {-1})
        if events is not None and plain and not is_rate_safe(round(float(events[described].sum())), n, settings):
            return False
    return True


def protect_sub_analyses(
    results: Sequence[SubResult],
    whole: BoolArray,
    outcome: npt.NDArray[np.float64] | None,
    submitted: int,
    settings: DisclosureSettings,
) -> tuple[ProtectedSubAnalysis, ...]:
    """All of the plan's, in its order; those that cannot be shown with the rule and never the number."""
    rules = [_why_hidden(result, submitted, settings) for result in results]
    open_ones = [result.members for result, rule in zip(results, rules, strict=True) if not rule]
    differenced = iter(find_differenced(whole, open_ones, outcome, settings))
    final = [rule or (Rule.R17.value if next(differenced) else "") for rule in rules]
    return tuple(_protect(result, rule, submitted, settings) for result, rule in zip(results, final, strict=True))


def _why_hidden(result: SubResult, submitted: int, settings: DisclosureSettings) -> str:
    if result.rule:
        return result.rule
    found = result.found
    if found is None or result.comparison is None:
        return "spread"
    effect = found.effect
    if effect is None or effect.compatible is None:
        return Rule.R1.value if found.why_not.startswith("Fewer") else "spread"
    people = (effect.treated.n, effect.comparison.n)
    if min(people) < settings.min_group:
        return Rule.R1.value
    if people != (result.comparison.n_treated_matched, result.comparison.n_comparison):
        return Rule.R17.value  # some have no outcome: two populations that hardly differ
    if effect.measure.kind is not Kind.RATE:
        return ""
    for group in (effect.treated, effect.comparison):
        if not is_rate_safe(group.events, group.n, settings):
            return Rule.R3.value
    return "" if is_size_left_vague(effect, effect.compatible, submitted, settings) else Rule.R7.value


def is_size_left_vague(
    effect: Effect, estimate: Estimate, submitted: int, settings: DisclosureSettings, *, p_holm: float | None = None
) -> bool:
    """R7: difference and interval in whole points (and p, where given) leave the sub-analysis's size open by W.

    The reader is taken to know the comparison group and the multiplier of the standard error exactly, but not the rate.
    """
    reader = _Reader(
        shown=tuple(round_half_up(v, 0) for v in (estimate.difference, estimate.low, estimate.high)),
        comparison_rate=effect.comparison.value,
        comparison_variance=1e4 * effect.comparison.variance / effect.comparison.ess,
        multiplier=(estimate.high - estimate.low) / 2.0 / _error(effect),
        df=estimate.df,
        p_holm=None if p_holm is None else round_half_up(p_holm, P_DECIMALS),
        steps=1.0 if p_holm is None or estimate.p <= 0.0 else p_holm / estimate.p,
    )
    sizes = [n for n in range(int(settings.min_group), submitted + 1) if reader.agrees(n)]
    return bool(sizes) and max(sizes) - min(sizes) >= settings.min_width


def _error(effect: Effect) -> float:
    parts = effect.treated.variance / effect.treated.ess + effect.comparison.variance / effect.comparison.ess
    return 100.0 * math.sqrt(parts)


@dataclass(frozen=True, slots=True)
class _Reader:
    """What a strong reader holds of one sub-analysis. Points, except rates and p (0-1)."""

    shown: tuple[float, ...]  # difference, low, high
    comparison_rate: float
    comparison_variance: float
    multiplier: float
    df: float | None
    p_holm: float | None
    steps: float  # what Holm multiplied p by

    def agrees(self, n: int) -> bool:
        """Whether a group of `n` could have printed all this."""
        rate = np.arange(n + 1) / n
        difference = 100.0 * (rate - self.comparison_rate)
        error = np.sqrt(1e4 * rate * (1.0 - rate) / max(n - 1, 1) + self.comparison_variance)
        half = self.multiplier * error
        ends = (difference, difference - half, difference + half)
        agreed = np.all([np.abs(a - b) <= 0.5 for a, b in zip(ends, self.shown, strict=True)], axis=0)
        if self.p_holm is not None:
            p = 2.0 * stats.t.sf(np.abs(difference) / np.maximum(error, 1e-9), self.df or np.inf)
            agreed &= np.abs(np.minimum(1.0, p * self.steps) - self.p_holm) <= 0.5 * 10.0**-P_DECIMALS
        return bool(agreed.any())


def _protect(result: SubResult, rule: str, submitted: int, settings: DisclosureSettings) -> ProtectedSubAnalysis:
    effect = None if rule or result.found is None else result.found.effect
    estimate = None if effect is None else effect.compatible
    blank = _blank(rule)
    decimals = 0 if effect is None or effect.measure.kind is Kind.RATE else max(0, effect.measure.decimals)
    comparison = result.comparison
    counts = [0 if comparison is None else comparison.count(band) for band in (Band.GREEN, Band.AMBER, Band.RED)]
    return ProtectedSubAnalysis(
        name=result.name,
        about=result.about,
        difference=blank if estimate is None else show_number(estimate.difference, decimals, None),
        low=blank if estimate is None else show_number(estimate.low, decimals, None),
        high=blank if estimate is None else show_number(estimate.high, decimals, None),
        p_holm=blank if effect is None else _p(effect, result, submitted, settings),
        verdict=_verdict(result, estimate),
        green=counts[0],
        amber=counts[1],
        red=counts[2],
        hidden=rule or None,
        after_start=result.after_start,
        maker=MAKER,
    )


def _p(effect: Effect, result: SubResult, submitted: int, settings: DisclosureSettings) -> Cell:
    """The corrected p, unless it would pin the size down."""
    p = None if result.found is None else result.found.p_holm
    if effect.compatible is None or p is None:
        return NOT_APPLICABLE
    is_rate = effect.measure.kind is Kind.RATE
    vague = not is_rate or is_size_left_vague(effect, effect.compatible, submitted, settings, p_holm=p)
    return show_number(p, P_DECIMALS, None if vague else Rule.R7)


def _blank(rule: str) -> Cell:
    known = {r.value: r for r in Rule}
    return hidden(known[rule]) if rule in known else NOT_APPLICABLE


def _verdict(result: SubResult, estimate: Estimate | None) -> Verdict:
    if estimate is None or result.found is None:
        return Verdict.HIDDEN
    if not result.found.significant:
        return Verdict.NOT_ENOUGH_EVIDENCE
    return Verdict.FEWER if estimate.difference < 0 else Verdict.MORE

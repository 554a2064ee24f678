"""R17 among sub-analyses and the whole: what can be had by adding and taking away is T and D people, or is not shown.

A reader holds one sum for each population (the whole, and each sub-analysis that is shown) and may add and subtract
them. In every such combination, with factors -1, 0 and 1, what is added and what is taken away must be nobody or at
least D people; where it describes a plain set of people, its count with the outcome must pass R3 as if it were printed.
So complements are covered, and what is left of the whole after several sub-analyses together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from counterfoil.comparison.values import Band, Comparison
from counterfoil.disclosure.beside import BoolArray, SubResult
from counterfoil.disclosure.cells import MAKER, NOT_APPLICABLE, Cell, Rule, hidden
from counterfoil.disclosure.measures import show_number
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_beside import ProtectedSubAnalysis
from counterfoil.disclosure.states import Verdict
from counterfoil.effect.values import Effect, Estimate
from counterfoil.units import Kind

P_DECIMALS = 2  # a finer one would give the size back (R7)
STEPS = (1, 2, 5)  # points that a difference of rates and its interval are rounded to: the finest that is safe
MOST_SHOWN = 11  # populations beside which another may be shown, the whole among them: 3^11 combinations
BLOCK = 3**8  # combinations looked at at once


def find_differenced(
    whole: BoolArray, parts: Sequence[BoolArray], outcome: npt.NDArray[np.float64] | None, settings: DisclosureSettings
) -> tuple[bool, ...]:
    """Which parts R17 hides, in order: a part is shown if it is safe beside the whole and all parts shown before it.

    `outcome`: 0 or 1 for each person where the measure is a rate, else None; NaN is nobody's outcome.
    """
    shown: list[BoolArray] = [whole]
    hides = []
    for part in parts:
        safe = is_safe_beside(shown, part, outcome, settings)
        hides.append(not safe)
        if safe:
            shown.append(part)
    return tuple(hides)


def is_safe_beside(
    shown: Sequence[BoolArray],
    new: BoolArray,
    outcome: npt.NDArray[np.float64] | None,
    settings: DisclosureSettings,
) -> bool:
    """Whether every combination in which `new` has part is nobody or D people, and passes R3 where it is a plain set.

    Beside more than `MOST_SHOWN` populations nothing is safe: there are too many combinations to look at.
    """
    if len(shown) > MOST_SHOWN:
        return False
    stacked = np.column_stack([*shown, new]).astype(np.int8)
    there = stacked.any(axis=1)  # whoever is in none of them is in no combination
    stacked, outcome = stacked[there], None if outcome is None else outcome[there]
    atoms, place = np.unique(stacked, axis=0, return_inverse=True)  # people with the same membership
    people = np.bincount(place.ravel(), minlength=len(atoms))
    events = None
    if outcome is not None:
        events = np.bincount(place.ravel(), weights=np.nan_to_num(outcome), minlength=len(atoms)).astype(np.float64)
    return all(_are_safe(atoms @ factors.T, people, events, settings) for factors in _factors(len(shown)))


def _factors(others: int) -> Iterator[npt.NDArray[np.int8]]:
    """Every way to add or take away `others` populations, a block at a time; the newest is added once."""
    every = itertools.product((-1, 0, 1), repeat=others)
    while block := list(itertools.islice(every, BLOCK)):
        yield np.column_stack([np.array(block, np.int8).reshape(len(block), others), np.ones(len(block), np.int8)])


def _are_safe(
    made: npt.NDArray[np.int8],
    people: npt.NDArray[np.int64],
    events: npt.NDArray[np.float64] | None,
    settings: DisclosureSettings,
) -> bool:
    """`made`: how often each atom (row) counts in each combination (column)."""
    for side in (made > 0, made < 0):  # what is added, and what is taken away
        size = people @ side
        if ((size > 0) & (size < settings.min_difference)).any():
            return False
    if events is None:
        return True
    least, most = made.min(axis=0), made.max(axis=0)
    plain = made[:, ((least >= 0) & (most == 1)) | ((most <= 0) & (least == -1))]
    described = plain != 0
    counts = np.unique(np.column_stack([np.rint(events @ described).astype(np.int64), people @ described]), axis=0)
    return all(is_rate_safe(has, n, settings) for has, n in counts.tolist())


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
    against = rule_against(effect, result.comparison, settings)
    if against or effect.measure.kind is not Kind.RATE:
        return against
    return "" if find_step(effect, effect.compatible, submitted, settings) else Rule.R7.value


def rule_against(effect: Effect, comparison: Comparison, settings: DisclosureSettings) -> str:
    """The rule that the people of an estimate beside the headline break: R1, R17 or R3; empty when none is."""
    people = (effect.treated.n, effect.comparison.n)
    if min(people) < settings.min_group:
        return Rule.R1.value
    if people != (comparison.n_treated_matched, comparison.n_comparison):
        return Rule.R17.value  # some have no outcome: two populations that hardly differ
    groups = (effect.treated, effect.comparison) if effect.measure.kind is Kind.RATE else ()
    safe = all(is_rate_safe(group.events, group.n, settings) for group in groups)
    return "" if safe else Rule.R3.value


def find_step(
    effect: Effect,
    estimate: Estimate,
    submitted: int,
    settings: DisclosureSettings,
    beside: Sequence[Reader] = (),
) -> int | None:
    """R7: the finest rounding, in points, of difference and interval that leaves the size open; None: even 5 does not.

    A measure that is no rate gives no such count away, and has its own decimals. `beside`: what is shown of the same
    people already.
    """
    if effect.measure.kind is not Kind.RATE:
        return 1
    made = ((step, read(effect, estimate, step=step)) for step in STEPS)
    return next((step for step, one in made if _is_open([one, *beside], submitted, settings)), None)


def is_size_left_vague(
    effect: Effect,
    estimate: Estimate,
    submitted: int,
    settings: DisclosureSettings,
    *,
    step: int,
    p_holm: float | None = None,
) -> bool:
    """R7: difference and interval in steps of points (and p, where given) leave the sub-analysis's size open by W.

    The reader is taken to know the comparison group and the multiplier of the standard error exactly, but not the rate.
    """
    return _is_open([read(effect, estimate, step=step, p_holm=p_holm)], submitted, settings)


def read(effect: Effect, estimate: Estimate, *, step: int, p_holm: float | None = None) -> Reader:
    """What a strong reader holds of a difference of rates and its interval in steps of points."""
    return Reader(
        shown=tuple(_to_step(v, step) for v in (estimate.difference, estimate.low, estimate.high)),
        step=step,
        comparison_rate=effect.comparison.value,
        comparison_variance=1e4 * effect.comparison.variance / effect.comparison.ess,
        multiplier=(estimate.high - estimate.low) / 2.0 / _error(effect),
        df=estimate.df,
        p_holm=None if p_holm is None else round_half_up(p_holm, P_DECIMALS),
        steps=1.0 if p_holm is None or estimate.p <= 0.0 else p_holm / estimate.p,
    )


def _is_open(readers: Sequence[Reader], submitted: int, settings: DisclosureSettings) -> bool:
    """Whether the sizes that agree with all that is shown of the same people span W. The people, so their rate, are
    the same in each."""

    def agrees(n: int) -> bool:
        return bool(np.logical_and.reduce([reader.counts(n) for reader in readers]).any())

    least = next((n for n in range(int(settings.min_group), submitted + 1) if agrees(n)), submitted)
    wide = range(least + settings.min_width, submitted + 1)
    return any(agrees(n) for n in reversed(wide))  # from the largest down: where it is open one is soon found


def _error(effect: Effect) -> float:
    parts = effect.treated.variance / effect.treated.ess + effect.comparison.variance / effect.comparison.ess
    return 100.0 * math.sqrt(parts)


@dataclass(frozen=True, slots=True)
class Reader:
    """What a strong reader holds of one estimate. Points, except rates and p (0-1)."""

    shown: tuple[float, ...]  # difference, low, high
    step: int  # that they are rounded to
    comparison_rate: float
    comparison_variance: float
    multiplier: float
    df: float | None
    p_holm: float | None
    steps: float  # what Holm multiplied p by

    def counts(self, n: int) -> BoolArray:
        """Which numbers with the outcome, from 0 to `n`, a group of `n` that printed all this could have had."""
        rate = np.arange(n + 1) / n
        difference = 100.0 * (rate - self.comparison_rate)
        error = np.sqrt(1e4 * rate * (1.0 - rate) / max(n - 1, 1) + self.comparison_variance)
        half = self.multiplier * error
        ends = (difference, difference - half, difference + half)
        near = [np.abs(a - b) <= self.step / 2 for a, b in zip(ends, self.shown, strict=True)]
        agreed: BoolArray = np.all(near, axis=0)
        if self.p_holm is not None:
            p = 2.0 * stats.t.sf(np.abs(difference) / np.maximum(error, 1e-9), self.df or np.inf)
            agreed &= np.abs(np.minimum(1.0, p * self.steps) - self.p_holm) <= 0.5 * 10.0**-P_DECIMALS
        return agreed


def _protect(result: SubResult, rule: str, submitted: int, settings: DisclosureSettings) -> ProtectedSubAnalysis:
    effect = None if rule or result.found is None else result.found.effect
    estimate = None if effect is None else effect.compatible
    blank = _blank(rule)
    ends = [blank] * 3
    p = blank
    if result.found is not None and effect is not None and estimate is not None:
        step = find_step(effect, estimate, submitted, settings) or STEPS[-1]
        ends = [end_of(v, effect, step) for v in (estimate.difference, estimate.low, estimate.high)]
        p = _p(effect, estimate, result.found.p_holm, submitted, settings)
    comparison = result.comparison
    counts = [0 if comparison is None else comparison.count(band) for band in (Band.GREEN, Band.AMBER, Band.RED)]
    return ProtectedSubAnalysis(
        name=result.name,
        about=result.about,
        difference=ends[0],
        low=ends[1],
        high=ends[2],
        p_holm=p,
        verdict=_verdict(result, estimate),
        green=counts[0],
        amber=counts[1],
        red=counts[2],
        hidden=rule or None,
        after_start=result.after_start,
        maker=MAKER,
    )


def _to_step(value: float, step: int) -> float:
    return round_half_up(value / step, 0) * step


def end_of(value: float, effect: Effect, step: int) -> Cell:
    """A difference, or an end of its interval, in steps of points; a measure that is no rate in its own decimals."""
    is_rate = effect.measure.kind is Kind.RATE
    return Cell(value=_to_step(value, step)) if is_rate else show_number(value, effect.measure.decimals, None)


def _p(effect: Effect, estimate: Estimate, p: float | None, submitted: int, settings: DisclosureSettings) -> Cell:
    """The corrected p, unless it would pin the size down."""
    if p is None:
        return NOT_APPLICABLE
    step = find_step(effect, estimate, submitted, settings) or STEPS[-1]
    vague = effect.measure.kind is not Kind.RATE or is_size_left_vague(
        effect, estimate, submitted, settings, step=step, p_holm=p
    )
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

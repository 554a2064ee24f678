"""Other ways to make the comparison, beside the headline's: one picture, whole points, never a number of people (R17).

Ways with the headline's treated people differ in the comparison group's weights only: they describe no other people, so
nothing can be had by taking one from another, and whole points are safe where the size is shown exactly. Where it is
not, a second interval on the same people is one more equation for its size, and none is shown.

Ways that leave some of the treated out (a caliper that matches fewer, people with an assessment, all but one site) are
populations of their own. A reader who holds the whole holds those left out too, so they are what R17 is asked about:
with everything shown before, each combination must be nobody or enough people (`sub_analyses`). How many are in such a
way stays open (R7), jointly over all that is shown of the same people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import Band
from counterfoil.disclosure.beside import BoolArray, WayResult
from counterfoil.disclosure.cells import MAKER, NOT_APPLICABLE, Cell, Rule, hidden
from counterfoil.disclosure.measures import is_weighted
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_beside import ProtectedWay
from counterfoil.disclosure.states import Verdict
from counterfoil.disclosure.sub_analyses import Reader, end_of, find_step, is_safe_beside, read, rule_against
from counterfoil.effect.values import Effect, Estimate
from counterfoil.units import Kind


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rest of the report says, beside which the other ways are read."""

    whole: BoolArray  # the treated analysed in the headline
    shown: tuple[BoolArray, ...]  # those of the sub-analyses that are shown
    outcome: npt.NDArray[np.float64] | None  # the headline's, where it is a rate
    submitted: int
    size_is_shown: bool  # the number of treated is printed, so for the same people an interval gives no size away
    hidden: Rule | None  # what hides the headline: nothing is shown in its place


@dataclass(slots=True)
class _Shown:
    """What is shown so far: populations, and for those that are not the whole what each estimate gives away."""

    populations: list[BoolArray]
    readers: list[tuple[BoolArray, Reader]] = field(default_factory=list)

    def beside(self, members: BoolArray) -> list[Reader]:
        """Of these very people."""
        return [reader for people, reader in self.readers if np.array_equal(people, members)]


def protect_ways(
    headline: WayResult,
    results: Sequence[WayResult],
    reading: Reading,
    settings: DisclosureSettings,
) -> tuple[ProtectedWay, ...]:
    """The headline's way and the others, in order; nothing when there is no other."""
    if not results:
        return ()
    first = "" if reading.hidden is None else reading.hidden.value
    shown = _Shown([reading.whole, *reading.shown])
    made = [_protect(headline, first, 1, reading, is_headline=True)]
    for result in results:
        rule, step = _judge(result, reading, shown, settings)
        made.append(_protect(result, rule, step, reading, is_headline=False))
    return tuple(made)


def protect_check(
    result: WayResult,
    outcome: npt.NDArray[np.float64],
    reading: Reading,
    settings: DisclosureSettings,
    *,
    is_measured_too: bool,
) -> ProtectedWay:
    """An outcome of its own (`outcome`, row by row). Nobody can be had by taking it from figures of another outcome;
    where the report measures it too (`is_measured_too`), R17 is asked about it like any other."""
    own = Reading(reading.whole, (), outcome, reading.submitted, reading.size_is_shown, reading.hidden)
    rule, step = _judge(result, own, _Shown([reading.whole] if is_measured_too else []), settings)
    return _protect(result, rule, step, own, is_headline=False)


def _judge(result: WayResult, reading: Reading, shown: _Shown, settings: DisclosureSettings) -> tuple[str, int]:
    """The rule that hides it, else what its points are rounded to. What is shown is added to `shown`."""
    if reading.hidden is not None:
        return reading.hidden.value, 1
    effect, comparison = result.effect, result.comparison
    if result.rule:
        return result.rule, 1
    if effect is None or comparison is None or effect.compatible is None:
        return "spread", 1
    if against := rule_against(effect, comparison, settings):
        return against, 1
    if np.array_equal(result.members, reading.whole):
        is_rate = effect.measure.kind is Kind.RATE
        return ("", 1) if reading.size_is_shown or not is_rate else (Rule.R7.value, 1)
    return _judge_population(result, effect, effect.compatible, reading, shown, settings)


def _judge_population(
    result: WayResult,
    effect: Effect,
    found: Estimate,
    reading: Reading,
    shown: _Shown,
    settings: DisclosureSettings,
) -> tuple[str, int]:
    """A way of other people than the headline's."""
    if is_weighted(effect.treated):  # no count over a size: what it would give away cannot be listed (R6)
        return Rule.R6.value, 1
    before = shown.beside(result.members)
    step = find_step(effect, found, reading.submitted, settings, before)
    if step is None:
        return Rule.R7.value, 1
    population = _told_apart(result.members, reading.whole) if shown.populations else result.members
    is_new = not any(np.array_equal(population, seen) for seen in shown.populations)
    if is_new and not is_safe_beside(shown.populations, population, reading.outcome, settings):
        return Rule.R17.value, 1
    if is_new:
        shown.populations.append(population)
    if effect.measure.kind is Kind.RATE:
        shown.readers.append((result.members, read(effect, found, step=step)))
    return "", step


def _told_apart(members: BoolArray, whole: BoolArray) -> BoolArray:
    """Those whom the whole has more, where a few are left out of it; else the people themselves.

    Several ways that each leave some out can be taken from the whole together, so it is these that must add up safely.
    """
    left_out: BoolArray = whole & ~members
    is_part = not bool((members & ~whole).any())
    return left_out if is_part and left_out.sum() < members.sum() else members


def _protect(result: WayResult, rule: str, step: int, reading: Reading, *, is_headline: bool) -> ProtectedWay:
    comparison = result.comparison
    counts = [0 if comparison is None else comparison.count(band) for band in (Band.GREEN, Band.AMBER, Band.RED)]
    difference, low, high = _cells(result, rule, step)
    return ProtectedWay(
        name=result.name,
        difference=difference,
        low=low,
        high=high,
        green=counts[0],
        amber=counts[1],
        red=counts[2],
        hidden=rule or None,
        is_headline=is_headline,
        maker=MAKER,
        group=result.group,
        label=result.label,
        verdict=_verdict(low, high, _exact(result, reading)),
    )


def _exact(result: WayResult, reading: Reading) -> Estimate | None:
    """The estimate itself where it is of the headline's people, whose size and rate are shown."""
    same = reading.size_is_shown and np.array_equal(result.members, reading.whole)
    return result.effect.compatible if same and result.effect is not None else None


def _verdict(low: Cell, high: Cell, exact: Estimate | None) -> Verdict:
    """Else of what is printed, so that the word gives no more away than the numbers: an end at 0 leaves 0 in."""
    if low.value is None or high.value is None:
        return Verdict.HIDDEN
    ends = (low.value, high.value) if exact is None else (exact.low, exact.high)
    return Verdict.MORE if ends[0] > 0 else Verdict.FEWER if ends[1] < 0 else Verdict.NOT_ENOUGH_EVIDENCE


def _cells(result: WayResult, rule: str, step: int) -> tuple[Cell, Cell, Cell]:
    effect = None if rule else result.effect
    if effect is None or effect.compatible is None:
        known = {r.value: r for r in Rule}
        blank = hidden(known[rule]) if rule in known else NOT_APPLICABLE
        return blank, blank, blank
    found = effect.compatible
    return end_of(found.difference, effect, step), end_of(found.low, effect, step), end_of(found.high, effect, step)

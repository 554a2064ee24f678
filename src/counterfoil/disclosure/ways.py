"""Other ways to make the comparison, beside the headline: one picture, whole points, never a number of people (R17).

Those whose treated are the headline's describe no other people. Those of fewer (people with an assessment) are a
population of their own: what is left of the whole without them must be nobody or enough people, whatever else is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import Band
from counterfoil.disclosure.beside import BoolArray, WayResult
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.sub_analyses import STEPS, end_of, find_differenced, find_step, rule_against
from counterfoil.disclosure.values import MAKER, NOT_APPLICABLE, Cell, ProtectedWay, Rule, hidden
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
    made = [_protect(headline, first, reading, settings, is_headline=True)]
    populations = list(reading.shown)
    for result in results:
        rule = reading.hidden.value if reading.hidden is not None else _why_hidden(result, reading, settings)
        if not rule and not any(np.array_equal(result.members, seen) for seen in (reading.whole, *populations)):
            if find_differenced(reading.whole, [*populations, result.members], reading.outcome, settings)[-1]:
                rule = Rule.R17.value
            else:
                populations.append(result.members)
        made.append(_protect(result, rule, reading, settings, is_headline=False))
    return tuple(made)


def _why_hidden(result: WayResult, reading: Reading, settings: DisclosureSettings) -> str:
    effect, comparison = result.effect, result.comparison
    if result.rule:
        return result.rule
    if effect is None or comparison is None or effect.compatible is None:
        return "spread"
    against = rule_against(effect, comparison, settings)
    if against or effect.measure.kind is not Kind.RATE:
        return against
    return "" if _step(result, effect, effect.compatible, reading, settings) else Rule.R7.value


def _step(
    result: WayResult, effect: Effect, found: Estimate, reading: Reading, settings: DisclosureSettings
) -> int | None:
    """Points that are rounded to: whole ones where the size is known anyway, else the finest that leaves it open."""
    if reading.size_is_shown and np.array_equal(result.members, reading.whole):
        return 1
    return find_step(effect, found, reading.submitted, settings)


def _protect(
    result: WayResult, rule: str, reading: Reading, settings: DisclosureSettings, *, is_headline: bool
) -> ProtectedWay:
    comparison = result.comparison
    counts = [0 if comparison is None else comparison.count(band) for band in (Band.GREEN, Band.AMBER, Band.RED)]
    difference, low, high = _cells(result, rule, reading, settings)
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
    )


def _cells(result: WayResult, rule: str, reading: Reading, settings: DisclosureSettings) -> tuple[Cell, Cell, Cell]:
    effect = None if rule else result.effect
    if effect is None or effect.compatible is None:
        known = {r.value: r for r in Rule}
        blank = hidden(known[rule]) if rule in known else NOT_APPLICABLE
        return blank, blank, blank
    found = effect.compatible
    step = _step(result, effect, found, reading, settings) or STEPS[-1]
    return end_of(found.difference, effect, step), end_of(found.low, effect, step), end_of(found.high, effect, step)

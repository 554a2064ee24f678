"""One measure: which rule hides which part of it, and the rest rounded once from unrounded results (R5, first kind)."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from counterfoil.disclosure.cells import MAKER, NOT_APPLICABLE, NOT_AVAILABLE, Cell, Rule, hidden
from counterfoil.disclosure.complement import find_complements
from counterfoil.disclosure.conditional import why_conditional_hidden
from counterfoil.disclosure.differencing import why_differencing_hidden
from counterfoil.disclosure.flow import Sizes, show_size
from counterfoil.disclosure.precision import (
    PublishedDifference,
    is_rate_vague,
    is_size_vague,
    sizes_that_agree,
    totals_that_agree,
)
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_measures import ProtectedEstimate, ProtectedGroup, ProtectedMeasure, ProtectedRatio
from counterfoil.disclosure.states import Verdict
from counterfoil.effect.values import Effect, Estimate, Group, Ratio
from counterfoil.outcomes.measures import Support
from counterfoil.units import Kind, difference_scale

P_DECIMALS = 3
RATIO_DECIMALS = 2
RATE_DECIMALS = 3  # of a rate 0-1: one decimal of a per cent
COARSE_RATE_DECIMALS = 2  # whole per cent, where the group's size is not shown
POINTS_DECIMALS = 1
COARSE_POINTS_DECIMALS = 0
WHOLE_AMOUNTS_FROM = 100.0  # an amount of this size or more is shown in whole units


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules need to know besides the measure itself. `possible_sizes` is every N a reader could believe."""

    analysed: int
    compared: int
    submitted: int
    sizes: Sizes
    possible_sizes: tuple[int, ...]
    rates_safe: bool  # every rate of the report passes R3 on both sides
    headline_events: tuple[int, int] | None  # people with the headline's outcome, treated and comparison
    settings: DisclosureSettings
    supports: tuple[tuple[int, int], ...] = ()  # people of the measures shown so far, treated and comparison
    paired: bool = False  # each of the treated has partners: how many there are tells how many the treated are

    @property
    def partners(self) -> int:
        """How many comparison people there are for each of the treated; 0 where that is no fixed number."""
        each, left = divmod(self.compared, self.analysed) if self.paired and self.analysed else (0, 0)
        return 0 if left else each


@dataclass(frozen=True, slots=True)
class Decimals:
    """Decimals of a stored value and of a difference."""

    value: int
    difference: int


@dataclass(frozen=True, slots=True)
class Hiding:
    """The rule that hides each part of a measure; None shows it."""

    treated: Rule | None = None
    comparison: Rule | None = None
    difference: Rule | None = None
    treated_n: Rule | None = None
    comparison_n: Rule | None = None


_WHOLE_COMPLEMENT = Hiding(Rule.R13, Rule.R13, Rule.R13, Rule.R13, Rule.R13)  # hidden to protect another


def decimals_of(effect: Effect, sizes: Sizes) -> Decimals:
    """How finely a measure is shown. Rates are coarser where the group's size is not shown exactly (R6, R7)."""
    kind = effect.measure.kind
    if kind is Kind.RATE:
        exact = sizes is Sizes.EXACT
        return Decimals(
            value=RATE_DECIMALS if exact else COARSE_RATE_DECIMALS,
            difference=POINTS_DECIMALS if exact else COARSE_POINTS_DECIMALS,
        )
    if kind is Kind.AMOUNT and max(abs(effect.treated.value), abs(effect.comparison.value)) >= WHOLE_AMOUNTS_FROM:
        return Decimals(value=0, difference=0)
    return Decimals(value=effect.measure.decimals, difference=effect.measure.decimals)


def protect_measures(
    effects: Sequence[Effect], context: Context, asked: Collection[str] = ()
) -> tuple[ProtectedMeasure, ...]:
    """Every measure in turn. Each is judged beside all that were shown before it; then those that add up together.

    `asked`: names of measures that the intruder audit hides.
    """
    left = {context.analysed: context.possible_sizes}  # of those whom a measure is over, by how many they are
    made: list[ProtectedMeasure] = []
    again: list[tuple[Effect, Context, Decimals]] = []
    for effect in effects:
        decimals = decimals_of(effect, context.sizes)
        people = context.analysed if effect.measure.support is Support.THOSE_WITH else effect.treated.n
        sizes = left.get(people, ())
        judged = replace(context, possible_sizes=sizes or possible_sizes(people, context))
        hiding = _WHOLE_COMPLEMENT if effect.measure.name in asked else find_hiding(effect, judged, decimals)
        made.append(protect_measure(effect, hiding, judged, decimals))
        again.append((effect, judged, decimals))
        left[people] = sizes_left(effect, hiding, judged, decimals)
        if hiding.treated_n is None and effect.measure.support is Support.ALL:
            context = replace(context, supports=(*context.supports, (effect.treated.n, effect.comparison.n)))
    complements = find_complements(made)
    return tuple(
        protect_measure(effect, _WHOLE_COMPLEMENT, judged, decimals) if one.measure.name in complements else one
        for one, (effect, judged, decimals) in zip(made, again, strict=True)
    )


def possible_sizes(people: int, context: Context) -> tuple[int, ...]:
    """Every N that agrees with the flow. A hidden one lies between J and the submitted; only those near the truth are
    looked at (ten widths), since a reader who is unsure within them is unsure."""
    submitted, sizes, settings = context.submitted, context.sizes, context.settings
    if sizes is Sizes.EXACT:
        return (people,)
    if sizes is Sizes.ROUNDED:
        shown = show_size(people, submitted, sizes, settings).value or 0
        reach = int(settings.rounding_base)
        return tuple(
            n
            for n in range(int(shown) - reach, min(submitted, int(shown) + reach) + 1)
            if n >= settings.min_group and show_size(n, submitted, sizes, settings).value == shown
        )
    reach = int(10 * settings.min_width)
    return tuple(range(max(int(settings.min_group), people - reach), submitted + 1))


def protect_measure(effect: Effect, hiding: Hiding, context: Context, decimals: Decimals) -> ProtectedMeasure:
    """A measure as it may be shown, once it is decided what hides."""
    verdict = _verdict(effect.compatible, hiding.difference)
    return ProtectedMeasure(
        measure=effect.measure,
        treated=_group(effect, effect.treated, decimals, n=_treated_n(effect, hiding, context), rule=hiding.treated),
        comparison=_group(
            effect, effect.comparison, decimals, n=_comparison_n(effect, hiding, context), rule=hiding.comparison
        ),
        estimate=_estimate(effect.compatible, decimals, hiding.difference, context),
        score=None if effect.score is None else _beside(effect.score, decimals, hiding.difference, context),
        adjusted=None if effect.adjusted is None else _beside(effect.adjusted, decimals, hiding.difference, context),
        verdict=verdict,
        disagrees=() if verdict is Verdict.HIDDEN else effect.disagrees,
        hidden=hiding.difference,
        maker=MAKER,
        ratio=None if effect.ratio is None else _ratio(effect.ratio, hiding.difference, context),
    )


def find_hiding(effect: Effect, context: Context, decimals: Decimals) -> Hiding:
    """Which rule hides what. The first rule that speaks is the one that is named."""
    whole = _why_hidden(effect, context, decimals)
    if whole is not None:
        return Hiding(treated=whole, comparison=whole, difference=whole, treated_n=whole, comparison_n=whole)
    if effect.measure.kind is not Kind.RATE:
        return Hiding()
    return _hide_rate(effect, context, decimals)


def sizes_left(effect: Effect, hiding: Hiding, context: Context, decimals: Decimals) -> tuple[int, ...]:
    """Every N that a reader could still believe after this measure is shown. Joint with all measures before it."""
    sizes, kind = context.possible_sizes, effect.measure.kind
    if context.sizes is Sizes.EXACT or hiding.treated is not None or effect.measure.support is Support.THOSE_WITH:
        return sizes
    if effect.measure.exposure:  # a total of time, which is no whole number
        return sizes
    shown = abs(round_half_up(effect.treated.value, decimals.value))
    is_whole = kind is not Kind.AMOUNT or bool(effect.measure.sum_of)
    if context.partners and is_whole and hiding.comparison is None:  # a total over so many times as many people
        other = abs(round_half_up(effect.comparison.value, decimals.value))
        sizes = tuple(n for n in sizes if totals_that_agree(other, decimals.value, n * context.partners))
    if kind is Kind.RATE and hiding.difference is None and effect.compatible is not None:
        return tuple(sizes_that_agree(published_difference(effect, effect.compatible, decimals), sizes))
    if is_whole:  # totals that are whole numbers
        return tuple(n for n in sizes if totals_that_agree(shown, decimals.value, n))
    return sizes


def _why_hidden(effect: Effect, context: Context, decimals: Decimals) -> Rule | None:
    """The rule that hides the whole of a measure."""
    settings = context.settings
    groups = (effect.treated, effect.comparison)
    people = (effect.treated.n, effect.comparison.n)
    if effect.measure.support is Support.THOSE_WITH:
        rule = why_conditional_hidden(people, (context.analysed, context.compared), settings)
        if rule is None and not context.rates_safe and people != context.headline_events:
            return Rule.R3  # those of the headline's rate are judged by themselves
        return rule or why_differencing_hidden(people, context.headline_events or people, settings)
    beside = ((context.analysed, context.compared), *context.supports)
    if any(why_differencing_hidden(people, others, settings) for others in beside) or (
        people[0] > context.analysed or people[1] > context.compared  # people nobody compared: fail shut
    ):
        return Rule.R17
    if min(people) < settings.min_group:
        return Rule.R1
    if effect.measure.kind is Kind.COUNT:
        return _why_count_hidden(effect, context, decimals)
    if effect.measure.kind is not Kind.RATE and any(_is_dominated(g, settings) for g in groups):
        return Rule.R8
    if effect.measure.kind is not Kind.RATE and not _is_left_vague(effect, Hiding(), context, decimals):
        return Rule.R6
    return None


def _is_dominated(group: Group, settings: DisclosureSettings) -> bool:
    """R8: fewer than T people make up the total, or one has too much of it. Figures not given are not judged."""
    few = group.events is not None and group.events < settings.threshold
    return few or (group.largest is not None and group.largest > settings.max_unit_share)


def _why_count_hidden(effect: Effect, context: Context, decimals: Decimals) -> Rule | None:
    """A mean count bounds the people behind it (they are at most the total), and its own size (the total is whole)."""
    for group in (effect.treated, effect.comparison):
        if not group.value * group.n >= context.settings.threshold:
            return Rule.R2
        if group.events is not None and not is_rate_safe(group.events, group.n, context.settings):
            return Rule.R3
    if is_weighted(effect.treated) and context.sizes is not Sizes.EXACT:
        return Rule.R6
    known = effect.treated.events is not None and effect.comparison.events is not None
    if not (known or context.rates_safe):
        return Rule.R3
    return None if _is_left_vague(effect, Hiding(), context, decimals) else Rule.R6


def _hide_rate(effect: Effect, context: Context, decimals: Decimals) -> Hiding:
    treated = _why_rate_hidden(effect.treated, context.settings)
    if treated is None and is_weighted(effect.treated) and context.sizes is not Sizes.EXACT:
        treated = Rule.R6  # not a count over a size: what it would give away cannot be listed, so it is not shown
    comparison = _why_rate_hidden(effect.comparison, context.settings)
    if treated is None and not _is_treated_rate_vague(effect, context, decimals):
        treated = Rule.R6
    difference = treated or comparison
    if difference is None and not _is_left_vague(effect, Hiding(), context, decimals):
        difference = Rule.R7
    return Hiding(treated=treated, comparison=comparison, difference=difference)


def is_weighted(group: Group) -> bool:
    """Whether people count unequally, as the treated do when the answer is for everyone (ATE) or for overlap (ATO)."""
    return group.ess < group.n * (1.0 - 1e-9)


def _is_left_vague(effect: Effect, hiding: Hiding, context: Context, decimals: Decimals) -> bool:
    """Whether a size that is not shown stays as vague as the flow needs once this measure is shown too (R7, R11)."""
    if context.sizes is Sizes.EXACT:
        return True
    return is_size_vague(sizes_left(effect, hiding, context, decimals), context.submitted, context.settings)


def _why_rate_hidden(group: Group, settings: DisclosureSettings) -> Rule | None:
    return None if is_rate_safe(group.events, group.n, settings) else Rule.R3


def _is_treated_rate_vague(effect: Effect, context: Context, decimals: Decimals) -> bool:
    """R6 on the rate alone, without its interval."""
    shown = round_half_up(effect.treated.value, decimals.value)
    exact = context.sizes is Sizes.EXACT
    alone = Hiding(difference=Rule.R7)
    return is_rate_vague(
        shown, decimals.value, context.possible_sizes, context.settings, cleared=exact
    ) and _is_left_vague(effect, alone, context, decimals)


def published_difference(effect: Effect, estimate: Estimate, decimals: Decimals) -> PublishedDifference:
    """What a strong reader would hold of a printed difference of rates."""
    variance = 1e4 * effect.comparison.variance / effect.comparison.ess
    error = math.sqrt(1e4 * effect.treated.variance / effect.treated.ess + variance)
    return PublishedDifference(
        rate=round_half_up(effect.treated.value, decimals.value),
        rate_decimals=decimals.value,
        difference=round_half_up(estimate.difference, decimals.difference),
        low=round_half_up(estimate.low, decimals.difference),
        high=round_half_up(estimate.high, decimals.difference),
        points_decimals=decimals.difference,
        comparison_rate=effect.comparison.value,
        comparison_variance=variance,
        multiplier=(estimate.high - estimate.low) / 2.0 / error,
        below=estimate.high < 0,
        above=estimate.low > 0,
    )


def _verdict(estimate: Estimate | None, rule: Rule | None) -> Verdict:
    if rule is not None or estimate is None or not _is_finite(estimate):
        return Verdict.HIDDEN
    if estimate.high < 0:
        return Verdict.FEWER
    return Verdict.MORE if estimate.low > 0 else Verdict.NOT_ENOUGH_EVIDENCE


def _is_finite(estimate: Estimate) -> bool:
    return all(map(math.isfinite, (estimate.difference, estimate.low, estimate.high, estimate.p)))


def show_number(value: float, decimals: int, rule: Rule | None) -> Cell:
    """A number rounded once; [c] where a rule hides it; [x] where there is none."""
    if rule is not None:
        return hidden(rule)
    if not math.isfinite(value):
        return NOT_AVAILABLE
    return Cell(value=round_half_up(value, decimals), decimals=decimals)


def _treated_n(effect: Effect, hiding: Hiding, context: Context) -> Cell:
    if hiding.treated_n is not None:
        return hidden(hiding.treated_n)
    return show_size(effect.treated.n, context.submitted, context.sizes, context.settings)


def _comparison_n(effect: Effect, hiding: Hiding, context: Context) -> Cell:
    """Of pairs it is the size of the treated group over again, so only beside an exact one (R7)."""
    second = Rule.R7 if context.paired and context.sizes is not Sizes.EXACT else None
    rule = hiding.comparison_n or second
    return Cell(value=effect.comparison.n) if rule is None else hidden(rule)


def _group(effect: Effect, group: Group, decimals: Decimals, *, n: Cell, rule: Rule | None) -> ProtectedGroup:
    is_rate = effect.measure.kind is Kind.RATE
    return ProtectedGroup(
        n=n,
        value=show_number(group.value, decimals.value, rule),
        per_100=show_number(difference_scale(Kind.RATE) * group.value, 0, rule) if is_rate else NOT_APPLICABLE,
        maker=MAKER,
    )


def _estimate(estimate: Estimate | None, decimals: Decimals, rule: Rule | None, context: Context) -> ProtectedEstimate:
    """The compatible test. p is shown only beside an exact size: like an interval, it gives n away (R7)."""
    if estimate is None:
        empty = hidden(rule) if rule is not None else NOT_AVAILABLE
        return ProtectedEstimate(difference=empty, low=empty, high=empty, p=empty, maker=MAKER)
    p_rule = rule if rule is not None or context.sizes is Sizes.EXACT else Rule.R7
    return ProtectedEstimate(
        difference=show_number(estimate.difference, decimals.difference, rule),
        low=show_number(estimate.low, decimals.difference, rule),
        high=show_number(estimate.high, decimals.difference, rule),
        p=show_number(estimate.p, P_DECIMALS, p_rule),
        maker=MAKER,
    )


def _beside(estimate: Estimate, decimals: Decimals, rule: Rule | None, context: Context) -> ProtectedEstimate:
    """A second interval on the same people: one more equation for a reader, so only beside an exact size."""
    second = rule if rule is not None or context.sizes is Sizes.EXACT else Rule.R7
    return _estimate(estimate, decimals, second, context)


def _ratio(ratio: Ratio, rule: Rule | None, context: Context) -> ProtectedRatio:
    """A ratio and its interval: like a second interval, only beside an exact size."""
    second = rule if rule is not None or context.sizes is Sizes.EXACT else Rule.R7
    value, low, high = (show_number(end, RATIO_DECIMALS, second) for end in (ratio.value, ratio.low, ratio.high))
    return ProtectedRatio(value=value, low=low, high=high, maker=MAKER)

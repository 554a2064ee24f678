"""Which sentence a protected result gets. A table of cases; the numbers come from its cells by reference."""

from __future__ import annotations

from dataclasses import dataclass, replace

from counterfoil.disclosure import (
    NOT_AVAILABLE,
    Band,
    Better,
    Cell,
    Design,
    Estimand,
    Protected,
    ProtectedMeasure,
    Support,
    Verdict,
)
from counterfoil.report import numbers
from counterfoil.report.further import sample_caveats
from counterfoil.report.trust import caveats_of_trust, hedge_of
from counterfoil.report.words import Words
from counterfoil.units import Kind

DISAGREES = {"score": "caveat.disagrees", "adjusted": "caveat.disagrees_adjusted"}
HUNDRED_DECIMALS = 2  # a count shown to this many decimals a person is a whole number for every 100 people


@dataclass(frozen=True, slots=True)
class Statement:
    """What a report says of one measure."""

    headline: str
    interval: str
    direction: str
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """Headline and interval together."""
        return f"{self.headline} {self.interval}"


def statement_of(measure: ProtectedMeasure, design: Design, words: Words) -> Statement:
    """The sentences of one measure."""
    case = f"{measure.measure.kind.value}.{measure.verdict.value}"
    filling = _filling(measure, design, words)
    notes = [words("caveat.conditional")] if measure.measure.support is Support.THOSE_WITH else []
    notes += [words("caveat.over", over=measure.measure.over)] if measure.measure.over else []
    no_interval = measure.verdict is Verdict.HIDDEN and measure.hidden is None
    return Statement(
        headline=words(f"headline.{case}", **filling),
        interval=words("unavailable.interval" if no_interval else f"interval.{case}", **filling),
        direction=_direction(measure, words),
        notes=tuple(notes),
    )


def headline_of(protected: Protected, words: Words) -> Statement:
    """The headline's sentences; where a check found a warning sign, the first says that too."""
    said = statement_of(protected.headline, protected.design, words)
    hedge = hedge_of(protected, words)
    return replace(said, headline=f"{said.headline} {hedge}") if hedge else said


def verdict_word(measure: ProtectedMeasure, words: Words) -> str:
    """The verdict in a word or two. An amount is lower or higher, never fewer or more."""
    amounts = {Verdict.FEWER: "lower", Verdict.MORE: "higher"}
    verdict = measure.verdict
    key = amounts.get(verdict, verdict.value) if measure.measure.kind is Kind.AMOUNT else verdict.value
    return words(f"verdict.{key}")


def caveats_of(protected: Protected, words: Words) -> tuple[str, ...]:
    """What the headline must carry: red or amber balance, and tests that disagree."""
    found = []
    if not protected.reliable:
        found.append(words("caveat.unreliable"))
    elif protected.balance.count(Band.AMBER) or protected.balance.count(Band.RED):
        found.append(words("caveat.amber" if protected.design is Design.MATCHED else "caveat.lot"))
    found += [words(DISAGREES[way]) for way in protected.headline.disagrees]
    return (*found, *caveats_of_trust(protected, words), *sample_caveats(protected, words))


def power_of(protected: Protected, words: Words) -> tuple[str, ...]:
    """For an inconclusive headline: what these people could have shown, and what would settle it."""
    if protected.verdict is not Verdict.NOT_ENOUGH_EVIDENCE:
        return ()
    kind = protected.headline.measure.kind
    more = _more_people(protected, words)
    if protected.smallest_detectable.value is None:
        return (more,)
    unit = words("power.unit_rate") if kind is Kind.RATE else words.given(protected.headline.measure.unit or kind.value)
    return (words("power.smallest", smallest=numbers.size(protected.smallest_detectable), unit=unit), more)


def _more_people(protected: Protected, words: Words) -> str:
    """How many people would settle it: the power page's own arithmetic."""
    needed, analysed = protected.people_needed, protected.attrition.analysed
    if needed == NOT_AVAILABLE:
        return words("power.too_many")
    if needed.value is None or analysed.value is None:
        return words("power.more_people")
    return words("power.people_needed", people=numbers.plain(needed), analysed=numbers.plain(analysed))


def estimand_of(protected: Protected, words: Words) -> str:
    """The question that was asked and, where it is another, the one that is answered."""
    achieved = words(f"estimand.{protected.estimand.name}")
    if protected.asked is None or protected.asked is protected.estimand:
        return words("method.estimand", estimand=achieved)
    return words("method.estimand_other", asked=words(f"estimand.{protected.asked.name}"), estimand=achieved)


def scope_of(protected: Protected, words: Words) -> str:
    """Who the result is about."""
    analysed, submitted = protected.attrition.analysed, protected.attrition.submitted
    key = "exact"
    if analysed.value is None:
        key = "hidden"
    elif analysed.value == submitted.value:
        key = "all"
    elif analysed.about:
        key = "about"
    filling = {"analysed": numbers.plain(analysed), "submitted": numbers.plain(submitted)}
    other = words("scope.other_all" if key == "all" else "scope.other")
    weighted = protected.estimand in (Estimand.ATE, Estimand.ATO)
    whom = f" {words(f'scope.weighted_{protected.estimand.name}')}" if weighted else ""
    return f"{words(f'scope.people_{key}', **filling)}{whom} {other}"


def can_say(protected: Protected, words: Words) -> tuple[str, ...]:
    """What a reader may say of the headline measure."""
    measure = protected.headline
    if measure.verdict is Verdict.HIDDEN:
        return (words("can.hidden"),)
    said = headline_of(protected, words)
    inconclusive = measure.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    chance = "borderline" if measure.disagrees else "possible" if inconclusive else "unlikely"
    return (
        words("can.among", headline=said.headline),
        words("can.range", interval=said.interval),
        words(f"can.chance_{chance}"),
        *((words("can.more_needed"),) if inconclusive else ()),
        *(() if protected.reliable else (words("can.caution"),)),
    )


def cannot_say(protected: Protected, words: Words) -> tuple[str, ...]:
    """What a reader may not say, whatever the result, and what this result tempts to."""
    verdict = protected.verdict
    tempting = {
        Verdict.NOT_ENOUGH_EVIDENCE: "failed",
        Verdict.HIDDEN: "worked",
    }.get(verdict, "relative" if protected.headline.measure.kind is Kind.RATE else "relative_other")
    causes = (f"cause_{protected.design.value}",) if verdict in (Verdict.FEWER, Verdict.MORE) else ()
    return tuple(words(f"cannot.{key}") for key in (*causes, tempting, "others", "league", "person"))


def _direction(measure: ProtectedMeasure, words: Words) -> str:
    hoped = {Better.LOWER: Verdict.FEWER, Better.HIGHER: Verdict.MORE}
    if measure.verdict not in (Verdict.FEWER, Verdict.MORE) or measure.measure.better is Better.NEITHER:
        return ""
    return words("direction.hoped_for" if hoped[measure.measure.better] is measure.verdict else "direction.opposite")


def _filling(measure: ProtectedMeasure, design: Design, words: Words) -> dict[str, str]:
    kind, estimate = measure.measure.kind, measure.estimate
    ends = sorted((estimate.low, estimate.high), key=lambda cell: abs(cell.value or 0.0))
    return {
        "label": words.given(measure.measure.label),
        "noun": measure.measure.noun or words(f"noun.{kind.value}"),
        "unit": words.given(measure.measure.unit or kind.value),
        "per": words("per.hundred" if _is_for_hundred(measure) else "per.person"),
        "who_treated": words(f"who.{design.value}.treated"),
        "who_comparison": words(f"who.{design.value}.comparison"),
        "treated": value_in_words(measure.treated.per_100, measure.treated.value, measure),
        "comparison": value_in_words(measure.comparison.per_100, measure.comparison.value, measure),
        "near": _difference(ends[0], measure),
        "far": _difference(ends[1], measure),
        "fewer": _difference(estimate.low, measure),
        "more": _difference(estimate.high, measure),
    }


def _is_for_hundred(measure: ProtectedMeasure) -> bool:
    return measure.measure.kind is Kind.COUNT and measure.measure.decimals >= HUNDRED_DECIMALS


def value_in_words(per_100: Cell, value: Cell, measure: ProtectedMeasure) -> str:
    """A value as a sentence has it: whole people of every 100, events for every 100 people, or the number."""
    if measure.measure.kind is Kind.RATE:
        return numbers.plain(per_100)
    return numbers.for_every_hundred(value) if _is_for_hundred(measure) else numbers.plain(value)


def _difference(cell: Cell, measure: ProtectedMeasure) -> str:
    return numbers.for_every_hundred(cell) if _is_for_hundred(measure) else numbers.size(cell)

"""What is said of several results together. A table of cases, as for one report; numbers come from protected cells."""

from __future__ import annotations

from counterfoil.disclosure import Cell, ProtectedPool, ProtectedStudy, Verdict
from counterfoil.report import numbers
from counterfoil.report.words import Words
from counterfoil.units import Kind

TWO = "two"


def case_of(pool: ProtectedPool) -> str:
    """Which row of the table of cases: the finding, or that there are but two results."""
    return TWO if pool.verdict is None else pool.verdict.value


def unit_of(pool: ProtectedPool, words: Words) -> str:
    """The unit of the differences, in words."""
    measure = pool.measure
    return words("power.unit_rate") if measure.kind is Kind.RATE else words.given(measure.unit or measure.kind.value)


def headline_of(pool: ProtectedPool, words: Words) -> str:
    """What the results come to, in a sentence."""
    measure, case, size = pool.measure, case_of(pool), numbers.size(pool.mean.difference)
    if measure.kind is Kind.RATE and pool.verdict in (Verdict.FEWER, Verdict.MORE):
        noun, label = measure.noun or words("noun.rate"), words.given(measure.label)
        return words(f"pool.headline_rate.{case}", size=size, noun=noun, label=label)
    return words(f"pool.headline.{case}", size=size, unit=unit_of(pool, words))


def interval_of(pool: ProtectedPool, words: Words) -> str:
    """How sure of it a reader can be."""
    near, far = sorted((pool.mean.low, pool.mean.high), key=lambda cell: abs(cell.value or 0.0))
    return words(
        f"pool.interval.{case_of(pool)}",
        label=words.given(pool.measure.label),
        unit=unit_of(pool, words),
        near=numbers.size(near),
        far=numbers.size(far),
        fewer=numbers.size(pool.mean.low),
        more=numbers.size(pool.mean.high),
    )


def caveats_of(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    """What the headline must carry."""
    found = () if pool.reliable else (words("pool.caution"),)
    return (*found, *((words("pool.disagrees"),) if pool.disagrees else ()))


def further_of(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    """What stands under the headline: of whom it is an average, and how much they differ."""
    if pool.verdict is None:
        return ()
    one = len({study.released.title for study in pool.studies}) == 1
    ends = {"low": numbers.signed(pool.prediction.low), "high": numbers.signed(pool.prediction.high)}
    between = [percent_of(c) for c in (pool.between.value, pool.between.low, pool.between.high)]
    return (
        words("pool.further_average", label=words("pool.one_service" if one else "pool.services")),
        words("pool.further_prediction", unit=unit_of(pool, words), **ends),
        words("pool.further_between", between=between[0], low=between[1], high=between[2]),
    )


def can_of(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    """What a reader may say of them together."""
    if pool.verdict is None:
        return (words("pool.can.side"),)
    chance = "possible" if pool.verdict is Verdict.NOT_ENOUGH_EVIDENCE else "unlikely"
    return (
        words("pool.can.average", headline=headline_of(pool, words)),
        words("pool.can.range", interval=interval_of(pool, words)),
        words(f"pool.can.chance_{chance}"),
    )


def cannot_of(pool: ProtectedPool, words: Words) -> tuple[str, ...]:
    """What a reader may not say, whatever they come to."""
    last = "cause" if pool.verdict in (Verdict.FEWER, Verdict.MORE) else "failed"
    return tuple(words(f"pool.cannot.{key}") for key in ("ranking", "each", last))


def period_of(study: ProtectedStudy, words: Words) -> str:
    """The years of a cohort; nothing where its plan takes every year."""
    first, last = study.released.years
    if first and last:
        return str(first) if first == last else words("pool.years", first=str(first), last=str(last))
    if first:
        return words("pool.years_from", first=str(first))
    return words("pool.years_to", last=str(last)) if last else ""


def label_of(study: ProtectedStudy, pool: ProtectedPool, words: Words) -> str:
    """Title and years; the run as well where two would be called the same."""
    named = [(s.released.title, s.released.years) for s in pool.studies]
    about = study.released
    twice = named.count((about.title, about.years)) > 1
    return ", ".join(part for part in (about.title, period_of(study, words), about.run if twice else "") if part)


def percent_of(cell: Cell) -> str:
    """A share as a per cent, without its sign."""
    return numbers.plain(cell) if cell.value is None else f"{numbers.times_hundred(cell):,f}"

"""Doubt about who was linked, in sentences: what it adds to the doubt about the result, and the range with it."""

from __future__ import annotations

from counterfoil.disclosure import LinkAnswer, Protected
from counterfoil.report import numbers
from counterfoil.report.further import why_part
from counterfoil.report.words import Words
from counterfoil.units import Kind


def linking_lines(protected: Protected, words: Words) -> tuple[str, ...]:
    """What was done and what came of it; nothing for people who were not linked."""
    found = protected.linking
    if found is None:
        return ()
    measure = protected.headline.measure
    filling = {
        "share_from": numbers.plain(numbers.as_per_cent(found.share_from)),
        "share_to": numbers.plain(numbers.as_per_cent(found.share_to)),
        "difference": numbers.signed(found.difference),
        "low": numbers.signed(found.low),
        "high": numbers.signed(found.high),
        "unit": words("results.unit_points")
        if measure.kind is Kind.RATE
        else words.given(measure.unit or measure.kind.value),
    }
    lines = [words("linking.about")]
    if found.share_to.value is not None:
        lines.append(words(f"linking.{'adds_from' if found.share_from.value else 'adds_under'}", **filling))
    if found.hidden is None and found.is_outward:
        lines.append(words("linking.within", **filling))
    elif found.hidden is None:
        lines += [words("linking.range", **filling), words("linking.apart")]
    else:
        lines.append(words("linking.hidden", why=why_part(found.hidden, protected, words)))
    if found.answer is not LinkAnswer.UNTOLD:
        lines.append(words(f"linking.answer_{found.answer.name.lower()}"))
    return (*lines, words("linking.false"))

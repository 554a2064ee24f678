"""What a report prints of the people who took part, as statements for the intruder audit (R13).

The reader is taken to be stronger than a real one, which is the safe side: beside an exact size a rate or mean that has
its interval counts as the count itself (R7), and the size of a sub-analysis that is shown as known, though it is not
printed. Comparison people are held where they count once each (`compared`). What the audit cannot hold as whole numbers
(a weighted mean, an amount with a fraction, a difference of means, what stands beside curves) is named in `beyond`:
beside an earlier report of nearly the same people it is hidden outright.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from counterfoil.disclosure.audited.compared import as_printed
from counterfoil.disclosure.audited.curves import say_curves
from counterfoil.disclosure.audited.made import (
    ANALYSED,
    COMPARED,
    CONTROL,
    MEASURE,
    PART,
    SIZE,
    WAY,
    Floats,
    Made,
    People,
    Said,
    Side,
    whole_of,
)
from counterfoil.disclosure.audited.tables import say_table
from counterfoil.disclosure.audited.terms import say_terms
from counterfoil.disclosure.beside import BoolArray
from counterfoil.disclosure.cells import Cell
from counterfoil.disclosure.intruder import PEOPLE, AddsUp, Counts, Exact, Piece, Rounded, Withheld
from counterfoil.disclosure.shown_beside import ProtectedSubAnalysis, ProtectedWay
from counterfoil.disclosure.shown_measures import ProtectedMeasure
from counterfoil.disclosure.values import Protected
from counterfoil.outcomes.measures import Measure, Support
from counterfoil.units import Kind


def say_report(protected: Protected, people: People, name: str = "this report") -> Said:
    """Every number that a report prints of those who took part."""
    size = protected.attrition.analysed
    made = Made(people, exact=size.value is not None and not size.about, compared_exact=_says_compared(protected))
    made.members |= {side.name: side.members for side in made.sides}
    lost = _say_flow(made, protected)
    if people.partners and not made.compared_exact and len(made.sides) > 1:
        of = (Piece(ANALYSED, times=people.partners), Piece(COMPARED, times=-1))
        made.say(Exact("partners for each of the people analysed", of, 0))  # as the method says
    rates_first = sorted(protected.measures, key=lambda one: one.measure.kind is not Kind.RATE)
    for one in rates_first:
        for side in made.sides:
            _say_measure(made, one, side)
    if people.headline is not None:
        _say_beside(made, protected, people.headline)
    _say_control(made, protected)
    if protected.survival is not None and protected.survival.hidden is None and people.days is not None:
        say_curves(made, protected.survival, people.days)
    measures = [one.measure for one in protected.measures]
    for table in protected.tables:
        say_table(made, table, people.tables[table.name])
    say_terms(made, protected.balance.terms)
    return Said(
        name=name,
        keys=people.keys,
        members=made.members,
        values=made.values,
        statements=tuple(made.statements),
        outcomes=tuple(made.outcomes.values()),
        sums=(*(replace(one, within=_within(made, lost)) for one in _sums(made, measures)), *made.sums),
        lines=tuple(made.lines),
        known=tuple(made.known),
        lost=lost,
        hides=made.hides,
        beyond=tuple(made.beyond),
        cohort=people.cohort,
        apart=people.apart,
        untold=tuple(made.kinds),
    )


def _says_compared(protected: Protected) -> bool:
    """Whether any measure prints how many everybody was compared with; none where all are hidden, or the size is."""
    everyone = (one.comparison.n for one in protected.measures if one.measure.support is Support.ALL)
    return any(n.value is not None for n in everyone)


def _within(made: Made, lost: Mapping[str, object]) -> tuple[str, ...]:
    """Populations of people whose outcomes are known to this report. In another's, one of the parts may be missing."""
    return tuple(name for name in made.members if name not in lost)


def _say_flow(made: Made, protected: Protected) -> dict[str, tuple[tuple[str, int], ...]]:
    """The boxes of the flow: whoever is in one and not in the next is an atom, where there is anybody."""
    boxes = protected.attrition.boxes
    counts = [made.people.boxes[box.boxes[-1]] for box in boxes]
    lost: dict[str, tuple[tuple[str, int], ...]] = {}
    seen: set[int] = {counts[-1]}
    base = int(protected.settings.rounding_base)
    _say_size(made, ANALYSED, boxes[-1].people, counts[-1], base)
    for place, (box, count) in enumerate(zip(boxes[:-1], counts[:-1], strict=True)):
        if count in seen:  # the same people as in the box that was said
            continue
        seen.add(count)
        name = f"people {box.boxes[-1].value}"
        made.members[name] = made.members[ANALYSED]
        later = zip(range(place, len(counts) - 1), counts[place:-1], counts[place + 1 :], strict=True)
        lost[name] = tuple((f"left after box {at}", one - other) for at, one, other in later if one > other)
        _say_size(made, name, box.people, count, base)
    return lost


def _say_size(made: Made, name: str, cell: Cell, count: int, base: int) -> None:
    of = (Piece(name),)
    hides = (SIZE, "") if name == ANALYSED else None
    if cell.value is None:
        made.say(Withheld(name, of, vague=True), hides)
    elif cell.about:
        made.say(Rounded(name, of, int(cell.value), base), hides)
    else:
        made.say(Exact(name, of, count), hides)


def _say_measure(made: Made, one: ProtectedMeasure, side: Side) -> None:
    measure, hides = one.measure, (MEASURE, one.measure.name)
    group = one.treated if side.name == ANALYSED else one.comparison
    raw = made.people.values[measure.name]
    there = np.isfinite(raw) & side.members
    values = whole_of(raw)
    if values is None or made.people.weighted or measure.exposure:
        if group.value.value is not None and hides not in made.beyond:
            made.beyond.append(hides)
        return
    over: tuple[Piece, ...]
    if measure.support is Support.THOSE_WITH:
        had = np.isfinite(raw).astype(np.int64)
        having = made.same_as(had) or made.outcome(f"those of {measure.label}", had, Counts.ONCE)
        over = (Piece(side.name, having),)
        if group.n.value is not None and side.exact:
            made.say(Exact(f"number of people, {measure.label}{side.words}", over, int(there.sum())), hides)
    else:
        population = made.population(f"people measured for {measure.label}{side.words}", there)
        over = (Piece(population),)
        if population != ANALYSED and group.n.value is not None and side.exact:
            number = f"number of people, {measure.label}{side.words}"
            label = number if population in made.hides or population == COMPARED else population
            made.say(Exact(label, over, int(there.sum())), hides)  # of each measure that prints it: all must be hidden
    counts = Counts.ONCE if measure.kind is Kind.RATE else Counts.OFTEN
    outcome = made.outcome(measure.label, values, counts)
    made.of_measure[measure.name] = outcome
    _say_value(made, one, side, over, outcome, int(values[there].sum()), int(there.sum()))


def _say_value(
    made: Made, one: ProtectedMeasure, side: Side, over: tuple[Piece, ...], outcome: str, total: int, people: int
) -> None:
    cell = one.treated.value if side.name == ANALYSED else one.comparison.value
    label, of = f"{one.measure.label}{side.words}", (Piece(over[0].population, outcome),)
    hides = (MEASURE, one.measure.name)
    if cell.value is None:
        made.say(Withheld(label, of), hides)
    elif side.exact and one.estimate.low.value is not None and over[0].outcome == PEOPLE:
        made.say(Exact(label, of, total), hides)
    else:
        made.say(as_printed(label, of, over, cell, total, people), hides)


def _say_beside(made: Made, protected: Protected, headline: Floats) -> None:
    """Sub-analyses and ways of other people than the headline's: each a size and a count that a reader may know."""
    values = whole_of(headline)
    if values is None:
        return
    measure = protected.headline.measure
    outcome = made.of_measure.get(measure.name) or made.outcome(measure.label, values, Counts.ONCE)
    ways = protected.trust.ways if protected.trust else protected.ways
    shown_of: list[tuple[str, Sequence[ProtectedSubAnalysis | ProtectedWay]]]
    shown_of = [(PART, protected.sub_analyses), (WAY, ways)]
    for kind, shown in shown_of:
        for place, each in enumerate(shown):
            if each.hidden is not None:
                continue
            for words, there in _members_of(made.people, kind, place):
                name = made.population(f"{_KINDS[kind]} {place + 1}{words}", there)
                if name in (ANALYSED, COMPARED) or not there.any() or f"people of {name}" in made.hides:
                    continue
                hides = (kind, str(place))
                made.say(Exact(f"people of {name}", (Piece(name),), int(there.sum())), hides)
                made.say(Exact(f"outcome of {name}", (Piece(name, outcome),), int(values[there].sum())), hides)


def _say_control(made: Made, protected: Protected) -> None:
    """The check: a difference in whole points of what people did before, so it is what they are like.

    How many are in it is printed nowhere; how many of them did it a reader is taken to know.
    """
    shown = protected.trust.control if protected.trust is not None else None
    control = made.people.control
    if shown is None or shown.hidden is not None or control is None or made.people.weighted:
        return
    outcome = made.kind(f"check: {shown.name}", control.had)
    for there, words in ((control.members, ""), (control.compared, ", comparison group")):
        if not there.any():
            continue
        of = (Piece(made.population(f"people of the check{words}", there), outcome),)
        made.say(Exact(f"the check{words}", of, int((control.had & there).sum())), (CONTROL, ""))


_KINDS = {PART: "sub-analysis", WAY: "way"}


def _members_of(people: People, kind: str, place: int) -> Iterator[tuple[str, BoolArray]]:
    """The treated of a sub-analysis or way, and those whom they are compared with where these count once each."""
    treated = people.parts if kind == PART else people.ways
    if place in treated:
        yield "", treated[place]
    if people.compared is not None:
        compared = people.compared.parts if kind == PART else people.compared.ways
        if place in compared:
            yield ", comparison group", compared[place]


def _sums(made: Made, measures: Sequence[Measure]) -> Iterator[AddsUp]:
    """Measures that add up person by person, where the report has all of them."""
    of = made.of_measure
    parts: dict[str, list[str]] = {}
    for one in measures:
        if one.part_of and one.name in of:
            parts.setdefault(one.part_of, []).append(one.name)
        if len(one.sum_of) == 2 and {one.name, *one.sum_of} <= of.keys():
            yield from _sum(made, of[one.name], [of[name] for name in one.sum_of])
    for row, names in parts.items():
        whole = row.split(" by ")[0]
        if whole in of:
            yield from _sum(made, of[whole], [of[name] for name in names])


def _sum(made: Made, whole: str, parts: Sequence[str]) -> Iterator[AddsUp]:
    values = [made.values[name] for name in parts]
    if len(set(parts) | {whole}) <= len(parts):
        return
    if np.array_equal(made.values[whole], sum(values)):
        yield AddsUp(whole, tuple((name, 1) for name in parts))
    elif len(parts) == 2 and np.array_equal(made.values[whole], values[0] - values[1]):
        yield AddsUp(whole, ((parts[0], 1), (parts[1], -1)))

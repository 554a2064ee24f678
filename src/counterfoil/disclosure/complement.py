"""Secondary suppression inside one report: measures that add up must not give a hidden one away.

Measures of one `part_of` add up to a whole, and a `sum_of` is the sum or difference of two others. If just one of such
a row is hidden, the others give it away, up to their rounding; so one more is hidden with it. The intruder audit runs
after this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterfoil.disclosure.shown_measures import ProtectedMeasure
from counterfoil.outcomes.measures import Measure


def find_complements(made: Sequence[ProtectedMeasure]) -> frozenset[str]:
    """Names of measures that must be hidden too, so that no row of measures that add up has just one hidden."""
    shown = {one.measure.name: is_shown(one) for one in made}
    value = {one.measure.name: _size(one) for one in made}
    found: set[str] = set()
    rows = list(_rows([one.measure for one in made]))
    while True:
        single = [row for row in rows if sum(not shown[name] for name in row) == 1]
        if not single:
            return frozenset(found)
        # of those that add up, the parts and not the whole are given up, and of them the smallest
        candidates = [name for name in single[0][1:] if shown[name]] or [name for name in single[0] if shown[name]]
        chosen = min(candidates, key=lambda name: (value[name], name))
        shown[chosen] = False
        found.add(chosen)


def is_shown(one: ProtectedMeasure) -> bool:
    """Whether every figure of both groups is shown."""
    return one.hidden is None and None not in (one.treated.value.value, one.comparison.value.value)


def _rows(measures: Sequence[Measure]) -> Iterator[tuple[str, ...]]:
    """Each whole with all its parts, and each sum with its two terms, where all of them are in the report."""
    names = {one.name for one in measures}
    parts: dict[str, list[str]] = {}
    for one in measures:
        if one.part_of:
            parts.setdefault(one.part_of, []).append(one.name)
        if one.sum_of and names.issuperset(one.sum_of):
            yield (*one.sum_of, one.name)
    for row, found in parts.items():
        whole = row.split(" by ")[0]
        if whole in names:
            yield (whole, *found)


def _size(one: ProtectedMeasure) -> float:
    cell = one.treated.value
    return float("inf") if cell.value is None else abs(float(cell.value))

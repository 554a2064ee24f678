"""R14: where too much of a table would be hidden, stop and propose categories to merge instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from counterfoil.disclosure.intruder.repair import Repaired, repair
from counterfoil.disclosure.intruder.statements import Withheld
from counterfoil.disclosure.intruder.tables import CountTable, find_unsafe, label_of, publish_table, truth_of
from counterfoil.disclosure.settings import DEFAULT_SETTINGS, DisclosureSettings

MOST_HIDDEN = 0.3  # share of a table's cells: with more of them hidden a reader is better served by broader categories


@dataclass(frozen=True, slots=True)
class ProtectedCounts:
    """A table as it may be shown; or, where too much of it would be hidden, which categories to merge.

    `merged`: pairs of neighbouring rows or columns, in the order in which to merge them; a merged one is "A or B".
    `table` and `repaired` are of the table after merging. Nothing is shown unless `repaired` passed its audit.
    """

    table: CountTable
    repaired: Repaired
    merged: tuple[tuple[str, str], ...]


def protect_counts(
    table: CountTable, settings: DisclosureSettings = DEFAULT_SETTINGS, *, most_hidden: float = MOST_HIDDEN
) -> ProtectedCounts:
    """Hide what must be hidden; with more than `most_hidden` of the cells gone, say what to merge until it is less."""
    merged: list[tuple[str, str]] = []
    while True:
        repaired = _repair(table, settings)
        choices = list(_merges(table))
        few = _share_hidden(table, repaired) <= most_hidden and repaired.audit.passed
        if few or not choices:
            return ProtectedCounts(table, repaired, tuple(merged))
        # the merge that leaves the smallest share unsafe; of equals the first in the fixed order
        pair, table = min(choices, key=lambda one: len(find_unsafe(one[1], settings)) / len(one[1].counts))
        merged.append(pair)


def _repair(table: CountTable, settings: DisclosureSettings) -> Repaired:
    costs = {label_of(place): table.value(place) for place in table.places()}
    return repair(publish_table(table, find_unsafe(table, settings), settings), truth_of(table), costs, settings)


def _share_hidden(table: CountTable, repaired: Repaired) -> float:
    cells = set(map(label_of, table.counts))
    hidden = {one.label for one in repaired.publication.statements if isinstance(one, Withheld)}
    return len(cells & hidden) / len(cells)


def _merges(table: CountTable) -> Iterator[tuple[tuple[str, str], CountTable]]:
    """Every table in which two neighbouring rows, or two neighbouring columns, are one."""
    for axis, names in enumerate((table.rows, table.columns)):
        for first, second in pairwise(names):
            counts: dict[tuple[str, str], int] = {}
            for place, count in table.counts.items():
                name = f"{first} or {second}" if place[axis] in (first, second) else place[axis]
                where = (name, place[1]) if axis == 0 else (place[0], name)
                counts[where] = counts.get(where, 0) + count
            yield (first, second), CountTable(table.name, counts, totals=table.totals, base=table.base)

"""R2, R3, R4 on tables of the group: how those analysed divide into kinds.

Kinds of too few people are merged first, since a broader band tells more than `[c]`. What is still unsafe is hidden,
and the intruder audit hides partners (R14), here and in what stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from counterfoil.disclosure.beside import BoolArray, GroupTable
from counterfoil.disclosure.cells import MAKER, Cell, Rule, hidden
from counterfoil.disclosure.flow import Sizes
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.shown_beside import ProtectedCell, ProtectedTable
from counterfoil.errors import Fault

SHARE_DECIMALS = 2  # of a share 0-1: whole per cent
Kinds = tuple[str, ...]


def protect_tables(
    tables: Sequence[GroupTable], analysed: BoolArray, sizes: Sizes, settings: DisclosureSettings, more: frozenset[str]
) -> tuple[ProtectedTable, ...]:
    """`analysed`: the treated who were, row by row. `more`: places of cells that the audit hides.

    With a size that is not exact nothing is shown: the kinds add up to it.
    """
    for table in tables:
        _check(table, analysed)
    return tuple(_protect(table, analysed, sizes, settings, more) for table in tables)


def place_of(table: str, kinds: Kinds) -> str:
    """What the audit calls a line of a table."""
    return f"{table}: {', '.join(kinds)}"


def _check(table: GroupTable, analysed: BoolArray) -> None:
    times = np.sum([members[analysed] for members in table.cells.values()], axis=0, dtype=np.int64)
    if not table.cells or np.any(times != 1):
        raise Fault("A table of the group must have everyone analysed in exactly one of its kinds.")


def _protect(
    table: GroupTable, analysed: BoolArray, sizes: Sizes, settings: DisclosureSettings, more: frozenset[str]
) -> ProtectedTable:
    total = int(analysed.sum())
    counts = {kind: int((members & analysed).sum()) for kind, members in table.cells.items()}
    cells = []
    for kinds in merge_kinds(counts, settings, ordered=table.ordered):
        place = place_of(table.name, kinds)
        rule = why_hidden(sum(counts[kind] for kind in kinds), total, sizes, settings)
        cells.append(_cell(place, kinds, counts, total, rule or (Rule.R13 if place in more else None)))
    return ProtectedTable(table.name, tuple(cells), maker=MAKER)


def _cell(place: str, kinds: Kinds, counts: dict[str, int], total: int, rule: Rule | None) -> ProtectedCell:
    if rule is not None:
        return ProtectedCell(place, kinds, hidden(rule), hidden(rule))
    people = sum(counts[kind] for kind in kinds)
    share = Cell(round_half_up(people / total, SHARE_DECIMALS), SHARE_DECIMALS)
    return ProtectedCell(place, kinds, Cell(people), share)


def why_hidden(people: int, total: int, sizes: Sizes, settings: DisclosureSettings) -> Rule | None:
    """The rule by which a count of one kind may not be shown beside how many there are of all."""
    if sizes is not Sizes.EXACT:
        return Rule.R11
    if people == 0:
        return Rule.R4
    if people < settings.threshold:
        return Rule.R2
    return None if is_rate_safe(people, total, settings) else Rule.R3


def merge_kinds(counts: dict[str, int], settings: DisclosureSettings, *, ordered: bool) -> list[Kinds]:
    """The kinds, those of fewer than T people with others, in the order given.

    Ordered kinds go with the neighbour of fewer people, the one before where both have as many. Others are merged
    among themselves where that makes T or more; a kind that is alone in this stays as it is.
    """
    return _merge_neighbours(counts, settings) if ordered else _merge_rest(counts, settings)


def _merge_neighbours(counts: dict[str, int], settings: DisclosureSettings) -> list[Kinds]:
    lines: list[tuple[Kinds, int]] = [((kind,), people) for kind, people in counts.items()]
    while len(lines) > 1:
        small = [place for place, (_, people) in enumerate(lines) if people < settings.threshold]
        if not small:
            break
        place = min(small, key=lambda at: (lines[at][1], at))
        beside = [at for at in (place - 1, place + 1) if 0 <= at < len(lines)]
        first = min(place, min(beside, key=lambda at: (lines[at][1], at)))
        lines[first : first + 2] = [(lines[first][0] + lines[first + 1][0], lines[first][1] + lines[first + 1][1])]
    return [kinds for kinds, _ in lines]


def _merge_rest(counts: dict[str, int], settings: DisclosureSettings) -> list[Kinds]:
    small = tuple(kind for kind, people in counts.items() if people < settings.threshold)
    if len(small) < 2 or sum(counts[kind] for kind in small) < settings.threshold:
        return [(kind,) for kind in counts]
    return [*((kind,) for kind in counts if kind not in small), small]

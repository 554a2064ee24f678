"""R5, second kind, and R16: suppress first, round second, derive last; a total is the rounded true total."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from counterfoil.disclosure.cells import Cell, Rule, hidden
from counterfoil.disclosure.rounding import round_to_base
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.zeros import protect_line
from counterfoil.errors import Refused

TOTAL_NOTE = "Numbers are rounded. The total is the rounded true total and may differ from the sum of its rows."


@dataclass(frozen=True, slots=True)
class ProtectedTable:
    """One line of counts as it may be shown, with its total and the note that goes with it."""

    rows: Mapping[str, Cell]
    total: Cell
    note: str = TOTAL_NOTE


def _rounded(cell: Cell, settings: DisclosureSettings) -> Cell:
    if cell.value is None:
        return cell
    return Cell(value=round_to_base(cell.value, settings.rounding_base), about=True)


def protect_table(
    counts: Mapping[str, int], settings: DisclosureSettings, *, structural: Collection[str] = ()
) -> ProtectedTable:
    """A line of counts of people. Every released number depends on suppressed and rounded counts alone."""
    names = list(counts)
    positions = [names.index(name) for name in structural]
    cells = protect_line(list(counts.values()), settings, structural=positions)
    total = sum(counts.values())
    shown = total >= settings.threshold and any(cell.value for cell in cells)
    return ProtectedTable(
        rows={name: _rounded(cell, settings) for name, cell in zip(names, cells, strict=True)},
        total=_rounded(Cell(value=total), settings) if shown else hidden(Rule.R2),
    )


def check_total(published: int, true_total: int, settings: DisclosureSettings) -> None:
    """R16: a published total is the rounded true total, never a total made again after people were dropped."""
    if published != round_to_base(true_total, settings.rounding_base):
        raise Refused(
            "A total must be the rounded true total. Do not add up the rows that are left after suppression.",
            rule="R16",
        )

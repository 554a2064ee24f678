"""Protected cells as text. The only place where a rate becomes a per cent, and where a number becomes characters."""

from __future__ import annotations

from decimal import Decimal

from counterfoil.disclosure import Cell
from counterfoil.units import Kind

MINUS = "\u2212"  # read out as "minus"; a hyphen is often skipped
HUNDRED_PLACES = 2


def exact(cell: Cell) -> Decimal:
    """The cell's number with just its decimals. Not for a hidden cell."""
    return Decimal(repr(float(cell.value or 0.0))).quantize(Decimal(1).scaleb(-cell.decimals))


def times_hundred(cell: Cell) -> Decimal:
    """The same digits with the point moved two places: a rate as a per cent, a count for every 100 people."""
    return exact(cell).scaleb(HUNDRED_PLACES)


def _grouped(number: Decimal) -> str:
    return f"{number:,f}"


def plain(cell: Cell) -> str:
    """For people to read: 1,794; 0.82; [c]."""
    if cell.value is None:
        return cell.shown.value if cell.shown else ""
    return _grouped(exact(cell)).replace("-", MINUS)


def size(cell: Cell) -> str:
    """The number without its sign, for sentences that say "fewer" or "more"."""
    return plain(cell).lstrip(MINUS)


def signed(cell: Cell) -> str:
    """A difference: -8.3 with a true minus, +2.1 with a plus, 0.0 bare."""
    if cell.value is None or cell.value <= 0:
        return plain(cell)
    return f"+{plain(cell)}"


def value(cell: Cell, kind: Kind) -> str:
    """A value in its unit: rates as a per cent."""
    if cell.value is None or kind is not Kind.RATE:
        return plain(cell)
    return f"{_grouped(times_hundred(cell))}%"


def as_per_cent(cell: Cell) -> Cell:
    """A share of two decimals (0-1) as whole per cent."""
    return cell if cell.value is None else Cell(value=float(times_hundred(cell)), rule=cell.rule)


def for_every_hundred(cell: Cell) -> str:
    """A count per person as a count for every 100 people: 0.82 is 82."""
    if cell.value is None:
        return plain(cell)
    return _grouped(times_hundred(cell)).replace("-", "")


def p_value(cell: Cell) -> str:
    """0.049, or [low] for what rounds to nothing."""
    return plain(cell) if cell.value is None or cell.value > 0 else f"[low] (<{Decimal(1).scaleb(-cell.decimals)})"


def machine(cell: Cell) -> str:
    """For CSV: a bare number, or the shorthand."""
    if cell.value is None:
        return cell.shown.value if cell.shown else ""
    return f"{exact(cell):f}"


def number(cell: Cell) -> float | int | None:
    """For JSON: a number, an integer where there are no decimals, or null."""
    if cell.value is None:
        return None
    return float(exact(cell)) if cell.decimals else int(cell.value)

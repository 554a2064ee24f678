"""How calculated values print themselves: in a terminal as text, in a notebook as a table. Nothing here is cleared."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

NOT_CLEARED = "Calculated, not cleared: only `disclosure` lets a number out of a lab."
Row = Sequence[str]


def as_text(title: str, facts: Sequence[tuple[str, str]], heading: Row, rows: Sequence[Row]) -> str:
    """A title, facts in two columns, a table with a first column of words and numbers to the right."""
    lines = [title, *(f"  {name:<28}{value}" for name, value in facts)]
    if rows:
        widths = [max(len(row[i]) for row in (heading, *rows)) for i in range(len(heading))]
        lines += ["", *(_line(row, widths) for row in (heading, *rows))]
    return "\n".join([*lines, "", NOT_CLEARED])


def _line(row: Row, widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    return "  " + first[0].ljust(first[1]) + "".join(cell.rjust(width + 2) for cell, width in others)


def as_html(title: str, facts: Sequence[tuple[str, str]], heading: Row, rows: Sequence[Row]) -> str:
    """The same for `_repr_html_`."""
    parts = [f"<p><strong>{escape(title)}</strong></p>", _table([], facts)]
    if rows:
        parts.append(_table(heading, rows))
    return "".join([*parts, f"<p>{escape(NOT_CLEARED)}</p>"])


def _table(heading: Row, rows: Sequence[Row]) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heading)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where it is undefined."""
    return "–" if value is None else f"{value:,.{digits}f}"

"""`counterfoil power`: what a number of people could show, before anyone is sent."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from counterfoil.cli.screen import results, say, say_json
from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.effect import HidingRules, PowerResult, PowerRow, power_table
from counterfoil.effect.power import BASE_RATE
from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_write
from counterfoil.report.power import Place, PowerView, power_curve, power_page

HEADINGS = ("of 100 sent", "analysed", "smallest fall", "smallest rise", "range ±", "rate hidden", "days hidden")


def power(
    people: Annotated[int, typer.Option(min=1, max=10_000_000, help="People you could submit.")],
    rate: Annotated[float, typer.Option(min=0.01, max=0.99, help="One-year rate expected, 0-1.")] = BASE_RATE,
    change: Annotated[
        float | None,
        typer.Option(min=0.1, max=99.0, help="Fall you hope to show, in points; 5 by default, or half of a low rate."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write the page (.html) or the curve alone (.svg) to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """The smallest change that so many people can show, and when to come back, before anyone's data is sent."""
    rules = HidingRules(DEFAULT_SETTINGS.min_submitted, DEFAULT_SETTINGS.min_group, DEFAULT_SETTINGS.threshold)
    result = power_table(people, rate, rules=rules, change=change)
    if out is not None:
        _write(result, out)
    if as_json:
        say_json(asdict(result))
        return
    results.print(_table(result))
    for sentence in result.sentences:
        say(sentence)
    if out is not None:
        say(f"Wrote {out}.")


def _write(result: PowerResult, out: Path) -> None:
    if out.suffix not in (".html", ".svg"):
        raise UsageError("The file's name must end in .html (the page) or .svg (the curve alone).")
    if not out.parent.is_dir():
        raise UsageError("The folder of that file does not exist. Make it first, or give another.")
    view = _view(result)
    atomic_write(out, (power_page(view) if out.suffix == ".html" else power_curve(view)).encode())


def _view(result: PowerResult) -> PowerView:
    return PowerView(
        people=result.people,
        sentences=result.sentences,
        rows=tuple(_cells(row) for row in result.rows),
        curve=tuple(Place(p.analysed, p.fewer) for p in result.curve),
        marks=tuple(Place(r.analysed, r.fewer) for r in result.rows if r.analysed >= result.curve[0].analysed),
    )


def _cells(row: PowerRow) -> tuple[str, ...]:
    return (
        f"{100 * row.share:g}",
        f"{row.analysed:,}",
        *(f"{points:.1f}" for points in (row.fewer, row.more, row.half_width)),
        *(f"{100 * chance:.0f} in 100" for chance in (row.chance_rate_hidden, row.chance_days_hidden)),
    )


def _table(result: PowerResult) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for row in result.rows:
        table.add_row(*_cells(row))
    return table

"""`counterfoil power`: what a number of people could show, before anyone is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from counterfoil.cli.screen import results, say, say_json
from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.effect import HidingRules, PowerResult, PowerRow, power_table
from counterfoil.effect.power import BASE_RATE
from counterfoil.errors import UsageError
from counterfoil.lab.files import atomic_write
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.report.power import Line, Place, PowerView, power_files
from counterfoil.report.signed import check_signed
from counterfoil.report.words import DEFAULT_LANGUAGE, file_in, words_of
from counterfoil.study.lab_rules import disclosure_settings

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
    lab: Annotated[
        Path | None,
        typer.Option(help="The folder of a lab: its rules, where they are stricter, and the page in its languages."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """The smallest change that so many people can show, and when to come back, before anyone's data is sent."""
    there = None if lab is None else open_lab(lab)
    result = power_table(people, rate, rules=_rules(there), change=change)
    view = _view(result)
    written = [] if out is None else _write(view, out, _languages(there))
    if as_json:
        say_json(_json(result, view, written))
        return
    results.print(_table(view))
    for sentence in view.sentences(words_of(DEFAULT_LANGUAGE)):
        say(sentence)
    for file in written:
        say(f"Wrote {file}.")


def _rules(lab: OpenLab | None) -> HidingRules:
    chosen = DEFAULT_SETTINGS if lab is None else disclosure_settings(lab)
    return HidingRules(chosen.min_submitted, chosen.min_group, chosen.threshold)


def _languages(lab: OpenLab | None) -> tuple[str, ...]:
    """Those of the lab, each of them signed; refused (rule `language`) while one has a draft in it."""
    if lab is None:
        return (DEFAULT_LANGUAGE,)
    for language in lab.settings.languages:
        check_signed(language, lab.paths.translation(language))
    return lab.settings.languages


def _write(view: PowerView, out: Path, languages: tuple[str, ...]) -> list[Path]:
    if out.suffix not in (".html", ".svg"):
        raise UsageError("The file's name must end in .html (the page) or .svg (the curve alone).")
    if not out.parent.is_dir():
        raise UsageError("The folder of that file does not exist. Make it first, or give another.")
    for name, text in power_files(view, out.name, languages).items():
        atomic_write(out.parent / name, text.encode())
    return [out.parent / file_in(out.name, language) for language in languages]


def _json(result: PowerResult, view: PowerView, written: list[Path]) -> Mapping[str, Any]:
    found = {key: value for key, value in asdict(result).items() if key != "cases"}
    said = list(view.sentences(words_of(DEFAULT_LANGUAGE)))
    return {**found, "sentences": said, "files": [str(file) for file in written]}


def _view(result: PowerResult) -> PowerView:
    return PowerView(
        people=result.people,
        cases=tuple((case.key, case.filling) for case in result.cases),
        lines=tuple(_line(row) for row in result.rows),
        curve=tuple(Place(p.analysed, p.fewer) for p in result.curve),
        marks=tuple(Place(r.analysed, r.fewer) for r in result.rows if r.analysed >= result.curve[0].analysed),
    )


def _line(row: PowerRow) -> Line:
    chances = (f"{100 * chance:.0f}" for chance in (row.chance_rate_hidden, row.chance_days_hidden))
    points = (f"{points:.1f}" for points in (row.fewer, row.more, row.half_width))
    return Line(f"{100 * row.share:g}", f"{row.analysed:,}", *points, *chances)


def _table(view: PowerView) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for line in view.lines:
        table.add_row(*line.cells(words_of(DEFAULT_LANGUAGE)))
    return table

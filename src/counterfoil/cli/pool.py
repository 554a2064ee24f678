"""`counterfoil pool`: the results of several runs together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from counterfoil.cli.screen import progress, say, say_json
from counterfoil.study.pooling import pool_runs

DONE, FINDINGS = 0, 1


def pool(
    lab: Annotated[Path, typer.Argument(help="The folder of a lab.", show_default=False)],
    runs: Annotated[list[str], typer.Argument(help="Finished runs, by name; two or more.", show_default=False)],
    measure: Annotated[
        str | None, typer.Option(help="The measure to pool; the first that the runs have by default.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="What the page is called; the service's own title by default.")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also a copy of the page as PDF (PDF/UA).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Put the results of several runs together: one service over years, or services of one kind. Never a ranking."""
    from counterfoil.report.pdf_ready import why_no_pdf

    missing = why_no_pdf() if pdf else ""
    with progress() as show:
        result = pool_runs(lab, runs, measure=measure, title=title, pdf=pdf and not missing, progress=show)
    if as_json:
        say_json(result)
    else:
        for line in lines_of(result):
            say(line)
    if missing:
        typer.echo(missing, err=True)
    raise typer.Exit(exit_code(result) or (FINDINGS if missing else DONE))


def exit_code(result: Mapping[str, Any]) -> int:
    """0 for an answer to rely on; 1 for two results, unreliable ones, or methods that disagree."""
    sound = result["verdict"] is not None and result["reliable"] and not result["disagrees"]
    return DONE if sound else FINDINGS


def lines_of(result: Mapping[str, Any]) -> list[str]:
    """What `pool` prints: the answer, each result in order of date, the mean, another cohort, and where the page is."""
    unit, pooled, ahead = result["unit"], result["pooled"], result["prediction"]
    lines = [result["headline"]]
    lines += [f"  {_called(run)}: {_figures(run, unit)}" for run in result["runs"]]
    lines.append(f"  All together: {_figures(pooled, unit)}")
    if ahead["low"] is not None:
        lines.append(f"  Another cohort like these: {ahead['low']:+g} to {ahead['high']:+g} {unit}")
    return [*lines, *result["caveats"], f"Report: {result['report']}"]


def _called(run: Mapping[str, Any]) -> str:
    return ", ".join(part for part in (run["title"], run["period"], run["run"]) if part)


def _figures(found: Mapping[str, Any], unit: str) -> str:
    if found["low"] is None:
        return f"{found['difference']:+g} {unit} (no range)"
    return f"{found['difference']:+g} (95% interval {found['low']:+g} to {found['high']:+g}) {unit}"

"""Sentences of the command line. Numbers come from protected results only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from counterfoil.cli.screen import say

DONE, FINDINGS, REFUSED = 0, 1, 3


def say_lines(lines: Iterable[str]) -> None:
    """Print sentences, one a line."""
    for line in lines:
        say(line)


def exit_code(result: Mapping[str, Any]) -> int:
    """0 for a reliable answer, 1 for one to look at, 3 for a refusal."""
    if "refused" in result:
        return REFUSED
    return DONE if result["reliable"] else FINDINGS


def evaluation(result: Mapping[str, Any]) -> list[str]:
    """What `evaluate` prints: the answer, each measure, whether to rely on it, and where the report is."""
    if "refused" in result:
        refused = result["refused"]
        lines = [f"Refused ({refused['rule']}): {refused['reason']}"]
    else:
        lines = [result["headline"], *(_measure(m) for m in result["measures"]), *result["caveats"]]
    return [*lines, f"Report: {result['report']}"] if result.get("report") else lines


def _measure(measure: Mapping[str, Any]) -> str:
    name = measure.get("label") or measure["measure"]
    if measure["hidden"] or measure["difference"] is None:
        return f"  {name}: not shown ({measure['hidden'] or 'no estimate'})"
    unit = "points" if measure["unit"] == "rate" else measure["unit"]
    figures = f"{measure['difference']:+g} (95% interval {measure['low']:+g} to {measure['high']:+g}) {unit}"
    return f"  {name}: {figures.rstrip()}"

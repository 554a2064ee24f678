"""Pictures of a comparison for whoever works with it: a notebook shows them, `save` writes them. Nothing is cleared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from counterfoil.comparison.values import Comparison, FloatArray
from counterfoil.errors import UsageError

NAVY, ORANGE, GREY = "#12436D", "#F46A25", "#C8CDD2"
WIDTH = 640
LEFT, RIGHT, TOP = 190, 20, 48  # margins; the left one is for names
LINE = 22  # height of a row of the love plot
LIMITS = (0.05, 0.10)  # |SMD|: green up to the first, amber up to the second
BINS = 40
HEIGHT = 300  # of the overlap and of curves


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing as SVG text. A notebook shows it by itself."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: Path | str) -> None:
        """Write it as an .svg file."""
        if Path(path).suffix != ".svg":
            raise UsageError("A picture is saved as SVG. Give a file name that ends in .svg.")
        Path(path).write_text(self.svg, "utf-8")


def drawing(title: str, body: Sequence[str], height: float) -> Picture:
    """A picture with a title that a screen reader says too."""
    return Picture(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="white"/>{text(10, 20, title, size=15)}{"".join(body)}</svg>'
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12, fill: str = "#222222") -> str:
    """Words at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">{escape(words)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str = GREY) -> str:
    """A thin line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def key(names: Sequence[tuple[str, str]]) -> str:
    """Which colour is which, under the title."""
    parts = []
    for i, (name, colour) in enumerate(names):
        x = 10 + 190 * i
        parts += [f'<rect x="{x}" y="29" width="11" height="11" fill="{colour}"/>', text(x + 16, 39, name)]
    return "".join(parts)


def love_plot(comparison: Comparison) -> Picture:
    """|SMD| of every characteristic before matching (orange) and after (navy), furthest apart first."""
    rows = sorted(comparison.balance, key=lambda row: -abs(row.smd_before or 0.0))
    known = [abs(v) for row in rows for v in (row.smd_before, row.smd) if v is not None]
    top = max([2 * LIMITS[1], *known])
    height = TOP + LINE * len(rows) + 36

    def at(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * abs(value) / top

    bottom = TOP + LINE * len(rows)
    body = [key((("before", ORANGE), ("after", NAVY)))]
    for limit in (0.0, *LIMITS):
        body += [line(at(limit), TOP, at(limit), bottom), text(at(limit), bottom + 15, f"{limit:.2f}", anchor="middle")]
    body.append(text(WIDTH - RIGHT, bottom + 30, f"absolute standardised difference, to {top:.2f}", anchor="end"))
    for i, row in enumerate(rows):
        y = TOP + LINE * (i + 0.5)
        body.append(text(LEFT - 8, y + 4, row.term if len(row.term) < 28 else row.term[:26] + "…", anchor="end"))
        for value, colour in ((row.smd_before, ORANGE), (row.smd, NAVY)):
            if value is not None:
                body.append(f'<circle cx="{at(value):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
    return drawing("How far apart the groups are", body, height)


def overlap_plot(comparison: Comparison) -> Picture:
    """Shares of each group over the propensity score: the treated, and the comparison group as it is weighted."""
    if not len(comparison.logit_propensity):
        raise UsageError("This design has no propensity score, so there is no overlap to draw. Draw `love_plot`.")
    score = 1.0 / (1.0 + np.exp(-comparison.logit_propensity))
    edges = np.linspace(float(score.min()), float(score.max()), BINS + 1)
    sides = []
    for who, weight in ((comparison.treated, comparison.weight), (~comparison.treated, comparison.weight)):
        found = np.histogram(score[who], bins=edges, weights=weight[who])[0]
        sides.append(found / max(float(found.sum()), 1e-300))
    body = [key((("treated who were matched", NAVY), ("comparison, weighted", ORANGE)))]
    body += _steps(edges, sides)
    body.append(text(WIDTH - RIGHT, HEIGHT - 8, "propensity score", anchor="end"))
    return drawing("Where the groups overlap", body, HEIGHT)


def _steps(edges: FloatArray, sides: Sequence[FloatArray]) -> list[str]:
    top = max(float(side.max()) for side in sides)
    xs = 40 + (WIDTH - 60) * (edges - edges[0]) / max(float(edges[-1] - edges[0]), 1e-300)
    bottom = HEIGHT - 40
    body = [line(40, bottom, WIDTH - 20, bottom)]
    for side, colour in zip(sides, (NAVY, ORANGE), strict=True):
        ys = bottom - (bottom - TOP) * side / top
        points = " ".join(f"{x0:.1f},{y:.1f} {x1:.1f},{y:.1f}" for x0, x1, y in zip(xs[:-1], xs[1:], ys, strict=True))
        body.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    body += [text(40, bottom + 15, f"{edges[0]:.2f}"), text(WIDTH - 20, bottom + 15, f"{edges[-1]:.2f}", anchor="end")]
    return body

"""A page of what a number of people could show, with its curve. Made before anybody is sent: no result is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from counterfoil.report.charts import DARK, NAVY, ORANGE, PALE
from counterfoil.report.page import PACKAGE, environment
from counterfoil.report.words import LANGUAGES, Words, file_in, words_of
from counterfoil.templating import style_of

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 480.0, 320.0, 52.0, 44.0, 14.0
_NICE = (1.0, 2.0, 2.5, 5.0)
_STEPS = 5  # lines of the grid, about

_Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Place:
    """People analysed, and the smallest fall in points that they would show."""

    analysed: int
    fewer: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table, as characters: shares and chances are of 100, differences in points."""

    share: str
    analysed: str
    fewer: str
    more: str
    half: str
    rate_hidden: str
    days_hidden: str

    def cells(self, words: Words) -> tuple[str, ...]:
        """What stands in each column."""
        chances = (words("powerpage.chance", chance=chance) for chance in (self.rate_hidden, self.days_hidden))
        return (self.share, self.analysed, self.fewer, self.more, self.half, *chances)


@dataclass(frozen=True, slots=True)
class PowerView:
    """What the page shows. `cases`: which sentences, and what stands in their gaps; `marks`: lines on the curve."""

    people: int
    cases: tuple[tuple[str, Mapping[str, str]], ...]
    lines: tuple[Line, ...]
    curve: tuple[Place, ...]
    marks: tuple[Place, ...]

    def sentences(self, words: Words) -> tuple[str, ...]:
        """The answer in words."""
        return tuple(words(f"powerpage.says.{key}", **filling) for key, filling in self.cases)


def power_files(view: PowerView, name: str, languages: Sequence[str], drafts: Sequence[str] = ()) -> Mapping[str, str]:
    """The page (NAME.html), or its curve alone (NAME.svg), in each language, by the name of its file.

    `drafts`: those of them that no translator has signed; their pages say so.
    """
    if name.endswith(".svg"):
        return {file_in(name, each): power_curve(view, words_of(each)) for each in languages}
    return {file_in(name, each): _page(view, name, words_of(each), languages, drafts) for each in languages}


def _page(view: PowerView, name: str, words: Words, languages: Sequence[str], drafts: Sequence[str]) -> str:
    title = words("powerpage.title", people=f"{view.people:,}")
    others = [each for each in languages if each != words.language]
    return (
        environment()
        .get_template("power.html")
        .render(
            say=words,
            title=title,
            translations=[(each, LANGUAGES[each], file_in(name, each)) for each in others],
            is_draft=words.language in drafts,
            style=style_of(PACKAGE),
            sentences=view.sentences(words),
            rows=[line.cells(words) for line in view.lines],
            curve=Markup(power_curve(view, words)),
        )
    )


def power_curve(view: PowerView, words: Words) -> str:
    """The curve as SVG: people across, points up; marks for the shares of the table, each with its words."""
    right = float(max(place.analysed for place in view.curve))
    top = _ceiling(max(place.fewer for place in view.curve))

    def x(analysed: float) -> float:
        return LEFT + (WIDTH - LEFT - 16.0) * analysed / right

    def y(points: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(points, top) / top

    parts = [_grid(x, y, right, top, words)]
    line = " ".join(f"{x(p.analysed):.1f},{y(p.fewer):.1f}" for p in view.curve)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{NAVY}" stroke-width="3"/>')
    parts += [
        f'<circle cx="{x(m.analysed):.1f}" cy="{y(m.fewer):.1f}" r="6" fill="{ORANGE}" stroke="{DARK}"/>'
        f'<text x="{x(m.analysed) + 9:.1f}" y="{y(m.fewer) - 8:.1f}">{m.fewer:.1f}</text>'
        for m in view.marks
    ]
    told = [words("powerpage.alt_point", analysed=f"{m.analysed:,}", fewer=f"{m.fewer:.1f}") for m in view.marks]
    alt = words("powerpage.alt", points=" ".join(told))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" lang="{words.language}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'role="img" aria-labelledby="power-curve" font-family="sans-serif" font-size="15">'
        f'<title id="power-curve">{alt}</title>{"".join(parts)}</svg>'
    )


def _grid(x: _Scale, y: _Scale, right: float, top: float, words: Words) -> str:
    across, up = _ticks(right), _ticks(top)
    lines = [
        f'<line x1="{LEFT:g}" x2="{x(right):.1f}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="{PALE}"/>'
        f'<text x="{LEFT - 8:g}" y="{y(v) + 4:.1f}" text-anchor="end">{v:g}</text>'
        for v in up
    ]
    lines += [f'<text x="{x(v):.1f}" y="{HEIGHT - BOTTOM + 18:g}" text-anchor="middle">{v:,.0f}</text>' for v in across]
    lines.append(
        f'<line x1="{LEFT:g}" x2="{x(right):.1f}" y1="{y(0):.1f}" y2="{y(0):.1f}" stroke="{DARK}"/>'
        f'<text x="{(LEFT + x(right)) / 2:.1f}" y="{HEIGHT - 6:g}" text-anchor="middle">{words("powerpage.axis_x")}'
        f'</text><text x="{LEFT + 6:g}" y="{TOP + 2:g}">{words("powerpage.axis_y")}</text>'
    )
    return "".join(lines)


def _step(most: float) -> float:
    power = float(10 ** len(str(int(most))))
    steps = [nice * power / 10.0**k for k in range(4) for nice in _NICE]
    return min(steps, key=lambda step: abs(most / step - _STEPS))


def _ticks(most: float) -> Sequence[float]:
    step = _step(most)
    return [step * i for i in range(int(most / step) + 1)]


def _ceiling(most: float) -> float:
    step = _step(most)
    return float(step * -(-most // step))

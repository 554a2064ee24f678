"""Pictures of the quality page: matplotlib to SVG, the same bytes for the same numbers.

Every picture is made of a `ChartData` and of nothing else, and the page prints that data as a table under it. Narrow,
so that letters stay legible on a telephone; two colours that differ in lightness too, and shapes beside colour.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from textwrap import fill
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

NAVY, ORANGE, GREY = "#12436D", "#F46A25", "#6B747C"
WIDTH = 4.3  # inches: letters stay legible on a screen of 320 pixels
_ROW = 0.27  # inches a bar
_LEAST_RANGE = 1.0  # points of a per cent
_BETWEEN = 0.6  # rows between the bars of one label and the next's, where a label has several
_LABEL = 21  # letters of a label in one line
_MOST_TICKS = 9
_STEPS = (1, 2, 5, 10, 20, 50, 100, 1_000, 10_000, 100_000)  # columns from one word to the next
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "counterfoil",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so widths are the same everywhere
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "text.parse_math": False,
}


class Kind(Enum):
    """How data is drawn."""

    BARS = "bars"  # one bar a row, across
    COLUMNS = "columns"  # one column a row, upright; the rows have an order
    INTERVALS = "intervals"  # a dot and a range a row


@dataclass(frozen=True, slots=True)
class Row:
    """One mark: its words, its value, its range if it has one, and the series it is of."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    series: str = ""


@dataclass(frozen=True, slots=True)
class ChartData:
    """What one picture shows, and all that it shows. `marks`: values with a line and a word across the picture."""

    name: str
    title: str
    axis: str
    kind: Kind
    rows: tuple[Row, ...]
    marks: tuple[tuple[float, str], ...] = ()
    is_log: bool = False

    @property
    def series(self) -> tuple[str, ...]:
        """The series, in the order they are met."""
        return tuple(dict.fromkeys(row.series for row in self.rows))

    def alt(self) -> str:
        """What the picture shows, in words."""
        if not self.rows:
            return f"{self.title}: nothing to show."
        top = max(self.rows, key=lambda row: row.value)
        least = min(self.rows, key=lambda row: row.value)
        return (
            f"{self.title}. {len(self.rows)} values of {self.axis.lower()}, from {least.value:,.4g} ({_named(least)}) "
            f"to {top.value:,.4g} ({_named(top)}). The table below has each."
        )

    def to_json(self) -> dict[str, Any]:
        """The same numbers as the picture."""
        return {
            "title": self.title,
            "axis": self.axis,
            "rows": [
                {"label": r.label, "value": r.value}
                | ({} if r.low is None else {"low": r.low, "high": r.high})
                | ({"series": r.series} if r.series else {})
                for r in self.rows
            ],
        }


def _named(row: Row) -> str:
    return f"{row.series}, {row.label}" if row.series else row.label


def draw(data: ChartData) -> str:
    """The picture as an `svg` element, with a title for those who cannot see it."""
    with mpl.rc_context(_STYLE):
        figure = _upright(data) if data.kind is Kind.COLUMNS else _across(data)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _as_element(out.getvalue(), data)


def _as_element(text: str, data: ChartData) -> str:
    """Without the XML head, the metadata and the fixed size, and with names of its own, so that many fit on a page."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'(<svg[^>]*?) height="[^"]*"([^>]*?) width="[^"]*"', r"\1\2", body, count=1)
    body = re.sub(r'(<svg[^>]*?) width="[^"]*"([^>]*?) height="[^"]*"', r"\1\2", body, count=1)
    body = re.sub(r'(?<=[\s(#])id="', f'id="{data.name}-', body)
    body = re.sub(r'(url\(|href=")#', rf"\1#{data.name}-", body)
    words = f'role="img" aria-labelledby="{data.name}-alt"><title id="{data.name}-alt">{_escaped(data.alt())}</title>'
    return re.sub(r"(<svg[^>]*?)>", lambda head: f"{head[1]} {words}", body, count=1).strip()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _figure(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def _across(data: ChartData) -> Figure:
    places, ticks, height = _places(data.rows)
    figure, axes = _figure(0.75 + _ROW * height + (0.3 if len(data.series) > 1 else 0))
    colours = _colours(data)
    if data.kind is Kind.BARS:
        axes.barh(places, [r.value for r in data.rows], color=[colours[r.series] for r in data.rows], height=0.72)
        axes.axvline(0, color=GREY, linewidth=0.8)
    else:
        for place, row in zip(places, data.rows, strict=True):
            low, high = (row.value if end is None else end for end in (row.low, row.high))
            axes.plot([low, high], [place, place], color=colours[row.series], linewidth=2.2, solid_capstyle="butt")
            marker = "os^D"[data.series.index(row.series) % 4]
            axes.plot([row.value], [place], marker, color=colours[row.series], markersize=5.5)
    axes.set_yticks(list(ticks.values()), list(ticks), fontsize=9.5)
    axes.set_ylim(height, 0)
    _widen(axes, data)
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(_number))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(data.axis)
    for value, _ in data.marks:
        axes.axvline(value, color=ORANGE, linewidth=1.2, linestyle="--")
    axes.grid(axis="x", color="#E6E9EC", linewidth=0.8)
    axes.set_axisbelow(True)
    _key(axes, data, colours)
    return figure


def _widen(axes: Any, data: ChartData) -> None:
    """At least `_LEAST_RANGE` of an axis of ranges, so that no difference looks larger than it is."""
    low, high = axes.get_xlim()
    missing = _LEAST_RANGE - (high - low)
    if data.kind is Kind.INTERVALS and missing > 0:
        axes.set_xlim(low - missing, high)


def _number(value: float, _: int | None = None) -> str:
    return f"{value:,.10g}"


def _places(rows: Sequence[Row]) -> tuple[list[float], dict[str, float], float]:
    """The middle of each row; each label, wrapped, and its middle; the height of all. In rows.

    Rows of one label that follow each other are of several series: they touch, and room parts them from the next.
    """
    places: list[float] = []
    ticks, top = {}, 0.0
    for label, group in groupby(rows, key=lambda row: row.label):
        many, words = len(list(group)), fill(label, _LABEL)
        room = max(many + (_BETWEEN if many > 1 else 0.0), 0.66 * len(words.splitlines()) + 0.2)
        ticks[words] = top + room / 2
        places += [ticks[words] + number - (many - 1) / 2 for number in range(many)]
        top += room
    return places, ticks, max(top, 1.0)


def _colours(data: ChartData) -> dict[str, str]:
    palette = (NAVY, ORANGE, GREY, "#3D3D3D")
    return {series: palette[number % len(palette)] for number, series in enumerate(data.series)}


def _key(axes: Any, data: ChartData, colours: dict[str, str]) -> None:
    if len(data.series) < 2:
        return
    handles = [
        Line2D([], [], marker="os^D"[number % 4], color=colours[series], label=series)
        if data.kind is Kind.INTERVALS
        else Patch(color=colours[series], label=series)
        for number, series in enumerate(data.series)
    ]
    place: Any = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    axes.legend(handles=handles, ncols=3, frameon=False, fontsize=9.5, **place)


def _upright(data: ChartData) -> Figure:
    figure, axes = _figure(2.9)
    series = data.series
    labels = list(dict.fromkeys(r.label for r in data.rows))
    colours = _colours(data)
    wide = 0.84 / max(len(series), 1)
    for number, name in enumerate(series):
        rows = [r for r in data.rows if r.series == name]
        at = [labels.index(r.label) + (number - (len(series) - 1) / 2) * wide for r in rows]
        axes.bar(at, [r.value for r in rows], width=wide, color=colours[name])
    if data.is_log:
        axes.set_yscale("log")
    step = next(size for size in _STEPS if size * _MOST_TICKS >= len(labels))
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.set_ylabel(data.axis)
    axes.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(_number))
    for value, word in data.marks:
        axes.axvline(value, color=ORANGE, linewidth=1.2, linestyle="--")
        above = axes.get_xaxis_transform()
        axes.text(value, 1.01, word, transform=above, fontsize=9, va="bottom", ha="left", rotation=50)
    axes.grid(axis="y", color="#E6E9EC", linewidth=0.8)
    axes.set_axisbelow(True)
    _key(axes, data, colours)
    return figure

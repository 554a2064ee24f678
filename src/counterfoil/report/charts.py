"""Charts drawn from protected cells alone (R21). Coordinates are in the data's own units, so that a bar's width is the
number that was protected and nothing finer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from markupsafe import Markup

from counterfoil.disclosure import Cell, ProtectedMeasure, ProtectedPool, ProtectedSurvival
from counterfoil.report import numbers
from counterfoil.report.words import Words
from counterfoil.units import Kind

NAVY = "#12436D"  # afcharts' two series; both reach 3:1 on white
ORANGE = "#F46A25"
PALE = "#E6E9EC"
DARK = "#3D3D3D"
DOTS_A_ROW = 10
_STILL = Markup('vector-effect="non-scaling-stroke"')
NICE = (1, 2, 5, 10)

_ZERO = Markup('<line class="zero" x1="0" x2="0" y1="0" y2="10" stroke="{dark}" stroke-width="1.5" {still}/>')
_SVG = Markup('<svg class="{css}" viewBox="{box}" preserveAspectRatio="none" role="img" aria-labelledby="{id}">'
              '<title id="{id}">{title}</title>{body}</svg>')  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its words, its number in words, and its picture (empty when the number is hidden)."""

    group: str
    text: str
    svg: Markup


def nice_top(value: Decimal) -> Decimal:
    """The smallest of 1, 2 or 5 times a power of ten that is not under `value`."""
    if value <= 0:
        return Decimal(1)
    power = Decimal(10) ** value.adjusted()
    return next(Decimal(step) * power for step in NICE if step * power >= value)


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _axis_number(cell: Cell, kind: Kind) -> Decimal:
    return numbers.times_hundred(cell) if kind is Kind.RATE else numbers.exact(cell)


def bars_of(measure: ProtectedMeasure, groups: tuple[str, str], words: Words) -> tuple[Bar, Bar]:
    """The pair of bars of one measure, on one axis from 0 (or from the lowest value, if one is under 0)."""
    kind = measure.measure.kind
    cells = (measure.treated.value, measure.comparison.value)
    shown = [_axis_number(cell, kind) for cell in cells if cell.value is not None]
    top = Decimal(100) if kind is Kind.RATE else nice_top(max((abs(n) for n in shown), default=Decimal(1)))
    start = -top if any(n < 0 for n in shown) else Decimal(0)
    drawn = []
    for side, (cell, group) in enumerate(zip(cells, groups, strict=True)):
        text = numbers.value(cell, kind)
        svg = Markup("")
        if cell.value is not None:
            alt = words("results.bars_alt", value=text, group=group)
            identity = f"bar-{measure.measure.name}-{side}"
            svg = _bar(_axis_number(cell, kind), start, top, (NAVY, ORANGE)[side], identity, alt)
        drawn.append(Bar(group=group, text=text, svg=svg))
    return drawn[0], drawn[1]


def _bar(value: Decimal, start: Decimal, top: Decimal, colour: str, identity: str, alt: str) -> Markup:
    body = Markup('<rect class="track" x="{start}" y="0" width="{span}" height="10" fill="{pale}"/>'
                  '<rect class="value" x="{x}" y="0" width="{width}" height="10" fill="{colour}"/>').format(
        start=_plain(start), span=_plain(top - start), pale=PALE, x=_plain(min(value, Decimal(0))),
        width=_plain(abs(value)), colour=colour,
    )  # fmt: skip
    return _SVG.format(css="bar", box=f"{_plain(start)} 0 {_plain(top - start)} 10", id=identity, title=alt, body=body)


def interval_of(measure: ProtectedMeasure, words: Words) -> Markup:
    """The difference and its interval on an axis with zero in the middle; empty when hidden."""
    estimate = measure.estimate
    if estimate.difference.value is None:
        return Markup("")
    low, middle, high = (numbers.exact(c) for c in (estimate.low, estimate.difference, estimate.high))
    reach = axis_reach(measure)
    body = Markup(
        '<line class="zero" x1="0" x2="0" y1="0" y2="10" stroke="{dark}" stroke-width="1.5" {still}/>'
        '<line class="range" x1="{low}" x2="{high}" y1="5" y2="5" stroke="{navy}" stroke-width="8" {still}/>'
        '<line class="estimate" x1="{middle}" x2="{middle}" y1="5" y2="5" stroke="{orange}" stroke-width="20" '
        'stroke-linecap="round" {still}/>'
    ).format(
        low=_plain(low), middle=_plain(middle), high=_plain(high), navy=NAVY, orange=ORANGE, dark=DARK,
        still=Markup('vector-effect="non-scaling-stroke"'),
    )  # fmt: skip
    alt = words(
        "results.interval_alt",
        difference=numbers.signed(estimate.difference),
        low=numbers.signed(estimate.low),
        high=numbers.signed(estimate.high),
    )
    box = f"{_plain(-reach)} 0 {_plain(2 * reach)} 10"
    return _SVG.format(css="interval", box=box, id=f"range-{measure.measure.name}", title=alt, body=body)


def axis_reach(measure: ProtectedMeasure) -> Decimal:
    """How far the axis of the difference goes on either side of zero, in the unit of the difference."""
    estimate = measure.estimate
    return nice_top(max(abs(numbers.exact(c)) for c in (estimate.low, estimate.difference, estimate.high)))


def dots_of(per_100: Cell, group: str, side: int, identity: str, words: Words) -> Markup:
    """One hundred dots, as many filled as the protected number says; empty when hidden."""
    if per_100.value is None:
        return Markup("")
    filled = int(per_100.value)
    alt = words("picture.alt", number=numbers.plain(per_100), group=group)
    body = Markup("").join(
        Markup('<circle class="{css}" cx="{x}" cy="{y}" r="0.38"{paint}/>').format(
            css="dot on" if i < filled else "dot",
            x=f"{i % DOTS_A_ROW}.5",
            y=f"{i // DOTS_A_ROW}.5",
            paint=Markup(' fill="{0}"').format((NAVY, ORANGE)[side]) if i < filled
            else Markup(' fill="#fff" stroke="{0}" stroke-width="0.09"').format("#8A9299"),
        )
        for i in range(DOTS_A_ROW * DOTS_A_ROW)
    )  # fmt: skip
    return Markup(
        '<svg class="dots" viewBox="0 0 10 10" role="img" aria-labelledby="{id}"><title id="{id}">{title}</title>'
        "{body}</svg>"
    ).format(id=identity, title=alt, body=body)


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line of a forest plot: its words, its share of the whole, its numbers in words, and its picture."""

    css: str  # "study", "mean", "prediction"
    label: str
    note: str  # what the reader must know of it, in words
    share: str
    text: str
    svg: Markup


def forest_reach(pool: ProtectedPool) -> Decimal:
    """How far the axis of a forest plot goes on either side of zero, in the unit of the difference."""
    ends = [c for s in pool.studies for c in (s.low, s.high)]
    ends += [pool.mean.low, pool.mean.high, pool.prediction.low, pool.prediction.high]
    return nice_top(max(abs(numbers.exact(c)) for c in ends if c.value is not None))


def forest_svg(css: str, low: Cell, middle: Cell, high: Cell, reach: Decimal, words: Words, identity: str) -> Markup:
    """One line's picture: a range with its middle, a lozenge for the mean, a broken line for a further run."""
    if low.value is None or middle.value is None or high.value is None:
        return Markup("")
    ends = {"low": _plain(numbers.exact(low)), "high": _plain(numbers.exact(high)),
            "middle": _plain(numbers.exact(middle)), "navy": NAVY, "orange": ORANGE, "still": _STILL}  # fmt: skip
    body = _ZERO.format(dark=DARK, still=_STILL) + _FOREST[css].format(**ends)
    signed = {"low": numbers.signed(low), "high": numbers.signed(high)}
    alt = words(f"pool.alt_{css}", difference=numbers.signed(middle), **signed)
    box = f"{_plain(-reach)} 0 {_plain(2 * reach)} 10"
    return _SVG.format(css="interval", box=box, id=identity, title=alt, body=body)


_FOREST = {
    "study": Markup(
        '<line class="range" x1="{low}" x2="{high}" y1="5" y2="5" stroke="{navy}" stroke-width="4" {still}/>'
        '<line class="estimate" x1="{middle}" x2="{middle}" y1="5" y2="5" stroke="{orange}" stroke-width="14" '
        'stroke-linecap="round" {still}/>'
    ),
    "mean": Markup('<polygon class="range" points="{low},5 {middle},1 {high},5 {middle},9" fill="{navy}"/>'),
    "prediction": Markup(
        '<line class="range" x1="{low}" x2="{high}" y1="5" y2="5" stroke="{navy}" stroke-width="4" '
        'stroke-dasharray="8 5" {still}/>'
    ),
}


def way_svg(
    css: str,
    cells: tuple[Cell, Cell, Cell],
    band: tuple[Cell, Cell] | None,
    reach: Decimal,
    words: Words,
    identity: str,
) -> Markup:
    """One way's line of the picture: low, middle and high of `cells`, over a pale band that is the headline's range."""
    if any(cell.value is None for cell in cells):
        return Markup("")
    low, middle, high = (_plain(numbers.exact(cell)) for cell in cells)
    body = Markup("")
    if band is not None and band[0].value is not None and band[1].value is not None:
        left, right = numbers.exact(band[0]), numbers.exact(band[1])
        body += Markup('<rect class="band" x="{x}" y="0" width="{width}" height="10" fill="{pale}"/>').format(
            x=_plain(left), width=_plain(right - left), pale=PALE
        )
    body += _ZERO.format(dark=DARK, still=_STILL)
    body += _WAYS[css].format(low=low, middle=middle, high=high, navy=NAVY, orange=ORANGE, still=_STILL)
    shown = dict(zip(("low", "difference", "high"), (numbers.signed(cell) for cell in cells), strict=True))
    box = f"{_plain(-reach)} 0 {_plain(2 * reach)} 10"
    return _SVG.format(css="interval", box=box, id=identity, title=words("pool.alt_study", **shown), body=body)


_WAYS = {
    "mean": Markup('<polygon class="range" points="{low},5 {middle},1 {high},5 {middle},9" fill="{navy}"/>'),
    "study": _FOREST["study"],
    "prediction": _FOREST["prediction"]
    + Markup(
        '<line class="estimate" x1="{middle}" x2="{middle}" y1="5" y2="5" stroke="{orange}" stroke-width="14" '
        'stroke-linecap="round" {still}/>'
    ),
}


def curve_top(survival: ProtectedSurvival) -> Decimal:
    """How far up the axis of the curves goes, in per cent."""
    shares = [numbers.times_hundred(c) for p in survival.points for c in (p.treated, p.comparison)]
    return min(Decimal(100), ((max(shares, default=Decimal(1)) / 10).to_integral_value(ROUND_CEILING)) * 10)


def curves_of(survival: ProtectedSurvival, words: Words) -> Markup:
    """Both curves by whole months, one unit a month and one a per cent; empty when hidden (R30).

    Lines join the points that are shown and say nothing of the time between them.
    """
    if not survival.points:
        return Markup("")
    top, last = curve_top(survival), survival.points[-1]
    grid = Markup("").join(
        Markup(
            '<line class="grid" x1="0" x2="{x}" y1="{y}" y2="{y}" stroke="{pale}" stroke-width="1" {still}/>'
        ).format(x=_plain(numbers.exact(survival.months)), y=_plain(-top * part / 4), pale="#C9CED3", still=_STILL)
        for part in (0, 4)
    )
    body = grid + _curve([(p.month, p.comparison) for p in survival.points], ORANGE, Markup(' stroke-dasharray="7 4"'))
    body += _curve([(p.month, p.treated) for p in survival.points], NAVY, Markup(""))
    alt = words(
        "survival.alt",
        months=numbers.plain(last.month),
        treated=numbers.value(last.treated, Kind.RATE),
        comparison=numbers.value(last.comparison, Kind.RATE),
    )
    box = f"0 {_plain(-top)} {_plain(numbers.exact(survival.months))} {_plain(top)}"
    return _SVG.format(css="curve", box=box, id="curve-of-everyone", title=alt, body=body)


def _curve(points: list[tuple[Cell, Cell]], colour: str, dashes: Markup) -> Markup:
    places = [(numbers.exact(month), -numbers.times_hundred(share)) for month, share in points]
    line = " ".join(f"{_plain(x)},{_plain(y)}" for x, y in ((Decimal(0), Decimal(0)), *places))
    marks = Markup("").join(
        Markup('<line class="point" x1="{x}" x2="{x}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="9" '
               'stroke-linecap="round" {still}/>').format(x=_plain(x), y=_plain(y), colour=colour, still=_STILL)
        for x, y in places
    )  # fmt: skip
    return Markup('<polyline class="line" points="{line}" fill="none" stroke="{colour}" stroke-width="3"{dashes} '
                  '{still}/>').format(line=line, colour=colour, dashes=dashes, still=_STILL) + marks  # fmt: skip

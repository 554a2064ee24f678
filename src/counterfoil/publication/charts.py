"""Pictures of the site, drawn from published numbers: each coordinate is one of them, or an axis (R21)."""

from __future__ import annotations

from decimal import Decimal
from math import log10

from markupsafe import Markup

from counterfoil.disclosure import Verdict
from counterfoil.publication.results import Headline
from counterfoil.publication.words import SiteWords
from counterfoil.report.charts import nice_top

# afcharts' palette; each has 3:1 on white, and a shape of its own beside the colour
COLOURS = {Verdict.FEWER: "#12436D", Verdict.MORE: "#801650", Verdict.NOT_ENOUGH_EVIDENCE: "#6B747C"}
_STILL = Markup('vector-effect="non-scaling-stroke"')
_SVG = Markup('<svg class="interval" viewBox="{box}" preserveAspectRatio="none" role="img" aria-labelledby="{id}">'
              '<title id="{id}">{title}</title>{body}</svg>')  # fmt: skip
_ZERO = Markup('<line class="zero" x1="0" x2="0" y1="0" y2="10" stroke="#3D3D3D" stroke-width="1.5" {still}/>')
_RANGE = Markup(
    '<line class="range" x1="{low}" x2="{high}" y1="5" y2="5" stroke="{colour}" stroke-width="4" {dashes} {still}/>'
    '<line class="estimate" x1="{middle}" x2="{middle}" y1="5" y2="5" stroke="#F46A25" stroke-width="14" '
    'stroke-linecap="round" {still}/>'
)
_BROKEN = Markup('stroke-dasharray="8 5"')
_MEAN = Markup('<polygon class="range" points="{low},5 {middle},1 {high},5 {middle},9" fill="#0b0c0c"/>')


def reach_of(ends: list[Decimal]) -> Decimal:
    """How far an axis goes on either side of zero."""
    return nice_top(max((abs(end) for end in ends), default=Decimal(1)))


def range_svg(headline: Headline, verdict: Verdict, reach: Decimal, alt: str, identity: str) -> Markup:
    """One report's line: its range and middle; whole and coloured where it is significant, broken where it is not."""
    if headline.low is None or headline.high is None or headline.difference is None:
        return Markup("")
    clear = verdict in (Verdict.FEWER, Verdict.MORE)
    body = _ZERO.format(still=_STILL) + _RANGE.format(
        low=f"{headline.low:f}",
        high=f"{headline.high:f}",
        middle=f"{headline.difference:f}",
        colour=COLOURS.get(verdict, "#6B747C"),
        dashes=Markup("") if clear else _BROKEN,
        still=_STILL,
    )
    return _SVG.format(box=_box(reach), id=identity, title=alt, body=body)


def mean_svg(low: Decimal, middle: Decimal, high: Decimal, reach: Decimal, alt: str, identity: str) -> Markup:
    """The lozenge of a pooled result."""
    body = _ZERO.format(still=_STILL) + _MEAN.format(low=f"{low:f}", middle=f"{middle:f}", high=f"{high:f}")
    return _SVG.format(box=_box(reach), id=identity, title=alt, body=body)


def _box(reach: Decimal) -> str:
    return f"{-reach:f} 0 {2 * reach:f} 10"


# Width of the interval against matched people


_WIDE, _TALL, _LEFT, _TOP, _BOTTOM = 600, 320, 46, 12, 44
_MARKS = {
    Verdict.FEWER: Markup('<circle class="point" cx="{x}" cy="{y}" r="7" fill="{colour}"/>'),
    Verdict.MORE: Markup('<rect class="point" x="{left}" y="{top}" width="13" height="13" fill="{colour}"/>'),
    Verdict.NOT_ENOUGH_EVIDENCE: Markup(
        '<circle class="point" cx="{x}" cy="{y}" r="6" fill="#fff" stroke="{colour}" stroke-width="2.5"/>'
    ),
}


def width_of(headline: Headline) -> Decimal | None:
    """How wide a headline's range is, in points."""
    return None if headline.low is None or headline.high is None else headline.high - headline.low


def widths_svg(points: list[tuple[Decimal, Decimal, Verdict]], words: SiteWords) -> Markup:
    """People (by powers of ten) across, width of the range up. Shape and colour say what was found."""
    top = nice_top(max(width for _, width, _ in points))
    first = int(log10(min(people for people, _, _ in points)))
    last = max(first + 1, 1 + int(log10(max(people for people, _, _ in points))))

    def across(people: Decimal) -> float:
        share = (log10(people) - first) / (last - first)
        return round(_LEFT + share * (_WIDE - _LEFT - 14), 1)

    def up(width: Decimal) -> float:
        return round(_TOP + float(1 - width / top) * (_TALL - _TOP - _BOTTOM), 1)

    body = Markup("")
    for number in (Decimal(0), top / 2, top):
        body += Markup(
            '<line x1="{a}" x2="{b}" y1="{y}" y2="{y}" stroke="#c9ced3"/>'
            '<text x="{t}" y="{ty}" text-anchor="end">{n}</text>'
        ).format(a=_LEFT, b=_WIDE - 10, y=up(number), t=_LEFT - 8, ty=up(number) + 5, n=f"{number.normalize():f}")
    for power in range(first, last + 1):
        x = across(Decimal(10) ** power)
        body += Markup(
            '<line x1="{x}" x2="{x}" y1="{a}" y2="{b}" stroke="#c9ced3"/>'
            '<text x="{x}" y="{t}" text-anchor="{anchor}">{n}</text>'
        ).format(x=x, a=_TOP, b=_TALL - _BOTTOM, t=_TALL - _BOTTOM + 20, n=f"{10**power:,}",
                 anchor="end" if power == last else "middle")  # fmt: skip
    for people, width, verdict in points:
        x, y = across(people), up(width)
        body += _MARKS.get(verdict, _MARKS[Verdict.NOT_ENOUGH_EVIDENCE]).format(
            x=x, y=y, left=x - 6.5, top=y - 6.5, colour=COLOURS.get(verdict, "#6B747C")
        )
    return Markup(
        '<svg class="widths" viewBox="0 0 {w} {h}" role="img" aria-labelledby="widths">'
        '<title id="widths">{title}</title><g font-size="14" fill="#3D3D3D">{body}</g></svg>'
    ).format(w=_WIDE, h=_TALL, title=words("findings.widths_alt"), body=body)

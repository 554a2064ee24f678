"""Findings as the page lays them out: rows with their pictures and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from counterfoil.disclosure import ProtectedPool, Verdict
from counterfoil.publication import charts
from counterfoil.publication.findings import Findings, Group
from counterfoil.publication.published import Published
from counterfoil.publication.results import RATE, Headline
from counterfoil.publication.words import SiteWords
from counterfoil.report import numbers


@dataclass(frozen=True, slots=True)
class Row:
    """One report of a forest plot."""

    each: Published
    svg: Markup
    text: str


@dataclass(frozen=True, slots=True)
class Mean:
    """The last row of a forest plot."""

    svg: Markup
    text: str
    verdict: Verdict | None
    reliable: bool
    ahead: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """One forest plot."""

    name: str
    label: Markup
    unit: str
    left: str
    right: str
    rows: tuple[Row, ...]
    pooled: Mean | None


@dataclass(frozen=True, slots=True)
class WidthRow:
    """One report's place in the plot of widths."""

    each: Published
    people: str
    width: str


@dataclass(frozen=True, slots=True)
class Widths:
    """The plot of widths, its numbers, and how many reports it cannot show."""

    svg: Markup
    rows: tuple[WidthRow, ...]
    hidden: int


def counts_view(findings: Findings) -> list[tuple[Verdict, int]]:
    """Every way in which a report can end, with its count, none left out."""
    return [(verdict, findings.counts.get(verdict, 0)) for verdict in Verdict]


def group_view(group: Group, words: SiteWords, identity: str) -> GroupView:
    """A forest plot: rows in order of date."""
    headline = _headline(group.reports[0])
    reach = reach_of(group)
    rate = headline.unit == RATE
    less, more = ("less", "more") if rate else ("lower", "higher")
    return GroupView(
        name=group.name,
        label=words.given(headline.label),
        unit=words("findings.unit_points")
        if rate
        else words.rich("findings.unit_other", unit=words.given(headline.unit)),
        left=words(f"findings.{less}", reach=f"{reach:,f}"),
        right=words(f"findings.{more}", reach=f"{reach:,f}"),
        rows=tuple(_row(each, reach, words, f"{identity}-{i}") for i, each in enumerate(group.reports)),
        pooled=None if group.pooled is None else _mean(group.pooled, reach, words, f"{identity}-all"),
    )


def reach_of(group: Group) -> Decimal:
    """How far the axis of a group goes."""
    ends = [end for _, h in group.shown for end in (h.low, h.high) if end is not None]
    if group.pooled is not None:
        ends += [numbers.exact(c) for c in (group.pooled.mean.low, group.pooled.mean.high) if c.value is not None]
    return charts.reach_of(ends)


def _headline(each: Published) -> Headline:
    if each.result.headline is None:
        raise ValueError
    return each.result.headline


def _row(each: Published, reach: Decimal, words: SiteWords, identity: str) -> Row:
    headline = _headline(each)
    if headline.difference is None or headline.low is None or headline.high is None:
        return Row(each, Markup(""), words("findings.hidden"))
    shown = {"difference": signed(headline.difference), "low": signed(headline.low), "high": signed(headline.high)}
    alt = words("findings.alt", finding=words(f"verdict.{each.result.verdict.value}"), **shown)
    svg = charts.range_svg(headline, each.result.verdict, reach, alt, identity)
    return Row(each, svg, words("findings.difference", **shown))


def _mean(pooled: ProtectedPool, reach: Decimal, words: SiteWords, identity: str) -> Mean:
    middle, low, high = pooled.mean.difference, pooled.mean.low, pooled.mean.high
    if low.value is None or high.value is None:
        return Mean(
            Markup(""), words("findings.pooled_two", difference=numbers.signed(middle)), None, pooled.reliable, ""
        )
    shown = {"difference": numbers.signed(middle), "low": numbers.signed(low), "high": numbers.signed(high)}
    alt = words("findings.pooled_alt", **shown)
    svg = charts.mean_svg(numbers.exact(low), numbers.exact(middle), numbers.exact(high), reach, alt, identity)
    ends = (numbers.signed(pooled.prediction.low), numbers.signed(pooled.prediction.high))
    ahead = words("findings.pooled_ahead", low=ends[0], high=ends[1])
    return Mean(svg, words("findings.difference", **shown), pooled.verdict, pooled.reliable, ahead)


def widths_view(current: Sequence[Published], words: SiteWords) -> Widths | None:
    """Width against matched people, of reports whose headline is a rate; None where none can be shown."""
    with_rate = [p for p in current if p.result.headline is not None and p.result.headline.unit == RATE]
    found = [
        (p, h.people, width)
        for p in sorted(with_rate, key=lambda p: (p.date, p.run))
        if (h := p.result.headline) is not None and h.people is not None and (width := charts.width_of(h)) is not None
    ]
    if not found:
        return None
    svg = charts.widths_svg([(people, width, p.result.verdict) for p, people, width in found], words)
    rows = tuple(WidthRow(p, f"{people:,f}", f"{width:,f}") for p, people, width in found)
    return Widths(svg, rows, len(with_rate) - len(found))


def signed(number: Decimal) -> str:
    """A difference with its sign, as the reports write it."""
    if number == 0:
        return f"{abs(number):,f}"
    return f"{numbers.MINUS if number < 0 else '+'}{abs(number):,f}"

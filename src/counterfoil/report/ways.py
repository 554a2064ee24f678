"""Other ways to make the comparison, as the page lays them out: one picture, whole points, the headline's first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from counterfoil.disclosure import Protected, ProtectedWay
from counterfoil.report import charts, numbers
from counterfoil.report.further import why_part
from counterfoil.report.words import Words

ABOUT = ("national", "region", "refused", "waiting", "assessed", "needs")  # ways that have a sentence of their own


@dataclass(frozen=True, slots=True)
class WayView:
    """One way as a row."""

    label: str
    css: str
    picture: Markup
    text: str
    balance: str
    why_hidden: str


def way_views(protected: Protected, words: Words) -> tuple[WayView, ...]:
    """Every way, the headline's first."""
    shown = [c for s in protected.ways for c in (s.low, s.high) if c.value is not None]
    reach = charts.nice_top(max((abs(numbers.exact(c)) for c in shown), default=Decimal(1)))
    return tuple(_way(way, i, reach, protected, words) for i, way in enumerate(protected.ways))


def _way(way: ProtectedWay, place: int, reach: Decimal, protected: Protected, words: Words) -> WayView:
    low, high = numbers.signed(way.low), numbers.signed(way.high)
    label = words(f"ways.name.{way.name}")
    return WayView(
        label=words("ways.headline", label=label) if way.is_headline else label,
        css="mean" if way.is_headline else "study",
        picture=charts.forest_svg("study", way.low, way.difference, way.high, reach, words, f"way-{place}"),
        text="" if way.hidden else words("pool.range", difference=numbers.signed(way.difference), low=low, high=high),
        balance="" if way.hidden else words(f"ways.{'amber' if way.amber else 'green'}"),
        why_hidden="" if way.hidden is None else why_part(way.hidden, protected, words),
    )


def way_notes(protected: Protected, words: Words) -> tuple[str, ...]:
    """What each way is, and what reading them side by side can say."""
    names = [way.name for way in protected.ways]
    notes = [words(f"ways.about.{name}") for name in ABOUT if name in names]
    pools = {way.name for way in protected.ways} >= {"national", "region"}
    chosen = [words(f"ways.chosen.{protected.pool}")] if pools and protected.pool else []
    return (*chosen, *notes, words("ways.read"))

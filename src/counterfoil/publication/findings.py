"""Findings to date: published headlines by kind of intervention and by sector, in order of date, never of size."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from counterfoil.disclosure import Measure, ProtectedPool, Released, Verdict, decimals_released, protect_pool
from counterfoil.publication.published import Published
from counterfoil.publication.results import RATE, Headline
from counterfoil.units import Kind

FEWEST_POOLED = 2
Pairs = frozenset[frozenset[str]]


@dataclass(frozen=True, slots=True)
class Group:
    """Reports of one kind, or of one sector, with one headline measure. `pooled` where METHODS 5 allow it."""

    name: str
    reports: tuple[Published, ...]  # by date, then run
    pooled: ProtectedPool | None

    @property
    def shown(self) -> tuple[tuple[Published, Headline], ...]:
        """Those whose headline has a difference and a range."""
        return tuple((each, h) for each in self.reports if (h := each.result.headline) is not None and h.is_shown)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that the page of findings says."""

    kinds: tuple[Group, ...]
    sectors: tuple[Group, ...]
    counts: Mapping[Verdict, int]
    unreliable: int


def findings_of(published: Sequence[Published], apart: Pairs) -> Findings:
    """From the newest version of each report."""
    current = sorted((p for p in published if p.correction is None), key=lambda p: (p.date, p.run))
    return Findings(
        kinds=_groups(current, lambda p: p.planned.intervention.value, apart),
        sectors=_groups(current, lambda p: p.planned.sector.value, None),
        counts=Counter(p.result.verdict for p in current),
        unreliable=sum(not p.result.reliable for p in current if p.result.headline is not None),
    )


def _groups(
    current: Iterable[Published], name_of: Callable[[Published], str], apart: Pairs | None
) -> tuple[Group, ...]:
    found: dict[tuple[str, str, str], list[Published]] = {}
    for each in current:
        headline = each.result.headline
        if headline is not None:
            found.setdefault((name_of(each), headline.label, headline.unit), []).append(each)
    return tuple(
        Group(name, tuple(reports), None if apart is None else _pooled(reports, apart))
        for (name, _, _), reports in sorted(found.items(), key=lambda item: item[0])
    )


def _pooled(reports: Sequence[Published], apart: Pairs) -> ProtectedPool | None:
    """The mean of a kind's shown rates, where each pair is known to share nobody and all asked the same thing."""
    shown = [p for p in reports if (h := p.result.headline) is not None and h.is_shown and h.unit == RATE]
    if len(shown) < FEWEST_POOLED or len({p.result.asked for p in shown}) > 1 or not shown[0].result.asked:
        return None
    if not all(frozenset((a.run, b.run)) in apart for a, b in combinations(shown, 2)):
        return None
    headlines = [h for p in shown if (h := p.result.headline) is not None]
    if any(not _ends(h)[0] < _ends(h)[1] for h in headlines):
        return None  # rounded to nothing, so it cannot be weighed
    measure = Measure(headlines[0].measure, headlines[0].label, Kind.RATE)
    return protect_pool([_released(p, h, measure) for p, h in zip(shown, headlines, strict=True)], measure)


def _ends(headline: Headline) -> tuple[Decimal, Decimal]:
    return headline.low or Decimal(0), headline.high or Decimal(0)


def _released(published: Published, headline: Headline, measure: Measure) -> Released:
    low, high = _ends(headline)
    middle = headline.difference or Decimal(0)
    said = int(middle) if middle == middle.to_integral_value() and "." not in str(middle) else float(middle)
    return Released(
        run=published.run,
        title=published.result.title,
        years=(None, None),
        date=dt.date.fromisoformat(published.date),
        reliable=published.result.reliable,
        difference=float(middle),
        low=float(low),
        high=float(high),
        decimals=decimals_released(said, measure),
    )

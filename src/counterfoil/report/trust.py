"""How far to trust the headline, as the page lays it out: every way on one axis, and sentences for who is no
statistician. Numbers come from protected cells; how many ways agree is said in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from counterfoil.disclosure import (
    Design,
    NoGamma,
    Placebos,
    Protected,
    ProtectedTrust,
    ProtectedWay,
    Verdict,
    WayGroup,
)
from counterfoil.report import charts, numbers
from counterfoil.report.further import why_part
from counterfoil.report.words import Words
from counterfoil.units import Kind

ABOUT = ("national", "region", "refused", "waiting", "assessed", "needs")  # ways that have a sentence of their own
CLEAR = (Verdict.FEWER, Verdict.MORE)
NOT_ALIKE = ("balance", "kept", "overlap", "settings")  # a comparison that could not be made well


@dataclass(frozen=True, slots=True)
class WayView:
    """One way as a row."""

    label: str
    css: str
    picture: Markup
    text: str
    says: str
    why_hidden: str


@dataclass(frozen=True, slots=True)
class TrustView:
    """The section: sentences first, then each group of rows under its own heading, then what reading them can say."""

    sentences: tuple[str, ...]
    groups: tuple[tuple[str, tuple[WayView, ...]], ...]  # heading ("" for the headline's), rows
    axis: tuple[str, ...]  # what lies at either end; empty where nothing is drawn
    notes: tuple[str, ...]


def trust_view(protected: Protected, words: Words) -> TrustView | None:
    """The section, or nothing where the run asked in no other way and made no check."""
    rows = rows_of(protected)
    if not rows and protected.trust is None:
        return None
    reach = reach_of(rows)
    less, more = ("lower", "higher") if protected.headline.measure.kind is Kind.AMOUNT else ("less", "more")
    ends = (words(f"results.{less}"), words(f"results.{more}"))
    return TrustView(
        sentences=sentences_of(protected, words),
        groups=tuple(_groups(rows, reach, protected, words)),
        axis=tuple(f"{reach:,f} {end}" for end in ends) if any(way.hidden is None for way in rows) else (),
        notes=_notes(protected, words) if rows else (),
    )


def rows_of(protected: Protected) -> tuple[ProtectedWay, ...]:
    """What the picture holds: the headline, the other ways, and the check where its axis is the same."""
    trust = protected.trust
    if trust is None:
        return protected.ways
    is_rate = protected.headline.measure.kind is Kind.RATE
    check = (trust.control,) if trust.control is not None and is_rate and trust.ways else ()
    return (*trust.ways, *check)


def reach_of(rows: Sequence[ProtectedWay]) -> Decimal:
    """How far the axis goes on either side of zero, in the unit of the difference."""
    shown = [c for way in rows for c in (way.low, way.difference, way.high) if c.value is not None]
    return charts.nice_top(max((abs(numbers.exact(c)) for c in shown), default=Decimal(1)))


def _groups(
    rows: Sequence[ProtectedWay], reach: Decimal, protected: Protected, words: Words
) -> list[tuple[str, tuple[WayView, ...]]]:
    numbered = [(way, _view(way, place, rows[0], reach, protected, words)) for place, way in enumerate(rows)]
    made = [("", tuple(view for way, view in numbered if way.is_headline))] if rows else []
    for group in (WayGroup.METHOD, WayGroup.COMPARISON, WayGroup.SITE, WayGroup.CALIPER, WayGroup.CHECK):
        views = tuple(view for way, view in numbered if way.group is group and not way.is_headline)
        if views:
            made.append((words(f"trust.group.{group.value}"), views))
    return made


def name_of(way: ProtectedWay, words: Words) -> str:
    """What a way is called."""
    if way.group is WayGroup.COMPARISON:
        return words(f"ways.name.{way.name}")
    return words(f"trust.name.{way.name}", label=way.label)


def _view(
    way: ProtectedWay, place: int, first: ProtectedWay, reach: Decimal, protected: Protected, words: Words
) -> WayView:
    signed = {"low": numbers.signed(way.low), "high": numbers.signed(way.high)}
    name = name_of(way, words)
    css = "mean" if way.is_headline else "prediction" if way.group is WayGroup.CHECK else "study"
    band = None if way.is_headline else (first.low, first.high)
    return WayView(
        label=words("ways.headline", label=name) if way.is_headline else name,
        css=css,
        picture=charts.way_svg(css, (way.low, way.difference, way.high), band, reach, words, f"way-{place}"),
        text="" if way.hidden else words("pool.range", difference=numbers.signed(way.difference), **signed),
        says="" if way.hidden else words(f"trust.says.{way.verdict.value}"),
        why_hidden="" if way.hidden is None else why_part(way.hidden, protected, words),
    )


def _notes(protected: Protected, words: Words) -> tuple[str, ...]:
    """What each comparison is, and what reading the ways side by side can say."""
    names = [way.name for way in protected.ways]
    notes = [words(f"ways.about.{name}") for name in ABOUT if name in names]
    pools = {way.name for way in protected.ways} >= {"national", "region"}
    chosen = [words(f"ways.chosen.{protected.pool}")] if pools and protected.pool else []
    return (*chosen, *notes, words("ways.read"))


def sentences_of(protected: Protected, words: Words) -> tuple[str, ...]:
    """What all of it comes to."""
    trust = protected.trust
    if protected.design is Design.RANDOMISED:
        return (words("trust.trial"),)
    if protected.verdict is Verdict.HIDDEN:
        return (words("trust.headline_hidden"),)
    rows = [way for way in rows_of(protected) if not way.is_headline and way.group is not WayGroup.CHECK]
    others = [way for way in rows if way.group is WayGroup.COMPARISON]
    same = [way for way in rows if way.group is not WayGroup.COMPARISON]
    found = [words(f"trust.agree.{_agreement(protected, same)}")] if same else []
    found += _compared_with_others(protected, others, words)
    others = [way for way in rows if way.group in (WayGroup.METHOD, WayGroup.COMPARISON)]  # the table names the rest
    unmade = [name_of(way, words) for way in others if way.hidden in NOT_ALIKE]
    found += [words("trust.unmade", names="; ".join(unmade))] if unmade else []
    if trust is not None:
        found += [_hidden_difference(protected, trust, words), *_gamma(trust, words), *_checks(trust, words)]
    return tuple(found)


def _agreement(protected: Protected, rows: Sequence[ProtectedWay]) -> str:
    """Which sentence says how the other ways that are shown compare with the headline."""
    shown = [way for way in rows if way.hidden is None]
    verdict = protected.verdict
    if not shown:
        return "nothing"
    if verdict not in CLEAR:
        return "some_clear" if any(way.verdict in CLEAR for way in shown) else "none_clear"
    if all(way.verdict is verdict for way in shown):
        return "all"
    against = [way for way in shown if not _points(way, verdict)]
    return "mixed" if against else "direction"


def _compared_with_others(protected: Protected, others: Sequence[ProtectedWay], words: Words) -> list[str]:
    """Whether other people to compare with change the answer, and which do."""
    shown = [way for way in others if way.hidden is None]
    if not shown:
        return []
    clear = protected.verdict in CLEAR
    differ = [way for way in shown if (way.verdict is not protected.verdict if clear else way.verdict in CLEAR)]
    if not differ:
        return [words("trust.others.same")]
    return [words("trust.others.differ", names="; ".join(name_of(way, words) for way in differ))]


def _points(way: ProtectedWay, verdict: Verdict) -> bool:
    value = way.difference.value or 0.0
    return value < 0 if verdict is Verdict.FEWER else value > 0


def _hidden_difference(protected: Protected, trust: ProtectedTrust, words: Words) -> str:
    """The E-value in words."""
    limit, clear = trust.e_limit, protected.verdict in CLEAR
    if not clear:
        return words("trust.e.not_needed")
    if limit.value is None:
        return words("trust.e.hidden" if limit.rule is not None else "trust.e.none")
    if limit.value <= 1.0:
        return words("trust.e.weak")
    return words("trust.e.needed", limit=numbers.plain(limit), point=numbers.plain(trust.e_point))


def _gamma(trust: ProtectedTrust, words: Words) -> tuple[str, ...]:
    """The pairs in words; nothing where there are none, or what they say is hidden."""
    if trust.no_gamma is NoGamma.CHANCE:
        return (words("trust.gamma.chance"),)
    return (words("trust.gamma.needed", gamma=numbers.plain(trust.gamma)),) if trust.gamma.value is not None else ()


def _checks(trust: ProtectedTrust, words: Words) -> tuple[str, ...]:
    control = "none" if trust.control is None else "unmade" if trust.control.hidden in NOT_ALIKE else ""
    control = control or (trust.control.verdict.value if trust.control is not None else "")
    placebos = () if trust.placebos is Placebos.NONE else (words(f"trust.placebos.{trust.placebos.name.lower()}"),)
    return (words(f"trust.control.{control}"), *placebos)


def caveats_of_trust(protected: Protected, words: Words) -> tuple[str, ...]:
    """The warning beside the headline when the groups differed before the programme could have changed anything."""
    trust = protected.trust
    if trust is None or not trust.is_flagged or trust.control is None or protected.verdict is Verdict.HIDDEN:
        return ()
    return (words(f"caveat.before_{trust.control.verdict.value}"),)


def hedge_of(protected: Protected, words: Words) -> str:
    """What the headline itself must then say."""
    trust = protected.trust
    if trust is None or not trust.is_flagged or trust.control is None or protected.verdict is Verdict.HIDDEN:
        return ""
    if protected.verdict not in CLEAR:
        return words("trust.hedge.inconclusive")
    return words("trust.hedge.same" if trust.control.verdict is protected.verdict else "trust.hedge.other")

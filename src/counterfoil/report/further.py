"""What stands beside the measures: the curve of everyone, parts of the group, how the list was made, costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from counterfoil.disclosure import (
    NOT_APPLICABLE,
    Cell,
    Gaps,
    Protected,
    ProtectedCost,
    ProtectedMeasure,
    ProtectedSample,
    ProtectedSubAnalysis,
    ProtectedSurvival,
    ProtectedTable,
    Rule,
    Verdict,
)
from counterfoil.report import charts, numbers, tables
from counterfoil.report.words import Words
from counterfoil.units import Kind

FULL_MEASURES = 3  # that have pictures; the others share one table, so that the headline is not buried
MISSING_SOME, MISSING_MANY = 5, 10  # of every 100 who started: from here it is noted; from here it is a caveat
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class SurvivalView:
    """The curve of everyone, as the page lays it out."""

    statement: str
    check: str
    why_hidden: str
    svg: Markup
    top: str  # of the axis, in per cent
    rows: tuple[tuple[str, str, str], ...]  # month, treated, comparison


@dataclass(frozen=True, slots=True)
class PartView:
    """One sub-analysis as a row."""

    name: str
    about: str
    picture: Markup
    text: str
    p: str
    verdict: str
    css: str
    why_hidden: str


@dataclass(frozen=True, slots=True)
class ProfileView:
    """One characteristic of the people analysed. `rows`: group, people, share; `why_hidden` where there is none."""

    name: str
    rows: tuple[tuple[str, str, str], ...]
    why_hidden: str


def profile_views(protected: Protected, words: Words) -> list[ProfileView]:
    """Each characteristic with its lines, or the sentence of the rule that hides all of them."""
    return [_profile_view(table, protected, words) for table in protected.tables]


def _profile_view(table: ProtectedTable, protected: Protected, words: Words) -> ProfileView:
    rules = [cell.people.rule for cell in table.cells if cell.people.rule is not None]
    if not table.is_shown:
        return ProfileView(table.name, (), tables.why_no_line(rules[0], protected.settings, words))
    rows = tuple(
        (tables.kinds_text(cell, words), numbers.plain(cell.people), numbers.value(cell.share, Kind.RATE))
        for cell in table.cells
    )
    return ProfileView(table.name, rows, "")


def survival_view(survival: ProtectedSurvival, protected: Protected, words: Words) -> SurvivalView:
    """Sentences, the picture and its numbers."""
    verdict = survival.verdict
    ends = sorted((survival.difference.low, survival.difference.high), key=lambda cell: abs(cell.value or 0.0))
    filling = {
        "months": numbers.plain(survival.months),
        "treated": numbers.plain(survival.treated),
        "comparison": numbers.plain(survival.comparison),
        "near": numbers.size(ends[0]),
        "far": numbers.size(ends[1]),
        "fewer": numbers.size(survival.difference.low),
        "more": numbers.size(survival.difference.high),
        "who_treated": words(f"who.{protected.design.value}.treated"),
        "who_comparison": words(f"who.{protected.design.value}.comparison"),
    }
    hazard = survival.hazard
    check = words(
        "survival.check",
        p=numbers.p_value(survival.log_rank_p),
        ratio=numbers.plain(hazard.value),
        low=numbers.plain(hazard.low),
        high=numbers.plain(hazard.high),
    )
    rows = tuple(
        (numbers.plain(p.month), numbers.value(p.treated, Kind.RATE), numbers.value(p.comparison, Kind.RATE))
        for p in survival.points
    )
    return SurvivalView(
        statement=words(f"survival.{verdict.value}", **filling),
        check=check if survival.hidden is None else "",
        why_hidden="" if survival.hidden is None else tables.why(survival.hidden, protected.settings, words),
        svg=charts.curves_of(survival, words),
        top=f"{charts.curve_top(survival):f}%",
        rows=rows,
    )


def part_views(protected: Protected, words: Words) -> tuple[PartView, ...]:
    """Every sub-analysis of the plan, in its order."""
    shown = [c for s in protected.sub_analyses for c in (s.low, s.high) if c.value is not None]
    reach = charts.nice_top(max((abs(numbers.exact(c)) for c in shown), default=Decimal(1)))
    return tuple(_part(sub, number, reach, protected, words) for number, sub in enumerate(protected.sub_analyses))


def _part(sub: ProtectedSubAnalysis, number: int, reach: Decimal, protected: Protected, words: Words) -> PartView:
    low, high = numbers.signed(sub.low), numbers.signed(sub.high)
    text = words("pool.range", difference=numbers.signed(sub.difference), low=low, high=high)
    return PartView(
        name=sub.name,
        about=sub.about,
        picture=charts.forest_svg("study", sub.low, sub.difference, sub.high, reach, words, f"part-{number}"),
        text="" if sub.hidden else text,
        p="" if sub.hidden else numbers.p_value(sub.p_holm),
        verdict=words(f"verdict.{sub.verdict.value}"),
        css=sub.verdict.value,
        why_hidden="" if sub.hidden is None else why_part(sub.hidden, protected, words),
    )


def why_part(hidden: str, protected: Protected, words: Words) -> str:
    """Why a sub-analysis is not shown: a disclosure rule, or what its own comparison came to. Never a number."""
    rules = {rule.value: rule for rule in Rule}
    if hidden in rules:
        return tables.why(rules[hidden], protected.settings, words)
    return words(f"parts.{hidden}")


def after_start(protected: Protected, words: Words) -> tuple[str, ...]:
    """A warning for each part that people came into after they had started."""
    return tuple(words("parts.after_start", name=s.name) for s in protected.sub_analyses if s.after_start)


def sample_of(sample: ProtectedSample | None, words: Words) -> tuple[str, ...]:
    """How the list was made, in sentences."""
    if sample is None:
        return ()
    requests = numbers.plain(sample.requests)
    several = (sample.requests.value or 1) > 1
    return (
        *_missing(sample, words),
        words(f"sample.gaps_{sample.gaps.value}"),
        words("sample.repeated" if sample.repeated else "sample.not_repeated"),
        *((words("sample.completers"),) if sample.completers_only else ()),
        *((words("sample.changed"),) if sample.changed else ()),
        words("sample.requests_many", requests=requests) if several else words("sample.requests_one"),
        *((words("sample.corrected", p=numbers.p_value(sample.p_corrected)),) if _has_p(sample.p_corrected) else ()),
    )


def _has_p(cell: Cell) -> bool:
    return cell != NOT_APPLICABLE and cell.value is not None


def _missing(sample: ProtectedSample, words: Words) -> tuple[str, ...]:
    if sample.missing.value is None:
        return ()
    judged = "nearly_all" if sample.missing.value <= MISSING_SOME else "some_missing"
    return (words(f"sample.{judged}", missing=numbers.plain(sample.missing)),)


def sample_caveats(protected: Protected, words: Words) -> tuple[str, ...]:
    """What of the list a reader must know beside the headline (A1)."""
    sample = protected.sample
    if sample is None:
        return ()
    found = []
    if sample.completers_only:
        found.append(words("caveat.completers"))
    if (sample.missing.value or 0) > MISSING_MANY:
        found.append(words("caveat.missing"))
    if sample.gaps is Gaps.FOUND:
        found.append(words("caveat.gaps"))
    clear = protected.verdict in (Verdict.FEWER, Verdict.MORE)
    if clear and _has_p(sample.p_corrected) and (sample.p_corrected.value or 0.0) >= LEVEL:
        found.append(words("caveat.requests", requests=numbers.plain(sample.requests)))
    return tuple(found)


def cost_lines(protected: Protected, words: Words) -> tuple[str, ...]:
    """Each cost in a sentence, with what it takes for granted."""
    return tuple(_cost(cost, words) for cost in protected.costs)


def _cost(cost: ProtectedCost, words: Words) -> str:
    low, high = cost.low.value or 0.0, cost.high.value or 0.0
    case = "saved" if low > 0 else "spent" if high < 0 else "either"
    sides = (cost.high, cost.low) if case == "spent" else (cost.low, cost.high)
    filling = {
        "noun": cost.measure.noun or cost.measure.label,
        "label": words.given(cost.measure.label),
        "low": f"{cost.currency}{numbers.size(sides[0])}",
        "high": f"{cost.currency}{numbers.size(sides[1])}",
        "unit": f"{cost.currency}{numbers.plain(cost.unit_cost)}",
        "source": cost.source,
    }
    return f"{words(f'cost.{case}', **filling)} {words('cost.basis', **filling)}"


def other_measures(protected: Protected) -> tuple[ProtectedMeasure, ...]:
    """Measures after the first few: those that are shown."""
    return tuple(m for m in protected.measures[FULL_MEASURES:] if m.hidden is None)


def hidden_measures(protected: Protected, words: Words) -> str:
    """The others that are hidden, in one line."""
    names = [words.given(m.measure.label) for m in protected.measures[FULL_MEASURES:] if m.hidden is not None]
    return words("results.hidden_others", names="; ".join(names)) if names else ""

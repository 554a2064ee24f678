"""`protect`: from what was calculated to what may be shown. The only way out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from counterfoil.cohort.values import Attrition
from counterfoil.comparison.values import Comparison
from counterfoil.disclosure.balance import protect_balance
from counterfoil.disclosure.beside import NOTHING_BESIDE, Beside, WayResult
from counterfoil.disclosure.cells import MAKER, NOT_APPLICABLE, NOT_AVAILABLE, Box, Cell, Rule, hidden
from counterfoil.disclosure.cost import protect_costs
from counterfoil.disclosure.flow import Sizes, count_boxes, decide_sizes, protect_flow
from counterfoil.disclosure.gate import check_gate
from counterfoil.disclosure.group_tables import protect_tables
from counterfoil.disclosure.hiding import NOTHING_MORE, More
from counterfoil.disclosure.linking import protect_linking
from counterfoil.disclosure.measures import Context, decimals_of, possible_sizes, protect_measures, show_number
from counterfoil.disclosure.rates import is_rate_safe
from counterfoil.disclosure.sample import protect_sample
from counterfoil.disclosure.settings import DEFAULT_SETTINGS, DisclosureSettings
from counterfoil.disclosure.shown_beside import ProtectedSurvival, ProtectedTable
from counterfoil.disclosure.shown_measures import ProtectedAttrition, ProtectedBalance, ProtectedMeasure
from counterfoil.disclosure.states import Verdict
from counterfoil.disclosure.sub_analyses import protect_sub_analyses
from counterfoil.disclosure.survival import protect_survival
from counterfoil.disclosure.trust import protect_trust
from counterfoil.disclosure.values import Finding, Protected, ProtectedRefusal, headline_of
from counterfoil.disclosure.ways import Reading
from counterfoil.effect.inconclusive import inconclusive
from counterfoil.effect.values import Effect
from counterfoil.errors import Fault, Refused
from counterfoil.units import Kind

NOT_SUITABLE_RULES = frozenset({"not_suitable", "not suitable"})
DIGITS = re.compile(r"\d+(?:\.\d+)?")


def protect(
    effects: Sequence[Effect],
    comparison: Comparison,
    attrition: Attrition,
    settings: DisclosureSettings = DEFAULT_SETTINGS,
    beside: Beside = NOTHING_BESIDE,
    more: More = NOTHING_MORE,
) -> Protected:
    """Every number of an evaluation, cleared or hidden with its rule. Raises Refused(rule="R1") first of all.

    `more`: what the intruder audit asks to hide besides.
    """
    check_gate(attrition, comparison, settings)
    if not effects:
        raise Fault("There is no measure to protect. A plan names at least one.")
    counts = count_boxes(attrition, comparison.n_treated_matched)
    headline = _headline_effect(effects)
    sizes = decide_sizes(counts, headline_safe=_is_safe(headline, settings), settings=settings)
    sizes, beside = (Sizes.HIDDEN if more.size else sizes), _without(beside, more)
    context = _context(effects, comparison, counts, sizes, settings)
    measures = protect_measures(effects, context, more.measures)
    balance = protect_balance(comparison, sizes, settings, more)
    flow = protect_flow(counts, attrition.started, sizes, settings)
    curves = protect_survival(beside.survival, context, hides=Rule.R13 if more.curves else None)
    outcome = beside.headline if headline.measure.kind is Kind.RATE else None
    submitted = counts[Box.SUBMITTED]
    tables = protect_tables(beside.tables, beside.members, sizes, settings, more.cells)
    parts = protect_sub_analyses(beside.sub_analyses, beside.members, outcome, submitted, settings)
    reading = Reading(
        whole=beside.members,
        shown=tuple(r.members for r, p in zip(beside.sub_analyses, parts, strict=True) if p.hidden is None),
        outcome=outcome,
        submitted=submitted,
        size_is_shown=sizes is Sizes.EXACT,
        hidden=headline_of(measures).hidden,
    )
    first = WayResult(beside.pool or "headline", beside.members, comparison, headline, "")
    names = [effect.measure for effect in effects]
    others, trust = protect_trust(beside.trust, first, beside.ways, reading, settings, measures=names)
    return Protected(
        measures=measures,
        attrition=flow,
        balance=balance,
        design=comparison.settings.design,
        estimand=comparison.achieved,
        verdict=headline_of(measures).verdict,
        reliable=comparison.reliable,
        caveats=tuple(w for w in comparison.warnings if not DIGITS.search(w)),
        smallest_detectable=_smallest(headline, headline_of(measures), sizes),
        findings=_findings(measures, flow, balance, curves, tables),
        settings=settings,
        maker=MAKER,
        asked=comparison.asked,
        people_needed=_needed(headline, headline_of(measures), sizes),
        survival=curves,
        sub_analyses=parts,
        ways=others,
        pool=beside.pool,
        sample=protect_sample(beside.sample, attrition.started, submitted, headline_of(measures)),
        costs=protect_costs(beside.costs, measures),
        trust=trust,
        tables=tables,
        linking=protect_linking(
            beside.linking,
            headline_of(measures).verdict,
            reading.hidden,
            size_is_shown=reading.size_is_shown,
            settings=settings,
        ),
    )


def _without(beside: Beside, more: More) -> Beside:
    """Sub-analyses and ways that the audit hides are stopped by its rule. A way's place counts the headline's first."""
    parts = tuple(
        replace(one, rule=Rule.R13.value) if place in more.parts else one
        for place, one in enumerate(beside.sub_analyses)
    )

    def stopped(ways: tuple[WayResult, ...], first: int) -> tuple[WayResult, ...]:
        return tuple(
            replace(one, rule=Rule.R13.value) if place in more.ways else one
            for place, one in enumerate(ways, start=first)
        )

    trust = beside.trust and replace(beside.trust, ways=stopped(beside.trust.ways, 1 + len(beside.ways)))
    if trust is not None and trust.control is not None and more.control:
        trust = replace(trust, control=replace(trust.control, rule=Rule.R13.value))
    return replace(beside, sub_analyses=parts, ways=stopped(beside.ways, 1), trust=trust)


def refuse(refused: Refused, settings: DisclosureSettings = DEFAULT_SETTINGS) -> ProtectedRefusal:
    """A refusal as it may be shown: its rule and its reason, whose only numbers are the rules' own (R25)."""
    allowed = {f"{p.value:g}" for p in settings.annex()} | {f"{p.value * 100:g}" for p in settings.annex()}
    allowed |= {number.lstrip("R") for number in re.findall(r"R\d+", refused.rule)}
    safe = set(DIGITS.findall(refused.reason)) <= allowed
    return ProtectedRefusal(
        rule=refused.rule,
        reason=refused.reason if safe else "A rule of the lab stopped this run.",
        verdict=Verdict.NOT_SUITABLE if refused.rule in NOT_SUITABLE_RULES else Verdict.REFUSED,
        settings=settings,
        maker=MAKER,
    )


def _headline_effect(effects: Sequence[Effect]) -> Effect:
    rates = [e for e in effects if e.measure.kind is Kind.RATE]
    return (rates or list(effects))[0]


def _is_safe(effect: Effect, settings: DisclosureSettings) -> bool:
    """R3 on the treated side of a rate. Other kinds have no k."""
    return effect.measure.kind is not Kind.RATE or is_rate_safe(effect.treated.events, effect.treated.n, settings)


def _context(
    effects: Sequence[Effect],
    comparison: Comparison,
    counts: dict[Box, int],
    sizes: Sizes,
    settings: DisclosureSettings,
) -> Context:
    analysed, submitted = counts[Box.ANALYSED], counts[Box.SUBMITTED]
    rates = [e for e in effects if e.measure.kind is Kind.RATE]
    context = Context(
        analysed=analysed,
        compared=comparison.n_comparison,
        submitted=submitted,
        sizes=sizes,
        possible_sizes=(),
        headline_events=_events(_headline_effect(effects)),
        rates_safe=all(is_rate_safe(g.events, g.n, settings) for e in rates for g in (e.treated, e.comparison)),
        settings=settings,
        paired=comparison.pairs is not None,
    )
    return replace(context, possible_sizes=possible_sizes(analysed, context))


def _events(headline: Effect) -> tuple[int, int] | None:
    """People with the headline's outcome on each side, where it is a rate."""
    if headline.measure.kind is not Kind.RATE:
        return None
    if headline.treated.events is None or headline.comparison.events is None:
        return None
    return headline.treated.events, headline.comparison.events


def _smallest(effect: Effect, headline: ProtectedMeasure, sizes: Sizes) -> Cell:
    """The smallest true difference these people would have shown, for an inconclusive headline. It depends on n."""
    found = inconclusive(effect) if headline.verdict is Verdict.NOT_ENOUGH_EVIDENCE else None
    if found is None:
        return NOT_APPLICABLE
    if sizes is not Sizes.EXACT:
        return hidden(Rule.R7)
    return show_number(found.smallest_detectable, decimals_of(effect, sizes).difference, None)


def _needed(effect: Effect, headline: ProtectedMeasure, sizes: Sizes) -> Cell:
    """People who would settle an inconclusive headline, to two digits. It depends on n; [x]: more than any service."""
    found = inconclusive(effect) if headline.verdict is Verdict.NOT_ENOUGH_EVIDENCE else None
    if found is None:
        return NOT_APPLICABLE
    if sizes is not Sizes.EXACT:
        return hidden(Rule.R7)
    if found.people_needed is None:
        return NOT_AVAILABLE
    step = 10 ** max(0, len(str(found.people_needed)) - 2)
    return Cell(value=math.ceil(found.people_needed / step) * step, about=True)


def _findings(
    measures: Sequence[ProtectedMeasure],
    flow: ProtectedAttrition,
    balance: ProtectedBalance,
    curves: ProtectedSurvival | None,
    tables: Sequence[ProtectedTable],
) -> tuple[Finding, ...]:
    """What was hidden, each rule once a place."""
    found = {
        Finding(rule=cell.rule, where=m.measure.name): None
        for m in measures
        for cell in (m.treated.value, m.comparison.value, m.estimate.difference, m.estimate.p, m.treated.n)
        if cell.rule is not None
    }
    merged = len(flow.boxes) < len(Box) and any(len(box.boxes) > 1 for box in flow.boxes)
    if merged or flow.analysed.value is None:
        found[Finding(rule=Rule.R11, where="flow")] = None
    if curves is not None and curves.hidden is not None:
        found[Finding(rule=curves.hidden, where="survival")] = None
    found.update({Finding(rule=t.smd.rule, where="balance"): None for t in balance.terms if t.smd.rule is not None})
    cells = [(table.name, cell.people.rule) for table in tables for cell in table.cells]
    found.update({Finding(rule=rule, where=name): None for name, rule in cells if rule is not None})
    return tuple(found)

"""The JSON of `evaluate` (DESIGN 4). Protected values only; what is hidden is null with its rule."""

from __future__ import annotations

from typing import Any

from counterfoil.disclosure import (
    Band,
    Cell,
    Protected,
    ProtectedAttrition,
    ProtectedBalance,
    ProtectedCost,
    ProtectedEstimate,
    ProtectedGroup,
    ProtectedLinking,
    ProtectedMeasure,
    ProtectedRatio,
    ProtectedRefusal,
    ProtectedSample,
    ProtectedSubAnalysis,
    ProtectedSurvival,
    ProtectedTable,
    ProtectedTrust,
    ProtectedWay,
)
from counterfoil.report import sentences, trust
from counterfoil.report.numbers import number
from counterfoil.report.words import DEFAULT_LANGUAGE, Words, words_of
from counterfoil.units import Kind


def to_json(protected: Protected | ProtectedRefusal, run: str, report_path: str | None) -> dict[str, Any]:
    """What `evaluate --json` prints. Rates 0-1, differences of rates in points."""
    if isinstance(protected, ProtectedRefusal):
        return {
            "run": run,
            "report": report_path,
            "verdict": protected.verdict.value,
            "refused": {"rule": protected.rule, "reason": protected.reason},
        }
    words = words_of(DEFAULT_LANGUAGE)
    return {
        "run": run,
        "report": report_path,
        "verdict": protected.verdict.value,
        "headline": sentences.headline_of(protected, words).text,
        "caveats": list(sentences.caveats_of(protected, words)),
        "reliable": protected.reliable,
        "disagrees": list(protected.headline.disagrees),
        "attrition": _attrition(protected.attrition),
        "balance": _balance(protected.balance),
        "measures": [_measure(m) for m in protected.measures],
        "estimand": {
            "asked": None if protected.asked is None else protected.asked.name,
            "achieved": protected.estimand.name,
        },
        "smallest_detectable": number(protected.smallest_detectable),
        "people_needed": number(protected.people_needed),
        "survival": None if protected.survival is None else _survival(protected.survival),
        "sub_analyses": [_sub_analysis(sub) for sub in protected.sub_analyses],
        "pool": protected.pool or None,
        "ways": [_way_facts(each, words) for each in protected.ways],
        "trust": None if protected.trust is None else _trust(protected, protected.trust, words),
        "sample": None if protected.sample is None else _sample(protected.sample),
        "cost": [_cost(cost) for cost in protected.costs],
        "profile": [_profile(table) for table in protected.tables],
        "linking": None if protected.linking is None else _linking(protected.linking),
    }


def _linking(linking: ProtectedLinking) -> dict[str, Any]:
    return {
        "difference": number(linking.difference),
        "low": number(linking.low),
        "high": number(linking.high),
        "outward": linking.is_outward,
        "answer": linking.answer.value,
        "share_from": number(linking.share_from),
        "share_to": number(linking.share_to),
        "draws": number(linking.draws),
        "hidden": linking.hidden,
    }


def _rule(*cells: Cell) -> str | None:
    return next((cell.rule.value for cell in cells if cell.rule is not None), None)


def _attrition(attrition: ProtectedAttrition) -> list[dict[str, Any]]:
    return [
        {
            "step": box.boxes[-1].value,
            "n": number(box.people),
            "merged": [b.value for b in box.boxes[:-1]],
            "hidden": _rule(box.people),
            "about": box.people.about,
        }
        for box in attrition.boxes
    ]


def _balance(balance: ProtectedBalance) -> dict[str, Any]:
    return {
        "worst_smd": number(balance.worst_smd),
        "worst_smd_at_least": balance.worst_smd.at_least,
        "n_red": balance.count(Band.RED),
        "n_amber": balance.count(Band.AMBER),
        "n_green": balance.count(Band.GREEN),
        "ess": number(balance.ess),
    }


def _measure(protected: ProtectedMeasure) -> dict[str, Any]:
    measure = protected.measure
    return {
        "measure": measure.name,
        "label": measure.label,
        "unit": "rate" if measure.kind is Kind.RATE else measure.unit or measure.kind.value,
        "treated": _group(protected.treated),
        "comparison": _group(protected.comparison),
        **_estimate(protected.estimate),
        "verdict": protected.verdict.value,
        "hidden": None if protected.hidden is None else protected.hidden.value,
        "disagrees": list(protected.disagrees),
        "score": None if protected.score is None else _estimate(protected.score),
        "adjusted": None if protected.adjusted is None else _estimate(protected.adjusted),
        "ratio": None if protected.ratio is None else _ratio(protected.ratio),
    }


def _group(group: ProtectedGroup) -> dict[str, Any]:
    return {"n": number(group.n), "value": number(group.value), "hidden": _rule(group.value, group.n)}


def _estimate(estimate: ProtectedEstimate) -> dict[str, Any]:
    return {
        "difference": number(estimate.difference),
        "low": number(estimate.low),
        "high": number(estimate.high),
        "p": number(estimate.p),
    }


def _ratio(ratio: ProtectedRatio) -> dict[str, Any]:
    return {"value": number(ratio.value), "low": number(ratio.low), "high": number(ratio.high)}


def _survival(survival: ProtectedSurvival) -> dict[str, Any]:
    """Everyone's time to the first event: shares are 0-1 with the event by the end of a month, means in days."""
    return {
        "measure": survival.measure.name,
        "months": number(survival.months),
        "curve": [
            {"month": number(p.month), "treated": number(p.treated), "comparison": number(p.comparison)}
            for p in survival.points
        ],
        "treated_days": number(survival.treated),
        "comparison_days": number(survival.comparison),
        **_estimate(survival.difference),
        "log_rank_p": number(survival.log_rank_p),
        "hazard_ratio": _ratio(survival.hazard),
        "verdict": survival.verdict.value,
        "hidden": None if survival.hidden is None else survival.hidden.value,
    }


def _sub_analysis(sub: ProtectedSubAnalysis) -> dict[str, Any]:
    return {
        "name": sub.name,
        "people": sub.about,
        "difference": number(sub.difference),
        "low": number(sub.low),
        "high": number(sub.high),
        "p_holm": number(sub.p_holm),
        "verdict": sub.verdict.value,
        "balance": {"n_green": sub.green, "n_amber": sub.amber, "n_red": sub.red},
        "hidden": sub.hidden,
    }


def _way_facts(each: ProtectedWay, words: Words) -> dict[str, Any]:
    return {
        "name": each.name,
        "group": each.group.value,
        "label": trust.name_of(each, words),
        "headline": each.is_headline,
        "difference": number(each.difference),
        "low": number(each.low),
        "high": number(each.high),
        "verdict": each.verdict.value,
        "balance": {"n_green": each.green, "n_amber": each.amber, "n_red": each.red},
        "hidden": each.hidden,
    }


def _trust(protected: Protected, found: ProtectedTrust, words: Words) -> dict[str, Any]:
    """How far to trust the headline: every way, the headline's first, and the checks. E-values and Gamma are ratios."""
    return {
        "ways": [_way_facts(each, words) for each in found.ways],
        "negative_control": None if found.control is None else _way_facts(found.control, words),
        "placebos": found.placebos.value,
        "e_value": {"point": number(found.e_point), "limit": number(found.e_limit), "hidden": _rule(found.e_limit)},
        "gamma": number(found.gamma),
        "gamma_is_none_because": None if found.no_gamma is None else found.no_gamma.value,
        "gamma_hidden": _rule(found.gamma),
        "sentences": list(trust.sentences_of(protected, words)),
    }


def _sample(sample: ProtectedSample) -> dict[str, Any]:
    return {
        "missing_per_100": number(sample.missing),
        "start_date_gaps": sample.gaps.value,
        "repeated": sample.repeated,
        "completers_only": sample.completers_only,
        "requests": number(sample.requests),
        "p_corrected": number(sample.p_corrected),
        "definition_changed": sample.changed,
    }


def _profile(table: ProtectedTable) -> dict[str, Any]:
    """How the people analysed divide: shares are 0-1. `groups`: kinds that stand in one line together."""
    return {
        "characteristic": table.name,
        "groups": [
            {
                "kinds": list(cell.kinds),
                "people": number(cell.people),
                "share": number(cell.share),
                "hidden": _rule(cell.people),
            }
            for cell in table.cells
        ],
    }


def _cost(cost: ProtectedCost) -> dict[str, Any]:
    """Between these two, saved for every 100 people; under zero is spent."""
    return {
        "measure": cost.measure.name,
        "currency": cost.currency,
        "unit_cost": number(cost.unit_cost),
        "source": cost.source,
        "saved_per_100_low": number(cost.low),
        "saved_per_100_high": number(cost.high),
    }

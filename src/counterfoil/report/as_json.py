"""The JSON of `evaluate` (DESIGN 4). Protected values only; what is hidden is null with its rule."""

from __future__ import annotations

from typing import Any

from counterfoil.disclosure import (
    Band,
    Cell,
    Protected,
    ProtectedAttrition,
    ProtectedBalance,
    ProtectedEstimate,
    ProtectedGroup,
    ProtectedMeasure,
    ProtectedRefusal,
)
from counterfoil.report import sentences
from counterfoil.report.numbers import number
from counterfoil.report.words import DEFAULT_LANGUAGE, words_of
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
        "headline": sentences.statement_of(protected.headline, protected.design, words).text,
        "caveats": list(sentences.caveats_of(protected, words)),
        "reliable": protected.reliable,
        "disagrees": list(protected.headline.disagrees),
        "attrition": _attrition(protected.attrition),
        "balance": _balance(protected.balance),
        "measures": [_measure(m) for m in protected.measures],
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

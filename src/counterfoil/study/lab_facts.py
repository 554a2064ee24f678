"""What a report from a lab says of where it was made: the choices of selection and measuring, in words."""

from __future__ import annotations

from counterfoil.lab.make import OpenLab
from counterfoil.study.getting_ready import register_of
from counterfoil.study.inputs import Facts
from counterfoil.study.plan import Plan, wants_risk_score
from counterfoil.study.risk_score import TOO_FEW, RiskScore

_FOLLOWED = {"index": "the index event", "start": "the start, or what stands for it in the comparison group"}
_RULE = "people who offended between the index event and the start are left out;"
_OF_POOL = f"{_RULE} each comparison person has a start drawn from the delays of those treated, and meets the same rule"
_OF_LIST = (
    f"{_RULE} those of the list who did not take part have the start that it gives, or one drawn from the delays of "
    "those treated where it gives none, and meet the same rule"
)


def _years(plan: Plan) -> str:
    return f"{plan.cohort.first_year or '…'}–{plan.cohort.last_year or '…'}"


def lab_facts(lab: OpenLab, plan: Plan, score: RiskScore | None) -> Facts:
    """Settings, no results. `score`: None where it was left out."""
    end = register_of(lab).data_end()
    kinds = ", ".join(kind.replace("_", " ") for kind in plan.cohort.index_kinds)
    method = (
        ("Index events", f"{kinds}; a start belongs to the nearest in the {plan.cohort.index_window_days} days before"),
        *((("Years of index events", _years(plan)),) if plan.cohort.first_year or plan.cohort.last_year else ()),
        ("Follow-up", f"{plan.outcomes.follow_up_months} months, then {plan.outcomes.waiting_months} months for proof"),
        ("Follow-up from", _FOLLOWED[plan.cohort.follow_from]),
        ("Before the start", _OF_POOL if plan.comparison.design == "matched" else _OF_LIST),
        *((("Static risk score", TOO_FEW if score is None else score.words()),) if wants_risk_score(plan) else ()),
        *((("Shares of other departments", ", ".join(plan.comparison.shares)),) if plan.comparison.shares else ()),
    )  # fmt: skip
    return Facts(
        today=lab.settings.date(),
        lab=lab.settings.name,
        data_window=f"Records cover dates up to {end:%-d %B %Y}",
        method=method,
    )

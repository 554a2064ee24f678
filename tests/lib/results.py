"""Calculated results, small and made up, for tests of what may be shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from counterfoil.cohort.values import Attrition, Step
from counterfoil.comparison.values import BalanceRow, Band, Comparison, ComparisonSettings, Design, Estimand
from counterfoil.effect.score import score_estimate
from counterfoil.effect.values import Effect, Group
from counterfoil.effect.welch import LEVEL, welch_estimate
from counterfoil.outcomes.measures import Better, Measure, Support
from counterfoil.report import About
from counterfoil.units import Kind

RATE = Measure(
    name="reoffending_rate",
    label="One-year proven reoffending rate",
    kind=Kind.RATE,
    unit="of people",
    noun="reoffended",
)
FREQUENCY = Measure(
    name="reoffending_frequency",
    label="Number of proven reoffences a person",
    kind=Kind.COUNT,
    unit="reoffences a person",
    noun="proven reoffences",
)
DAYS = Measure(
    name="days_to_first_reoffence",
    label="Days to first proven reoffence, among those who reoffended",
    kind=Kind.DAYS,
    support=Support.THOSE_WITH,
    better=Better.HIGHER,
    unit="days",
    noun="days to a first reoffence",
    decimals=0,
)
EARNINGS = Measure(
    name="earnings_1978",
    label="Earnings in 1978",
    kind=Kind.AMOUNT,
    better=Better.HIGHER,
    unit="US dollars a person",
    noun="earned",
    decimals=0,
)

ABOUT = About(
    title="Bridge to work",
    provider="The Bridge Trust",
    description="Mentoring and help with finding work, for six months after release from prison.",
    run="a3f0c2d94b17",
    today=dt.date(2026, 3, 4),
    plan_hash="5d41402abc4b2a76b9719d911017c592ae3f0c2d94b17e5d41402abc4b2a76b9",
    design_hash="7d793037a0760186574b0282f2f435e7b0282f2f435e77d793037a0760186574",
    versions=(("counterfoil", "0.1.0"), ("numpy", "2.3.4")),
    seeds=(1,),
    inputs=(("cohort file", "e4d909c290d0fb1ca068ffaddf22cbd0290d0fb1ca068ffaddf22cbd0e4d909c"),),
    method=(("Matching", "Radius, with replacement, within sex"), ("Follow-up", "12 months, and 6 for proof")),
    data_window="Index events of 2016 to 2019, followed to December 2020",
    lab="Synthetic justice lab",
)


def rate_group(events: int, people: int, *, ess: float | None = None, value: float | None = None) -> Group:
    """One side of a rate; `value` is the weighted rate when it is not events / people."""
    rate = events / people if value is None else value
    size = float(people) if ess is None else ess
    return Group(n=people, ess=size, value=rate, variance=rate * (1 - rate) * size / (size - 1), events=events)


def effect_of(measure: Measure, treated: Group, comparison: Group) -> Effect:
    """The effect that the effect stage would make."""
    compatible = welch_estimate(treated, comparison, measure.kind)
    score = score_estimate(treated, comparison) if measure.kind is Kind.RATE else None
    differ = (
        compatible is not None
        and score is not None
        and (compatible.p < 1 - LEVEL) != (score.low > 0.0 or score.high < 0.0)
    )
    return Effect(measure, treated, comparison, compatible, score, disagrees=("score",) if differ else ())


def rate_effect(
    treated: tuple[int, int], comparison: tuple[int, int], *, measure: Measure = RATE, ess: float | None = None
) -> Effect:
    """A rate from (events, people) on each side."""
    return effect_of(measure, rate_group(*treated), rate_group(*comparison, ess=ess))


def mean_effect(
    measure: Measure,
    treated: tuple[int, float, float],
    comparison: tuple[int, float, float],
    *,
    ess: float | None = None,
    having: tuple[int, int] | None = None,
) -> Effect:
    """A mean from (people, value, variance of one person) on each side. `having`: those with any, for a count."""
    with_any = having or (None, None)
    groups = [
        Group(n, float(n), value, variance, events)
        for (n, value, variance), events in zip((treated, comparison), with_any, strict=True)
    ]
    return effect_of(measure, groups[0], replace(groups[1], ess=ess or groups[1].ess))


def balance_row(
    term: str, smd: float | None, *, before: float = 0.3, binary: bool = False, people: tuple[int, int] = (0, 0)
) -> BalanceRow:
    """A term's balance; only what disclosure looks at is meant."""
    size = abs(smd or 0.0)
    return BalanceRow(
        term=term,
        covariate=term.split(":")[0],
        binary=binary,
        treated_mean=0.5,
        comparison_mean_before=0.4,
        comparison_mean=0.49,
        smd_before=before,
        smd=smd,
        variance_ratio_before=None,
        variance_ratio=None,
        ks_before=0.1,
        ks=0.02,
        band=Band.GREEN if size <= 0.05 else Band.AMBER if size <= 0.1 else Band.RED,
        treated_people=people[0],
        comparison_people=people[1],
    )


ROWS = (
    balance_row("age", 0.021, before=-0.41),
    balance_row("sex: female", -0.013, before=0.12, binary=True, people=(31, 2140)),
    balance_row("previous convictions", 0.034, before=0.55),
    balance_row("ethnicity: other", 0.047, before=0.06, binary=True, people=(4, 1203)),
)


def comparison_of(
    n: int,
    n_comparison: int,
    *,
    lost: int = 0,
    rows: tuple[BalanceRow, ...] = ROWS,
    reliable: bool = True,
    design: Design = Design.MATCHED,
    warnings: tuple[str, ...] = (),
) -> Comparison:
    """A frozen design whose arrays are left empty: disclosure never looks at them."""
    return Comparison(
        treated=np.zeros(0, dtype=np.bool_),
        weight=np.zeros(0),
        logit_propensity=np.zeros(0),
        settings=ComparisonSettings(covariates=("age",), design=design),
        balance=rows,
        steps=(),
        caliper_sd=0.1,
        caliper=0.08,
        n_treated=n + lost,
        n_treated_matched=n,
        n_pool=2 * n_comparison,
        n_comparison=n_comparison,
        ess=n_comparison * 0.61,
        asked=Estimand.ATT if design is Design.MATCHED else Estimand.ATE_TRIAL,
        achieved=Estimand.ATE_TRIAL if design is Design.RANDOMISED else Estimand.ATT_MATCHED,
        reliable=reliable,
        warnings=warnings,
        ridge=0.0,
    )


def attrition_of(
    submitted: int, in_scope: int | None, comparable: int | None, analysed: int, *, started: int | None = None
) -> Attrition:
    """The flow, by its four boxes."""
    people = {Step.SUBMITTED: submitted, Step.MATCHED: analysed}
    if in_scope is not None:
        people[Step.HAS_REGISTER_ROW] = in_scope
    if comparable is not None:
        people[Step.ON_SUPPORT] = comparable
    return Attrition(people=people, started=started)

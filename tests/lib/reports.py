"""Protected results for tests of the report, one of each kind that a reader can meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from counterfoil.comparison.values import Design
from counterfoil.disclosure import Protected, ProtectedRefusal, protect, refuse
from counterfoil.effect.values import Ratio
from counterfoil.errors import Refused
from counterfoil.report import render
from lib.beside import everything
from lib.results import (
    ABOUT,
    DAYS,
    EARNINGS,
    FREQUENCY,
    RATE,
    ROWS,
    attrition_of,
    balance_row,
    comparison_of,
    mean_effect,
    rate_effect,
)

LARGE = (9100, 29000)


def fewer() -> Protected:
    """A clear, reliable result with its three measures, the third of them inconclusive."""
    effects = (
        rate_effect((212, 820), LARGE, ess=17000),
        mean_effect(FREQUENCY, (820, 0.82, 3.1), (29000, 1.04, 3.9)),
        mean_effect(DAYS, (212, 151, 7000), (9100, 143, 7200)),
    )
    return protect(effects, comparison_of(820, 29000), attrition_of(1000, 871, 842, 820, started=1060))


def with_everything() -> Protected:
    """A clear result with all that can stand beside it: curves, parts of the group, the list's making, costs."""
    replace(mean_effect(FREQUENCY, (820, 0.82, 3.1), (29000, 1.04, 3.9)), ratio=Ratio(0.788, 0.69, 0.901, 0.001))
    counts = mean_effect(FREQUENCY, (820, 0.82, 3.1), (29000, 1.04, 3.9), having=(212, 9100))
    violent = replace(RATE, name="violent_rate", label="Violent reoffending")
    sexual = replace(RATE, name="sexual_rate", label="Sexual reoffending")
    effects = (
        rate_effect((212, 820), LARGE, ess=17000),
        replace(counts, ratio=Ratio(0.788, 0.69, 0.901, 0.001)),
        mean_effect(DAYS, (212, 151, 7000), (9100, 143, 7200)),
        rate_effect((90, 820), (3900, 29000), measure=violent, ess=17000),
        rate_effect((4, 820), (60, 29000), measure=sexual, ess=17000),
    )
    flow = attrition_of(1000, 871, 842, 820, started=1160)
    return protect(effects, comparison_of(820, 29000), flow, beside=everything())


def inconclusive() -> Protected:
    """Not enough evidence."""
    effects = (rate_effect((48, 137), LARGE, ess=17000), mean_effect(DAYS, (48, 151, 7000), (9100, 143, 7200)))
    return protect(effects, comparison_of(137, 29000), attrition_of(210, 160, 148, 137))


def unreliable() -> Protected:
    """Red balance in a characteristic whose value is hidden."""
    rows = (*ROWS, balance_row("drugs", 0.081), balance_row("nationality: foreign", 0.13, binary=True, people=(3, 900)))
    comparison = comparison_of(820, 29000, reliable=False, rows=rows)
    return protect([rate_effect((212, 820), LARGE)], comparison, attrition_of(1000, 871, 842, 820))


def amber() -> Protected:
    """One characteristic a little apart; still reliable."""
    rows = (*ROWS, balance_row("drugs", 0.081))
    return protect(
        [rate_effect((212, 820), LARGE)], comparison_of(820, 29000, rows=rows), attrition_of(1000, 871, 842, 820)
    )


def unbalanced_trial() -> Protected:
    """A trial whose groups differ by chance."""
    comparison = comparison_of(216, 216, design=Design.RANDOMISED, rows=(balance_row("age", 0.13),))
    return protect([rate_effect((48, 216), (66, 216))], comparison, attrition_of(216, None, None, 216))


def few_reoffenders() -> Protected:
    """The rate is shown; the days are not (R9); two boxes of the flow are merged (R11)."""
    effects = (rate_effect((24, 70), LARGE), mean_effect(DAYS, (24, 151, 7000), (9100, 143, 7200)))
    return protect(effects, comparison_of(70, 29000), attrition_of(110, 91, 72, 70, started=120))


def nearly_all() -> Protected:
    """Three of 140 were lost: how many were analysed is hidden, and what is shown is coarser."""
    effects = (rate_effect((48, 137), LARGE), mean_effect(FREQUENCY, (137, 0.95, 3.1), (29000, 1.04, 3.9)))
    return protect(effects, comparison_of(137, 29000), attrition_of(140, 138, 138, 137))


def too_few() -> Protected:
    """9 of 60: the headline is hidden and the size is rounded."""
    effects = (rate_effect((9, 60), LARGE), mean_effect(FREQUENCY, (60, 0.35, 3.1), (29000, 1.04, 3.9)))
    return protect(effects, comparison_of(60, 29000), attrition_of(100, 80, 72, 60))


def trial() -> Protected:
    """A randomised amount: LaLonde's 445 men."""
    effect = mean_effect(EARNINGS, (185, 6349.1435, 7867.402**2), (260, 4554.8011, 5483.836**2))
    comparison = comparison_of(185, 260, design=Design.RANDOMISED, rows=())
    return protect([effect], comparison, attrition_of(185, None, None, 185))


def borderline() -> Protected:
    """Two tests disagree: 12 of 90 against 21% of a very large group."""
    return protect(
        [rate_effect((12, 90), (21_000, 100_000))], comparison_of(90, 100_000), attrition_of(140, None, None, 90)
    )


def loss_of_money() -> Protected:
    """Values under zero, more of them, and a measure that has no better direction by its plan."""
    balance = replace(EARNINGS, name="balance", label="Savings less debts", unit="pounds", noun="")
    effect = mean_effect(balance, (185, -420.0, 900.0**2), (260, -120.0, 900.0**2))
    return protect([effect], comparison_of(185, 260), attrition_of(300, None, None, 185))


def more() -> Protected:
    """More reoffending: the opposite of what was hoped for."""
    return protect([rate_effect((400, 820), LARGE)], comparison_of(820, 29000), attrition_of(1000, 871, 842, 820))


def no_interval() -> Protected:
    """A rate without an interval, as when a variance cannot be worked out."""
    effect = replace(rate_effect((48, 137), LARGE, measure=replace(RATE, noun="")), compatible=None, score=None)
    return protect([effect], comparison_of(137, 29000), attrition_of(210, 160, 148, 137))


def refused() -> ProtectedRefusal:
    """R1."""
    return refuse(Refused("Fewer than 60 people were submitted. A result needs at least 60.", rule="R1"))


def not_suitable() -> ProtectedRefusal:
    """A service that the method cannot answer for."""
    return refuse(Refused("The service is for people of a kind that the records do not show.", rule="not_suitable"))


EVALUATIONS: Mapping[str, Callable[[], Protected]] = {
    f.__name__: f
    for f in (fewer, with_everything, more, amber, unbalanced_trial, inconclusive, unreliable, few_reoffenders,
              nearly_all, too_few, trial, borderline, loss_of_money, no_interval)
}  # fmt: skip
REFUSALS: Mapping[str, Callable[[], ProtectedRefusal]] = {f.__name__: f for f in (refused, not_suitable)}
REPORTS: Mapping[str, Callable[[], Protected | ProtectedRefusal]] = {**EVALUATIONS, **REFUSALS}


@cache
def files_of(name: str) -> Mapping[str, bytes]:
    """The files of one report, made once. Those who ask whether two makings are the same make them themselves."""
    return render(REPORTS[name](), ABOUT).files

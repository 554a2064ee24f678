"""Full reports of drawn people, on their way to the audit: what `make bench-disclosure` audits beside earlier ones.

The new one has 12 measures, 6 sub-analyses of the first, curves, four tables of the group and balance. Each earlier one
is of 200 people, 15 of them in the new one, and has the 12 measures; or, with `as_full`, all that the new one has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from counterfoil.cohort.values import Attrition, Step
from counterfoil.comparison.values import BalanceRow, Band, Comparison, ComparisonSettings, Estimand
from counterfoil.disclosure import Beside, GroupTable, More, People, Protected, Said, SubResult, protect
from counterfoil.disclosure.audited import say_report
from counterfoil.disclosure.flow import count_boxes
from counterfoil.effect import Cox, Inference, LogRank, MonthlyCurve, RestrictedMeans, Survival, Ties, TimeToFirst
from counterfoil.effect.sub_analyses import SubAnalysis
from counterfoil.effect.values import Effect, ErrorKind, Group
from counterfoil.effect.welch import welch_estimate
from counterfoil.outcomes.measures import Measure, Support
from counterfoil.units import Kind

BoolArray = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MEASURES, MONTHS = 12, 12
COHORT, SHARED = 200, 15
COMPARED, EVENTS = 29_000, 11_600  # people whose weights are uneven, and those of them with an outcome
TABLES = {
    "sex": ("women", "men"),
    "age": ("18 to 24", "25 to 34", "35 to 49", "50 and over"),
    "origin": ("a", "b", "c"),
    "history": ("none", "1 to 5", "6 and over"),
}
SHARES = {"sex": (0.4, 0.6), "age": (0.3, 0.3, 0.25, 0.15), "origin": (0.6, 0.25, 0.15), "history": (0.2, 0.4, 0.4)}
RATES = tuple(
    Measure(name=f"rate_{i}", label=f"Rate {i}", kind=Kind.RATE, unit="of people", noun="did") for i in range(MEASURES)
)
DAYS = Measure(
    name="days", label="Days to the first", kind=Kind.DAYS, support=Support.THOSE_WITH, unit="days", noun="days"
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Everybody of all the reports, person by person."""

    had: Mapping[str, Floats]
    days: Floats
    kinds: Mapping[str, npt.NDArray[np.int64]]
    site: BoolArray


def draw_people(people: int, draw: np.random.Generator) -> Drawn:
    """Each outcome by itself, at rates from 20% to 60%; days to the first event of whoever has the first."""
    had = {
        m.name: (draw.random(people) < rate) * 1.0
        for m, rate in zip(RATES, np.linspace(0.25, 0.6, MEASURES), strict=True)
    }
    days = np.where(had["rate_0"] > 0, np.floor(draw.uniform(1.0, 365.0, people)), np.inf)
    kinds = {name: draw.choice(len(of), people, p=SHARES[name]) for name, of in TABLES.items()}
    return Drawn(had, days, kinds, draw.random(people) < 0.5)


@dataclass(frozen=True, slots=True)
class FullReport:
    """`protect` it again with something more hidden; who is behind it."""

    protect: Callable[[More], Protected]
    people: People


def draw_full_reports(earlier: int, *, as_full: bool = False) -> tuple[FullReport, tuple[Said, ...]]:
    """The new report, and what each earlier one said."""
    draw = np.random.default_rng(17)
    drawn = draw_people(COHORT + earlier * (COHORT - SHARED), draw)
    said = []
    for number in range(earlier):
        start = COHORT + number * (COHORT - SHARED)
        own = np.concatenate([draw.choice(COHORT, SHARED, replace=False), np.arange(start, start + COHORT - SHARED)])
        one = make_report(drawn, np.sort(own), full=as_full)
        said.append(replace(say_report(one.protect(More()), one.people), name=f"report {number}"))
    return make_report(drawn, np.arange(COHORT)), tuple(said)


def make_report(drawn: Drawn, who: npt.NDArray[np.int64], *, full: bool = True) -> FullReport:
    """A report of these people; unless `full`, of its measures alone."""
    size = len(who)
    everyone = np.ones(size, np.bool_)
    had = {name: values[who] for name, values in drawn.had.items()}
    kinds = {name: {kind: drawn.kinds[name][who] == n for n, kind in enumerate(of)} for name, of in TABLES.items()}
    halves = {
        "sex": kinds["sex"]["women"],
        "age": kinds["age"]["18 to 24"] | kinds["age"]["25 to 34"],
        "site": drawn.site[who],
    }
    parts = [side for half in halves.values() for side in (half, ~half)]
    terms = {f"{name}: {kind}": there for name, of in kinds.items() for kind, there in of.items() if kind != "men"}
    flow = Attrition(
        {Step.SUBMITTED: size + 60, Step.HAS_REGISTER_ROW: size + 40, Step.ON_SUPPORT: size + 20, Step.MATCHED: size}
    )
    headline = had[RATES[0].name]
    beside = Beside(
        members=everyone,
        headline=headline,
        survival=_survival(drawn.days[who]),
        sub_analyses=tuple(_part(f"part {n}", members, headline) for n, members in enumerate(parts)),
        tables=tuple(GroupTable(name, of, ordered=name == "age") for name, of in kinds.items()),
    )
    effects = [_effect(measure, had[measure.name]) for measure in RATES]
    comparison = _comparison(size, tuple(_row(name, there) for name, there in terms.items()))
    if not full:
        beside, comparison = Beside(members=everyone, headline=headline), _comparison(size, ())
    people = People(
        keys=tuple(f"person {n:05d}" for n in who),
        analysed=everyone,
        values=had,
        boxes=count_boxes(flow, size),
        parts=dict(enumerate(parts)) if full else {},
        tables=kinds,
        days=drawn.days[who],
        headline=headline,
        terms=terms if full else {},
    )
    return FullReport(lambda more: protect(effects, comparison, flow, beside=beside, more=more), people)


def _effect(measure: Measure, had: Floats) -> Effect:
    treated, others = _group(len(had), int(had.sum()), len(had)), _group(COMPARED, EVENTS, 17_000)
    return Effect(measure, treated, others, welch_estimate(treated, others, measure.kind))


def _group(people: int, events: int, ess: float) -> Group:
    rate = events / people
    return Group(n=people, ess=float(ess), value=rate, variance=rate * (1 - rate) * ess / (ess - 1), events=events)


def _part(name: str, members: BoolArray, headline: Floats) -> SubResult:
    effect = _effect(RATES[0], headline[members])
    found = SubAnalysis(name, effect, 0.03, significant=True)
    return SubResult(name, name, members, _comparison(int(members.sum()), ()), found, "")


def _survival(days: Floats) -> Survival:
    ends = np.arange(1, MONTHS + 1) * 365.25 / 12
    by = np.array([(days <= end).sum() for end in ends])
    curve = MonthlyCurve(len(days), tuple(np.diff(by, prepend=0).tolist()), tuple((by / len(days)).tolist()))
    had = np.diff(np.round(np.linspace(0, EVENTS, MONTHS + 1)).astype(np.int64))
    other = MonthlyCurve(COMPARED, tuple(had.tolist()), tuple((np.cumsum(had) / COMPARED).tolist()))
    one, none = Inference(0.0, -1.0, 1.0, 0.5, 0.5, ErrorKind.HC0), np.zeros(1)
    estimates = TimeToFirst(
        RestrictedMeans(one, one, one, 365.25),
        LogRank(0.1, 0.7, 1.0, 1.0, ErrorKind.HC0),
        Cox(one, none, none, none, Ties.EFRON),
    )
    return Survival(DAYS, MONTHS, estimates, curve, other, days)


def _row(term: str, there: BoolArray) -> BalanceRow:
    return BalanceRow(
        term=term,
        covariate=term.split(":")[0],
        binary=True,
        treated_mean=float(there.mean()),
        comparison_mean_before=0.3,
        comparison_mean=float(there.mean()),
        smd_before=0.1,
        smd=0.0,
        variance_ratio_before=None,
        variance_ratio=None,
        ks_before=0.1,
        ks=0.0,
        band=Band.GREEN,
        treated_people=int(there.sum()),
        comparison_people=COMPARED // 3,
    )


def _comparison(people: int, rows: tuple[BalanceRow, ...]) -> Comparison:
    return Comparison(
        treated=np.zeros(0, np.bool_),
        weight=np.zeros(0),
        logit_propensity=np.zeros(0),
        settings=ComparisonSettings(covariates=("age",)),
        balance=rows,
        steps=(),
        caliper_sd=None,
        caliper=None,
        n_treated=people,
        n_treated_matched=people,
        n_pool=2 * COMPARED,
        n_comparison=COMPARED,
        ess=17_000.0,
        asked=Estimand.ATT,
        achieved=Estimand.ATT,
        reliable=True,
        warnings=(),
        ridge=0.0,
    )

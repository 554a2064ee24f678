"""How far to trust the answer (METHODS 5): the same question asked in other ways, all decided before outcomes open.

What is calculated here is exact and stays inside the lab; `disclosure.trust` decides what of it may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from counterfoil.comparison import (
    Comparison,
    EntropyBalancing,
    InverseProbability,
    Method,
    Nearest,
    Overlap,
    Radius,
    Unit,
    compare_groups,
    prepare,
    with_propensity,
)
from counterfoil.comparison.made import Groups
from counterfoil.comparison.methods import MethodSettings
from counterfoil.comparison.values import BoolArray, Design, FloatArray, IntArray
from counterfoil.disclosure import DisclosureSettings, HiddenBias, NoGamma, TrustResult, WayGroup, WayResult
from counterfoil.effect import (
    Bounds,
    Effect,
    Estimate,
    bounds_binary,
    bounds_m,
    e_value_of,
    estimate,
    gamma_at,
    joint_p,
)
from counterfoil.errors import Refused, UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.study.way_designs import compared_of, rule_against, rule_of
from counterfoil.units import Kind

HEADLINE, ADJUSTED, PAIRS, PLACEBO = "headline", "adjusted", "nearest", "placebo"  # names; keys of the wording
PLACEBOS = 3  # cohorts, of different people; each fits a score of its own
PLACEBO_POOL = 50  # others for each person of a placebo cohort, so that one costs little in a large pool
NEEDED = 2  # pairs that speak at all, under which no bound is found
MOST_SITES = 6  # left out one at a time: the largest
_NOBODY, _NOTHING, _NONE = np.zeros(0, np.bool_), np.zeros(0), np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Site:
    """Where people took part: its name and who did, row by row of the headline's comparison."""

    name: str
    rows: BoolArray


@dataclass(frozen=True, slots=True)
class Specification:
    """One way to ask the question. `rows`: only these people (None: all); `placebo`: as if these were the treated."""

    name: str
    method: MethodSettings
    group: WayGroup = WayGroup.METHOD
    label: str = ""  # a caliper, a site, the number of a placebo cohort
    rows: BoolArray | None = None
    placebo: BoolArray | None = None

    @property
    def title(self) -> str:
        """Its name among the others."""
        return f"{self.name} {self.label}".strip()

    def facts(self) -> dict[str, Any]:
        """What is frozen of it: its name and its method's settings, no person."""
        return {"name": self.title, "method": self.method.kind.value, "settings": repr(self.method)}


@dataclass(frozen=True, slots=True)
class Answer:
    """A specification's estimate of the headline measure, or the rule that stopped it and what that rule said."""

    name: str
    estimate: Estimate | None
    reliable: bool = False
    rule: str = ""  # empty where there is an estimate that is reliable
    why: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """For the run's folder."""
        found = self.estimate
        numbers = {n: None if found is None else getattr(found, n) for n in ("difference", "low", "high")}
        why = {"why": list(self.why)} if self.why else {}
        return {"name": self.name, **numbers, "reliable": self.reliable, "rule": self.rule or None, **why}


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """All answers, the headline first, and what goes on to `disclosure`. Not cleared."""

    measure: str
    answers: tuple[Answer, ...]
    ways: tuple[WayResult, ...]
    bias: HiddenBias
    placebo_p: float | None

    def facts(self) -> dict[str, Any]:
        """For the run's folder, inside the lab."""
        bias = self.bias
        return {
            "measure": self.measure,
            "answers": [answer.facts() for answer in self.answers],
            "placebo_p": self.placebo_p,
            "e_value": {"point": bias.e_point, "limit": bias.e_limit},
            "gamma": bias.gamma,
            "gamma_is_none_because": None if bias.no_gamma is None else bias.no_gamma.value,
        }

    def result(self) -> TrustResult:
        """What `protect` is given."""
        return TrustResult(ways=self.ways, bias=self.bias, placebo_p=self.placebo_p)


def decide_specifications(
    groups: Groups,
    *,
    seed: int,
    made: Comparison | None = None,
    sites: Sequence[Site] = (),
    least: int = 0,
) -> tuple[Specification, ...]:
    """Every specification of a matched design but the headline itself; none for a trial. No outcome plays a part.

    `made`: the headline's comparison, whose caliper is not asked again; `least`: people that a site needs (R1, R17).
    """
    settings = groups.settings
    if settings.design is not Design.MATCHED:
        return ()
    own = settings.method
    others = (
        Specification("radius", Radius()),
        Specification(PAIRS, Nearest()),
        Specification("entropy", EntropyBalancing()),
        Specification("inverse", InverseProbability()),
        Specification("overlap", Overlap()),
    )
    differ = [one for one in others if one.method.kind is not own.kind or own.kind is Method.NEAREST]
    return (
        *differ,
        *_leave_out(groups, made, sites, least),
        *_sweep(own, made),
        *(
            Specification(PLACEBO, own, WayGroup.CHECK, str(number), *_placebo(groups.treated, seed, number))
            for number in range(1, PLACEBOS + 1)
        ),
    )


def _sweep(own: MethodSettings, made: Comparison | None) -> list[Specification]:
    """Radius by one width each: the headline's own widths where they are in SD, as the wording says of each."""
    is_ours = isinstance(own, Radius) and own.ruler.unit is Unit.POOLED_SD
    radius = own if isinstance(own, Radius) and is_ours else Radius()
    used = made.caliper_sd if made is not None and is_ours else None
    return [
        Specification("caliper", replace(radius, calipers=(c,)), WayGroup.CALIPER, f"{c:g}")
        for c in radius.calipers
        if c != used
    ]


def _leave_out(groups: Groups, made: Comparison | None, sites: Sequence[Site], least: int) -> list[Specification]:
    """One site at a time, where it and all others together have enough people. The caliper stays the headline's."""
    if made is None:
        return []
    own, used = groups.settings.method, made.treated & (made.weight > 0)
    if isinstance(own, Radius) and own.ruler.unit is Unit.POOLED_SD and made.caliper_sd is not None:
        own = replace(own, calipers=(made.caliper_sd,))
    sizes = {site.name: int(np.count_nonzero(site.rows & used)) for site in sites}
    enough = [s for s in sites if sizes[s.name] >= least and np.count_nonzero(used & ~s.rows) >= least]
    largest = sorted(enough, key=lambda site: (-sizes[site.name], site.name))[:MOST_SITES]
    return [
        Specification("site", own, WayGroup.SITE, site.name, ~(site.rows & groups.treated))
        for site in sorted(largest, key=lambda site: site.name)
    ]


def _placebo(treated: BoolArray, seed: int, number: int) -> tuple[BoolArray, BoolArray]:
    """Who takes part, and a draw of as many as were treated among people who never were.

    Each cohort has a part of the pool to itself, so that their answers are independent.
    """
    pool = np.flatnonzero(~treated)
    part = len(pool) // PLACEBOS
    many = min(int(np.count_nonzero(treated)), part // 2)
    order = np.random.default_rng(seed).permutation(pool)
    drawn = order[(number - 1) * part : number * part][: many * (1 + PLACEBO_POOL)]
    rows, placebo = np.zeros(len(treated), np.bool_), np.zeros(len(treated), np.bool_)
    rows[drawn], placebo[drawn[:many]] = True, True
    return rows, placebo


def run_specifications(
    groups: Groups,
    chosen: Sequence[Specification],
    headline: Effect,
    comparison: Comparison,
    outcomes: Mapping[str, FloatArray],
    settings: DisclosureSettings,
) -> Sensitivity:
    """Ask the headline's measure in every way. A way that a rule stops has no estimate and the rule's name.

    `headline` is the effect of `comparison`, from which `groups` come; `outcomes` is row-aligned with both. Every way
    but a placebo is asked of the treated people of the headline alone, so that ways differ in how and not in whom, and
    nobody can be told by taking one from another (R17).
    """
    measure, outcome = headline.measure, np.asarray(outcomes[headline.measure.name], np.float64)
    scored = _scored(groups) if chosen else groups
    same = _same_people(scored, ~comparison.treated | (comparison.weight > 0))
    with ThreadPoolExecutor(max(groups.settings.threads, 1)) as pool:  # each by itself: no order changes an answer
        asked = list(pool.map(lambda one: _ask(one, scored, same, outcome, measure, settings), chosen))
    first = [Answer(HEADLINE, headline.compatible, comparison.reliable)]
    ways = [each.way for each in asked if each.way is not None]
    if headline.adjusted is not None:
        first.append(Answer(ADJUSTED, headline.adjusted, comparison.reliable))
        if chosen:
            ways.insert(0, _adjusted(headline, comparison))
    pairs = next((each.bias for each in asked if each.bias is not None), HiddenBias())
    e = e_value_of(headline)
    tried = [each.answer.estimate.p for each in asked if each.way is None and each.answer.estimate is not None]
    return Sensitivity(
        measure=measure.name,
        answers=(*first, *(each.answer for each in asked)),
        ways=tuple(ways),
        bias=pairs if e is None else replace(pairs, e_point=e.point, e_limit=e.limit),
        placebo_p=joint_p(tried),
    )


def _adjusted(headline: Effect, comparison: Comparison) -> WayResult:
    """The headline's own people and weights, adjusted for covariates: weight, then adjust."""
    used, effect = comparison.treated & (comparison.weight > 0), replace(headline, compatible=headline.adjusted)
    return WayResult(ADJUSTED, used, _light(comparison), effect, "", WayGroup.METHOD)  # compared: as the headline's


@dataclass(frozen=True, slots=True)
class _Asked:
    """`way` None: a placebo, which is nobody's result; `bias` None: not the 1:1 way."""

    answer: Answer
    way: WayResult | None
    bias: HiddenBias | None = None


@dataclass(frozen=True, slots=True)
class _People:
    """The pool and the treated of the headline, with the score they have, and which rows they are."""

    groups: Groups
    there: BoolArray
    rows: IntArray


def _same_people(groups: Groups, there: BoolArray) -> _People:
    rows = np.flatnonzero(there)
    return _People(groups if there.all() else _narrowed(groups, rows), there, rows)


def _ask(
    one: Specification,
    groups: Groups,
    same: _People,
    outcome: FloatArray,
    measure: Measure,
    settings: DisclosureSettings,
) -> _Asked:
    rows = _rows_of(one, same)
    members = np.zeros(len(outcome), np.bool_)
    try:
        made = _compare(groups, one, same, rows)
        members[rows] = made.treated & (made.weight > 0)
        rule = rule_against(made, settings)
        effect = None if rule == "R1" else estimate({measure.name: outcome[rows]}, made, (measure,))[0]
    except (
        Refused,
        UsageError,
    ) as stopped:  # a way that these people's data do not fit must not cost them the headline
        rule, why = rule_of(stopped), stopped.problems
        way = WayResult(one.name, members, None, None, rule, one.group, one.label)
        return _Asked(Answer(one.title, None, rule=rule, why=why), None if one.name == PLACEBO else way)
    found = None if effect is None else effect.compatible
    answer = Answer(one.title, found, made.reliable, rule)
    if one.name == PLACEBO:
        return _Asked(answer, None)
    compared = compared_of(made, rows, len(outcome), settings)
    way = WayResult(one.name, members, _light(made), None if rule else effect, rule, one.group, one.label, compared)
    has_gamma = one.name == PAIRS and effect is not None
    return _Asked(answer, way, gamma_of_pairs(outcome[rows], made, measure) if has_gamma else None)


def _light(made: Comparison) -> Comparison:
    """Without what is row by row: of many comparisons of a million people it would fill the memory."""
    return replace(
        made, treated=_NOBODY, weight=_NOTHING, logit_propensity=_NOTHING, pair=_NONE, stratum=_NONE, pairs=None
    )


def _scored(groups: Groups) -> Groups:
    try:
        return with_propensity(groups)
    except Refused:  # each way then says so for itself
        return groups


def _rows_of(one: Specification, same: _People) -> IntArray:
    if one.rows is None:
        return same.rows
    return np.flatnonzero(one.rows if one.placebo is not None else one.rows & same.there)


def _compare(groups: Groups, one: Specification, same: _People, rows: IntArray) -> Comparison:
    if one.placebo is None:
        return compare_groups(same.groups if one.rows is None else _narrowed(groups, rows), one.method)
    column = "placebo"
    while column in groups.people.column_names:
        column += "_"
    needed = dict.fromkeys((*groups.settings.covariates, *groups.settings.exact))
    people = groups.people.select(list(needed)).append_column(column, [one.placebo]).filter(one.rows)
    settings = replace(groups.settings, method=one.method, key=None, references={})
    return compare_groups(prepare(people, column, settings))


def _narrowed(groups: Groups, rows: IntArray) -> Groups:
    """Some of the rows with the score they have."""
    return replace(groups.take(rows), people=groups.people.take(rows))


def gamma_of_pairs(outcome: FloatArray, comparison: Comparison, measure: Measure) -> HiddenBias:
    """The Gamma at which the answer of 1:1 pairs would no longer be significant, in the direction it points."""
    pairs = comparison.pairs
    if pairs is None:
        return HiddenBias()
    differences = outcome[pairs.treated] - outcome[pairs.comparison]
    differences = differences[np.isfinite(differences)]
    more, fewer = int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))
    if more + fewer < NEEDED:
        return HiddenBias()
    if measure.kind is Kind.RATE:
        found = gamma_at(partial(bounds_binary, max(more, fewer), min(more, fewer)))
    else:
        pointing = differences if float(differences.mean()) >= 0.0 else -differences
        if not float(np.median(np.abs(pointing))) > 0.0:  # the M-statistic has no scale where most pairs are alike
            pointing = pointing[pointing != 0.0]
        found = gamma_at(partial(_m, pointing))
    return HiddenBias(gamma=found, no_gamma=NoGamma.CHANCE if found is None else None, speaking=min(more, fewer))


def _m(differences: FloatArray, gamma: float) -> Bounds:
    return bounds_m(differences, gamma)

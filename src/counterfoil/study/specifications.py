"""How far to trust the answer (METHODS 5): the same question asked in other ways, all decided before outcomes open.

Everything here is exact and stays inside the lab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    compare_groups,
    prepare,
    with_propensity,
)
from counterfoil.comparison.made import Groups
from counterfoil.comparison.methods import MethodSettings
from counterfoil.comparison.values import BoolArray, Design, FloatArray
from counterfoil.disclosure import DisclosureSettings
from counterfoil.effect import (
    Bounds,
    Effect,
    Estimate,
    bounds_binary,
    bounds_m,
    e_value_of,
    estimate,
    gamma_at,
)
from counterfoil.errors import Refused, UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

HEADLINE, ADJUSTED, PAIRS = "headline", "headline, adjusted", "nearest 1:1"
DOES_NOT_FIT = "does not fit"
PLACEBOS = 3  # draws; each fits a score of its own
PLACEBO_POOL = 50  # others for each person of a placebo cohort, so that a draw costs little in a large pool
NEEDED = 2  # pairs that speak at all, under which no bound is found


@dataclass(frozen=True, slots=True)
class Specification:
    """One way to ask the question. `rows`: only these people (None: all); `placebo`: as if these were the treated."""

    name: str
    method: MethodSettings
    rows: BoolArray | None = None
    placebo: BoolArray | None = None

    def facts(self) -> dict[str, Any]:
        """What is frozen of it: its name and its method's settings, no person."""
        return {"name": self.name, "method": self.method.kind.value, "settings": repr(self.method)}


@dataclass(frozen=True, slots=True)
class Answer:
    """A specification's estimate of the headline measure, or the rule that stopped it."""

    name: str
    estimate: Estimate | None
    reliable: bool = False
    rule: str = ""  # empty where there is an estimate


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """All answers side by side, the headline first, and what a hidden difference would have to be. Not cleared."""

    measure: str
    answers: tuple[Answer, ...]
    e_point: float | None
    e_limit: float | None
    gamma: float | None  # None: chance alone explains the 1:1 answer, or there is none

    def facts(self) -> dict[str, Any]:
        """For the run's folder, inside the lab."""
        return {
            "measure": self.measure,
            "answers": [_answer_facts(answer) for answer in self.answers],
            "e_value": {"point": self.e_point, "limit": self.e_limit},
            "gamma": self.gamma,
        }


def decide_specifications(groups: Groups, *, seed: int) -> tuple[Specification, ...]:
    """Every specification of a matched design but the headline itself; none for a trial. No outcome plays a part."""
    settings = groups.settings
    if settings.design is not Design.MATCHED:
        return ()
    own = settings.method
    others = (
        Specification("radius", Radius()),
        Specification(PAIRS, Nearest()),
        Specification("entropy balancing", EntropyBalancing()),
        Specification("inverse probability", InverseProbability()),
        Specification("overlap", Overlap()),
    )
    calipers = own.calipers if isinstance(own, Radius) else Radius().calipers
    sweep = [Specification(f"radius, caliper {c:g}", Radius((c,))) for c in calipers]
    placebos = [
        Specification(f"placebo {number}", own, *_placebo(groups.treated, seed, number))
        for number in range(1, PLACEBOS + 1)
    ]
    differ = [one for one in others if one.method.kind is not own.kind or own.kind is Method.NEAREST]
    return (*differ, *sweep, *placebos)


def _placebo(treated: BoolArray, seed: int, number: int) -> tuple[BoolArray, BoolArray]:
    """Who takes part, and a draw of as many as were treated among people who never were."""
    pool = np.flatnonzero(~treated)
    many = min(int(np.count_nonzero(treated)), len(pool) // 2)
    drawn = np.random.default_rng((seed, number)).permutation(pool)[: many * (1 + PLACEBO_POOL)]
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

    `headline` is the effect of `comparison`, from which `groups` come; `outcomes` is row-aligned with both.
    """
    measure, outcome = headline.measure, np.asarray(outcomes[headline.measure.name], np.float64)
    answers = [Answer(HEADLINE, headline.compatible, comparison.reliable)]
    if headline.adjusted is not None:
        answers.append(Answer(ADJUSTED, headline.adjusted, comparison.reliable))
    gamma = None
    scored = _scored(groups) if chosen else groups
    for one in chosen:
        try:
            made, values = _compare(scored, one), outcome if one.rows is None else outcome[one.rows]
            _check_size(made, settings)
            found = estimate({measure.name: values}, made, (measure,))[0]
        except Refused as refused:
            answers.append(Answer(one.name, None, rule=refused.rule))
            continue
        except UsageError:  # a way that these people's data do not fit must not cost them the headline
            answers.append(Answer(one.name, None, rule=DOES_NOT_FIT))
            continue
        answers.append(Answer(one.name, found.compatible, made.reliable))
        if one.name == PAIRS:
            gamma = gamma_of_pairs(values, made, measure)
    e = e_value_of(headline)
    return Sensitivity(
        measure.name, tuple(answers), None if e is None else e.point, None if e is None else e.limit, gamma
    )


def _scored(groups: Groups) -> Groups:
    try:
        return with_propensity(groups)
    except Refused:  # each way then says so for itself
        return groups


def _compare(groups: Groups, one: Specification) -> Comparison:
    if one.rows is None or one.placebo is None:
        return compare_groups(groups, one.method)
    column = "placebo"
    while column in groups.people.column_names:
        column += "_"
    needed = dict.fromkeys((*groups.settings.covariates, *groups.settings.exact))
    people = groups.people.select(list(needed)).append_column(column, [one.placebo]).filter(one.rows)
    settings = replace(groups.settings, method=one.method, key=None, references={})
    return compare_groups(prepare(people, column, settings))


def _check_size(comparison: Comparison, settings: DisclosureSettings) -> None:
    if min(comparison.n_treated_matched, comparison.n_comparison) < settings.min_group:
        raise Refused("Too few people are left in a group.", rule="R1")


def gamma_of_pairs(outcome: FloatArray, comparison: Comparison, measure: Measure) -> float | None:
    """The Gamma at which the answer of 1:1 pairs would no longer be significant, in the direction it points."""
    pairs = comparison.pairs
    if pairs is None:
        return None
    differences = outcome[pairs.treated] - outcome[pairs.comparison]
    differences = differences[np.isfinite(differences)]
    more, fewer = int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))
    if more + fewer < NEEDED:
        return None
    if measure.kind is Kind.RATE:
        return gamma_at(partial(bounds_binary, max(more, fewer), min(more, fewer)))
    pointing = differences if float(differences.mean()) >= 0.0 else -differences
    if not float(np.median(np.abs(pointing))) > 0.0:  # the M-statistic has no scale where most pairs are alike
        pointing = pointing[pointing != 0.0]
    return gamma_at(partial(_m, pointing))


def _m(differences: FloatArray, gamma: float) -> Bounds:
    return bounds_m(differences, gamma)


def _answer_facts(answer: Answer) -> dict[str, Any]:
    found = answer.estimate
    numbers = {n: None if found is None else getattr(found, n) for n in ("difference", "low", "high")}
    return {"name": answer.name, **numbers, "reliable": answer.reliable, "rule": answer.rule or None}

"""A comparison made again with some of the treated exchanged: the same design but for who is in it (METHODS 5).

The score is climbed again from the comparison's own coefficients, the caliper that it chose stays, and balance is not
measured again: what it judged are the same people but for a few. No outcome is among what it is given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from counterfoil.comparison.balance import balance_baseline
from counterfoil.comparison.compare import make_in_order
from counterfoil.comparison.made import Groups
from counterfoil.comparison.methods import Radius, Scale
from counterfoil.comparison.more_people import encode_more, with_more
from counterfoil.comparison.radius import match_radius
from counterfoil.comparison.scores import common_support, sort_scores
from counterfoil.comparison.strata import strata
from counterfoil.comparison.values import BoolArray, Comparison, Design, FloatArray, IntArray
from counterfoil.logit import Refitting, ready_to_refit, refit


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """A comparison's people and then more who may be treated in their stead, encoded once."""

    groups: Groups
    comparison: Comparison
    score: Refitting | None  # of a radius comparison
    near: IntArray  # its people in the order of their score, the others last

    @property
    def rows(self) -> int:
        """People in all."""
        return len(self.groups.treated)


def ready_to_exchange(groups: Groups, comparison: Comparison, more: pa.Table) -> Exchange:
    """`comparison` as it was made of `groups`; `more`: people with the same columns, none of them among the groups."""
    settings, needed = groups.settings, list(groups.people.column_names)
    people = pa.concat_tables([groups.people, more.select(needed)], promote_options="permissive")
    design = with_more(groups.covariates.design, encode_more(groups.covariates, more, settings))
    treated = np.concatenate([groups.treated, np.zeros(more.num_rows, np.bool_)])
    whole = replace(
        groups,
        people=people,
        treated=treated,
        covariates=replace(groups.covariates, design=design),
        stratum=None if groups.stratum is None else strata(people, settings.exact),
        propensity=None,
    )
    score, near = None, np.arange(len(treated))
    if _is_radius(comparison) and groups.propensity is not None:
        score = ready_to_refit(design, treated, groups.propensity.fit, threads=settings.threads)
        near = np.append(np.argsort(groups.propensity.logit, kind="stable"), near[len(groups.treated) :])
    return Exchange(whole, comparison, score, near)


def weigh_again(ready: Exchange, treated: BoolArray, there: BoolArray) -> FloatArray:
    """The weight of each person when `treated` are, and only those who are `there` take part; 0 for the others.

    Refused as `compare` does, but for balance.
    """
    if ready.groups.settings.design is Design.RANDOMISED:
        return there.astype(np.float64)
    if ready.score is None:
        return _by_method(ready, treated, there)
    logit = refit(ready.score, treated, there)
    method, caliper = ready.groups.settings.method, ready.comparison.caliper
    if not isinstance(method, Radius) or caliper is None:
        raise TypeError("Only a radius comparison has a score to climb again.")
    score = logit if method.ruler.scale is Scale.LOGIT else np.exp(-np.logaddexp(0.0, -logit))
    inside = there
    if method.ruler.common_support:
        inside = there.copy()
        inside[there] = common_support(score[there], treated[there])
    return match_radius(sort_scores(score, treated, ready.groups.stratum, inside, ready.near), caliper)


def _is_radius(comparison: Comparison) -> bool:
    return comparison.caliper is not None and isinstance(comparison.settings.method, Radius)


def _by_method(ready: Exchange, treated: BoolArray, there: BoolArray) -> FloatArray:
    """Any other method, from the start, on the people who are there."""
    groups, rows = ready.groups, np.flatnonzero(there)
    design = groups.covariates.design.take(rows)
    own = replace(
        groups,
        people=groups.people.take(pa.array(rows)),
        treated=treated[rows],
        covariates=replace(groups.covariates, design=design),
        baseline=balance_baseline(design, treated[rows], threads=groups.settings.threads),
        stratum=None if groups.stratum is None else groups.stratum[rows],
    )
    weight = np.zeros(ready.rows)
    weight[rows] = make_in_order(own).weight
    return weight

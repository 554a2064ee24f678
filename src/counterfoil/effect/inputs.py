"""What every estimator takes, checked once: an outcome, who was treated, weights, covariates, clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.characteristics import Characteristics, characteristics_of
from counterfoil.effect.influence import ESTIMATE_RULE, Clusters
from counterfoil.errors import Refused, UsageError
from counterfoil.logit import CodedDesign

MIN_PEOPLE = 2  # on each side; a variance needs two
MIN_EVENTS = 10  # people with, and without, the outcome on each side: fewer do not carry a model


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The people who count: a weight above 0 and an outcome. Arrays are row-aligned."""

    outcome: FloatArray
    treated: BoolArray
    weight: FloatArray
    given: Characteristics
    cluster: Clusters | None
    rows: BoolArray  # which of the rows that were handed in they are


def sample_of(
    outcome: FloatArray,
    treated: BoolArray,
    weight: FloatArray | None = None,
    covariates: FloatArray | CodedDesign | Characteristics | None = None,
    cluster: Clusters | None = None,
    *,
    what: str = "outcome",
) -> Sample:
    """Check and keep the rows that count. NaN as an outcome is a person who was not measured: left out, never a 0.

    Raises UsageError with every problem at once, Refused when a side has fewer than two people.
    """
    values = np.asarray(outcome, np.float64)
    is_treated = np.asarray(treated)
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
    problems = [
        *_find_shape_problems(values, is_treated, weights, covariates, cluster, what),
        *_find_value_problems(values, is_treated, weights, covariates, what),
    ]
    if problems:
        raise UsageError(*problems)
    is_treated = is_treated.astype(np.bool_)
    rows = (weights > 0) & ~np.isnan(values)
    check_sides(is_treated[rows], what)
    given = characteristics_of(covariates, len(values)).take(rows)
    labels = None if cluster is None else np.asarray(cluster)[rows]
    return Sample(values[rows], is_treated[rows], weights[rows], given, labels, rows)


def check_sides(treated: BoolArray, what: str) -> None:
    """Two people measured on each side."""
    for side, people in (("treated", treated), ("comparison", ~treated)):
        if np.count_nonzero(people) < MIN_PEOPLE:
            raise Refused(
                f"Too few people in the {side} group have a measured {what}. An estimate needs at least {MIN_PEOPLE}.",
                rule=ESTIMATE_RULE,
            )


def check_zero_one(outcome: FloatArray) -> None:
    """A rate's outcome is 0 or 1."""
    if not ((outcome == 0.0) | (outcome == 1.0)).all():
        raise UsageError("The outcome of a rate must be 0 or 1 for everyone; it holds other values.")


def check_events(outcome: FloatArray, treated: BoolArray) -> None:
    """Enough people with, and without, the outcome on each side. The reason names the rule's number, never theirs."""
    for side, people in (("treated", treated), ("comparison", ~treated)):
        has = np.count_nonzero(outcome[people])
        for count, word in ((has, "with"), (np.count_nonzero(people) - has, "without")):
            if count < MIN_EVENTS:
                raise Refused(
                    f"Fewer than {MIN_EVENTS} people in the {side} group are {word} the outcome: too few to adjust "
                    "for covariates. Read the test and the score interval of the rates as they stand.",
                    rule=ESTIMATE_RULE,
                )


def check_once(person: Clusters) -> None:
    """Refuse people who occur more than once, when nothing says how their rows hang together."""
    if len(np.unique(person)) < len(person):
        raise UsageError(
            "Some people occur more than once. Keep one row a person, or hand in their keys as `cluster` so that the "
            "errors know which rows belong together."
        )


def _find_shape_problems(
    outcome: FloatArray,
    treated: BoolArray,
    weight: FloatArray,
    covariates: FloatArray | CodedDesign | Characteristics | None,
    cluster: Clusters | None,
    what: str,
) -> list[str]:
    lengths = {what: outcome.shape, "treated": treated.shape, "weight": weight.shape}
    if cluster is not None:
        lengths["cluster"] = np.asarray(cluster).shape
    if isinstance(covariates, Characteristics):
        lengths["covariates"] = (covariates.design.rows,)
    elif isinstance(covariates, CodedDesign):
        lengths["covariates"] = (covariates.rows,)
    elif covariates is not None:
        lengths["covariates"] = np.asarray(covariates).shape[:1]
    if outcome.ndim != 1:
        return [f"`{what}` must have one value for each person."]
    return [
        f"`{n}` and `{what}` must have one value for each person." for n, s in lengths.items() if s != outcome.shape
    ]


def _find_value_problems(
    outcome: FloatArray,
    treated: BoolArray,
    weight: FloatArray,
    covariates: FloatArray | CodedDesign | Characteristics | None,
    what: str,
) -> list[str]:
    problems = []
    if np.isinf(outcome).any():
        problems.append(f"`{what}` holds an infinite value. Leave what was not measured empty.")
    if not ((treated == 0) | (treated == 1)).all():
        problems.append("`treated` must be yes or no (or 1 and 0) for everyone.")
    if not np.isfinite(weight).all() or (weight < 0).any():
        problems.append("`weight` must be finite and not negative for everyone.")
    if not _are_finite(covariates):
        problems.append(
            "The covariates hold values that are NaN or infinite. Mend them, or say where they are missing."
        )
    return problems


def _are_finite(covariates: FloatArray | CodedDesign | Characteristics | None) -> bool:
    if isinstance(covariates, Characteristics):
        return covariates.are_finite
    numbers = covariates.numeric if isinstance(covariates, CodedDesign) else covariates
    return numbers is None or bool(np.isfinite(np.asarray(numbers, np.float64)).all())

"""Outcomes and covariates that cannot be worked with: each is handled with a sentence, never with a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import ComparisonSettings, Nearest, compare
from counterfoil.effect import Effect, estimate
from counterfoil.errors import Refused, UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind

RNG = np.random.default_rng(1)
N = 700
TREATED = np.arange(N) < 100
AGE = np.round(RNG.normal(35, 8, N))
SEX = np.where(RNG.random(N) < 0.8, "m", "f")


def compared(**columns: Any) -> Any:
    people = pa.table({"treated": TREATED, **columns})
    return compare(people, "treated", ComparisonSettings(covariates=tuple(columns)))


def effect_of(outcome: Any) -> Effect:
    return estimate({"y": outcome}, compared(age=AGE, sex=SEX), [Measure("y", "Y", Kind.RATE)])[0]


@pytest.mark.parametrize("everyone", [0.0, 1.0])
def test_an_outcome_that_is_the_same_for_everyone_has_no_test(everyone: float) -> None:
    """Weights do not add up to 1 to the last digit; that must not become a difference with a p-value."""
    effect = effect_of(np.full(N, everyone))
    assert (effect.treated.value, effect.comparison.value) == (everyone, everyone)
    assert effect.compatible is None


def test_separation_is_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match="Use fewer covariates, a wider caliper or another pool"):
        compared(age=np.where(TREATED, AGE + 100, AGE))


def test_a_constant_covariate_is_left_out_and_said() -> None:
    assert any("`k` was left out" in warning for warning in compared(age=AGE, k=np.ones(N)).warnings)


def test_a_level_that_only_the_treated_have_is_named_and_marked() -> None:
    level = np.where(TREATED & (np.arange(N) % 3 == 0), "x", np.where(AGE > 35, "a", "b"))
    found = compared(age=AGE, g=level)
    assert not found.reliable
    assert any("g: x" in warning for warning in found.warnings)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_named(value: float) -> None:
    age = AGE.copy()
    age[5] = value
    with pytest.raises(UsageError, match="`age` holds values that are NaN or infinite"):
        compared(age=age)


def test_an_infinite_outcome_is_named() -> None:
    outcome = np.ones(N)
    outcome[4] = np.inf
    with pytest.raises(UsageError, match="Leave what was not measured empty"):
        effect_of(outcome)


def test_groups_that_do_not_overlap_are_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match="Use fewer covariates, a wider caliper or another pool"):
        compared(age=np.where(TREATED, 80.0, 20.0) + np.arange(N) % 9)


def test_where_no_covariate_differs_nothing_was_made_alike_and_that_is_said() -> None:
    found = compared(age=np.full(N, 40.0))
    assert not found.reliable
    assert any("Name covariates that differ" in warning for warning in found.warnings)


def test_three_reoffenders_carry_no_model_and_the_intervals_may_differ() -> None:
    """Two of 100 against one of 600: Welch's interval holds 0, the score interval does not."""
    people = pa.table({"treated": TREATED, "age": AGE, "sex": SEX})
    found = compare(people, "treated", ComparisonSettings(covariates=("age", "sex")))
    (effect,) = estimate({"y": np.isin(np.arange(N), (1, 2, 300))}, found, [Measure("y", "Y", Kind.RATE)], people)
    assert effect.adjusted is None
    assert effect.compatible is not None
    assert effect.score is not None
    assert effect.compatible.low < 0.0 < effect.score.low
    assert effect.disagrees == ("score",)


def test_an_outcome_that_was_not_measured_is_no_zero() -> None:
    outcome = np.where(np.arange(N) == 3, np.nan, 1.0 * (np.arange(N) % 2))
    assert effect_of(outcome).treated.n == 99


def test_a_rate_that_is_not_0_or_1_is_named() -> None:
    with pytest.raises(UsageError, match="each person has 0 or 1"):
        effect_of(np.full(N, 2.0))


@pytest.mark.parametrize("treated", [None, np.nan])
def test_somebody_without_a_treatment_is_an_error(treated: float | None) -> None:
    people = pa.table({"treated": pa.array([treated, *TREATED[1:].astype(float)]), "age": AGE})
    with pytest.raises(UsageError, match=r"`treated` (is empty for some people|holds values other than 0 and 1)"):
        compare(people, "treated", ComparisonSettings(covariates=("age",)))


def test_a_person_in_two_rows_is_found_by_the_key() -> None:
    people = pa.table({"treated": TREATED, "age": AGE, "person": np.maximum(np.arange(N), 1)})
    with pytest.raises(UsageError, match="Keep one row a person"):
        compare(people, "treated", ComparisonSettings(covariates=("age",), method=Nearest(), key="person"))


def test_an_outcome_among_the_columns_is_refused() -> None:
    people = pa.table({"treated": TREATED, "age": AGE, "again": np.ones(N)})
    with pytest.raises(UsageError, match="The comparison must not see an outcome"):
        compare(people, "treated", ComparisonSettings(covariates=("age",)))

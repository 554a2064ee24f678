"""Outcomes and covariates that cannot be worked with: each is handled with a sentence, never with a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import ComparisonSettings, compare
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

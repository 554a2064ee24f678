"""Laws of the models of outcomes: many rows and few columns, models that share what they can, a choice of columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import expit

from counterfoil.comparison.values import FloatArray
from counterfoil.effect.characteristics import Characteristics, characteristics_of
from counterfoil.effect.mean_model import RIDGE_NOTE, Link, fit_mean
from counterfoil.logit import CodedDesign, Factor
from counterfoil.logit.steering import LEAST, draw_steering

ROWS = LEAST + 2_000  # with fewer nobody steers
CLOSE = 1e-9  # of a mean: the witness stops within rounding of its top, and so do we
LEVELS = 4


@dataclass(frozen=True, slots=True)
class _People:
    design: CodedDesign
    dense: FloatArray  # the same: an intercept, every level but the reference, the numbers
    weight: FloatArray
    rate: FloatArray
    count: FloatArray


def _people(rows: int = ROWS, *, empty: bool = False) -> _People:
    """`empty`: nobody of the last level has an outcome."""
    rng = np.random.default_rng(20)
    codes = rng.integers(0, LEVELS, rows).astype(np.int8)
    numbers = np.column_stack([rng.normal(30.0, 8.0, rows), rng.exponential(2.0, rows)])
    levels = (codes[:, None] == np.arange(1, LEVELS)).astype(np.float64)
    dense = np.column_stack([np.ones(rows), levels, numbers])
    eta = dense @ np.array([-2.0, 0.4, -0.3, 0.2, 0.01, 0.1])
    rate = (rng.random(rows) < expit(eta)).astype(np.float64)
    count = rng.poisson(np.exp(eta)).astype(np.float64)
    if empty:
        rate[codes == LEVELS - 1], count[codes == LEVELS - 1] = 0.0, 0.0
    factor = Factor("area", tuple("abcd"))
    design = CodedDesign((factor,), codes[:, None], ("age", "priors"), np.ascontiguousarray(numbers))
    return _People(design, dense, rng.exponential(size=rows) + 0.05, rate, count)


def _newton(x: FloatArray, y: FloatArray, w: FloatArray, link: Link) -> FloatArray:
    """The witness: the score equations of a dense matrix, solved by Newton until nothing moves."""
    scale = np.concatenate([[1.0], x[:, 1:].std(axis=0)])
    z, coef = x / scale, np.zeros(x.shape[1])
    coef[0] = np.log(np.average(y, weights=w))
    for _ in range(40):
        mean = expit(z @ coef) if link is Link.LOGIT else np.exp(z @ coef)
        slope = mean * (1.0 - mean) if link is Link.LOGIT else mean
        coef = coef + np.linalg.solve(z.T @ (z * (w * slope)[:, None]), z.T @ (w * (y - mean)))
    found: FloatArray = expit(z @ coef) if link is Link.LOGIT else np.exp(z @ coef)
    return found


@pytest.mark.parametrize("link", [Link.LOGIT, Link.LOG])
def test_whoever_steers_a_climb_it_ends_at_the_top(link: Link) -> None:
    people = _people()
    outcome = people.rate if link is Link.LOGIT else people.count
    weight = np.where(np.arange(ROWS) % 50 == 0, 0.0, people.weight)  # some are predicted and not fitted on
    assert draw_steering(people.design, weight) is not None
    model = fit_mean(Characteristics(people.design), outcome, weight, link)
    assert model.mean == pytest.approx(_newton(people.dense, outcome, weight, link), rel=CLOSE)


def test_nobody_steers_where_everyone_is_alike() -> None:
    design = CodedDesign((), np.zeros((ROWS, 0), np.int8), ("one",), np.ones((ROWS, 1)))
    assert draw_steering(design, np.ones(ROWS)) is None
    assert draw_steering(_people(2_000).design, np.ones(2_000)) is None


@pytest.mark.parametrize("rows", [3_000, ROWS])
@pytest.mark.parametrize("link", [Link.LOGIT, Link.LOG, Link.IDENTITY])
@pytest.mark.parametrize("empty", [False, True])
def test_a_choice_of_columns_is_a_design_of_these_as_numbers(rows: int, link: Link, empty: bool) -> None:
    """Level d, and a number: also where a ridge keeps the model finite, which is on each in its SD."""
    people = _people(rows, empty=empty)
    outcome = people.count if link is Link.LOG else people.rate
    names = people.design.slot_names
    slots = np.array([0, names.index("area: d"), names.index("age")], np.int64)
    weight = np.where(np.arange(rows) % 3 == 0, 0.0, people.weight)
    chosen = fit_mean(Characteristics(people.design).only(slots), outcome, weight, link)
    plain = fit_mean(characteristics_of(people.dense[:, [3, 4]], rows), outcome, weight, link)
    assert chosen.notes == plain.notes == ((RIDGE_NOTE,) if empty and link is not Link.IDENTITY else ())
    assert chosen.mean == pytest.approx(plain.mean, rel=CLOSE, abs=1e-15)
    assert chosen.leverage == pytest.approx(plain.leverage, rel=1e-6, abs=1e-12)


def test_models_that_share_what_they_can_are_those_of_each_by_itself() -> None:
    people = _people()
    shared = Characteristics(people.design)
    for rows in (people.count < 3, np.ones(ROWS, np.bool_)):
        together = [
            fit_mean(shared.take(rows), outcome[rows], people.weight[rows], link)
            for outcome, link in ((people.rate, Link.LOGIT), (people.count, Link.LOG))
        ]
        alone = [
            fit_mean(Characteristics(people.design).take(rows), outcome[rows], people.weight[rows], link)
            for outcome, link in ((people.rate, Link.LOGIT), (people.count, Link.LOG))
        ]
        for one, other in zip(together, alone, strict=True):
            assert one.mean.tobytes() == other.mean.tobytes()
            assert one.leverage.tobytes() == other.leverage.tobytes()


@pytest.mark.parametrize("rows", [3_000, ROWS])
@pytest.mark.parametrize("link", [Link.LOGIT, Link.LOG])
def test_factors_and_numbers_of_which_no_column_is_chosen_change_nothing(rows: int, link: Link) -> None:
    people = _people(rows)
    outcome = people.rate if link is Link.LOGIT else people.count
    rng, design = np.random.default_rng(21), people.design
    wider = CodedDesign(
        (Factor("sex", ("f", "m")), *design.factors, Factor("site", tuple("pqr"))),
        np.column_stack([rng.integers(0, 2, rows), design.codes, rng.integers(0, 3, rows)]).astype(np.int8),
        ("noise", *design.numeric_names),
        np.column_stack([rng.normal(size=rows), design.numeric]),
    )
    slots = np.array([wider.slot_names.index(name) for name in ("intercept", "area: b", "area: d", "priors")], np.int64)
    chosen = fit_mean(Characteristics(wider).only(slots), outcome, people.weight, link)
    plain = fit_mean(characteristics_of(people.dense[:, [1, 3, 5]], rows), outcome, people.weight, link)
    assert chosen.mean == pytest.approx(plain.mean, rel=CLOSE)
    assert chosen.leverage == pytest.approx(plain.leverage, rel=1e-6)
    share = np.where(np.arange(rows) < 100, 0.01, 0.0)
    assert chosen.influence_over(share).value == pytest.approx(plain.influence_over(share).value, rel=1e-6, abs=1e-12)

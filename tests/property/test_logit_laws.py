"""Laws of the logistic fit: threads and row order change nothing, the slope is zero, separation and rank are told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.errors import UsageError
from counterfoil.logit import (
    SEPARATION_RIDGE,
    CodedDesign,
    Factor,
    chunk_bounds,
    climbing,
    column_totals,
    compiling,
    fit,
)
from counterfoil.logit.sampling import draw_sample
from counterfoil.logit.values import FloatArray

# The slope is a sum over people whose rounding grows with their number.
SLOPE_A_PERSON = 1e-9
REORDERED = 1e-11  # the same sums in another order
TO_THE_TOP = 1e-6  # METHODS 7: within 1e-6 standard errors of the exact maximum


def _design(seed: int, rows: int) -> tuple[CodedDesign, FloatArray]:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, 3, rows), rng.integers(0, 2, rows)], axis=1).astype(np.int8)
    numeric = rng.normal(size=(rows, 2)) * [1.0, 5000.0] + [50.0, 0.0]
    eta = 0.5 * (codes[:, 0] == 1) - 0.5 * codes[:, 1] + 0.3 * (numeric[:, 0] - 50.0) - 1.0
    outcome = (rng.random(rows) < 1.0 / (1.0 + np.exp(-eta))).astype(np.float64)
    outcome[:2] = 0.0, 1.0
    factors = (Factor("place", ("a", "b", "c")), Factor("new", ("0", "1")))
    return CodedDesign(factors, codes, ("age", "pay"), numeric), outcome


def _big(treated: int = 300, pool: int = 120_000) -> tuple[CodedDesign, FloatArray]:
    """Big enough to start from a sample of the pool."""
    design, _ = _design(11, treated + pool)
    eta = 0.5 * (design.codes[:, 0] == 1) + 0.3 * (design.numeric[:, 0] - 50.0) + np.log(treated / pool)
    drawn = np.random.default_rng(12).random(design.rows) < 1.0 / (1.0 + np.exp(-eta))
    return design, drawn.astype(np.float64)


@settings(deadline=None)  # the first call compiles
@given(seed=st.integers(0, 10_000), rows=st.integers(60, 400))
def test_slope_is_zero_at_the_fit(seed: int, rows: int) -> None:
    design, outcome = _design(seed, rows)
    fitted = fit(design, outcome)
    residual = outcome - 1.0 / (1.0 + np.exp(-fitted.eta))
    dense = np.column_stack(
        [design.codes[:, 0] == 0, design.codes[:, 0] == 1, design.codes[:, 0] == 2, design.codes[:, 1], design.numeric]
    )
    slope = residual @ dense / np.maximum(np.abs(dense).max(axis=0), 1.0)
    assert fitted.ridge > 0.0 or np.abs(slope).max() < SLOPE_A_PERSON * rows


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_byte(threads: int) -> None:
    for design, outcome in (_design(1, 5_000), _big()):
        one, many = fit(design, outcome, threads=1), fit(design, outcome, threads=threads)
        assert one.coef.tobytes() == many.coef.tobytes()
        assert one.eta.tobytes() == many.eta.tobytes()
        assert one.standard_errors.tobytes() == many.standard_errors.tobytes()


def test_row_order_changes_nothing() -> None:
    for design, outcome in (_design(2, 900), _big()):
        order = np.random.default_rng(3).permutation(design.rows)
        there, here = fit(design.take(order), outcome[order]), fit(design, outcome)
        np.testing.assert_allclose(there.eta, here.eta[order], rtol=0, atol=REORDERED)


def test_a_big_pool_starts_from_a_sample_and_ends_at_the_exact_maximum() -> None:
    design, outcome = _big()
    sample = draw_sample(design, outcome)
    assert sample is not None
    assert set(np.flatnonzero(outcome == 1)) <= set(sample.rows)
    sampled = fit(design, outcome)
    newton = fit(design, outcome, weights=np.ones(design.rows), tol=1e-20)  # weights: no sample is drawn
    assert (np.abs(sampled.coef - newton.coef) / newton.standard_errors).max() < TO_THE_TOP
    assert sampled.log_likelihood == pytest.approx(newton.log_likelihood, rel=1e-14)


def test_people_who_are_all_alike_are_not_sampled() -> None:
    design, outcome = _big()
    alike = CodedDesign(
        design.factors, np.zeros_like(design.codes), design.numeric_names, np.zeros_like(design.numeric)
    )
    assert draw_sample(alike, outcome) is None
    fitted = fit(alike, outcome)
    assert fitted.coef == pytest.approx([np.log(outcome.sum() / (len(outcome) - outcome.sum()))], rel=1e-12)
    assert fitted.dropped == ("place: b", "place: c", "new", "age", "pay")


def test_weights_of_two_are_rows_twice() -> None:
    design, outcome = _design(4, 300)
    doubled = np.repeat(np.arange(300, dtype=np.int64), 2)
    twice = fit(design.take(doubled), outcome[doubled])
    weighted = fit(design, outcome, weights=np.full(300, 2.0))
    np.testing.assert_allclose(weighted.coef, twice.coef, rtol=1e-9)
    np.testing.assert_allclose(weighted.standard_errors, twice.standard_errors, rtol=1e-9)


def test_unit_of_a_number_scales_its_coefficient_only() -> None:
    design, outcome = _design(5, 400)
    pounds = replace(design, numeric=design.numeric * [1.0, 0.001])
    here, there = fit(design, outcome), fit(pounds, outcome)
    np.testing.assert_allclose(there.eta, here.eta, rtol=0, atol=1e-9)
    assert there.coef[-1] == pytest.approx(1000.0 * here.coef[-1], rel=1e-9)


def test_a_level_with_one_group_only_brings_the_ridge_and_says_so() -> None:
    design, outcome = _design(6, 500)
    outcome = np.where(design.codes[:, 0] == 2, 0.0, outcome)
    fitted = fit(design, outcome)
    assert fitted.ridge == SEPARATION_RIDGE
    assert any("a small ridge keeps it finite" in note for note in fitted.notes)
    assert any("place: c" in note for note in fitted.notes)
    assert np.isfinite(fitted.coef).all()
    assert fitted.decrement < 1e-9


def test_a_number_that_separates_brings_the_ridge_and_says_so() -> None:
    design, outcome = _design(7, 300)
    outcome = (design.numeric[:, 0] > 50.0).astype(np.float64)
    fitted = fit(design, outcome)
    assert fitted.ridge == SEPARATION_RIDGE
    assert any("separate the groups" in note for note in fitted.notes)
    assert np.abs(fitted.eta).max() < 100.0


def test_no_ridge_without_separation_however_rare_the_level() -> None:
    rows = 40_000
    codes = np.zeros((rows, 1), np.int8)
    codes[:8_000] = 1
    outcome = np.zeros(rows)
    outcome[:1] = 1.0  # one treated person among 8,000 at this level, half of the 32,000 at the other
    outcome[8_000:24_000] = 1.0
    fitted = fit(CodedDesign((Factor("rare", ("0", "1")),), codes, (), np.empty((rows, 0))), outcome)
    assert fitted.ridge == 0.0
    assert fitted.coef == pytest.approx([0.0, -np.log(7_999.0)], abs=1e-9)


def test_columns_that_say_nothing_new_are_left_out_by_name() -> None:
    design, outcome = _design(8, 400)
    extra = np.column_stack([design.numeric, np.full(400, 7.3), design.numeric[:, 0] * 2.0 + 1.0])
    wider = CodedDesign(design.factors, design.codes, ("age", "pay", "always", "age twice"), extra)
    fitted = fit(wider, outcome)
    assert fitted.dropped == ("always", "age twice")
    assert fitted.notes == (
        "`always` was left out: it is the same for everyone.",
        "`age twice` was left out: it is a combination of the columns before it.",
    )
    np.testing.assert_allclose(fitted.eta, fit(design, outcome).eta, rtol=0, atol=1e-9)


def test_collinear_columns_of_a_big_pool_are_found_in_the_sample_and_confirmed_in_all() -> None:
    design, outcome = _big()
    rows = np.flatnonzero(outcome == 0)[:3]
    rare = np.zeros(design.rows)
    rare[rows] = 1.0  # constant in nearly every sample, not in the whole
    wider = CodedDesign(
        design.factors, design.codes, (*design.numeric_names, "twice", "rare"),
        np.column_stack([design.numeric, 2.0 * design.numeric[:, 0], rare]),
    )  # fmt: skip
    assert fit(wider, outcome).dropped == ("twice",)


@given(rows=st.integers(1, 500_000), numbers=st.integers(1, 10_000_000))
def test_chunks_cover_every_row_once(rows: int, numbers: int) -> None:
    bounds = chunk_bounds(rows, numbers)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == rows
    assert all(before[1] == after[0] for before, after in pairwise(bounds))


def test_totals_are_weighted_counts_and_sums() -> None:
    codes = np.array([[0], [1], [1]], np.int8)
    design = CodedDesign((Factor("x", ("a", "b")),), codes, ("n",), np.array([[1.0], [2.0], [4.0]]))
    assert column_totals(design, np.array([1.0, 0.5, 2.0]), threads=1).tolist() == [3.5, 1.0, 2.5, 10.0]


def test_codes_outside_the_levels_are_refused() -> None:
    with pytest.raises(UsageError, match="outside its 2 levels"):
        CodedDesign((Factor("x", ("a", "b")),), np.array([[2]], np.int8), (), np.empty((1, 0)))


def test_shapes_that_do_not_fit_are_refused() -> None:
    factor = (Factor("x", ("a", "b")),)
    with pytest.raises(UsageError, match="one row for each person"):
        CodedDesign(factor, np.zeros((2, 1), np.int8), (), np.empty((3, 0)))
    with pytest.raises(UsageError, match="one column for each factor"):
        CodedDesign(factor, np.zeros((2, 2), np.int8), (), np.empty((2, 0)))
    with pytest.raises(UsageError, match="row-major"):
        CodedDesign(factor * 2, np.asfortranarray(np.zeros((3, 2), np.int8)), (), np.empty((3, 0)))


def test_outcomes_that_cannot_be_fitted_are_refused() -> None:
    design, outcome = _design(9, 100)
    with pytest.raises(UsageError, match="same group"):
        fit(design, np.zeros(100))
    with pytest.raises(UsageError, match="0 or 1"):
        fit(design, outcome + 0.5)
    with pytest.raises(UsageError, match="one value for each row"):
        fit(design, outcome[:50])
    with pytest.raises(UsageError, match="not negative"):
        fit(design, outcome, weights=np.full(100, -1.0))
    with pytest.raises(UsageError, match="finite"):
        fit(replace(design, numeric=np.full_like(design.numeric, np.nan)), outcome)


def test_covariance_is_left_out_when_not_asked_for() -> None:
    design, outcome = _design(10, 200)
    fitted = fit(design, outcome, covariance=False)
    assert fitted.covariance is None
    assert fitted.standard_errors.size == 0


def test_when_quick_steps_run_out_newton_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    design, outcome = _big()
    quick = fit(design, outcome)
    monkeypatch.setattr(climbing, "MAX_QUASI_STEPS", 1)
    slow = fit(design, outcome)
    np.testing.assert_allclose(slow.eta, quick.eta, rtol=0, atol=1e-6)
    assert slow.decrement < 1e-12


def test_a_fit_that_does_not_finish_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    design, outcome = _design(13, 200)
    monkeypatch.setattr(climbing, "MAX_NEWTON_STEPS", 1)
    assert "The fit stopped before it was exact." in fit(design, outcome).notes


def test_kernels_work_where_nothing_can_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_it = numba.njit

    def njit(*, cache: bool = False, nogil: bool = False) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compile_it(nogil=nogil)

    monkeypatch.setattr(numba, "njit", njit)

    @compiling.compiled
    def double(x: float) -> float:
        return 2.0 * x

    assert double(4.0) == 8.0

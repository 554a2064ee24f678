"""The logit fit against R's glm on lalonde, and against statsmodels and scikit-learn on drawn data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

from counterfoil.comparison.design import encode_covariates
from counterfoil.comparison.values import ComparisonSettings, FloatArray
from counterfoil.logit import CodedDesign, Factor, LogitFit, fit
from lib.witnesses import expected, read_people

R_COEF = 1e-8  # absolute and relative: METHODS 7 asks for it; R stops at a deviance change of 1e-14
STATSMODELS = 1e-8
SKLEARN = 1e-6  # lbfgs and newton-cholesky stop at a gradient, not at the maximum

LALONDE = ("age", "educ", "race", "married", "nodegree", "re74", "re75")


@pytest.fixture(scope="module")
def lalonde_fit(shared: Path) -> LogitFit:
    people = read_people(shared / "oracles/matchit_lalonde614/lalonde614.csv")
    settings = ComparisonSettings(covariates=LALONDE, references={"race": "black"})
    return fit(encode_covariates(people, settings).design, people["treat"].to_numpy())


def _by_r_name(fitted: LogitFit, values: FloatArray) -> dict[str, float]:
    names = [term.replace(": ", "").replace("intercept", "(Intercept)") for term in fitted.terms]
    return dict(zip(names, values.tolist(), strict=True))


def test_coefficients_and_errors_are_those_of_r(lalonde_fit: LogitFit) -> None:
    witness = expected("logit_lalonde614")
    assert _by_r_name(lalonde_fit, lalonde_fit.coef) == pytest.approx(witness["coef"], rel=R_COEF, abs=R_COEF)
    assert _by_r_name(lalonde_fit, lalonde_fit.standard_errors) == pytest.approx(witness["se"], rel=R_COEF)


def test_scores_are_those_of_r(lalonde_fit: LogitFit) -> None:
    np.testing.assert_allclose(lalonde_fit.eta, expected("logit_lalonde614")["logit"], rtol=0, atol=R_COEF)
    assert lalonde_fit.ridge == 0.0
    assert lalonde_fit.notes == ()


def _drawn(seed: int, rows: int) -> tuple[CodedDesign, FloatArray, FloatArray]:
    """A factor of 4 levels, a yes/no column and two numbers; the dense design; an outcome from a known model."""
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, 4, rows), rng.integers(0, 2, rows)], axis=1).astype(np.int8)
    numeric = np.stack([rng.normal(40, 12, rows), rng.exponential(5000.0, rows)], axis=1)
    dense = np.column_stack([np.ones(rows), *(codes[:, 0] == level for level in (1, 2, 3)), codes[:, 1], numeric])
    eta = dense @ np.array([-1.0, 0.5, -0.5, 1.0, 0.3, 0.02, -0.0001])
    outcome = (rng.random(rows) < 1.0 / (1.0 + np.exp(-eta))).astype(np.float64)
    design = CodedDesign(
        (Factor("place", ("a", "b", "c", "d")), Factor("new", ("0", "1"))), codes, ("age", "pay"), numeric
    )
    return design, dense, outcome


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fit_is_that_of_statsmodels(seed: int) -> None:
    design, dense, outcome = _drawn(seed, 700)
    ours = fit(design, outcome)
    theirs = sm.Logit(outcome, dense).fit(disp=0, tol=1e-14, maxiter=100)
    np.testing.assert_allclose(ours.coef, theirs.params, rtol=STATSMODELS, atol=1e-12)
    np.testing.assert_allclose(ours.standard_errors, theirs.bse, rtol=STATSMODELS)
    assert ours.log_likelihood == pytest.approx(theirs.llf, rel=1e-12)


def test_weights_count_rows_as_in_statsmodels() -> None:
    design, dense, outcome = _drawn(4, 500)
    weights = np.random.default_rng(5).integers(0, 4, 500).astype(np.float64)
    ours = fit(design, outcome, weights=weights)
    theirs = sm.GLM(outcome, dense, family=sm.families.Binomial(), freq_weights=weights).fit(tol=1e-14, maxiter=100)
    np.testing.assert_allclose(ours.coef, theirs.params, rtol=STATSMODELS, atol=1e-12)
    np.testing.assert_allclose(ours.standard_errors, theirs.bse, rtol=STATSMODELS)


def test_fit_is_the_unpenalised_one_of_scikit_learn() -> None:
    design, dense, outcome = _drawn(6, 2_000)
    scale = dense[:, 1:].std(axis=0)
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=200)
    model.fit(dense[:, 1:] / scale, outcome)
    np.testing.assert_allclose(fit(design, outcome).coef[1:], model.coef_[0] / scale, rtol=SKLEARN, atol=1e-10)

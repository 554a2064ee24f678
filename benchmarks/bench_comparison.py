"""Score, match and balance on drawn people with 40 covariates, beside glum, scikit-learn and one sort.

Each engine gets its own form of the same people before the clock starts; building that form is not timed, its memory
counts. Every logit is unpenalised and has to reach the same log-likelihood, or the work fails.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

import counterfoil
from benchmarks.harness import Ready, Work, measure
from counterfoil.logit import CodedDesign, Factor, fit
from counterfoil.logit.values import FloatArray

BoolArray = npt.NDArray[np.bool_]

FACTORS, NUMBERS = 32, 8
LEVELS = (2, 3, 2, 5, 2, 4, 2, 7, 3, 2, 6, 2, 12, 3, 2, 4)  # of the factors, over and over: 2 to 12
SEED = 20_160_401
CALIPER_SD = 0.2
THREADS = 1  # the harness gives every engine one
SAME_LOG_LIKELIHOOD = 1e-6  # absolute; scikit-learn's lbfgs is 34.6 short at this size and is left out for it
WARM_PEOPLE = 90_000  # compiles the start from a sample too


def draw_design(treated: int, pool: int) -> tuple[CodedDesign, BoolArray]:
    """About `treated` treated people in `treated + pool`, treatment depending on every covariate."""
    rng = np.random.default_rng(SEED)
    rows = treated + pool
    codes, numeric = np.empty((rows, FACTORS), np.int8), np.empty((rows, NUMBERS))
    eta = np.zeros(rows)
    levels = [LEVELS[j % len(LEVELS)] for j in range(FACTORS)]
    for j, count in enumerate(levels):
        shares = np.cumsum(rng.dirichlet(np.full(count, 3.0)))
        codes[:, j] = np.searchsorted(shares[:-1], rng.random(rows))
        eta += rng.normal(0.0, 0.2, count)[codes[:, j]]
    for j in range(NUMBERS):
        drawn = rng.normal(size=rows)
        eta += 0.15 * (-1) ** j * drawn
        numeric[:, j] = np.round(35.0 + 10.0 * drawn) if j < NUMBERS // 2 else drawn
    chance = np.exp(eta - eta.max())
    is_treated = rng.random(rows) < chance * (treated / chance.sum())
    factors = tuple(Factor(f"factor {j}", tuple(map(str, range(count)))) for j, count in enumerate(levels))
    return CodedDesign(factors, codes, tuple(f"number {j}" for j in range(NUMBERS)), numeric), is_treated


def _checked_log_likelihood(eta: FloatArray, is_treated: BoolArray, reference: float) -> None:
    found = float((np.where(is_treated, eta, 0.0) - np.logaddexp(0.0, eta)).sum())
    if abs(found - reference) > SAME_LOG_LIKELIHOOD:
        raise RuntimeError(
            f"The log-likelihood is {found - reference:g} away from the maximum, so this is another fit."
        )


def logit_counterfoil(treated: int, pool: int) -> Ready:
    """Ours, from codes."""
    small, small_treated = draw_design(treated, WARM_PEOPLE)
    fit(small, small_treated.astype(np.float64), threads=THREADS, covariance=False)
    design, is_treated = draw_design(treated, pool)
    outcome = is_treated.astype(np.float64)
    return lambda: fit(design, outcome, threads=THREADS, covariance=False)


def logit_glum(treated: int, pool: int, reference: float) -> Ready:
    """glum with its own split matrix of categories and numbers, standardised numbers."""
    import pandas as pd
    import tabmat
    from glum import GeneralizedLinearRegressor

    design, is_treated = draw_design(treated, pool)
    outcome = is_treated.astype(np.float64)
    factors = [
        tabmat.CategoricalMatrix(pd.Categorical.from_codes(design.codes[:, j], factor.levels), drop_first=True)
        for j, factor in enumerate(design.factors)
    ]
    columns = tabmat.SplitMatrix([*factors, tabmat.DenseMatrix(_standardised(design))])
    model = GeneralizedLinearRegressor(family="binomial", alpha=0, gradient_tol=1e-9, max_iter=200)

    def run() -> None:
        model.fit(columns, outcome)
        _checked_log_likelihood(columns.matvec(model.coef_) + model.intercept_, is_treated, reference)

    return run


def logit_sklearn(treated: int, pool: int, reference: float) -> Ready:
    """scikit-learn's newton-cholesky, which needs the dense matrix, standardised numbers."""
    from sklearn.linear_model import LogisticRegression

    design, is_treated = draw_design(treated, pool)
    columns = _dense(design)
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8, max_iter=200)

    def run() -> None:
        model.fit(columns, is_treated)
        _checked_log_likelihood(columns @ model.coef_[0] + model.intercept_[0], is_treated, reference)

    return run


def _standardised(design: CodedDesign) -> FloatArray:
    return np.asfortranarray((design.numeric - design.numeric.mean(axis=0)) / design.numeric.std(axis=0))


def _dense(design: CodedDesign) -> FloatArray:
    columns = np.empty((design.rows, sum(len(f.levels) - 1 for f in design.factors) + NUMBERS))
    place = 0
    for j, factor in enumerate(design.factors):
        for level in range(1, len(factor.levels)):
            columns[:, place] = design.codes[:, j] == level
            place += 1
    columns[:, place:] = _standardised(design)
    return columns


def _draw_scores(treated: int, pool: int) -> tuple[FloatArray, BoolArray]:
    rng = np.random.default_rng(SEED)
    is_treated = np.arange(treated + pool) < treated
    return rng.normal(np.where(is_treated, 0.5, 0.0)), is_treated


def match_counterfoil(treated: int, pool: int) -> Ready:
    """Radius matching from scores: sort and share."""
    from counterfoil.comparison.propensity import pooled_sd
    from counterfoil.comparison.radius import match_radius
    from counterfoil.comparison.scores import sort_scores

    for people in (1_000, pool):
        score, is_treated = _draw_scores(treated, people)
        caliper = CALIPER_SD * pooled_sd(score, is_treated)
        if people != pool:
            match_radius(sort_scores(score, is_treated), caliper)
    return lambda: match_radius(sort_scores(score, is_treated), caliper)


def match_argsort(treated: int, pool: int) -> Ready:
    """The yardstick: one stable sort of the same scores."""
    score, _ = _draw_scores(treated, pool)
    return lambda: np.argsort(score, kind="stable")


def balance_counterfoil(treated: int, pool: int) -> Ready:
    """The table before and after, from codes."""
    from counterfoil.comparison.balance import balance_baseline, measure_balance
    from counterfoil.comparison.design import Covariates

    for people in (2_000, pool):
        design, is_treated = draw_design(treated, people)
        covariates = Covariates(design, ("",) * FACTORS, design.numeric_names, ())
        weight = np.where(is_treated, 1.0, np.random.default_rng(SEED).random(len(is_treated)))
        if people != pool:
            measure_balance(covariates, balance_baseline(design, is_treated), weight)

    def run() -> object:
        baseline = balance_baseline(design, is_treated, threads=THREADS)
        return measure_balance(covariates, baseline, weight, threads=THREADS)

    return run


def works(treated: int, pool: int) -> list[Work]:
    """Every work at one size, ours beside the others."""
    design, is_treated = draw_design(treated, pool)
    reference = fit(design, is_treated.astype(np.float64), threads=THREADS, covariance=False).log_likelihood
    size, checked = {"treated": treated, "pool": pool}, {"treated": treated, "pool": pool, "reference": reference}
    n, name = treated + pool, f"{treated:,} among {pool:,} x 40"
    here = __name__ if __name__ != "__main__" else "benchmarks.bench_comparison"
    ours, numpy = counterfoil.__version__, version("numpy")
    return [
        Work(f"logit {name}", "counterfoil", ours, n, f"{here}:logit_counterfoil", size),
        Work(f"logit {name}", "glum", version("glum"), n, f"{here}:logit_glum", checked),
        Work(f"logit {name}", "scikit-learn", version("scikit-learn"), n, f"{here}:logit_sklearn", checked),
        Work(f"match radius {treated:,} to {pool:,}", "counterfoil", ours, n, f"{here}:match_counterfoil", size),
        Work(f"match radius {treated:,} to {pool:,}", "one sort", numpy, n, f"{here}:match_argsort", size),
        Work(f"balance {name}", "counterfoil", ours, n, f"{here}:balance_counterfoil", size),
    ]


def main() -> None:
    """Measure at the size given and write build/bench/comparison.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treated", type=int, default=1_000)
    parser.add_argument("--pool", type=int, default=1_000_000)
    asked = parser.parse_args()
    measure(works(asked.treated, asked.pool), "comparison")


if __name__ == "__main__":
    main()

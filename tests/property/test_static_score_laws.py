"""Laws of the static risk score: it finds the model that made the data, and tells how well it foretells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.outcomes.static_score import (
    FEWEST_WITH,
    Calibration,
    ScoreTerms,
    StaticScore,
    calibration_of,
    fit_static_score,
)

TERMS = ScoreTerms("back", factors=("sex",), numbers=("age",), squares=("age",), logs=("priors",))
PEOPLE = 60_000
# The generator: log odds = -1 + 0.5 female - 0.04 (age - 30) + 0.001 (age - 30)^2 + 0.7 ln(1 + priors)
SE = {"sex: female": 0.03, "ln priors": 0.02}  # of coefficients at this size, rounded up


def drawn(seed: int, people: int = PEOPLE, *, shift: float = 0.0) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """People, their outcomes and their true log odds."""
    rng = np.random.default_rng(seed)
    female, age, priors = rng.random(people) < 0.3, rng.uniform(18, 60, people).round(1), rng.poisson(3.0, people)
    odds = -1.0 + 0.5 * female - 0.04 * (age - 30) + 0.001 * (age - 30) ** 2 + 0.7 * np.log1p(priors) + shift
    outcome = (rng.random(people) < 1.0 / (1.0 + np.exp(-odds))).astype(np.float64)
    table = pa.table({"sex": np.where(female, "female", "male"), "age": age, "priors": priors})
    return table, outcome, odds


def fitted(table: pa.Table, outcome: np.ndarray) -> tuple[StaticScore, Calibration]:
    found = fit_static_score(table, outcome, TERMS, person=np.arange(table.num_rows))
    assert found is not None
    return found


def test_the_model_that_made_the_data_is_found() -> None:
    table, outcome, odds = drawn(1)
    score, calibration = fitted(table, outcome)
    assert score.coefficients["sex: female"] == pytest.approx(0.5, abs=4 * SE["sex: female"])
    assert score.coefficients["ln priors"] == pytest.approx(0.7, abs=4 * SE["ln priors"])
    assert np.max(np.abs(score.of(table) - 1.0 / (1.0 + np.exp(-odds)))) < 0.03
    assert calibration.slope == pytest.approx(1.0, abs=0.06)
    assert calibration.intercept == pytest.approx(0.0, abs=0.06)
    assert all(abs(band.foretold - band.happened) < 0.03 for band in calibration.bands)


def test_out_of_sample_a_score_of_noise_has_a_slope_far_under_one() -> None:
    """Within the sample the slope of a maximum-likelihood fit is 1 whatever it is fitted on; so this sees leaks."""
    rng = np.random.default_rng(2)
    people = 600
    table = pa.table(
        {"sex": rng.choice(["a", "b"], people), "age": rng.uniform(18, 60, people), "priors": rng.poisson(3.0, people)}
    )
    _, calibration = fitted(table, (rng.random(people) < 0.4).astype(np.float64))
    assert calibration.slope < 0.5
    assert 0.4 < calibration.auc < 0.6


def test_a_person_is_never_fitted_on_and_foretold_at_once() -> None:
    """Each person ten times over, with a chance outcome that all ten share: whoever saw one of them would foretell."""
    rng = np.random.default_rng(6)
    table = pa.table({"sex": ["a"] * 400, "age": rng.uniform(18, 60, 400), "priors": [0] * 400})
    tenfold = table.take(pa.array(np.repeat(np.arange(400), 10)))
    outcome, person = np.repeat((rng.random(400) < 0.4).astype(np.float64), 10), np.repeat(np.arange(400), 10)
    found = fit_static_score(tenfold, outcome, TERMS, person=person)
    assert found is not None
    assert found[1].auc < 0.6


def test_calibration_by_hand() -> None:
    """Four people: log odds 0 (p 0.5) and ln 3 (p 0.75). Brier and the share of well-ordered pairs are counted out."""
    log_odds = np.array([0.0, 0.0, np.log(3.0), np.log(3.0)])
    outcome = np.array([0.0, 1.0, 0.0, 1.0])
    found = calibration_of(log_odds, outcome)
    assert found.brier == pytest.approx((0.25 + 0.25 + 0.5625 + 0.0625) / 4)
    assert found.auc == pytest.approx((1 * 1 + 0.5 * 2) / 4)  # pairs: one right, two tied, one wrong
    assert found.slope == pytest.approx(0.0, abs=1e-9)
    assert found.events == 4


def test_a_score_that_says_too_much_is_told_by_its_slope() -> None:
    _, outcome, odds = drawn(3)
    assert calibration_of(2.0 * odds, outcome).slope == pytest.approx(0.5, abs=0.03)
    assert calibration_of(odds + 1.0, outcome).intercept == pytest.approx(-1.0, abs=0.05)


@pytest.mark.parametrize("has", [FEWEST_WITH - 1, FEWEST_WITH])
def test_too_few_with_the_outcome_make_no_score(has: int) -> None:
    table, _, _ = drawn(4, 1_000)
    outcome = (np.arange(1_000) < has).astype(np.float64)
    assert (fit_static_score(table, outcome, TERMS, person=np.arange(table.num_rows)) is None) is (has < FEWEST_WITH)
    assert (fit_static_score(table, 1.0 - outcome, TERMS, person=np.arange(1_000)) is None) is (has < FEWEST_WITH)


def test_who_is_not_covered_is_left_out_and_unknown_levels_are_read_as_the_reference() -> None:
    table, outcome, _ = drawn(5, 4_000)
    half = np.where(np.arange(4_000) < 2_000, outcome, np.nan)
    score, calibration = fitted(table, half)
    alone, _ = fitted(table.slice(0, 2_000), outcome[:2_000])
    assert score.coefficients == alone.coefficients
    assert calibration.events == 2_000
    strange = table.slice(0, 5).set_column(0, "sex", pa.array(["unseen", None, "male", "male", "male"]))
    male = table.slice(0, 5).set_column(0, "sex", pa.array(["male"] * 5))
    assert score.of(strange).tolist() == score.of(male).tolist()

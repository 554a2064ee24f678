"""Weights against other programs: R's odds of treatment, R's ebal, Stata's teffects ipw."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from counterfoil.comparison import (
    ComparisonSettings,
    EntropyBalancing,
    Estimand,
    InverseProbability,
    Overlap,
    Target,
    compare,
)
from counterfoil.comparison.inverse_probability import weight_by_odds, weight_by_probability
from counterfoil.comparison.values import FloatArray
from lib.matchit_witness import COVARIATES, Lalonde614, read_lalonde614
from lib.witnesses import read_people

R_ODDS = 1e-12  # relative; R's odds on R's own scores
R_GLM = 2e-8  # relative; the same from our own fit: coefficients agree to 1e-8
EBAL_WEIGHT = 1e-9  # relative; ebal stopped at a gap of 2e-12 in units of the data
EBAL_FIGURES = 1e-10  # relative; stored with 15 digits
STATA = 1e-11  # relative; statsmodels keeps 13 digits of Stata's answer and model
ZERO_GAP = 1e-10  # SDs of the treated

SETTINGS = {"covariates": COVARIATES, "references": {"race": "black"}, "min_level": 1, "max_red_share": 1.0}


@pytest.fixture(scope="module")
def lalonde(shared: Path) -> Lalonde614:
    return read_lalonde614(shared)


def _stored(path: Path, column: str) -> dict[str, float]:
    with path.open(newline="") as file:
        return {row["id"]: float(row[column]) for row in csv.DictReader(file)}


def _settings(**chosen: object) -> ComparisonSettings:
    return ComparisonSettings(**{**SETTINGS, **chosen})  # type: ignore[arg-type]


def _same_scale(weight: FloatArray, like: FloatArray) -> FloatArray:
    scaled: FloatArray = weight * (like.sum() / weight.sum())
    return scaled


def test_odds_are_rs(shared: Path, lalonde: Lalonde614) -> None:
    stored = _stored(shared / "oracles/inference/ipw_att_weights.csv", "att_weight")
    theirs = np.array([stored[name] for name in lalonde.names])[~lalonde.treated]
    on_their_score = weight_by_odds(lalonde.logit, lalonde.treated)[~lalonde.treated]
    np.testing.assert_allclose(_same_scale(on_their_score, theirs), theirs, rtol=R_ODDS)
    found = compare(lalonde.table(), "treat", _settings(method=InverseProbability()))
    np.testing.assert_allclose(_same_scale(found.weight[~found.treated], theirs), theirs, rtol=R_GLM)
    assert found.ess == pytest.approx(99.8153859157942, rel=R_GLM)  # oracles/inference/ttests_lalonde.json, kish_neff
    assert (found.asked, found.achieved, found.n_treated_matched) == (Estimand.ATT, Estimand.ATT, 185)


def test_entropy_balancing_is_ebals(shared: Path, lalonde: Lalonde614) -> None:
    stored = _stored(shared / "oracles/inference/entropy_balancing_weights.csv", "w")
    theirs = np.array([stored[name] for name in np.array(lalonde.names)[~lalonde.treated]])
    found = compare(lalonde.table(), "treat", _settings(method=EntropyBalancing()))
    np.testing.assert_allclose(found.weight[~found.treated], theirs, rtol=EBAL_WEIGHT)
    assert found.weight[found.treated].tolist() == [1.0] * 185
    assert found.ess == pytest.approx(98.4578344244037, rel=EBAL_FIGURES)  # entropy_balancing.json
    earnings = lalonde.people["re78"].to_numpy()
    others = ~found.treated
    effect = earnings[found.treated].mean() - np.average(earnings[others], weights=found.weight[others])
    assert effect == pytest.approx(1273.26181391191, rel=EBAL_FIGURES)
    assert max(abs(row.smd or 0.0) for row in found.balance) < ZERO_GAP


def test_the_second_moments_are_the_treateds_too(lalonde: Lalonde614) -> None:
    found = compare(lalonde.table(), "treat", _settings(method=EntropyBalancing(moments=2)))
    treated, others = found.treated, ~found.treated
    for name in ("age", "educ", "re74", "re75"):
        values = lalonde.people[name].to_numpy()
        square = np.average(values[others] ** 2, weights=found.weight[others])
        assert square == pytest.approx((values[treated] ** 2).mean(), rel=1e-9)
        assert np.average(values[others], weights=found.weight[others]) == pytest.approx(values[treated].mean())


def test_overlap_weights_make_every_mean_of_the_model_equal(lalonde: Lalonde614) -> None:
    """The law that names them (Li, Morgan and Zaslavsky 2018, theorem 3)."""
    found = compare(lalonde.table(), "treat", _settings(method=Overlap()))
    propensity = 1.0 / (1.0 + np.exp(-found.logit_propensity))
    np.testing.assert_allclose(found.weight, np.where(found.treated, 1.0 - propensity, propensity), rtol=1e-9)
    assert max(abs(row.smd or 0.0) for row in found.balance) < ZERO_GAP
    assert found.achieved is Estimand.ATO


# Stata: teffects ipw (bweight) (mbsmoke mmarried c.mage##c.mage fbaby medu, probit), as statsmodels keeps it
# (oracles/inference/stata_teffects_from_statsmodels.json): the treatment model, the mean without, the effect.
PROBIT = {
    "mmarried_": -0.64848213804682,
    "mage": 0.17443269674281,
    "mage2": -0.00325591262232,
    "fbaby_": -0.2175961616731,
    "medu": -0.08636308703575,
}
PROBIT_CONSTANT = -1.5582552629264
MEAN_WITHOUT, EFFECT_ON_EVERYONE = 3403.4627086846, -230.68863779526


def test_weights_for_everyone_give_statas_effect() -> None:
    """On Stata's own score, with the data that come with statsmodels."""
    statsmodels = pytest.importorskip("statsmodels")
    path = Path(statsmodels.__file__).parent / "treatment/tests/results/cataneo2.csv"
    if not path.is_file():
        pytest.skip("This statsmodels comes without Stata's example data.")
    people = read_people(path)
    score = PROBIT_CONSTANT + sum(beta * people[name].to_numpy() for name, beta in PROBIT.items())
    treated, births = people["mbsmoke_"].to_numpy() == 1.0, people["bweight"].to_numpy()
    weight = weight_by_probability(norm.logcdf(score) - norm.logsf(score), treated)
    without = np.average(births[~treated], weights=weight[~treated])
    assert without == pytest.approx(MEAN_WITHOUT, rel=STATA)
    effect = np.average(births[treated], weights=weight[treated]) - without
    assert effect == pytest.approx(EFFECT_ON_EVERYONE, rel=STATA)
    assert weight[treated].sum() == pytest.approx(len(weight))
    assert weight[~treated].sum() == pytest.approx(len(weight))


def test_everyone_is_asked_for_by_name(lalonde: Lalonde614) -> None:
    found = compare(lalonde.table(), "treat", _settings(method=InverseProbability(target=Target.EVERYONE)))
    expected = weight_by_probability(found.logit_propensity, found.treated)
    assert (found.asked, found.achieved) == (Estimand.ATE, Estimand.ATE)
    np.testing.assert_array_equal(found.weight, expected)

"""Random effects against figures that R's metafor printed, with where they were printed.

BCG: 13 trials of a vaccine (Colditz and others 1994; `dat.bcg` of R's metadat), the most used example there is.
Kacker: nine laboratories (Kacker 2004), as metafor gave it to the authors of statsmodels, whose tests keep 15 digits
(statsmodels.stats.tests.results.results_meta, `exk1_metafor`).
"""

from __future__ import annotations

import math

import pytest
from statsmodels.stats.tests.results.results_meta import exk1_dl_hksj, exk1_metafor

from counterfoil.effect.pooling import Study, _random_effects, pool
from lib.other_witnesses import BCG, laboratories, log_risk_ratios

PRINTED = 5e-5  # metafor prints four decimals
UNIROOT = 1.3e-4  # its confint() found the ends by uniroot, whose tolerance is the fourth root of 2.2e-16


def log_odds_ratios() -> list[Study]:
    return [
        Study(str(i), math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
        for i, (a, b, c, d) in enumerate(BCG)
    ]


def test_reml_and_hartung_knapp_are_metafors() -> None:
    """`rma(yi, vi, data=dat, test="knha")` as its documentation prints it. The factor is over 1, so ours is theirs."""
    pooled = pool(log_risk_ratios())
    mean = pooled.mean
    assert mean.tau2 == pytest.approx(0.3132, abs=PRINTED)
    assert (mean.estimate, mean.error) == pytest.approx((-0.7145, 0.1808), abs=PRINTED)
    assert (mean.low, mean.high, mean.p) == pytest.approx((-1.1084, -0.3206, 0.0019), abs=PRINTED)
    assert (pooled.q, 100 * pooled.i2) == pytest.approx((152.2330, 92.22), abs=5e-3)
    assert pooled.prediction_low is not None
    assert pooled.prediction_high is not None
    # predict(res, transf=exp, digits=2) prints pi.lb 0.14, pi.ub 1.76
    assert (round(math.exp(pooled.prediction_low), 2), round(math.exp(pooled.prediction_high), 2)) == (0.14, 1.76)


def test_the_interval_of_the_variance_is_metafors_q_profile() -> None:
    """Van Houwelingen, Arends and Stijnen (2002), log odds ratios, as metafor's site works it: 0.1302 to 1.1812."""
    pooled = pool(log_odds_ratios())
    assert (pooled.tau2_low, pooled.tau2_high) == pytest.approx((0.1302, 1.1812), abs=UNIROOT)


def test_paule_mandel_and_i2_are_metafors() -> None:
    check = pool(laboratories()).check
    assert check.tau2 == pytest.approx(exk1_metafor.tau2, rel=1e-9)
    assert check.estimate == pytest.approx(exk1_metafor.b, rel=1e-12)
    # at Paule and Mandel's variance Hartung and Knapp's factor is 1 by construction
    assert check.factor == pytest.approx(1.0, abs=1e-9)
    assert check.error == pytest.approx(exk1_metafor.se, rel=1e-9)
    pooled = pool(laboratories())
    assert (pooled.q, pooled.q_p) == pytest.approx((exk1_metafor.QE, exk1_metafor.QEp), rel=1e-10)
    typical = check.tau2 * (1 - exk1_metafor.I2 / 100) / (exk1_metafor.I2 / 100)  # metafor's own, from its I2
    assert pooled.i2 == pytest.approx(pooled.mean.tau2 / (pooled.mean.tau2 + typical), rel=1e-9)


def test_hartung_knapp_on_a_given_variance_is_metafors() -> None:
    """The same laboratories with DerSimonian and Laird's variance and test="knha"."""
    found = _random_effects(exk1_metafor.yi, exk1_metafor.vi, exk1_dl_hksj.tau2)
    assert (found.estimate, found.error) == pytest.approx((exk1_dl_hksj.b, exk1_dl_hksj.se), rel=1e-12)
    assert (found.low, found.high) == pytest.approx((exk1_dl_hksj.ci_lb, exk1_dl_hksj.ci_ub), rel=1e-12)

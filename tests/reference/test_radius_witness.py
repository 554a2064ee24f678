"""Radius, nearest and kernel matching against the published output of Stata's psmatch2 on the NSW experiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from counterfoil.comparison.design import encode_covariates
from counterfoil.comparison.kernel import match_kernel
from counterfoil.comparison.nearest import match_nearest, weigh_pairs
from counterfoil.comparison.presets import psmatch2_kernel, psmatch2_nearest
from counterfoil.comparison.radius import match_radius_psmatch2
from counterfoil.comparison.scores import common_support, sort_scores
from counterfoil.comparison.values import BoolArray, ComparisonSettings, FloatArray
from counterfoil.logit import fit
from lib.matching import assert_sound_matching
from lib.witnesses import expected, read_people

STATA_COEF = 5e-7  # relative and absolute: seven digits are printed
STATA_EFFECT = 2e-6  # relative; Stata works on scores of single precision
CALIPER = 0.01  # on the probability

COVARIATES = ("age", "educ", "black", "hisp", "marr", "re74", "re75", "u74", "u75")


@pytest.fixture(scope="module")
def nsw(shared: Path) -> tuple[FloatArray, BoolArray, FloatArray, dict[str, float]]:
    """(propensity, treated, earnings in 1978 in thousands, coefficients)."""
    people = read_people(shared / "oracles/data/nsw445.csv")
    for name in ("re74", "re75"):
        place = people.column_names.index(name)
        people = people.set_column(place, name, [people[name].to_numpy() / 1000.0])
    treated = people["treat"].to_numpy() == 1.0
    design = encode_covariates(people, ComparisonSettings(covariates=COVARIATES)).design
    fitted = fit(design, treated.astype(np.float64))
    coef = dict(zip(fitted.terms, fitted.coef.tolist(), strict=True))
    return 1.0 / (1.0 + np.exp(-fitted.eta)), treated, people["re78"].to_numpy() / 1000.0, coef


def _effect(weight: FloatArray, treated: BoolArray, outcome: FloatArray) -> float:
    """Weighted mean of the treated minus that of the others."""
    return float(
        np.average(outcome[treated], weights=weight[treated]) - np.average(outcome[~treated], weights=weight[~treated])
    )


def test_score_is_statas(nsw: tuple[FloatArray, BoolArray, FloatArray, dict[str, float]]) -> None:
    printed = expected("psmatch2_nsw445")["logit_coef"]
    ours = nsw[3]
    assert ours.pop("intercept") == pytest.approx(printed.pop("const"), rel=STATA_COEF, abs=STATA_COEF)
    printed.pop("ll")
    assert ours == pytest.approx(printed, rel=STATA_COEF, abs=STATA_COEF)


def test_radius_effects_are_statas(nsw: tuple[FloatArray, BoolArray, FloatArray, dict[str, float]]) -> None:
    propensity, treated, outcome, _ = nsw
    printed = expected("psmatch2_nsw445")["radius"]
    on_treated = match_radius_psmatch2(propensity, treated, CALIPER)
    on_untreated = match_radius_psmatch2(propensity, ~treated, CALIPER)
    att, atu = _effect(on_treated, treated, outcome), _effect(on_untreated, treated, outcome)
    n1, n0 = on_treated[treated].sum(), on_untreated[~treated].sum()
    assert (n1, n0) == (printed["n1"], printed["n0"])
    assert att == pytest.approx(printed["att"], rel=STATA_EFFECT)
    assert atu == pytest.approx(printed["atu"], rel=STATA_EFFECT)
    assert (att * n1 + atu * n0) / (n1 + n0) == pytest.approx(printed["ate"], rel=STATA_EFFECT)


def _nearest(propensity: FloatArray, treated: BoolArray) -> FloatArray:
    people = sort_scores(propensity, treated, inside=common_support(propensity, treated))
    return weigh_pairs(match_nearest(people, np.inf, psmatch2_nearest()), len(treated))


def test_nearest_effects_with_shared_ties_are_statas(
    nsw: tuple[FloatArray, BoolArray, FloatArray, dict[str, float]],
) -> None:
    propensity, treated, outcome, _ = nsw
    printed = expected("psmatch2_nsw445")["nn1"]
    on_treated, on_untreated = _nearest(propensity, treated), _nearest(propensity, ~treated)
    att, atu = _effect(on_treated, treated, outcome), _effect(on_untreated, treated, outcome)
    n1, n0 = on_treated[treated].sum(), on_untreated[~treated].sum()
    assert (n1, n0) == (printed["n1"], printed["n0"])
    assert att == pytest.approx(printed["att"], rel=STATA_EFFECT)
    assert atu == pytest.approx(printed["atu"], rel=STATA_EFFECT)
    assert (att * n1 + atu * n0) / (n1 + n0) == pytest.approx(printed["ate"], rel=STATA_EFFECT)


def test_kernel_effects_are_statas(nsw: tuple[FloatArray, BoolArray, FloatArray, dict[str, float]]) -> None:
    propensity, treated, outcome, _ = nsw
    printed = expected("psmatch2_nsw445")["kernel"]
    inside = common_support(propensity, treated)
    bandwidth = psmatch2_kernel().bandwidth
    on_treated = match_kernel(sort_scores(propensity, treated, inside=inside), bandwidth)
    on_untreated = match_kernel(sort_scores(propensity, ~treated, inside=inside), bandwidth)
    att, atu = _effect(on_treated, treated, outcome), _effect(on_untreated, treated, outcome)
    n1, n0 = on_treated[treated].sum(), on_untreated[~treated].sum()
    assert (n1, n0) == (printed["n1"], printed["n0"])
    assert att == pytest.approx(printed["att"], rel=STATA_EFFECT)
    assert atu == pytest.approx(printed["atu"], rel=STATA_EFFECT)
    assert (att * n1 + atu * n0) / (n1 + n0) == pytest.approx(printed["ate"], rel=STATA_EFFECT)


def test_radius_is_sound(nsw: tuple[FloatArray, BoolArray, FloatArray, dict[str, float]]) -> None:
    propensity, treated, _, _ = nsw
    inside = common_support(propensity, treated)
    weight = match_radius_psmatch2(propensity, treated, CALIPER)
    assert not weight[~inside].any()
    assert_sound_matching(treated[inside], propensity[inside], weight[inside], CALIPER)

"""Welch and Kish-weighted Welch against R (t.test; the formula in R), and psmatch2's error against Stata's output."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from counterfoil.comparison.values import FloatArray
from counterfoil.effect import Effect, estimate
from counterfoil.effect.psmatch2 import psmatch2_standard_error
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind
from lib.designs import design_of

PRINTED = 1e-12  # relative; the witness is stored with 15 digits
STATA_DIGITS = 2e-6  # relative; Stata printed 9 digits from single-precision scores

MEASURES = {
    "re78": Measure(name="re78", label="Earnings in 1978", kind=Kind.AMOUNT),
    "emp78": Measure(name="emp78", label="Employed in 1978", kind=Kind.RATE),
}
SCALE = {"re78": 1.0, "emp78": 100.0}  # differences of rates are in points


def _columns(path: Path) -> dict[str, list[str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def _floats(values: list[str]) -> FloatArray:
    return np.array([float(v) for v in values])


@pytest.fixture(scope="module")
def witness(shared: Path) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((shared / "oracles/inference/ttests_lalonde.json").read_text())
    return stored


def _effect(shared: Path, name: str, *, weighted: bool) -> Effect:
    people = _columns(shared / "oracles/matchit_lalonde614/lalonde614.csv")
    weight = _floats(_columns(shared / "oracles/inference/ipw_att_weights.csv")["att_weight"]) if weighted else None
    design = design_of(_floats(people["treat"]) == 1.0, weight)
    return estimate({name: _floats(people[name])}, design, [MEASURES[name]])[0]


@pytest.mark.parametrize("name", ["re78", "emp78"])
def test_unweighted_is_welch_as_in_r(shared: Path, witness: dict[str, Any], name: str) -> None:
    result = _effect(shared, name, weighted=False).compatible
    expected = witness[name]["welch"]
    assert result is not None
    assert result.difference == pytest.approx(SCALE[name] * expected["diff"], rel=PRINTED)
    assert [result.low, result.high] == pytest.approx([SCALE[name] * end for end in expected["ci"]], rel=PRINTED)
    assert (result.p, result.df) == pytest.approx((expected["p"], expected["df"]), rel=PRINTED)


@pytest.mark.parametrize("name", ["re78", "emp78"])
def test_weighted_is_welch_with_kish_n(shared: Path, witness: dict[str, Any], name: str) -> None:
    effect = _effect(shared, name, weighted=True)
    expected = witness[f"{name}_att_weights"]
    result = effect.compatible
    assert result is not None
    assert effect.comparison.ess == pytest.approx(expected["kish_neff"], rel=PRINTED)
    assert effect.treated.ess == pytest.approx(expected["ess_treated"], rel=PRINTED)
    assert effect.comparison.value == pytest.approx(expected["mean_c"], rel=PRINTED)
    assert result.difference == pytest.approx(SCALE[name] * expected["diff"], rel=1e-10)
    assert (result.p, result.df) == pytest.approx((expected["kish_p"], expected["kish_df"]), rel=1e-10)
    error = np.sqrt(effect.treated.variance / effect.treated.ess + effect.comparison.variance / effect.comparison.ess)
    assert error == pytest.approx(expected["kish_se"], rel=PRINTED)


def test_psmatch2_radius_error_is_statas(shared: Path) -> None:
    stored = json.loads((shared / "oracles/inference/stata_psmatch2_nsw445.json").read_text())
    people = _columns(shared / "oracles/data/nsw445.csv")
    treated, outcome = _floats(people["treat"]) == 1.0, _floats(people["re78"]) / 1000.0
    score = np.array(stored["ps"])
    inside = (score >= max(score[treated].min(), score[~treated].min())) & (
        score <= min(score[treated].max(), score[~treated].max())
    )
    ours, theirs = np.flatnonzero(treated & inside), np.flatnonzero(~treated & inside)
    near = (np.abs(score[ours][:, None] - score[theirs][None, :]) <= 0.01).astype(float)
    matched = near.sum(axis=1) > 0
    share = near[matched] / near[matched].sum(axis=1, keepdims=True)
    error = psmatch2_standard_error(outcome[ours[matched]], outcome[theirs], share.sum(axis=0))
    assert error == pytest.approx(stored["published"]["radius.01"]["se"], rel=STATA_DIGITS)

"""What METHODS 7 says must come out of LaLonde's data and of the North Carolina prisoners."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from counterfoil.comparison import Band, Comparison, ComparisonSettings, compare
from counterfoil.comparison.values import FloatArray
from counterfoil.effect import estimate
from counterfoil.effect.values import Estimate
from counterfoil.errors import Refused
from counterfoil.outcomes.measures import Measure
from counterfoil.units import Kind
from lib.matching import assert_sound_matching
from lib.other_witnesses import EARNINGS, LALONDE, TERMS, against
from lib.witnesses import read_people

EXPERIMENTAL = 1_794.0  # dollars; the experiment's own answer (Dehejia and Wahba 1999)
BIAS_CUT = 0.85  # METHODS 7

PRISONERS = ("black", "alcohol", "drugs", "married", "felon", "property", "person", "priors", "educ", "rules", "age")
RETURNED = Measure(name="returned", label="Returned within 12 months", kind=Kind.RATE)


def _effect(comparison: Comparison, measure: Measure, outcome: FloatArray) -> Estimate:
    answer = estimate({measure.name: outcome}, comparison, [measure])[0].compatible
    assert answer is not None
    return answer


def _assert_sound(comparison: Comparison) -> None:
    assert comparison.caliper is not None
    assert_sound_matching(comparison.treated, comparison.logit_propensity, comparison.weight, comparison.caliper)


def test_cps_covers_the_experiment_with_a_balance_warning(shared: Path) -> None:
    people, earnings = against(shared, "cps1_controls_15992.csv.gz")
    comparison = compare(people, "treat", ComparisonSettings(covariates=LALONDE, terms=TERMS))
    _assert_sound(comparison)
    answer = _effect(comparison, EARNINGS, earnings)
    naive = earnings[comparison.treated].mean() - earnings[~comparison.treated].mean()
    assert answer.low <= EXPERIMENTAL <= answer.high
    assert abs(answer.difference - EXPERIMENTAL) < (1.0 - BIAS_CUT) * abs(naive - EXPERIMENTAL)
    assert comparison.count(Band.AMBER) + comparison.count(Band.RED) > 0
    assert any("alike after matching" in warning for warning in comparison.warnings)


def test_psid_is_refused(shared: Path) -> None:
    people, _ = against(shared, "psid1_controls.csv")
    with pytest.raises(Refused) as refusal:
        compare(people, "treat", ComparisonSettings(covariates=LALONDE, terms=TERMS))
    assert refusal.value.rule == "balance"


def test_work_programme_of_north_carolina_shows_not_enough(shared: Path) -> None:
    people = read_people(shared / "data/impact/recid_nc_1445.csv")
    returned = (people["durat"].to_numpy() <= 12.0) & (people["cens"].to_numpy() == 0.0)
    covariates = (*PRISONERS, "tserved")
    comparison = compare(people.select(["workprg", *covariates]), "workprg", ComparisonSettings(covariates=covariates))
    _assert_sound(comparison)
    answer = _effect(comparison, RETURNED, returned.astype(np.float64))
    assert answer.low < 0.0 < answer.high
    assert comparison.count(Band.AMBER) + comparison.count(Band.RED) > 0
    assert not comparison.reliable

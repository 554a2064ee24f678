"""A comparison made again with a few people exchanged is the one that would be made of them from the start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison import Nearest, Radius, Ruler, Unit, compare_groups, prepare, with_propensity
from counterfoil.comparison.exchange import ready_to_exchange, weigh_again
from counterfoil.comparison.methods import EntropyBalancing, MethodSettings
from counterfoil.comparison.more_people import encode_more
from counterfoil.comparison.values import BoolArray, Comparison, ComparisonSettings, FloatArray
from counterfoil.logit import fit, ready_to_refit, refit
from counterfoil.logit.refitting import REFIT_TOLERANCE

ROWS, TREATED, MORE = 4_000, 300, 6
SETTINGS = ComparisonSettings(covariates=("age", "sex", "area", "priors"), terms=("age^2", "age*sex"), min_level=10)
# A score within 0.01 of its standard errors moves a caliper's edge by as little: a few people in a thousand.
NEAR = 0.02


def _people(rng: np.random.Generator, rows: int) -> pa.Table:
    age = rng.normal(35.0, 9.0, rows).round()
    return pa.table(
        {
            "age": age,
            "sex": rng.choice(["female", "male"], rows),
            "area": rng.choice(["a", "b", "c", "rare"], rows, p=[0.5, 0.3, 0.199, 0.001]),
            "priors": pa.array(rng.poisson(3.0, rows).astype(float), mask=rng.random(rows) < 0.05),
            "treated": np.zeros(rows, np.bool_),
        }
    )


def _whole(seed: int = 1) -> tuple[pa.Table, pa.Table]:
    """People of whom some are treated, older people more often; and more people."""
    rng = np.random.default_rng(seed)
    people = _people(rng, ROWS)
    chance = np.exp(0.05 * people["age"].to_numpy())
    treated = np.zeros(ROWS, np.bool_)
    treated[rng.choice(ROWS, TREATED, replace=False, p=chance / chance.sum())] = True
    at = people.column_names.index("treated")
    return people.set_column(at, "treated", pa.array(treated)), _people(rng, MORE)


def _exchanged(people: pa.Table) -> tuple[BoolArray, BoolArray]:
    """Two of the treated leave, two of the more come, and one of the pool stays away."""
    treated = np.concatenate([np.asarray(people["treated"]), np.zeros(MORE, np.bool_)])
    first = np.flatnonzero(treated)
    treated[first[:2]] = False
    treated[[ROWS, ROWS + 3]] = True
    there = np.ones(ROWS + MORE, np.bool_)
    there[ROWS:] = treated[ROWS:]
    there[first[:2]] = False
    there[np.flatnonzero(~treated)[5]] = False
    return treated, there


def _fresh(
    people: pa.Table, more: pa.Table, treated: BoolArray, there: BoolArray, settings: ComparisonSettings
) -> Comparison:
    table = pa.concat_tables([people, more])
    table = table.set_column(table.column_names.index("treated"), "treated", pa.array(treated))
    return compare_groups(prepare(table.filter(pa.array(there)), "treated", settings))


def _again(method: MethodSettings, exact: tuple[str, ...] = ()) -> tuple[FloatArray, FloatArray]:
    people, more = _whole()
    settings = replace(SETTINGS, method=method, exact=exact)
    groups = with_propensity(prepare(people, "treated", settings))
    headline = compare_groups(groups)
    treated, there = _exchanged(people)
    weight = weigh_again(ready_to_exchange(groups, headline, more), treated, there)
    assert not weight[~there].any()
    if headline.caliper is not None and isinstance(method, Radius):
        settings = replace(settings, method=Radius((headline.caliper,), ruler=Ruler(unit=Unit.SCORE)))
    return weight[there], _fresh(people, more, treated, there, settings).weight


@pytest.mark.parametrize("exact", [(), ("sex",)])
def test_radius_again_is_radius_of_those_people(exact: tuple[str, ...]) -> None:
    again, fresh = _again(Radius(), exact)
    assert again.sum() == pytest.approx(fresh.sum(), rel=NEAR)
    assert np.abs(again - fresh).sum() / fresh.sum() < NEAR
    assert np.count_nonzero(again != 0.0) == pytest.approx(np.count_nonzero(fresh != 0.0), rel=NEAR)


def test_entropy_balancing_again_is_that_of_those_people() -> None:
    again, fresh = _again(EntropyBalancing())
    assert again == pytest.approx(fresh, abs=1e-6)


def test_nearest_again_is_that_of_those_people() -> None:
    again, fresh = _again(Nearest())
    assert (again > 0).sum() == (fresh > 0).sum()
    assert ((again > 0) != (fresh > 0)).mean() < NEAR


def test_a_refit_is_the_fit_of_those_rows() -> None:
    people, more = _whole()
    groups = prepare(pa.concat_tables([people, more]), "treated", SETTINGS)
    design = groups.covariates.design
    fitted = fit(design.take(np.arange(ROWS)), groups.treated[:ROWS].astype(float))
    ready = ready_to_refit(design, groups.treated, fitted)
    assert ready is not None
    treated, there = _exchanged(people)
    rows = np.flatnonzero(there)
    right = fit(design.take(rows), treated[rows].astype(float))
    moved = refit(ready, treated, there)[rows] - right.eta
    # the decrement is the squared move of the coefficients in standard errors, so the mean square of the scores' moves,
    # weighed as the information weighs them, stays under it
    p = 1.0 / (1.0 + np.exp(-right.eta))
    assert (p * (1.0 - p) * moved**2).sum() < 10 * REFIT_TOLERANCE
    assert refit(ready, groups.treated, np.arange(ROWS + MORE) < ROWS)[:ROWS] == pytest.approx(fitted.eta, abs=1e-6)


def test_more_people_are_encoded_as_those_of_the_design_are() -> None:
    people, _ = _whole()
    covariates = prepare(people, "treated", SETTINGS).covariates
    rows = np.array([0, 17, 900, ROWS - 1])
    more = encode_more(covariates, people.take(pa.array(rows)), SETTINGS)
    same = covariates.design.take(rows)
    assert (more.codes == same.codes).all()
    assert more.numeric == pytest.approx(same.numeric)


def test_a_level_that_nobody_has_is_other_or_the_reference() -> None:
    people, _ = _whole()
    covariates = prepare(people, "treated", SETTINGS).covariates
    stranger = people.slice(0, 1).set_column(1, "sex", pa.array(["unheard of"]))
    more = encode_more(covariates, stranger, SETTINGS)
    at = [factor.name for factor in covariates.design.factors].index("sex")
    assert more.codes[0, at] == 0

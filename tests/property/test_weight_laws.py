"""Laws of weights: never negative, the same sum in both groups, exact moments, blind to row order and threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison import (
    Comparison,
    EntropyBalancing,
    Estimand,
    InverseProbability,
    Overlap,
    Target,
    compare,
)
from counterfoil.comparison.methods import MethodSettings
from counterfoil.comparison.values import ComparisonSettings
from counterfoil.errors import Refused
from lib.populations import SETTINGS, draw_people

LENIENT = replace(SETTINGS, exact=(), max_red_share=1.0, threads=1)
SAME_SUM = 1e-9  # relative
SAME_WEIGHT = 1e-8  # relative; another order of the rows changes the last digits of sums, and the fit by their square
ZERO_GAP = 1e-8  # SDs; the fit's tolerance leaves less

WEIGHTS: list[MethodSettings] = [
    InverseProbability(),
    InverseProbability(target=Target.EVERYONE),
    Overlap(),
    EntropyBalancing(),
    EntropyBalancing(moments=2),
]
IDS = ["odds", "everyone", "overlap", "entropy", "entropy of squares"]


def _people(seed: int, rows: int) -> pa.Table:
    return draw_people(seed, rows).drop_columns(["sex"])


def _assert_lawful(found: Comparison) -> None:
    treated = found.weight[found.treated]
    others = found.weight[~found.treated]
    assert found.weight.min() >= 0.0
    assert treated.min() > 0.0  # nobody who was treated is left out
    assert others.sum() == pytest.approx(treated.sum(), rel=SAME_SUM)
    assert found.ess == pytest.approx(others.sum() ** 2 / (others**2).sum())
    assert found.ess_treated == pytest.approx(treated.sum() ** 2 / (treated**2).sum())
    assert found.largest_share == pytest.approx(others.max() / others.sum())
    assert (found.pair == -1).all()
    assert (found.stratum == -1).all()
    assert found.pairs is None
    if found.achieved is Estimand.ATT:
        assert set(treated.tolist()) == {1.0}


@pytest.mark.parametrize("method", WEIGHTS, ids=IDS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 100_000), rows=st.integers(600, 1_200))
def test_weights_are_lawful_and_blind_to_row_order(method: MethodSettings, seed: int, rows: int) -> None:
    people = _people(seed, rows)
    chosen = replace(LENIENT, method=method)
    here = compare(people, "treated", chosen)
    _assert_lawful(here)
    order = np.random.default_rng(seed).permutation(rows)
    there = compare(people.take(order), "treated", chosen)
    np.testing.assert_allclose(there.weight, here.weight[order], rtol=SAME_WEIGHT)
    assert (there.reliable, there.achieved) == (here.reliable, here.achieved)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_overlap_and_entropy_balance_every_mean_exactly(seed: int) -> None:
    people = _people(seed, 900)
    for method in (Overlap(), EntropyBalancing(), EntropyBalancing(moments=2)):
        found = compare(people, "treated", replace(LENIENT, method=method))
        if found.ridge == 0.0:
            assert found.worst_smd < ZERO_GAP


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_entropy_weights_are_those_of_the_form_that_makes_them_the_nearest(seed: int) -> None:
    """The log of the weight is linear in the covariates; any weights of that form with these means are the nearest to
    equal ones, and only they (Hainmueller 2012)."""
    rng = np.random.default_rng(seed)
    treated = np.arange(500) < 120
    x, z = rng.normal(0.3 * treated, 1.0), rng.normal(-0.2 * treated, 1.0)
    people = pa.table({"treated": treated, "x": x, "z": z})
    found = compare(people, "treated", ComparisonSettings(("x", "z"), method=EntropyBalancing(), max_red_share=1.0))
    columns = np.column_stack([np.ones(380), x[~treated], z[~treated]])
    logs = np.log(found.weight[~treated])
    fitted = columns @ np.linalg.lstsq(columns, logs, rcond=None)[0]
    np.testing.assert_allclose(logs, fitted, atol=1e-8)


@pytest.mark.parametrize("method", WEIGHTS, ids=IDS)
def test_threads_change_no_byte(method: MethodSettings) -> None:
    people = _people(1, 6_000)
    one, two = (compare(people, "treated", replace(LENIENT, method=method, threads=threads)) for threads in (1, 2))
    assert one.weight.tobytes() == two.weight.tobytes()


def test_a_pool_that_starts_from_a_sample_gets_the_same_exact_balance() -> None:
    people = _people(2, 130_000)
    found = compare(people, "treated", replace(LENIENT, method=EntropyBalancing()))
    assert found.worst_smd < ZERO_GAP


def test_a_level_that_no_treated_person_has_gets_no_weight() -> None:
    rng = np.random.default_rng(6)
    treated = np.arange(400) < 100
    place = np.where(treated, "a", rng.choice(["a", "b"], 400))
    people = pa.table({"t": treated, "place": place, "x": rng.normal(size=400)})
    chosen = ComparisonSettings(("place", "x"), method=EntropyBalancing(), max_red_share=1.0)
    found = compare(people, "t", chosen)
    assert found.weight[(place == "b")].tolist() == [0.0] * int((place == "b").sum())
    assert found.worst_smd < ZERO_GAP
    odds = compare(people, "t", replace(chosen, method=InverseProbability()))
    assert odds.weight[place == "b"].sum() < 0.1


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        (InverseProbability(), "separation"),
        (InverseProbability(target=Target.EVERYONE), "separation"),
        (EntropyBalancing(), "overlap"),
        (EntropyBalancing(moments=2), "overlap"),
    ],
    ids=["odds", "everyone", "entropy", "entropy of squares"],
)
@pytest.mark.parametrize("apart", ["level", "number"])
def test_groups_that_no_weights_make_alike_are_refused(method: MethodSettings, rule: str, apart: str) -> None:
    """A level that only treated people have; a number on which the groups do not meet."""
    rng = np.random.default_rng(7)
    treated = np.arange(300) < 60
    place = np.where(treated & (np.arange(300) < 20), "far", rng.choice(["a", "b"], 300))
    number = rng.normal(size=300) + (10.0 * treated if apart == "number" else 0.0)
    people = pa.table({"t": treated, "place": place if apart == "level" else rng.choice(["a", "b"], 300), "x": number})
    with pytest.raises(Refused, match="radius method") as refusal:
        compare(people, "t", ComparisonSettings(("place", "x"), method=method, max_red_share=1.0))
    assert refusal.value.rule == rule
    assert "far" not in refusal.value.reason  # a covariate may be named, a level may not


def test_overlap_of_groups_that_do_not_meet_is_refused() -> None:
    people = pa.table({"t": np.arange(200) < 60, "x": np.where(np.arange(200) < 60, 1e3, 0.0) + np.arange(200) / 10.0})
    with pytest.raises(Refused) as refusal:
        compare(people, "t", ComparisonSettings(("x",), method=Overlap(), max_red_share=1.0))
    assert refusal.value.rule == "overlap"


def test_people_who_are_all_alike_have_equal_weights() -> None:
    people = pa.table({"t": [1, 1, 0, 0, 0, 0], "x": ["a"] * 6})
    for method, treated in ((InverseProbability(), 1.0), (EntropyBalancing(), 1.0), (Overlap(), 4 / 6)):
        found = compare(people, "t", ComparisonSettings(("x",), method=method, min_level=1))
        assert found.weight.tolist() == pytest.approx([treated] * 2 + [treated / 2] * 4)

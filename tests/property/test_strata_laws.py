"""Laws of strata: within each, the groups weigh the same; numbers and weights do not depend on the order of rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison import CoarsenedExact, Subclassification, Target, compare
from counterfoil.comparison.methods import MethodSettings
from lib.populations import SETTINGS, draw_people

LENIENT = replace(SETTINGS, exact=(), max_red_share=1.0, threads=1)
WIDE = {"age": (25.0, 30.0, 35.0, 40.0, 45.0), "priors": (2.0, 4.0), "tenure": (5.0, 12.0)}

STRATA: list[MethodSettings] = [
    Subclassification(),
    Subclassification(subclasses=4, target=Target.EVERYONE),
    CoarsenedExact(cutpoints=WIDE),
]


@pytest.mark.parametrize("method", STRATA, ids=["treated", "everyone", "coarsened"])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100_000), rows=st.integers(700, 1_500))
def test_within_each_stratum_the_groups_weigh_the_same(method: MethodSettings, seed: int, rows: int) -> None:
    people = draw_people(seed, rows).drop_columns(["sex"])
    found = compare(people, "treated", replace(LENIENT, method=method))
    assert np.array_equal(found.stratum >= 0, found.weight > 0.0)
    for number in np.unique(found.stratum[found.stratum >= 0]):
        inside = found.stratum == number
        of_treated, of_others = found.weight[inside & found.treated], found.weight[inside & ~found.treated]
        assert len(set(of_treated.tolist())) == 1
        assert len(set(of_others.tolist())) == 1
        assert of_treated.sum() == pytest.approx(of_others.sum())
    order = np.random.default_rng(seed).permutation(rows)
    there = compare(people.take(order), "treated", replace(LENIENT, method=method))
    assert there.stratum.tolist() == found.stratum[order].tolist()
    assert there.weight.tolist() == found.weight[order].tolist()


def test_a_missing_number_is_a_band_of_its_own() -> None:
    people = pa.table({"t": [1, 1, 0, 0, 0], "x": pa.array([1.0, None, 1.0, None, 9.0]), "y": [1, 2, 1, 2, 1]})
    settings_ = replace(LENIENT, covariates=("x",), terms=(), min_level=1, method=CoarsenedExact())
    found = compare(people.drop_columns(["y"]), "t", settings_)
    assert found.stratum[0] == found.stratum[2]
    assert found.stratum[1] == found.stratum[3]
    assert found.stratum.tolist()[4] == -1
    assert found.weight.tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]

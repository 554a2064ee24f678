"""Tests put together, and placebo cohorts: with nothing to find, an alarm is as rare as it is said to be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from counterfoil.comparison import ComparisonSettings, compare_groups, prepare
from counterfoil.comparison.values import FloatArray
from counterfoil.disclosure import DEFAULT_SETTINGS
from counterfoil.effect import estimate, joint_p
from counterfoil.errors import UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.study.specifications import PLACEBO, decide_specifications, run_specifications
from counterfoil.units import Kind

RATE = Measure("back", "Back", Kind.RATE, noun="came back")
DRAWS = 60  # labs of exchangeable people
LEVELS = ((0.05, 11), (0.5, 45))  # share, and the most of 60 that a true share of it gives but once in 10,000


@given(st.floats(1e-12, 1.0))
def test_one_test_is_itself(p: float) -> None:
    found = joint_p([p])
    assert found is not None
    assert found == pytest.approx(p, rel=1e-6)


@given(st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=5), st.floats(0.1, 0.9))
def test_a_smaller_p_never_makes_the_joint_one_larger(p: list[float], by: float) -> None:
    one, other = joint_p(p), joint_p([p[0] * by, *p[1:]])
    assert one is not None
    assert other is not None
    assert other <= one * (1 + 1e-9)


def test_uniform_tests_make_a_uniform_joint_test() -> None:
    """Kolmogorov and Smirnov's distance of 20,000; 0.019 is passed by chance once in a million."""
    rng = np.random.default_rng(8)
    found = [joint_p(rng.random(3).tolist()) for _ in range(20_000)]
    assert stats.kstest(np.array(found, np.float64), "uniform").statistic < 0.019


def test_nothing_to_test_and_what_is_no_p() -> None:
    assert joint_p([]) is None
    with pytest.raises(UsageError, match="between 0 and 1"):
        joint_p([1.2])


def test_placebo_cohorts_of_exchangeable_people_raise_few_alarms() -> None:
    """The outcome hangs on what is compared and on chance. Matching may only make the joint p larger than uniform."""
    found: list[float] = []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        risk = rng.normal(size=2_400)
        outcome: FloatArray = (rng.random(2_400) < 0.4 + 0.08 * risk).astype(np.float64)
        people = pa.table({"treated": np.arange(2_400) < 150, "risk": risk})
        groups = prepare(people, "treated", ComparisonSettings(covariates=("risk",)))
        comparison = compare_groups(groups)
        headline = estimate({"back": outcome}, comparison, (RATE,))[0]
        placebos = [one for one in decide_specifications(groups, seed=seed) if one.name == PLACEBO]
        p = run_specifications(groups, placebos, headline, comparison, {"back": outcome}, DEFAULT_SETTINGS).placebo_p
        assert p is not None
        found.append(p)
    for share, most in LEVELS:
        assert sum(p < share for p in found) <= most
    assert 0.3 < float(np.mean(found)) < 0.8

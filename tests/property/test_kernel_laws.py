"""Laws of kernel matching: the running sums are the plain sum, whatever the scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison import ComparisonSettings, Estimand, Kernel, compare
from counterfoil.comparison.kernel import match_kernel
from counterfoil.comparison.scores import sort_scores
from counterfoil.errors import Refused
from lib.populations import SETTINGS, draw_people

SAME = 1e-11  # of a person's weight or of 1, whichever is larger; the running sums are of hundreds of terms


def _plain(score: np.ndarray, treated: np.ndarray, stratum: np.ndarray, bandwidth: float) -> np.ndarray:
    """Every treated person with every other: 1 - (d / h)^2 within h, shares of 1."""
    weight = np.zeros(len(score))
    for person in np.flatnonzero(treated):
        d = np.abs(score - score[person])
        kernel = np.where(~treated & (stratum == stratum[person]) & (d < bandwidth), 1.0 - (d / bandwidth) ** 2, 0.0)
        if kernel.sum() > 0.0:
            weight[person] = 1.0
            weight += kernel / kernel.sum()
    return weight


@settings(deadline=None)  # the first call compiles
@given(seed=st.integers(0, 100_000), rows=st.integers(2, 700), bandwidth=st.sampled_from([0.01, 0.1, 0.5, 3.0, 50.0]))
def test_running_sums_are_the_plain_sum(seed: int, rows: int, bandwidth: float) -> None:
    rng = np.random.default_rng(seed)
    score = rng.normal(rng.choice([0.0, 1e3]), 1.5, rows)
    treated, stratum = rng.random(rows) < 0.4, rng.integers(0, rng.integers(1, 4), rows)
    weight = match_kernel(sort_scores(score, treated, stratum), bandwidth)
    np.testing.assert_allclose(weight, _plain(score, treated, stratum, bandwidth), rtol=SAME, atol=SAME)
    assert weight.min(initial=0.0) >= 0.0
    assert weight[~treated].sum() == pytest.approx(weight[treated].sum(), rel=1e-9)


@settings(deadline=None)
@given(seed=st.integers(0, 100_000))
def test_neighbours_at_the_rim_spoil_nobody_elses_weight(seed: int) -> None:
    """Whoever has only neighbours almost one bandwidth away divides by nearly nothing."""
    rng = np.random.default_rng(seed)
    crowd = rng.normal(0.0, 0.2, 400)
    rim = np.concatenate([[5.0], np.repeat(6.0 - 1e-9, 100), [7.0 - 1.5e-9]])
    score = np.concatenate([crowd, rim])
    treated = np.concatenate([rng.random(400) < 0.5, [True], np.zeros(100, np.bool_), [True]])
    weight = match_kernel(sort_scores(score, treated), 1.0)
    # the plain sum loses seven digits at the rim itself, so only its total is asked for there
    np.testing.assert_allclose(weight[:400], _plain(score[:400], treated[:400], np.zeros(400), 1.0), atol=SAME)
    assert weight[401:501].sum() == pytest.approx(2.0)


def test_order_of_rows_and_threads_change_nothing() -> None:
    people = draw_people(8, 3_000)
    chosen = replace(SETTINGS, method=Kernel(), max_red_share=1.0)
    here = compare(people, "treated", chosen)
    order = np.random.default_rng(8).permutation(3_000)
    there = compare(people.take(order), "treated", chosen)
    np.testing.assert_allclose(there.weight, here.weight[order], rtol=0, atol=1e-9)
    assert compare(people, "treated", replace(chosen, threads=1)).weight.tobytes() == here.weight.tobytes()
    assert here.caliper is not None
    assert here.achieved is (Estimand.ATT if here.n_treated == here.n_treated_matched else Estimand.ATT_MATCHED)


def test_nobody_within_the_bandwidth_is_refused() -> None:
    x = np.random.default_rng(9).normal(size=300)
    people = pa.table({"t": np.arange(300) < 90, "x": x})
    with pytest.raises(Refused, match="wider bandwidth") as refusal:
        compare(people, "t", ComparisonSettings(("x",), method=Kernel(bandwidth=1e-12)))
    assert refusal.value.rule == "overlap"


def test_people_who_are_all_alike_all_match() -> None:
    people = pa.table({"t": [1, 1, 0, 0, 0, 0], "x": ["a"] * 6})
    found = compare(people, "t", ComparisonSettings(("x",), method=Kernel(), min_level=1))
    assert found.weight.tolist() == pytest.approx([1.0, 1.0, 0.5, 0.5, 0.5, 0.5])

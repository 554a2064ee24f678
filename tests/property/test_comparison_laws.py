"""Laws of the comparison: order and threads change nothing, weights add up, everyone used is within reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison import Comparison, compare
from counterfoil.comparison.propensity import pooled_sd
from counterfoil.comparison.radius import match_radius
from counterfoil.comparison.scores import sort_scores
from counterfoil.comparison.strata import strata
from lib.matching import assert_sound_matching
from lib.populations import SETTINGS, draw_people

SAME_WEIGHT = 1e-12


def _assert_sound(comparison: Comparison, exact: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    assert comparison.caliper is not None
    assert comparison.caliper_sd is not None
    assert comparison.caliper == comparison.caliper_sd * pooled_sd(comparison.logit_propensity, comparison.treated)
    assert_sound_matching(comparison.treated, comparison.logit_propensity, comparison.weight, comparison.caliper, exact)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000), rows=st.integers(600, 1_500))
def test_comparison_is_sound_and_blind_to_row_order(seed: int, rows: int) -> None:
    people = draw_people(seed, rows)
    lenient = replace(SETTINGS, max_red_share=1.0, threads=1)
    here = compare(people, "treated", lenient)
    _assert_sound(here, strata(people, ["sex"]))
    order = np.random.default_rng(seed).permutation(rows)
    there = compare(people.take(order), "treated", lenient)
    np.testing.assert_allclose(there.weight, here.weight[order], rtol=0, atol=SAME_WEIGHT)
    assert (there.caliper_sd, there.n_comparison, there.reliable) == (here.caliper_sd, here.n_comparison, here.reliable)
    assert [step.chosen for step in there.steps] == [step.chosen for step in here.steps]


def test_threads_change_no_byte() -> None:
    people = draw_people(1, 20_000)
    one, two = (compare(people, "treated", replace(SETTINGS, threads=threads)) for threads in (1, 2))
    assert one.weight.tobytes() == two.weight.tobytes()
    assert one.logit_propensity.tobytes() == two.logit_propensity.tobytes()
    assert one.balance == two.balance
    assert one.steps == two.steps


@st.composite
def scored_people(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Few distinct scores, so that ties, duplicates and exact caliper distances are common."""
    rows = draw(st.integers(2, 40))
    score = np.array(draw(st.lists(st.integers(-6, 6), min_size=rows, max_size=rows)), dtype=np.float64) / 4.0
    treated = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    stratum = np.array(draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows)), dtype=np.int64)
    return score, treated, stratum, draw(st.sampled_from([0.0, 0.25, 0.3, 1.0, 10.0]))


@settings(deadline=None)  # the first call compiles
@given(drawn=scored_people())
def test_radius_is_sound_for_any_scores(drawn: tuple[np.ndarray, np.ndarray, np.ndarray, float]) -> None:
    score, treated, stratum, caliper = drawn
    weight = match_radius(sort_scores(score, treated, stratum), caliper)
    assert_sound_matching(treated, score, weight, caliper, stratum)
    assert_sound_matching(treated, score, match_radius(sort_scores(score, treated), caliper), caliper)


@settings(deadline=None)  # the first call compiles
@given(drawn=scored_people(), seed=st.integers(0, 1_000))
def test_radius_is_exactly_blind_to_row_order(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray, float],
    seed: int,
) -> None:
    score, treated, stratum, caliper = drawn
    order = np.random.default_rng(seed).permutation(len(score))
    here = match_radius(sort_scores(score, treated, stratum), caliper)
    there = match_radius(sort_scores(score[order], treated[order], stratum[order]), caliper)
    assert there.tolist() == here[order].tolist()


def test_caliper_of_zero_matches_equal_scores_only() -> None:
    score, treated = np.array([0.5, 0.5, 0.5, 0.7]), np.array([True, False, False, False])
    assert match_radius(sort_scores(score, treated), 0.0).tolist() == [1.0, 0.5, 0.5, 0.0]


def test_wider_calipers_keep_no_fewer_treated_people() -> None:
    people = draw_people(2, 2_000)
    comparison = compare(people, "treated", replace(SETTINGS, max_red_share=1.0))
    kept = [step.kept_share for step in sorted(comparison.steps, key=lambda step: step.caliper_sd)]
    assert kept == sorted(kept)


def test_weights_of_many_shares_add_up() -> None:
    rng = np.random.default_rng(3)
    score, treated = rng.normal(size=60_000), np.arange(60_000) < 20_000
    weight = match_radius(sort_scores(score, treated), 0.2)
    assert weight[~treated].sum() == pytest.approx(weight[treated].sum(), rel=1e-12)
    assert weight.min() >= 0.0

"""The law of METHODS 2: a programme that does nothing, and is started some time after the index date, shows nothing.

Each law is a simulation with a stated generator: each person has a constant hazard of offending, hazards are
exponentially distributed (a gamma frailty of variance 1), and a stated share offends within 365 days. Start delays are
U(0, 183), and only people who are free of offences until their start can start. Without the rule this generator gives
both figures that METHODS 2 states (-6.6 points at a base of 27%, -13.5 at 59%).
"""

from __future__ import annotations

import numpy as np
import pytest

from counterfoil.cohort.pseudo_start import NEVER, Waiting, draw_delays, offended_before
from simulations.immortal_time import first_offences, null_differences, one_side, rate, waiting

PEOPLE = 2_000_000  # a side; the standard error of a difference is then about 0.05 points
STATED = 0.15  # points: how near the stated bias the generator must come, of rounding and chance
TOLERANCE = 0.3  # points (METHODS 7)


@pytest.mark.parametrize(("base", "without"), [(0.27, -6.6), (0.59, -13.5)])
def test_a_null_programme_shows_nothing(base: float, without: float) -> None:
    rng = np.random.default_rng(20_260)
    as_it_is, with_pseudo_starts = null_differences(rng, base, PEOPLE)
    assert as_it_is == pytest.approx(without, abs=STATED)
    assert abs(with_pseudo_starts) < TOLERANCE


def test_delays_of_those_who_stay_are_alike_on_both_sides() -> None:
    rng = np.random.default_rng(20_261)
    treated, delay = one_side(rng, 0.59, PEOPLE)
    pool = first_offences(rng, PEOPLE, 0.59)
    pseudo = draw_delays(waiting(treated), delay, waiting(pool), rng)
    stays = ~offended_before(pool, pseudo)
    assert abs(float(delay.mean()) - float(pseudo[stays].mean())) < 0.3  # days


def test_a_null_programme_that_lists_those_who_offended_first_shows_nothing_either() -> None:
    rng = np.random.default_rng(7)
    listed, delay = first_offences(rng, PEOPLE, 0.59), rng.integers(0, 184, PEOPLE)
    keep = ~offended_before(listed, delay)  # they leave, on this side by the same rule
    pool = first_offences(rng, PEOPLE, 0.59)
    pseudo = draw_delays(waiting(listed[keep]), delay[keep], waiting(pool), rng)
    assert abs(rate(listed[keep]) - rate(pool[~offended_before(pool, pseudo)])) < TOLERANCE


def test_delays_are_drawn_within_kind_and_year() -> None:
    treated = Waiting(np.array([1, 1, 2]), np.array([2016, 2017, 2016]), np.full(3, NEVER))
    delay = np.array([10, 20, 30])
    pool = Waiting(np.array([1, 1, 1, 2, 2, 3]), np.array([2016, 2017, 2018, 2016, 2017, 2016]), np.full(6, NEVER))
    drawn = [draw_delays(treated, delay, pool, np.random.default_rng(seed)) for seed in range(200)]
    seen = [set(column) for column in np.array(drawn).T.tolist()]
    assert seen == [{10}, {20}, {10, 20}, {30}, {30}, {10, 20, 30}]


def test_nobody_treated_or_nobody_in_the_pool() -> None:
    nobody = waiting(np.zeros(0, dtype=np.int64))
    one = waiting(np.array([5]))
    rng = np.random.default_rng(1)
    assert draw_delays(nobody, np.zeros(0, dtype=np.int64), one, rng).tolist() == [0]
    assert draw_delays(one, np.array([3]), nobody, rng).tolist() == []


def test_a_pool_that_all_offended_still_draws() -> None:
    drawn = draw_delays(
        waiting(np.array([NEVER])), np.array([50]), waiting(np.array([1, 2, 3])), np.random.default_rng(1)
    )
    assert drawn.tolist() == [50, 50, 50]

"""The pool's one event a person: what came after an event has no say in whether it is taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.cohort.one_event import take_one_each

PEOPLE = 400_000
REOFFENDS = 0.27
FOUR_ERRORS = 4 * (REOFFENDS * (1 - REOFFENDS) / (PEOPLE / 3)) ** 0.5  # at least a third of the people are taken


def test_events_that_were_followed_by_another_are_as_common_as_they_are() -> None:
    # Generator: after each event a person has a next one with chance 0.27, whatever came before.
    rng = np.random.default_rng(20_262)
    events = rng.geometric(1 - REOFFENDS, PEOPLE)
    person = np.repeat(np.arange(PEOPLE), events)
    followed = np.r_[person[1:] == person[:-1], False]
    rows = take_one_each(person, rng)
    assert followed[rows].mean() == pytest.approx(REOFFENDS, abs=FOUR_ERRORS)
    even = np.cumsum(np.r_[0, events[:-1]]) + (rng.random(PEOPLE) * events).astype(int)
    assert followed[even].mean() < REOFFENDS - 0.08  # what an even draw would do: the reason for the rule


@given(st.lists(st.integers(1, 5), min_size=0, max_size=40), st.integers(0, 1000))
def test_at_most_one_row_a_person(events: list[int], seed: int) -> None:
    person = np.repeat(np.arange(len(events)), events).astype(np.int64)
    rows = take_one_each(person, np.random.default_rng(seed))
    assert len(set(person[rows].tolist())) == rows.size
    assert rows.tolist() == sorted(rows.tolist())


def test_people_with_one_event_each_are_all_there() -> None:
    assert take_one_each(np.array([4, 7, 9]), np.random.default_rng(1)).tolist() == [0, 1, 2]

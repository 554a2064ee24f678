"""Twenty labs, each from raw records to two answers: the interval holds the planted truth nearly every time.

By the binomial law a 95% interval covers at least 17 of 20 with probability 0.98. The truth is the effect on the people
who were analysed (METHODS 7); seeds are fixed here, before any result was seen.
"""

from __future__ import annotations

import pytest

from simulations.full_labs import LEAST_COVERED, PROGRAMMES, Answer, many_labs

SEEDS = range(1, 21)
PEOPLE = 10_000  # about a hundred analysed in each programme


@pytest.fixture(scope="module")
def answers() -> list[Answer]:
    """All forty answers, two labs at a time."""
    return many_labs(SEEDS, PEOPLE)


@pytest.mark.slow
@pytest.mark.parametrize("programme", PROGRAMMES)
def test_the_interval_covers_the_truth_in_17_of_20_labs(answers: list[Answer], programme: str) -> None:
    covered = [answer.covers for answer in answers if answer.programme == programme]
    assert len(covered) == len(SEEDS)
    assert sum(covered) >= LEAST_COVERED


@pytest.mark.slow
def test_the_programme_that_works_is_told_from_the_one_that_does_nothing(answers: list[Answer]) -> None:
    truths = {name: [a.truth for a in answers if a.programme == name and a.truth is not None] for name in PROGRAMMES}
    assert all(truth == 0.0 for truth in truths["lantern"])
    assert max(truths["northgate"]) < 0.0

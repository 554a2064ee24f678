"""Twenty labs, each from raw records to two answers: the interval holds the planted truth nearly every time.

By the binomial law a 95% interval covers at least 17 of 20 with probability 0.98. The truth is the effect on the people
who were analysed (METHODS 7); seeds are fixed here, before any result was seen.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

from lib.labs import build_lab, evaluate_here, true_points

SEEDS = range(1, 21)
PEOPLE = 10_000  # about a hundred analysed in each programme
PROGRAMMES = ("northgate", "lantern")  # one that works, one that does nothing
LEAST_COVERED = 17


@dataclass(frozen=True, slots=True)
class Answer:
    """One programme in one lab: the published interval of the rate in points, and the truth."""

    programme: str
    low: float | None
    high: float | None
    truth: float

    @property
    def covers(self) -> bool:
        """An interval that is hidden or refused covers nothing."""
        return self.low is not None and self.high is not None and self.low <= self.truth <= self.high


def answers_of(seed: int) -> list[Answer]:
    """The two answers of one lab, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        made = build_lab(Path(folder), people=PEOPLE, seed=seed)
        found = []
        for programme in PROGRAMMES:
            result = evaluate_here(made, programme)
            if "refused" in result:
                found.append(Answer(programme, None, None, float("nan")))
                continue
            rate = result["measures"][0]
            truth = true_points(made, programme, result["run"])
            found.append(Answer(programme, rate["low"], rate["high"], truth))
    return found


@pytest.fixture(scope="module")
def answers() -> list[Answer]:
    """All forty answers, two labs at a time."""
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        return [answer for pair in pool.map(answers_of, SEEDS) for answer in pair]


@pytest.mark.slow
@pytest.mark.parametrize("programme", PROGRAMMES)
def test_the_interval_covers_the_truth_in_17_of_20_labs(answers: list[Answer], programme: str) -> None:
    covered = [answer.covers for answer in answers if answer.programme == programme]
    assert len(covered) == len(SEEDS)
    assert sum(covered) >= LEAST_COVERED


@pytest.mark.slow
def test_the_programme_that_works_is_told_from_the_one_that_does_nothing(answers: list[Answer]) -> None:
    truths = {name: [a.truth for a in answers if a.programme == name] for name in PROGRAMMES}
    assert all(truth == 0.0 for truth in truths["lantern"])
    assert max(truths["northgate"]) < 0.0

"""Whole labs, each from raw records to two answers: one programme that works, one that does nothing.

The truth is the planted effect on the people who were analysed; whoever was linked wrongly had none.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from lib.labs import build_lab, evaluate_here, true_points
from simulations.counting import Share

PROGRAMMES = ("northgate", "lantern")  # one that works, one that does nothing
LEAST_COVERED = 17  # of 20: by the binomial law a 95% interval does so with probability 0.98


@dataclass(frozen=True, slots=True)
class Answer:
    """One programme in one lab: the published interval of the rate in points, and the truth."""

    seed: int
    programme: str
    low: float | None
    high: float | None
    truth: float | None  # None: refused

    @property
    def covers(self) -> bool:
        """An interval that is hidden or refused covers nothing."""
        if self.low is None or self.high is None or self.truth is None:
            return False
        return self.low <= self.truth <= self.high


def answers_of(seed: int, people: int) -> list[Answer]:
    """The two answers of one lab, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        made = build_lab(Path(folder), people=people, seed=seed)
        found = []
        for programme in PROGRAMMES:
            result = evaluate_here(made, programme)
            if "refused" in result:
                found.append(Answer(seed, programme, None, None, None))
                continue
            shown = result["measures"][0]
            truth = true_points(made, programme, result["run"])
            found.append(Answer(seed, programme, shown["low"], shown["high"], truth))
    return found


def many_labs(
    chosen: Sequence[int], people: int, *, workers: int = 2, progress: Callable[[str, float], None] | None = None
) -> list[Answer]:
    """Every lab's answers, in order of seed."""
    answers: list[Answer] = []
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(answers_of, seed, people) for seed in chosen]
        for done, future in enumerate(as_completed(asked), 1):
            answers += future.result()
            if progress is not None:
                progress("labs", done / len(asked))
    return sorted(answers, key=lambda answer: (answer.seed, answer.programme))


def full_labs(
    chosen: Sequence[int], people: int, progress: Callable[[str, float], None], *, workers: int = 2
) -> dict[str, Any]:
    """How often the interval held the truth, for each programme."""
    answers = many_labs(chosen, people, workers=workers, progress=progress)
    found: dict[str, Any] = {"labs": len(chosen), "people": people, "answers": [asdict(a) for a in answers]}
    for programme in PROGRAMMES:
        share = Share()
        for answer in answers:
            if answer.programme == programme:
                share.add(held=answer.covers)
        found[programme] = share.as_json()
    return found

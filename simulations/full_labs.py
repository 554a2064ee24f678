"""Whole labs, each from raw records to two answers: one programme that works, one that does nothing.

The truth is the planted effect on the people who were analysed; whoever was linked wrongly had none.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
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
    chosen: Sequence[int], people: int, *, workers: int = 2, found: Callable[[list[Answer]], None] | None = None
) -> list[Answer]:
    """Every lab's answers, in order of seed; `found` is told of each lab's when it ends."""
    answers: list[Answer] = []
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(answers_of, seed, people) for seed in chosen]
        for future in as_completed(asked):
            answers += future.result()
            if found is not None:
                found(future.result())
    return _in_order(answers)


def full_labs(
    chosen: Sequence[int],
    people: int,
    progress: Callable[[str, float], None],
    *,
    workers: int = 2,
    before: Mapping[str, Any] | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """How often the interval held the truth, for each programme.

    `before`: what an earlier run stored; its labs of the same size are not made again. `keep` is given what there is
    after each lab, so that a run that is stopped loses the labs in hand only.
    """
    answers = [a for a in stored_answers(before, people) if a.seed in chosen]
    done = {a.seed for a in answers}
    to_make = [seed for seed in chosen if seed not in done]

    def found(of_one_lab: list[Answer]) -> None:
        answers.extend(of_one_lab)
        progress("labs", len({a.seed for a in answers}) / len(chosen))
        if keep is not None:
            keep(summary(answers, people))

    many_labs(to_make, people, workers=workers, found=found)
    return summary(answers, people)


def stored_answers(before: Mapping[str, Any] | None, people: int) -> list[Answer]:
    """The answers that a file of results holds for labs of so many people."""
    if before is None or before["people"] != people:
        return []
    return [Answer(**answer) for answer in before["answers"]]


def summary(answers: Sequence[Answer], people: int) -> dict[str, Any]:
    """The JSON of the study: every answer, and the share of intervals that hold the truth."""
    found: dict[str, Any] = {"labs": len({a.seed for a in answers}), "people": people}
    found["answers"] = [asdict(a) for a in _in_order(answers)]
    for programme in PROGRAMMES:
        share = Share()
        for answer in answers:
            if answer.programme == programme:
                share.add(held=answer.covers)
        found[programme] = share.as_json()
    return found


def _in_order(answers: Sequence[Answer]) -> list[Answer]:
    return sorted(answers, key=lambda answer: (answer.seed, answer.programme))

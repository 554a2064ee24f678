"""How often the check of the year before flags a programme that does nothing: one whose people were chosen by what the
covariates hold, and one whose people differ in what nobody observed.

The check is made as `evaluate` makes it: the headline's treated people, compared again without what says something of
that year. A lab that knows no history of before that year leaves all history out; one that knows it keeps that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.comparison import ComparisonSettings, compare
from counterfoil.comparison.values import Comparison, FloatArray
from counterfoil.effect import estimate
from counterfoil.errors import Refused
from counterfoil.outcomes.measures import Measure
from simulations import seeds
from simulations.counting import Share
from simulations.drawn_tables import COVARIATES, draw
from simulations.tables import BEFORE, NULL, Progress

WITHOUT_HISTORY = tuple(name for name in COVARIATES if name not in ("priors", "copas"))


@dataclass(frozen=True, slots=True)
class Choice:
    """How people came to be treated: by their record, which is a covariate, and by what is none. Log-odds."""

    record: float
    hidden: float


CHOICES = (
    Choice(0.0, 0.0),
    Choice(0.3, 0.0),
    Choice(0.6, 0.0),
    Choice(0.0, 0.25),
    Choice(0.0, 0.5),
    Choice(0.0, 1.0),
)


@dataclass(slots=True)
class Flags:
    """Over the tables of one choice: how often the headline finds something, and each form of the check flags."""

    choice: Choice
    headline: Share
    without_history: Share
    with_history: Share

    def as_json(self) -> dict[str, Any]:
        shares = {name: getattr(self, name).as_json() for name in ("headline", "without_history", "with_history")}
        return {"record": self.choice.record, "hidden": self.choice.hidden, **shares}


def negative_control(
    n: int,
    progress: Progress,
    *,
    trying: int = 0,
    before: Mapping[str, Any] | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """`n` tables for each choice.

    `before`: what an earlier run stored; its choices are not drawn again where it had as many tables. `keep` is given
    what there is after each choice.
    """
    found: dict[str, Any] = {"tables": n, "choices": []}
    stored = before["choices"] if before is not None and before["tables"] == n else []
    for number in range(len(CHOICES)):
        done = stored[number] if number < len(stored) else count_flags(number, n, progress, trying=trying).as_json()
        found["choices"].append(done)
        if keep is not None:
            keep(found)
    return found


def count_flags(number: int, n: int, progress: Progress, *, trying: int = 0) -> Flags:
    """The first `n` tables of one of `CHOICES`."""
    choice = CHOICES[number]
    counted = Flags(choice, Share(), Share(), Share())
    for i in range(n):
        if i % 25 == 0:
            progress(f"year before, {choice.record} and {choice.hidden}", i / n)
        rng = np.random.default_rng([seeds.CONTROL + trying, number, i])
        drawn = draw(rng, hidden_choice=choice.hidden, record_choice=choice.record)
        headline = _compare(drawn.people, COVARIATES)
        if headline is None:
            continue
        analysed = ~headline.treated | (headline.weight > 0)
        left = _compare(drawn.people.filter(pa.array(analysed)), WITHOUT_HISTORY)
        counted.headline.add(held=_finds(headline, drawn.null, NULL))
        counted.with_history.add(held=_finds(headline, drawn.before, BEFORE))
        counted.without_history.add(held=left is not None and _finds(left, drawn.before[analysed], BEFORE))
    progress(f"year before, {choice.record} and {choice.hidden}", 1.0)
    return counted


def _compare(people: pa.Table, covariates: tuple[str, ...]) -> Comparison | None:
    """None: refused, or not alike, which flags nothing."""
    try:
        made = compare(
            people.select(["treated", *covariates]), "treated", ComparisonSettings(covariates=covariates, threads=1)
        )
    except Refused:
        return None
    return made if made.reliable else None


def _finds(made: Comparison, outcome: FloatArray, measure: Measure) -> bool:
    (effect,) = estimate({measure.name: outcome}, made, [measure])
    found = effect.compatible
    return found is not None and (found.low > 0.0 or found.high < 0.0)

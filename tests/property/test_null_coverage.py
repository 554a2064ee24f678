"""A service that does nothing, drawn many times: intervals must hold 0 as often as they say. Seeds are fixed.

About sixty people are treated, by a score that also drives the outcome; weights are the true odds. The bound is that of
the binomial at 99.9%; a cautious interval (it takes the weights as known) may hold 0 more often.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from counterfoil.comparison.values import BoolArray, FloatArray, IntArray
from counterfoil.effect import (
    Inference,
    abadie_imbens,
    adjusted_frequency,
    adjusted_mean,
    adjusted_rate,
    cox,
    log_rank,
    restricted_means,
)

DRAWS = 150
PEOPLE = 700
LOG_ODDS = -2.6  # about 60 of them treated
SEED = 20_260_304
LEAST = stats.binom.ppf(0.001, DRAWS, 0.95)


class Draw:
    """One population: nobody gains or loses by being treated."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([SEED, seed])
        self.x: FloatArray = rng.normal(size=(PEOPLE, 2))
        self.score: FloatArray = 0.7 * self.x[:, 0] - 0.3 * self.x[:, 1] + LOG_ODDS
        odds = np.exp(self.score)
        self.treated: BoolArray = rng.random(PEOPLE) < odds / (1.0 + odds)
        self.weight: FloatArray = np.where(self.treated, 1.0, odds)
        risk = self.x[:, 0] + 0.5 * self.x[:, 1] ** 2 - 1.0  # a square that the models do not have
        self.rate: FloatArray = (rng.random(PEOPLE) < 1.0 / (1.0 + np.exp(-risk))).astype(np.float64)
        self.count: FloatArray = rng.poisson(np.exp(0.5 * risk) * rng.gamma(2.0, 0.5, PEOPLE)).astype(np.float64)
        days = np.ceil(rng.exponential(size=PEOPLE) * 300.0 * np.exp(-0.5 * risk))
        ends = np.where(rng.random(PEOPLE) < 0.2, rng.integers(200, 366, PEOPLE), 365)
        self.time: FloatArray = np.minimum(days, ends).astype(np.float64)
        self.event: BoolArray = days <= ends

    def nearest(self) -> tuple[IntArray, IntArray]:
        """Each treated person and the nearest other in score, who may be used again."""
        one, pool = np.flatnonzero(self.treated), np.flatnonzero(~self.treated)
        apart = np.abs(self.score[one][:, None] - self.score[pool][None, :])
        return one, pool[apart.argmin(axis=1)]


def _estimates(draw: Draw) -> dict[str, Inference]:
    one, other = draw.nearest()
    given = (draw.treated, draw.weight, draw.x)
    ends = (draw.time, draw.event, draw.treated, draw.weight)
    return {
        "rate": adjusted_rate(draw.rate, *given).difference,
        "rate, weights only": adjusted_rate(draw.rate, draw.treated, draw.weight).difference,
        "mean": adjusted_mean(draw.count, *given).difference,
        "frequency": adjusted_frequency(draw.count, *given).adjusted.difference,
        "frequency ratio": adjusted_frequency(draw.count, *given).log_ratio,
        "restricted mean": restricted_means(*ends, horizon=300.0).difference,
        "Cox": cox(*ends).treatment,
        "with replacement": abadie_imbens(draw.rate, draw.treated, draw.score, one, other, np.ones(len(one))),
    }


@pytest.fixture(scope="module")
def covered() -> dict[str, int]:
    """How often each interval held 0, and the log-rank test kept quiet."""
    held: dict[str, int] = {}
    for seed in range(DRAWS):
        draw = Draw(seed)
        for name, found in _estimates(draw).items():
            held[name] = held.get(name, 0) + int(found.low <= 0.0 <= found.high)
        quiet = log_rank(draw.time, draw.event, draw.treated, draw.weight).p >= 0.05
        held["log-rank"] = held.get("log-rank", 0) + int(quiet)
    return held


@pytest.mark.slow
def test_intervals_hold_nothing_as_often_as_they_say(covered: dict[str, int]) -> None:
    assert len(covered) == 9
    assert {name: held for name, held in covered.items() if held < LEAST} == {}

"""METHODS 2: a programme that does nothing, started up to half a year after the index date, must show nothing.

Each person has a constant hazard of offending, hazards are exponentially distributed (a gamma frailty of variance 1), a
stated share offends within 365 days. Delays are U(0, 183), and only who is free of offences until the start can start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from counterfoil.cohort.pseudo_start import IntArray, Waiting, draw_delays, offended_before
from simulations import seeds

BASES = (0.27, 0.59)  # shares that offend within a year


def first_offences(rng: np.random.Generator, n: int, base: float) -> IntArray:
    """Whole days to the first offence, below 365 for a share `base`."""
    hazard = base / (1.0 - base) / 365.0  # survival is 1 / (1 + hazard x days)
    days = (1.0 / (1.0 - rng.random(n)) - 1.0) / hazard
    return np.asarray(np.floor(np.minimum(days, 1e6)), dtype=np.int64)


def waiting(first: IntArray, kind: int = 1, year: int = 2016) -> Waiting:
    """People of one kind of event and one year."""
    return Waiting(np.full(first.size, kind), np.full(first.size, year), first)


def rate(first: IntArray) -> float:
    """Per cent who offend within a year of the index date."""
    return 100.0 * float((first < 365).mean())


def one_side(rng: np.random.Generator, base: float, people: int) -> tuple[IntArray, IntArray]:
    """The treated who started: their first offences and delays."""
    first, delay = first_offences(rng, people, base), rng.integers(0, 184, people)
    started = ~offended_before(first, delay)
    return first[started], delay[started]


def null_differences(rng: np.random.Generator, base: float, people: int) -> tuple[float, float]:
    """Points by which the programme seems to change the rate: without pseudo-starts, and with them."""
    treated, delay = one_side(rng, base, people)
    pool = first_offences(rng, people, base)
    pseudo = draw_delays(waiting(treated), delay, waiting(pool), rng)
    stays = ~offended_before(pool, pseudo)
    return rate(treated) - rate(pool), rate(treated) - rate(pool[stays])


def immortal_time(people: int, progress: Callable[[str, float], None], *, trying: int = 0) -> dict[str, Any]:
    """Both bases."""
    answer: dict[str, Any] = {"people a side": people}
    for number, base in enumerate(BASES):
        progress("immortal time", number / len(BASES))
        without, with_rule = null_differences(np.random.default_rng([seeds.IMMORTAL + trying, number]), base, people)
        answer[str(base)] = {"without pseudo-starts": without, "with": with_rule}
    progress("immortal time", 1.0)
    return answer

"""Immortal time (METHODS 2): comparison people meet the condition that treated people met by starting the service.

A treated person was free of offences from the index date to the start. Each pool member is given a pseudo-start: a
delay drawn from those of the treated who stay, within kind of event and year. Whoever offends before it leaves.

The draw is weighted by one over the pool's share still free at that delay. Without the weights the condition would be
met twice (short delays are already commoner among those who started), and a programme without effect would look
better by 0.2 points at a base of 27% and by 1.3 at 59%. With them the delays of those who stay are alike on both
sides, whoever was let start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

NEVER = np.iinfo(np.int64).max  # days to the first offence of someone who had none


@dataclass(frozen=True, slots=True)
class Waiting:
    """Index events, row by row: kind and year as whole numbers, and days from the index date to the first offence."""

    kind: IntArray
    year: IntArray
    first_offence: IntArray  # NEVER when there was none


def offended_before(first_offence: IntArray, delay: IntArray) -> npt.NDArray[np.bool_]:
    """Who offended on a day before the start: from the index date on, the day of the start not counted."""
    return first_offence < delay


def draw_delays(treated: Waiting, delay: IntArray, pool: Waiting, rng: np.random.Generator) -> IntArray:
    """A delay in days for each pool row. `treated` are those who stay, with their `delay`.

    A kind and year without treated people draws from those of the kind; a kind without any, from all.
    """
    drawn = np.zeros(pool.kind.size, dtype=np.int64)
    if delay.size == 0 or drawn.size == 0:
        return drawn
    uniform = rng.random(pool.kind.size)
    for kind, year, rows in _strata(pool):
        delays = _delays_for(treated, delay, kind, year)
        drawn[rows] = _weighted_draw(delays, pool.first_offence[rows], uniform[rows])
    return drawn


def _strata(pool: Waiting) -> list[tuple[int, int, IntArray]]:
    """Each kind and year of the pool with its rows, in order."""
    order = np.lexsort((pool.year, pool.kind))
    pairs, starts = np.unique(np.c_[pool.kind, pool.year][order], axis=0, return_index=True)
    rows = np.split(order, starts[1:])
    return [(int(kind), int(year), those) for (kind, year), those in zip(pairs, rows, strict=True)]


def _delays_for(treated: Waiting, delay: IntArray, kind: int, year: int) -> IntArray:
    same_kind = treated.kind == kind
    for chosen in (same_kind & (treated.year == year), same_kind):
        if chosen.any():
            return np.compress(chosen, delay)
    return delay


def _weighted_draw(delays: IntArray, first_offence: IntArray, uniform: npt.NDArray[np.float64]) -> IntArray:
    values, people = np.unique(delays, return_counts=True)
    gone = np.searchsorted(np.sort(first_offence), values, side="left")
    free = np.maximum(first_offence.size - gone, 1) / first_offence.size
    cumulative = np.cumsum(people / free)
    place = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return np.asarray(values[np.minimum(place, values.size - 1)], dtype=np.int64)

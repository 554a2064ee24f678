"""Draws of who the entries of a list are, from the probabilities of their links (METHODS 5). Opens no outcome."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

FEWEST_LINK_DRAWS = 20


def draw_links(
    entry: IntArray, person: IntArray, probability: FloatArray, *, seed: int, draws: int = FEWEST_LINK_DRAWS
) -> BoolArray:
    """Which candidates are taken, (draws, candidates). `entry`: whose candidate, rising; the rest is row-aligned.

    In each draw an entry is one of its candidates, or nobody with what is missing to 1. A person drawn for two entries
    counts once, by the first. An entry whose candidate has probability 1 is the same in every draw.
    """
    taken = np.zeros((draws, entry.size), np.bool_)
    if entry.size == 0:
        return taken
    _, first, of = np.unique(entry, return_index=True, return_inverse=True)
    before = np.cumsum(probability) - probability
    start = before - before[first][of]  # where each candidate's part of its entry's 0 to 1 begins
    lots = np.random.default_rng((seed, 3)).random((draws, first.size))[:, of]
    taken[:] = (lots >= start) & (lots < start + probability)
    taken[:, probability >= 1.0] = True
    for draw in taken:
        rows = np.flatnonzero(draw)
        _, once = np.unique(person[rows], return_index=True)
        draw[np.delete(rows, once)] = False
    return taken


def unlike(taken: BoolArray, headline: BoolArray) -> IntArray:
    """The draws that differ from the `headline`'s links: only these need be compared and estimated again."""
    return np.flatnonzero((taken != headline).any(axis=1)).astype(np.int64)

"""Drawing from tables of weights, many people at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def pick(rng: np.random.Generator, weights: Floats, size: int) -> Integers:
    """Positions drawn with probability proportional to `weights`."""
    edges = np.cumsum(weights, dtype=np.float64)
    place = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(place, len(weights) - 1), np.int64)


def pick_rows(rng: np.random.Generator, weights: Floats) -> Integers:
    """One position in each row of a matrix of weights (people x choices)."""
    edges = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights)) * edges[:, -1]
    return np.asarray((drawn[:, None] >= edges).sum(axis=1), np.int64)


def truncated_normal(rng: np.random.Generator, mean: float, sd: float, low: float, size: int) -> Floats:
    """Normal draws reflected at `low`."""
    drawn = rng.normal(mean, sd, size)
    return np.where(drawn < low, 2 * low - drawn, drawn)

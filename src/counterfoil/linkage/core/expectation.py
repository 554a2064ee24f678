"""Expectation and maximisation over counted patterns: m and the prior of one training block, u as it is.

The steps are those of Splink: start from the model's own m and from the prior raised by what the block implies; weigh
every pattern; take the shares of levels among what is expected to match; stop when nothing moved by more than the
convergence, or at the limit of iterations, and say which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from counterfoil.linkage.core.compiling import compiled
from counterfoil.linkage.core.counts import Patterns
from counterfoil.linkage.core.layout import Flags, Floats, Ints

NOT_SEEN = 1e-6  # m of a level that no pair had, while others are learnt; it weighs on nothing
CLAMP = 1e-12
_CHUNK = 1 << 16  # pairs whose sums are added up before they are added to the rest, whatever the threads


class Stopped(Enum):
    """Why learning ended."""

    CONVERGED = "converged"
    LIMIT = "limit of iterations"
    NOTHING = "no pairs"


@dataclass(frozen=True, slots=True)
class Start:
    """Where learning starts: m and u of every level of the active comparisons, and what may move."""

    m: tuple[Floats, ...]
    u: tuple[Floats, ...]
    null: tuple[Flags, ...]
    fixed_m: tuple[Flags, ...]
    prior: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """m of every level (NaN: no pair had it), the prior within the block, and how it went.

    `changes` holds the largest change of a parameter in each iteration.
    """

    m: tuple[Floats, ...]
    prior: float
    iterations: int
    stopped: Stopped
    changes: tuple[float, ...]


def learn(patterns: Patterns, start: Start, *, convergence: float, iterations: int) -> Learnt:
    """Run to convergence or to the limit."""
    if not patterns.pairs:
        return Learnt(tuple(np.full(m.size, np.nan) for m in start.m), start.prior, 0, Stopped.NOTHING, ())
    m, prior = [column.copy() for column in start.m], start.prior
    changes: list[float] = []
    stopped = Stopped.LIMIT
    for _ in range(iterations):
        matching = _expected(patterns, m, start, prior)
        now = [_shares(patterns, matching, a, start) for a in range(len(m))]
        next_prior = float(matching.sum() / patterns.counts.sum())
        moved = [float(np.max(np.abs(_held(new) - _held(old)), where=~null, initial=0.0))
                 for new, old, null in zip(now, m, start.null, strict=True)]  # fmt: skip
        changes.append(max([abs(next_prior - prior), *moved]))
        m, prior = now, next_prior
        if changes[-1] < convergence:
            stopped = Stopped.CONVERGED
            break
    return Learnt(tuple(m), prior, len(changes), stopped, tuple(changes))


def _held(m: Floats) -> Floats:
    return np.where(np.isnan(m), NOT_SEEN, m)


def _expected(patterns: Patterns, m: Sequence[Floats], start: Start, prior: float) -> Floats:
    """How many pairs of each pattern are expected to match."""
    bits = np.full(len(patterns.counts), np.log2(prior / (1 - prior)))
    for a, (now, u, null) in enumerate(zip(m, start.u, start.null, strict=True)):
        with np.errstate(invalid="ignore"):
            weight = np.log2(np.maximum(_held(now), CLAMP) / np.maximum(u, CLAMP))
        bits += np.where(null, 0.0, weight)[patterns.levels[:, a]]
    if patterns.pattern is None or patterns.rarity is None:
        share: Floats = 1 / (1 + np.exp2(-bits))
        return share * patterns.counts
    return expected_of_pairs(patterns.pattern, patterns.rarity, bits)


@compiled
def expected_of_pairs(pattern: Ints, rarity: Floats, bits: Floats) -> Floats:
    """Sum of the probabilities of matching by pattern, where each pair has bits of its own beside its pattern's."""
    total = np.zeros(bits.size)
    part = np.zeros(bits.size)
    for first in range(0, pattern.size, _CHUNK):
        part[:] = 0.0
        for i in range(first, min(first + _CHUNK, pattern.size)):
            part[pattern[i]] += 1.0 / (1.0 + 2.0 ** -(bits[pattern[i]] + rarity[i]))
        total += part
    return total


def _shares(patterns: Patterns, matching: Floats, a: int, start: Start) -> Floats:
    """Shares of levels among the matching pairs that are not null there; NaN for a level that no pair has."""
    levels = patterns.levels[:, a]
    size = start.m[a].size
    expected = np.bincount(levels, weights=matching, minlength=size)
    seen = np.bincount(levels, minlength=size) > 0
    expected[start.null[a]] = 0.0
    whole = expected.sum()
    shares = np.where(seen & ~start.null[a], expected / whole if whole else np.nan, np.nan)
    return np.where(start.fixed_m[a], start.m[a], shares)

"""Which columns of a design can have a coefficient, and which levels separate the groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.logit.kernels import column_totals
from counterfoil.logit.values import CodedDesign, FloatArray, IntArray

# A column whose variance is explained by the columns before it to within this share is a combination of them. The
# cross-products hold about 16 digits, so anything smaller would be rounding error.
UNEXPLAINED_SHARE = 1e-9


@dataclass(frozen=True, slots=True)
class Columns:
    """The slots that get a coefficient, and those left out with the sentence that says why."""

    free: IntArray
    dropped: tuple[str, ...]
    notes: tuple[str, ...]


def candidate_slots(design: CodedDesign) -> IntArray:
    """Every slot but the factors' reference levels."""
    slots = int(design.offsets[-1]) + len(design.numeric_names)
    return np.setdiff1d(np.arange(slots, dtype=np.int64), design.offsets[:-1])


def choose_columns(design: CodedDesign, products: FloatArray) -> Columns:
    """Walk through the columns in order and keep each that the kept ones do not explain.

    `products` is X'WX over all slots with standardised numbers.
    """
    candidates = candidate_slots(design)
    names = design.slot_names
    remaining = products[np.ix_(candidates, candidates)].copy()
    own = np.diag(remaining) - remaining[0] ** 2 / remaining[0, 0]  # variance about the mean, times the weight
    scale = np.diag(remaining).copy()
    free, dropped, notes = [], [], []
    for position, slot in enumerate(candidates):
        pivot = remaining[position, position]
        if position > 0 and pivot <= UNEXPLAINED_SHARE * max(own[position], UNEXPLAINED_SHARE * scale[position]):
            dropped.append(names[slot])
            notes.append(_why_dropped(names[slot], constant=own[position] <= UNEXPLAINED_SHARE * scale[position]))
            continue
        free.append(slot)
        line = remaining[position] / pivot
        remaining -= np.outer(line, remaining[position])
    return Columns(np.array(free, dtype=np.int64), tuple(dropped), tuple(notes))


def _why_dropped(name: str, *, constant: bool) -> str:
    if constant:
        return f"`{name}` was left out: it is the same for everyone."
    return f"`{name}` was left out: it is a combination of the columns before it."


def find_separating_levels(
    design: CodedDesign, outcome: FloatArray, weights: FloatArray, *, threads: int
) -> tuple[str, ...]:
    """Levels whose people all have the same outcome: no finite coefficient is the most likely one."""
    everyone = column_totals(design, weights, threads=threads)
    ones = column_totals(design, weights * outcome, threads=threads)
    levels = slice(1, int(design.offsets[-1]))
    alone = (everyone[levels] > 0) & ((ones[levels] == 0) | (ones[levels] == everyone[levels]))
    return tuple(np.array(design.slot_names, dtype=object)[levels][alone])

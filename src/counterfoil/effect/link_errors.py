"""What wrong links do to an estimated difference of rates: the law, and a simulation of the same from people.

A false link puts a person who was never helped in the place of one who was. Where such people do like the comparison
group, the difference shrinks by their share (Neter, Maynes and Ramanathan 1965). A missed link only loses a person: it
shifts the estimate just when those missed differ in outcome from those found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class LinkErrors:
    """Shares 0-1. `false`: of the people analysed. `missed`: of the helped, for those with and without the outcome."""

    false: float = 0.0
    missed_with: float = 0.0
    missed_without: float = 0.0


@dataclass(frozen=True, slots=True)
class Shifted:
    """Differences in points: what is true of everyone helped, and the mean and its error over the repeats."""

    true: float
    mean: float
    error: float


def expected_difference(treated: float, comparison: float, errors: LinkErrors) -> float:
    """The difference in points that is estimated on average; `treated` and `comparison` are the true rates (0-1)."""
    with_, without = treated * (1.0 - errors.missed_with), (1.0 - treated) * (1.0 - errors.missed_without)
    found = with_ / (with_ + without)
    return 100.0 * (1.0 - errors.false) * (found - comparison)


def simulate(
    treated: float, comparison: float, errors: LinkErrors, *, people: int, repeats: int, rng: np.random.Generator
) -> Shifted:
    """Draw `repeats` cohorts of `people` helped and as many compared; link them with these errors; compare rates.

    Each person is drawn: their outcome, whether they are missed (by their outcome), and whether the entry of one who is
    found leads to a stranger instead, who has the comparison group's chance of the outcome.
    """
    helped = rng.random((repeats, people)) < treated
    chance = np.where(helped, errors.missed_with, errors.missed_without)
    found = rng.random((repeats, people)) >= chance
    stranger = rng.random((repeats, people)) < errors.false
    seen = np.where(stranger, rng.random((repeats, people)) < comparison, helped)
    others = (rng.random((repeats, people)) < comparison).mean(axis=1)
    differences = 100.0 * ((seen & found).sum(axis=1) / found.sum(axis=1) - others)
    error = float(differences.std(ddof=1)) / repeats**0.5
    return Shifted(100.0 * (treated - comparison), float(differences.mean()), error)

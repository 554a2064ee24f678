"""Static risk of reconviction, as the assessment tool works it out from what is known: no unseen factor is in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from counterfoil.population.careers import Sanctions
from counterfoil.population.draws import Floats
from counterfoil.population.people import People


def ogrs(people: People, sanctions: Sanctions, at: npt.NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Per cent, within one and two years, at the sanctions at some positions."""
    person = sanctions.person[at]
    age = (sanctions.proven[at] - people.born[person]) / 365.25
    score = 0.15 - 0.035 * (age - 30.0) + 0.55 * np.log1p(sanctions.priors[at]) - 0.25 * people.female[person] - 0.6
    return 100.0 / (1.0 + np.exp(-(score - 0.55))), 100.0 / (1.0 + np.exp(-score))

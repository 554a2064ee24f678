"""Who is in prison on a day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import MISSING, Days
from counterfoil.population.careers import Sanctions
from counterfoil.population.sources import Spells

_BASE = 1 << 16  # above every day since 1970 that is asked for


def is_inside(sanctions: Sanctions, spells: Spells, person: npt.NDArray[np.int32], day: Days) -> npt.NDArray[np.bool_]:
    """Whether each person is in custody on the day; first and last day of a stay count. Stays never overlap."""
    owner = sanctions.person[spells.sanction].astype(np.int64)
    order = np.lexsort((spells.reception, owner))
    start = owner[order] * _BASE + spells.reception[order]
    finish = np.where(spells.release[order] == MISSING, _BASE - 1, spells.release[order])
    asked = person.astype(np.int64) * _BASE + day
    last = np.searchsorted(start, asked, side="right") - 1
    found = np.maximum(last, 0)
    return np.asarray((last >= 0) & (owner[order][found] == person) & (finish[found] >= day), np.bool_)

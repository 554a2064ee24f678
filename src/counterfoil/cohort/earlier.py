"""People of earlier years, set apart by lot: a static risk score is fitted on them, and they are nobody's comparison.

Whoever had an index event before the study's first year may also have one in it. To fit on those who have none would be
to choose people by what came after: they reoffended less. So lots are drawn among all of them, and whoever is drawn
leaves the pool: the rest of the pool is still a fair draw, and nobody of the study is fitted on.
"""

from __future__ import annotations

import numpy as np

from counterfoil.cohort.pseudo_start import IntArray

SHARE = 0.25  # of the people with an earlier event; so large a part of the pool can be lost at most
MOST = 20_000  # people: more would cost the pool and make the score no better
FEWEST = 400  # people; fewer do not carry a score of twenty or so terms


def set_apart(person: IntArray, rng: np.random.Generator) -> IntArray:
    """Rows of `person` (who each earlier event is of, among people who may be drawn) to fit on: all of those drawn.

    A quarter of the people, at most MOST; empty when that is fewer than FEWEST.
    """
    people = np.flatnonzero(np.bincount(person))  # their numbers are those of the register's people, from 0 or 1
    n = min(int(people.size * SHARE), MOST)
    if n < FEWEST:
        return np.empty(0, dtype=np.int64)
    drawn = rng.choice(people, n, replace=False)
    is_drawn = np.zeros(int(people[-1]) + 1, np.bool_)
    is_drawn[drawn] = True
    return np.asarray(np.flatnonzero(is_drawn[person]), dtype=np.int64)

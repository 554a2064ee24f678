"""A1: whether a list's start dates have a gap that is improbable beside the dates around it.

Under a pace that is steady for a while, gaps between days on which people start are exponential: one gap is then larger
than r times the sum of `k` others with probability (1 + r)^-k, whatever the pace. Each gap is set beside the ten before
and the ten after it, so that a service which grows or slows is not blamed; the smallest probability is multiplied by
the number of gaps. A list whose people were chosen honestly is then flagged at most once in a hundred. Starts in groups
(courses) count once a day. It cannot see people left out here and there: the count of those who started does that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import Enum

import numpy as np

FALSE_ALARMS = 0.01
NEIGHBOURS = 10  # gaps on each side
LEAST_DATES = 30  # fewer days on which anybody starts say nothing


class GapTest(Enum):
    """What is told of the test: never a date and never a number."""

    NONE = "none"
    FOUND = "found"
    UNKNOWN = "unknown"


def start_date_gaps(starts: Sequence[dt.date | None]) -> GapTest:
    """The test on a list's start dates, in any order; those without a date are left out."""
    days = np.unique([date.toordinal() for date in starts if date is not None])
    if len(days) < LEAST_DATES:
        return GapTest.UNKNOWN
    return GapTest.FOUND if smallest_chance(np.diff(days).astype(np.float64)) <= FALSE_ALARMS else GapTest.NONE


def smallest_chance(gaps: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Chance of a gap as large as the most unlikely one, over all gaps (Bonferroni), 0-1."""
    chances = []
    for i in range(len(gaps)):
        around = np.concatenate([gaps[max(0, i - NEIGHBOURS) : i], gaps[i + 1 : i + 1 + NEIGHBOURS]])
        chances.append(float((1.0 + gaps[i] / around.sum()) ** -len(around)))
    return min(1.0, min(chances) * len(gaps))

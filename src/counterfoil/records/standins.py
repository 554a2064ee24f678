"""Dates that stand for "not known": those everybody knows, and those that a column gives away by their frequency."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# First days of systems' calendars, and days that hands type. General practice records and court data hold them all.
KNOWN_STANDINS = frozenset(
    dt.date.fromisoformat(text)
    for text in (
        "0001-01-01", "1111-11-11", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31", "1900-01-01",
        "1900-01-02", "1901-01-01", "1904-01-01", "1911-11-11", "1970-01-01", "2099-12-31", "2999-12-31", "9999-12-31",
    )
)  # fmt: skip

NEIGHBOUR_DAYS = 45  # on each side; long enough to average out weekends, short enough for a birth rate to be level
OVER_NEIGHBOURS = 10.0  # times the neighbours' mean. True birthdays vary by some 10% in the year, 1 January aside
LEAST_COUNT = 10  # fewer rows than this prove nothing in a small file


def is_standin(date: dt.date) -> bool:
    """Whether a date is a known stand-in for an unknown one."""
    return date in KNOWN_STANDINS


def find_standins(dates: pa.Array | pa.ChunkedArray) -> frozenset[dt.date]:
    """Dates of a date32 column that are held far more often than the days around them.

    A date is found when at least `LEAST_COUNT` rows hold it and that is more than `OVER_NEIGHBOURS` times the mean
    count of the `NEIGHBOUR_DAYS` days on each side, itself left out. 1 January is never found: people whose day of
    birth is not known are given it, and its year is evidence; it is kept and weighs less. Known stand-ins are not
    counted as neighbours.
    """
    counted = pc.value_counts(pc.drop_null(dates.combine_chunks() if isinstance(dates, pa.ChunkedArray) else dates))
    days = counted.field(0).cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = counted.field(1).to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.argsort(days)
    found = days[order][_over_represented(days[order], counts[order])]
    epoch = dt.date(1970, 1, 1)
    named = (epoch + dt.timedelta(days=int(day)) for day in found)
    return frozenset(date for date in named if (date.month, date.day) != (1, 1))


def _over_represented(days: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """True for sorted distinct `days` whose count stands out from those around them."""
    ordinary = np.where(_is_piled_up(days), 0, counts)
    before = np.concatenate(([0], np.cumsum(ordinary)))
    low = np.searchsorted(days, days - NEIGHBOUR_DAYS)
    high = np.searchsorted(days, days + NEIGHBOUR_DAYS, side="right")
    around = (before[high] - before[low] - ordinary) / (2 * NEIGHBOUR_DAYS)
    over: npt.NDArray[np.bool_] = (counts >= LEAST_COUNT) & (counts > OVER_NEIGHBOURS * around)
    return over


def _is_piled_up(days: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Days that say nothing of the rate around them: known stand-ins and every 1 January."""
    calendar = days.astype("datetime64[D]")
    first_of_january = calendar == calendar.astype("datetime64[Y]").astype("datetime64[D]")
    known = np.isin(calendar, np.array(sorted(KNOWN_STANDINS), dtype="datetime64[D]"))
    piled_up: npt.NDArray[np.bool_] = first_of_january | known
    return piled_up

"""Dates as whole days since 1970-01-01 (int32 arrays), so that a million of them are added and compared at once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Days = npt.NDArray[np.int32]
MISSING = np.int32(np.iinfo(np.int32).min)  # a date that is not there

_EPOCH = dt.date(1970, 1, 1)


def day(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def date(days: int) -> dt.date:
    """The date of a number of days."""
    return _EPOCH + dt.timedelta(days=int(days))


def parts(days: Days) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Year, month and day of the month. `days` holds no missing date."""
    stamps = days.astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    number = months.astype(np.int64)
    return 1970 + number // 12, number % 12 + 1, (stamps - months).astype(np.int64) + 1


def from_parts(year: npt.NDArray[np.int64], month: npt.NDArray[np.int64], of_month: npt.NDArray[np.int64]) -> Days:
    """The days of dates that exist."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return np.asarray(months.astype("datetime64[D]").astype(np.int64) + of_month - 1, np.int32)


def year_of(days: Days) -> npt.NDArray[np.int64]:
    """The calendar year."""
    return parts(days)[0]


def add_months(days: Days, months: int) -> Days:
    """Calendar months later; the last day of a shorter month stands for a day that it lacks."""
    year, month, of_month = parts(days)
    there = (year * 12 + month - 1 + months - 1970 * 12).astype("datetime64[M]")
    first = there.astype("datetime64[D]").astype(np.int64)
    length = (there + 1).astype("datetime64[D]").astype(np.int64) - first
    return np.asarray(first + np.minimum(of_month, length) - 1, np.int32)


def to_arrow(days: Days) -> pa.Array:
    """A date32 column; MISSING becomes null."""
    return pa.array(days, pa.int32(), mask=days == MISSING).cast(pa.date32())

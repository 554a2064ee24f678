"""Who is still at risk at each time, within strata: the counting behind survival curves, log-rank tests, Cox models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.influence import Clusters
from counterfoil.errors import UsageError

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RiskSets:
    """Every distinct (stratum, time), in order. A person is at risk at the times of their stratum up to their own."""

    time: FloatArray  # one a risk set
    stratum: IntArray  # one a risk set
    own: IntArray  # person -> the risk set of their own time
    first: IntArray  # risk set -> the first one of its stratum
    after: IntArray  # risk set -> one past the last of its stratum

    def total(self, values: FloatArray) -> FloatArray:
        """Sum of (people, ...) values over those whose own time it is."""
        flat = values.reshape(len(values), -1)
        columns = [np.bincount(self.own, weights=column, minlength=len(self.time)) for column in flat.T]
        total: FloatArray = np.stack(columns, axis=1).astype(np.float64).reshape(len(self.time), *values.shape[1:])
        return total

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Sum of (people, ...) values over those at risk."""
        backwards = np.cumsum(self.total(values)[::-1], axis=0)[::-1]
        padded = np.concatenate([backwards, np.zeros((1, *values.shape[1:]))])
        at_risk: FloatArray = padded[:-1] - padded[self.after]
        return at_risk

    def so_far(self, steps: FloatArray) -> FloatArray:
        """Running sums of (risk sets, ...) steps within each stratum, the set's own step included."""
        running = np.cumsum(steps, axis=0)
        before = np.concatenate([np.zeros((1, *steps.shape[1:])), running])[self.first]
        so_far: FloatArray = running - before
        return so_far


def risk_sets(time: FloatArray, strata: Clusters | None = None) -> RiskSets:
    """Order people's times. Ties share a risk set."""
    if strata is None:
        stratum = np.zeros(len(time), np.int64)
    else:
        stratum = np.unique(strata, return_inverse=True)[1].astype(np.int64)
    times, rank = np.unique(time, return_inverse=True)
    keys, own = np.unique(stratum * len(times) + rank, return_inverse=True)
    of_set = keys // len(times)
    return RiskSets(
        time=times[keys % len(times)],
        stratum=of_set,
        own=own.astype(np.int64),
        first=np.searchsorted(of_set, of_set, side="left").astype(np.int64),
        after=np.searchsorted(of_set, of_set, side="right").astype(np.int64),
    )


def check_event(event: BoolArray, rows: int) -> BoolArray:
    """Whether follow-up ended with the event (1) or was cut off (0), for everyone."""
    flags = np.asarray(event)
    if flags.shape != (rows,):
        raise UsageError("`event` and `time` must have one value for each person.")
    if not np.isin(flags, (0, 1)).all():
        raise UsageError("`event` must be yes or no (or 1 and 0) for everyone.")
    return flags.astype(np.bool_)


def check_time(time: FloatArray) -> None:
    """Times count from the index date; none is negative."""
    if (time < 0).any():
        raise UsageError("`time` holds values under 0; it counts from the index date.")

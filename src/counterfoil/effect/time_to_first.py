"""Time to the first event on a frozen comparison: everyone counts, whether they had the event or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.comparison.methods import Nearest
from counterfoil.comparison.values import BoolArray, Comparison, FloatArray
from counterfoil.effect.cox import Cox, cox
from counterfoil.effect.kaplan_meier import RestrictedMeans, restricted_means
from counterfoil.effect.log_rank import LogRank, log_rank
from counterfoil.errors import UsageError


@dataclass(frozen=True, slots=True)
class TimeToFirst:
    """Difference in restricted mean days free of the event, test of the two curves, hazard ratio as a check."""

    restricted: RestrictedMeans
    log_rank: LogRank
    cox: Cox


def time_to_first(
    days: FloatArray, comparison: Comparison, *, horizon: float, covered: BoolArray | None = None
) -> TimeToFirst:
    """`days` to the first event, NaN for whoever had none by `horizon` (days); later events count as none.

    `covered` says whose follow-up is in the data (everyone, when not given); the others are left out. Errors are
    clustered where people were paired once.
    """
    given = np.asarray(days, np.float64)
    if given.shape != comparison.treated.shape:
        raise UsageError("`days` and the people who were compared must be the same rows; they are not.")
    event = np.nan_to_num(given, nan=np.inf) <= horizon
    time = np.where(event, given, horizon)
    if covered is not None:
        time = np.where(covered, time, np.nan)
    method = comparison.settings.method
    is_paired = len(comparison.pair) > 0 and isinstance(method, Nearest) and not method.replace
    cluster = comparison.pair if is_paired else None
    sides = (time, event, comparison.treated, comparison.weight)
    return TimeToFirst(
        restricted=restricted_means(*sides, horizon=horizon, cluster=cluster),
        log_rank=log_rank(*sides, cluster=cluster),
        cox=cox(*sides, cluster=cluster),
    )

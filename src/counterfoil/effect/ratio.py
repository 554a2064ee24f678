"""The ratio of two mean counts, as it stands: quasi-Poisson with a robust error, beside the difference (METHODS 5)."""

from __future__ import annotations

import math

import numpy as np

from counterfoil.comparison.methods import Nearest
from counterfoil.comparison.values import Comparison, Design, FloatArray
from counterfoil.effect.frequency import adjusted_frequency
from counterfoil.effect.influence import ESTIMATE_RULE, Clusters
from counterfoil.effect.values import Ratio
from counterfoil.errors import Refused


def ratio_of(count: FloatArray, comparison: Comparison, time: FloatArray | None = None) -> Ratio | None:
    """Treated mean over comparison mean with its 95% interval; None where too few people have any.

    With `time`, means are for each unit of it, among those who had some.

    Errors are clustered where people were paired once, else HC3; weights are taken as known.
    """
    method = comparison.settings.method
    is_paired = comparison.settings.design is Design.MATCHED and isinstance(method, Nearest) and not method.replace
    cluster: Clusters | None = comparison.pair if is_paired else None
    if time is not None:
        count = np.where(time > 0, count, np.nan)
    try:
        made = adjusted_frequency(count, comparison.treated, comparison.weight, exposure=time, cluster=cluster)
    except Refused as refused:
        if refused.rule != ESTIMATE_RULE:
            raise
        return None
    found = made.log_ratio
    return Ratio(math.exp(found.estimate), math.exp(found.low), math.exp(found.high), found.p)

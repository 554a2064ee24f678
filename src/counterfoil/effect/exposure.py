"""Events for each unit of time at risk: the ratio of two totals as a mean, so that every test of means can read it.

The ratio R = sum(w y) / sum(w t) is linearised: a person's value is R + (y - R t) / mean(t). Their weighted mean is R,
and their variance that of the ratio (Cochran 1977, Sampling Techniques, 6.4). Somebody with no time at risk counts too.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray


def for_each_unit(value: FloatArray, time: FloatArray, weight: FloatArray, within: BoolArray) -> FloatArray:
    """One value a person, whose weighted mean over those `within` is total value over total time; NaN outside.

    Where nobody was at risk there is no ratio, and every value is NaN.
    """
    used = within & (weight > 0) & ~np.isnan(value) & ~np.isnan(time)
    made = np.full(value.shape, np.nan)
    share = weight[used] / weight[used].sum() if used.any() else weight[used]
    at_risk = float((share * time[used]).sum())
    if at_risk > 0:
        ratio = float((share * value[used]).sum()) / at_risk
        made[used] = ratio + (value[used] - ratio * time[used]) / at_risk
    return made

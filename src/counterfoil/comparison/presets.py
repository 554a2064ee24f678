"""Other programs' conventions as our settings, so that their answers can be had and compared with ours.

They differ in what a caliper is measured in, in who chooses first, in ties and in the scale of the weights. Ties go by
the order of the rows in both programs, so the order of the rows matters here, as it does there.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.methods import Kernel, Nearest, Order, Radius, Ruler, Scale, Ties, Unit
from counterfoil.comparison.values import Comparison, FloatArray


def matchit(
    *,
    ratio: int = 1,
    replace: bool = False,
    caliper: float | None = None,
    order: Order = Order.LARGEST,
    scale: Scale = Scale.PROBABILITY,
) -> Nearest:
    """R's `matchit(method = "nearest", ratio, replace, caliper, m.order)`: no caliper unless one is given; its unit is
    the SD of everyone's score; `scale` is its `link` ("logit" or "linear.logit")."""
    ruler = Ruler(scale=scale, unit=Unit.SD)
    return Nearest(ratio=ratio, replace=replace, caliper=caliper, order=order, ties=Ties.ROWS, ruler=ruler)


def psmatch2_nearest(
    *, neighbours: int = 1, caliper: float | None = None, ties: bool = True, common: bool = True
) -> Nearest:
    """Stata's `psmatch2, neighbor() caliper() ties common logit`: with replacement, on the probability itself."""
    return Nearest(
        ratio=neighbours,
        replace=True,
        caliper=caliper,
        ties=Ties.SHARE if ties else Ties.ROWS,
        ruler=_psmatch2(common=common),
    )


def psmatch2_radius(caliper: float, *, common: bool = True) -> Radius:
    """Stata's `psmatch2, radius caliper() common logit`."""
    return Radius(calipers=(caliper,), ruler=_psmatch2(common=common))


def psmatch2_kernel(bwidth: float = 0.06, *, common: bool = True) -> Kernel:
    """Stata's `psmatch2, kernel bwidth() common logit`: Epanechnikov, its default."""
    return Kernel(bandwidth=bwidth, ruler=_psmatch2(common=common))


def matchit_weights(comparison: Comparison) -> FloatArray:
    """The weights on MatchIt's scale: in each group they add up to the number of its people who are used."""
    weights = comparison.weight.copy()
    for group in (comparison.treated, ~comparison.treated):
        used = np.count_nonzero(weights[group])
        weights[group] *= used / weights[group].sum()
    return weights


def _psmatch2(*, common: bool) -> Ruler:
    return Ruler(scale=Scale.PROBABILITY, unit=Unit.SCORE, common_support=common)

"""Several independent tests of one claim as one, so that many looks are one look.

Each p becomes the size of a standard normal, and their squares add up to a chi-squared with as many degrees of freedom
as there are tests. If every p is uniform, so is the joint one, whichever way the answers lie.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from counterfoil.errors import UsageError


def joint_p(p_values: Sequence[float]) -> float | None:
    """The p of all two-sided tests together; None where there is none. They must be of different people."""
    p = np.asarray(p_values, np.float64)
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise UsageError("A p-value must lie between 0 and 1.")
    if not len(p):
        return None
    return float(stats.chi2.sf(np.sum(stats.norm.isf(p / 2.0) ** 2), len(p)))

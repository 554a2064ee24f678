"""The standard error that Stata's psmatch2 prints for radius and kernel matching: a reference, used by no headline."""

from __future__ import annotations

import math

import numpy as np

from counterfoil.comparison.values import FloatArray


def psmatch2_standard_error(treated: FloatArray, comparison: FloatArray, weight: FloatArray) -> float:
    """In the outcome's unit. `weight` are the shares that comparison people hold, adding up to the treated matched.

    Var(Y | treated) / N1 + Var(Y | comparison people used) x sum of w^2 / N1^2 (Leuven and Sianesi's help file). It
    ignores that the score was estimated, and takes the comparison variance without weights.
    """
    n = treated.size
    used = comparison[weight > 0]
    spread = float((weight * weight).sum()) / n**2
    return math.sqrt(float(np.var(treated, ddof=1)) / n + float(np.var(used, ddof=1)) * spread)

"""Points and tails of the normal and of Student's t, one number at a time.

The functions that scipy's distributions end in, asked directly: a thousand draws of fifty measures ask them often, and
what those check of their arrays first takes thirty times as long.
"""

from __future__ import annotations

import math

from scipy import special


def point_of_t(share: float, df: float) -> float:
    """Below it lies this share. With endless degrees of freedom t is the normal."""
    return normal_point(share) if math.isinf(df) else float(special.stdtrit(df, share))


def beyond_t(value: float, df: float) -> float:
    """The share above a value."""
    return beyond_normal(value) if math.isinf(df) else float(special.stdtr(df, -value))


def normal_point(share: float) -> float:
    """Below it lies this share."""
    return float(special.ndtri(share))


def beyond_normal(value: float) -> float:
    """The share above a value."""
    return float(special.ndtr(-value))

"""The laws of radius matching, checked in every test that matches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from counterfoil.comparison.values import BoolArray, FloatArray

SUM_TOLERANCE = 1e-9  # relative; a weight is a sum of as many shares as there are treated people


def assert_sound_matching(
    treated: BoolArray,
    score: FloatArray,
    weight: FloatArray,
    caliper: float,
    stratum: npt.NDArray[np.int64] | None = None,
) -> None:
    """Whoever has a weight has somebody of the other group in reach, whoever has none has nobody; shares add up.

    `score` and `caliper` are in one unit; people are in reach within `caliper` (ends included) in one stratum.
    """
    strata = np.zeros(len(score), np.int64) if stratum is None else stratum
    others = np.flatnonzero(~treated)
    in_order = others[np.lexsort((score[others], strata[others]))]
    expected = np.zeros(len(score))
    for person in np.flatnonzero(treated):
        same = in_order[strata[in_order] == strata[person]]
        reach = same[np.abs(score[same] - score[person]) <= caliper]
        if len(reach):
            expected[person] = 1.0
            expected[reach] += 1.0 / len(reach)
    assert np.array_equal(weight > 0.0, expected > 0.0)
    assert set(np.unique(weight[treated])) <= {0.0, 1.0}
    np.testing.assert_allclose(weight, expected, rtol=SUM_TOLERANCE)
    np.testing.assert_allclose(weight[~treated].sum(), weight[treated].sum(), rtol=SUM_TOLERANCE)

"""The laws of radius and nearest matching, checked in every test that matches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from counterfoil.comparison import Nearest, Ties
from counterfoil.comparison.values import BoolArray, FloatArray, Pairs

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


def assert_sound_pairs(
    pairs: Pairs,
    treated: BoolArray,
    score: FloatArray,
    stratum: npt.NDArray[np.int64],
    caliper: float,
    method: Nearest,
) -> None:
    """Laws of nearest matching: a treated and a comparison person of one stratum within the caliper, nobody twice in
    one set, nobody in two sets without replacement, at most `ratio` partners unless ties are shared."""
    assert treated[pairs.treated].all()
    assert not treated[pairs.comparison].any()
    assert (stratum[pairs.treated] == stratum[pairs.comparison]).all()
    assert np.array_equal(pairs.distance, np.abs(score[pairs.treated] - score[pairs.comparison]))
    assert (pairs.distance <= caliper).all()
    together = set(zip(pairs.treated.tolist(), pairs.comparison.tolist(), strict=True))
    assert len(together) == len(pairs.treated)
    if not method.replace:
        assert len(np.unique(pairs.comparison)) == len(pairs.comparison)
    _, partners = np.unique(pairs.treated, return_counts=True)
    if method.ties is not Ties.SHARE:
        assert partners.max(initial=0) <= method.ratio
    np.testing.assert_allclose(pairs.share, 1.0 / np.repeat(partners, partners))
    assert pairs.rank.tolist() == [rank for count in partners.tolist() for rank in range(1, count + 1)]

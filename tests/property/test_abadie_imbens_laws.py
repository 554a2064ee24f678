"""Laws of the errors of matching with replacement."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.abadie_imbens import abadie_imbens, variance_among_alike
from counterfoil.effect.values import ErrorKind
from counterfoil.errors import Refused, UsageError

IntArray = npt.NDArray[np.int64]
SEEDS = st.integers(0, 10_000)


def _draw(seed: int, n: int = 200) -> tuple[FloatArray, BoolArray, FloatArray]:
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(size=n), 2)  # ties
    treated = rng.random(n) < 0.25
    treated[:2], treated[-20:] = True, False
    return score + rng.normal(size=n), treated, score


def _nearest(treated: BoolArray, score: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Everyone's nearest, all ties sharing."""
    one, other, share = [], [], []
    pool = np.flatnonzero(~treated)
    for person in np.flatnonzero(treated):
        distance = np.abs(score[pool] - score[person])
        for partner in pool[distance == distance.min()]:
            one.append(person)
            other.append(partner)
            share.append(1.0 / np.count_nonzero(distance == distance.min()))
    return np.array(one), np.array(other), np.array(share)


@given(SEEDS, st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_people_alike_are_the_nearest_and_their_ties(seed: int, neighbours: int) -> None:
    values, _, score = _draw(seed, n=40)
    found = variance_among_alike(values, score, neighbours=neighbours, tie=1e-12)
    for person in range(40):
        distance = np.abs(score - score[person])
        others = np.sort(np.delete(distance, person))
        alike = distance <= others[neighbours - 1] + 1e-6
        assert found[person] == pytest.approx(values[alike].var(ddof=1), rel=1e-9, abs=1e-12)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_each_partner_once_is_the_paired_difference(seed: int) -> None:
    """Nobody shared: K equals K', so only the differences' own variance is left."""
    values, treated, score = _draw(seed)
    one = np.flatnonzero(treated)
    other = np.flatnonzero(~treated)[: len(one)]
    found = abadie_imbens(values, treated, score, one, other, np.ones(len(one)))
    differences = values[one] - values[other]
    assert found.estimate == pytest.approx(differences.mean(), rel=1e-12)
    assert found.error == pytest.approx(differences.std() / np.sqrt(len(one)), rel=1e-12)
    assert found.kind is ErrorKind.ABADIE_IMBENS


@given(SEEDS, st.floats(0.01, 100.0))
@settings(max_examples=15, deadline=None)
def test_unit_and_order_change_nothing(seed: int, unit: float) -> None:
    values, treated, score = _draw(seed)
    moved = np.random.default_rng(seed + 1).permutation(len(values))
    first = abadie_imbens(values, treated, score, *_nearest(treated, score))
    again = abadie_imbens(
        unit * values[moved] + 3.0, treated[moved], score[moved], *_nearest(treated[moved], score[moved])
    )
    assert [again.estimate / unit, again.error / unit] == pytest.approx(
        [first.estimate, first.error], rel=1e-7, abs=1e-9
    )


def test_a_partner_who_stands_for_many_widens_the_interval() -> None:
    values, treated, score = _draw(1)
    one = np.flatnonzero(treated)
    own = np.flatnonzero(~treated)[: len(one)]
    few = np.resize(own[:3], len(one))
    shares = np.ones(len(one))
    assert (
        abadie_imbens(values, treated, score, one, few, shares).error
        > abadie_imbens(values, treated, score, one, own, shares).error
    )


def test_a_model_takes_out_what_partners_differ_in() -> None:
    rng = np.random.default_rng(3)
    treated, x = np.arange(600) < 100, rng.normal(size=600)
    values = 2.0 * x + rng.normal(size=600) * 0.1
    one, other = np.flatnonzero(treated), np.flatnonzero(~treated)[:100]
    plain = abadie_imbens(values, treated, x, one, other, np.ones(100))
    corrected = abadie_imbens(values, treated, x, one, other, np.ones(100), predicted=2.0 * x)
    assert corrected.low < 0.0 < corrected.high
    assert corrected.error < plain.error / 5.0


def test_unmeasured_people_leave_and_the_other_partners_carry_their_share() -> None:
    values, treated, score = _draw(4)
    one, other, share = _nearest(treated, score)
    other_two = np.flatnonzero(~treated)[:2]
    one, other, share = np.append(one, [0, 0]), np.append(other, other_two), np.append(share, [1.0, 1.0])
    values[other_two[0]] = np.nan
    found = abadie_imbens(values, treated, score, one, other, share)
    kept = other != other_two[0]
    assert found == abadie_imbens(values, treated, score, one[kept], other[kept], share[kept])


def test_what_are_no_pairs_is_refused() -> None:
    values, treated, score = _draw(4)
    one, other, share = _nearest(treated, score)
    with pytest.raises(UsageError, match="of a treated person and a comparison person, in that order"):
        abadie_imbens(values, treated, score, other, one, share)
    with pytest.raises(UsageError, match="Shares must be finite and above 0"):
        abadie_imbens(values, treated, score, one, other, 0.0 * share)
    with pytest.raises(UsageError, match="Each pair needs"):
        abadie_imbens(values, treated, score, one, other, share[:-1])
    with pytest.raises(Refused, match="Too few people"):
        abadie_imbens(values, treated, score, one[:0], other[:0], share[:0])
    with pytest.raises(Refused, match="Too few comparison people"):
        variance_among_alike(values[:4], score[:4], neighbours=4, tie=0.0)

"""Holm's correction and the gates of sub-analyses; the witness is statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from counterfoil.effect.sub_analyses import holm, sub_analyses
from counterfoil.errors import UsageError
from lib.results import rate_effect

P_VALUES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


@pytest.mark.parametrize("how_many", [1, 2, 5, 12])
def test_holm_is_that_of_statsmodels(how_many: int) -> None:
    p_values = np.round(np.random.default_rng(how_many).random(how_many) ** 3, 2)  # ties among them
    assert holm(p_values.tolist()) == pytest.approx(list(multipletests(p_values, method="holm")[1]), abs=1e-15)


@given(P_VALUES)
@settings(deadline=None)
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    found, given_p = np.array(holm(p_values)), np.array(p_values)
    assert (found >= given_p - 1e-15).all()
    assert found.min() == pytest.approx(min(1.0, len(p_values) * given_p.min()))
    assert (np.diff(found[np.argsort(given_p, kind="stable")]) >= 0.0).all()


def test_holm_by_hand() -> None:
    """0.01 x 4, 0.02 x 3, 0.03 x 2 = 0.06, then 0.04 x 1 raised to what stands before it."""
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))
    assert holm([]) == ()
    with pytest.raises(UsageError, match="between 0 and 1"):
        holm([0.5, np.nan])


def test_small_and_unbalanced_sub_analyses_are_told_and_not_counted() -> None:
    effects = {
        "women": rate_effect((8, 29), (300, 1000)),
        "men": rate_effect((60, 300), (300, 1000)),
        "young": rate_effect((30, 100), (300, 1000)),
        "old": rate_effect((20, 100), (300, 1000)),
    }
    found = {s.name: s for s in sub_analyses(effects, balanced={"young": False})}
    assert list(found) == list(effects)
    assert found["women"].why_not == "Fewer than 30 people in one of its groups."
    assert found["young"].why_not == "Its groups could not be made alike."
    assert found["women"].effect is None
    compatible = [effects[name].compatible for name in ("men", "old")]
    expected = holm([c.p for c in compatible if c is not None])
    assert (found["men"].p_holm, found["old"].p_holm) == expected
    assert found["men"].significant
    assert found["young"].p_holm is None
    assert not found["young"].significant


def test_an_outcome_that_nobody_has_is_no_sub_analysis() -> None:
    (only,) = sub_analyses({"all": rate_effect((0, 100), (0, 1000))})
    assert only.why_not == "Its outcomes do not vary, so there is nothing to test."

"""Laws of wrong links: false ones dilute by their share, missed ones bias only when they go with the outcome."""

from __future__ import annotations

import numpy as np
import pytest

from counterfoil.effect.link_errors import LinkErrors, Shifted, simulate


def _simulated(errors: LinkErrors) -> Shifted:
    return simulate(0.30, 0.40, errors, people=1000, repeats=2000, rng=np.random.default_rng(7))


@pytest.mark.parametrize("false", [0.0, 0.005, 0.01, 0.02, 0.05, 0.3])
def test_false_links_dilute_by_their_share(false: float) -> None:
    found = _simulated(LinkErrors(false=false))
    assert found.true == pytest.approx(-10.0)
    assert found.mean == pytest.approx(-10.0 * (1.0 - false), abs=4.0 * found.error)
    assert found.error < 0.06  # two binomial variances of 1,000: 2.12 points / sqrt(2000)


@pytest.mark.parametrize("missed", [0.05, 0.10, 0.20])
def test_links_missed_whatever_the_outcome_do_not_bias(missed: float) -> None:
    found = _simulated(LinkErrors(missed_with=missed, missed_without=missed))
    assert found.mean == pytest.approx(-10.0, abs=4.0 * found.error)


def test_links_missed_by_outcome_bias() -> None:
    # of 30 with the outcome 20% are missed, 24 left; of 70 without 10%, 63 left: 24/87 instead of 30/100
    found = _simulated(LinkErrors(missed_with=0.2, missed_without=0.1))
    assert found.mean == pytest.approx(100.0 * (24.0 / 87.0 - 0.40), abs=4.0 * found.error)
    assert found.mean < -11.0

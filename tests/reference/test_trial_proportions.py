"""The Rossi trial: 48 of 216 with aid were arrested within 52 weeks, 66 of 216 without (Rossi, Berk and Lenihan 1980).

Expected values: R 4.2, prop.test(c(48, 66), c(216, 216), correct = FALSE), and by hand to the digits printed:
rates 22.2% and 30.6%, difference -8.3 points (-16.6 to -0.1), p 0.049.
"""

from __future__ import annotations

import pytest

from counterfoil.effect.proportions import proportions_estimate
from counterfoil.effect.values import Group


def _group(events: int, n: int) -> Group:
    rate = events / n
    return Group(n=n, ess=float(n), value=rate, variance=rate * (1 - rate), events=events)


def test_the_rossi_trial_as_prop_test_gives_it() -> None:
    found = proportions_estimate(_group(48, 216), _group(66, 216))
    assert found is not None
    assert (round(found.difference, 1), round(found.low, 1), round(found.high, 1)) == (-8.3, -16.6, -0.1)
    assert round(found.p, 3) == 0.049


@pytest.mark.parametrize(("one", "two"), [((0, 0), (3, 9)), ((0, 50), (0, 60)), ((50, 50), (60, 60))])
def test_no_interval_where_there_is_nothing_to_compare(one: tuple[int, int], two: tuple[int, int]) -> None:
    treated = Group(n=0, ess=0.0, value=0.0, variance=0.0, events=0) if one[1] == 0 else _group(*one)
    assert proportions_estimate(treated, _group(*two)) is None

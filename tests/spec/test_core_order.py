"""The order of comparisons: the cheapest is found by trying all orders on a sample; the witness is the sum itself."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from counterfoil.linkage.core.order import cheapest

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def cost_of(order: tuple[int, ...], lost: Floats, spare: Floats, costs: Floats) -> float:
    """Pair by pair: a comparison is paid for when it is not known and the pair is still in the running."""
    total = 0.0
    for pair, left in zip(lost, spare, strict=True):
        for c in order:
            if left < 0:
                break
            if not np.isnan(pair[c]):
                total += costs[c]
                left -= pair[c]
    return total


@pytest.mark.parametrize("seed", range(5))
def test_no_order_costs_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lost = rng.exponential([1.0, 3.0, 6.0, 0.5], (60, 4))
    lost[rng.random(lost.shape) < 0.2] = np.nan
    spare, costs = rng.uniform(-2.0, 9.0, 60), np.array([1.0, 2.0, 3.0, 1.0])
    found = tuple(cheapest(lost, spare, costs).tolist())
    assert sorted(found) == [0, 1, 2, 3]
    least = min(cost_of(order, lost, spare, costs) for order in permutations(range(4)))
    assert cost_of(found, lost, spare, costs) == pytest.approx(least)


def test_what_rules_all_out_comes_first() -> None:
    lost = np.array([[0.1, 9.0, 0.1]] * 10)
    assert cheapest(lost, np.full(10, 5.0), np.ones(3))[0] == 1

"""Probabilities of an entry's candidates, and draws from them; expected values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from counterfoil.cohort.link_draws import draw_links, unlike
from counterfoil.linkage.posterior import posterior


def test_candidates_rule_each_other_out() -> None:
    # one candidate at 3 bits: 8 to 1; two at 1 bit: 2, 2 and nobody 1; one at 0 and one at -1: 1, 1/2 and nobody 1
    found = posterior(np.array([0, 1, 1, 2, 2]), np.array([3.0, 1.0, 1.0, 0.0, -1.0]))
    assert found == pytest.approx([8 / 9, 2 / 5, 2 / 5, 2 / 5, 1 / 5])


def test_weights_of_any_size_give_probabilities() -> None:
    found = posterior(np.array([0, 0, 1]), np.array([5000.0, 5000.0, -5000.0]))
    assert found == pytest.approx([0.5, 0.5, 0.0])


def test_shares_over_many_draws_are_the_probabilities() -> None:
    entry, person = np.array([0, 0, 1]), np.array([10, 11, 12])
    taken = draw_links(entry, person, np.array([0.5, 0.3, 0.9]), seed=1, draws=20_000)
    assert taken.mean(axis=0) == pytest.approx([0.5, 0.3, 0.9], abs=4 * 0.5 / 20_000**0.5)
    assert not (taken[:, 0] & taken[:, 1]).any()  # an entry is one person
    assert (~taken[:, :2].any(axis=1)).mean() == pytest.approx(0.2, abs=0.012)


def test_a_person_counts_once_by_the_first_entry() -> None:
    taken = draw_links(np.array([0, 1]), np.array([7, 7]), np.array([0.5, 1.0]), seed=1, draws=400)
    assert (taken.sum(axis=1) == 1).all()
    assert taken[:, 0].mean() == pytest.approx(0.5, abs=0.1)


def test_certain_links_make_every_draw_the_headline() -> None:
    taken = draw_links(np.array([0, 1]), np.array([1, 2]), np.ones(2), seed=4)
    assert taken.shape == (20, 2)
    assert unlike(taken, np.array([True, True])).size == 0
    assert unlike(taken, np.array([True, False])).size == 20


def test_draws_are_those_of_the_seed() -> None:
    given = (np.array([0, 1]), np.array([1, 2]), np.array([0.5, 0.5]))
    assert (draw_links(*given, seed=2) == draw_links(*given, seed=2)).all()
    assert (draw_links(*given, seed=2) != draw_links(*given, seed=3)).any()

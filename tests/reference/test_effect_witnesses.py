"""Every estimator against the program that is its witness (R, Stata); the groups and tolerances are in `lib`."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.effect_witnesses import WITNESSES, largest


@pytest.mark.parametrize("name", WITNESSES)
def test_figures_are_those_of_the_witness(shared: Path, name: str) -> None:
    witness = WITNESSES[name]
    figures = witness.make(shared)
    assert figures
    worst = max(figures, key=lambda figure: figure.difference)
    assert largest(figures) <= witness.tolerance, worst

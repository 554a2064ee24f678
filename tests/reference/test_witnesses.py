"""Every figure against its witness (R, Stata, published); groups and tolerances are in `lib.witness_registry`."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.effect_witnesses import largest
from lib.witness_registry import AWAITED, NO_FIGURE, PARTS, UNUSED, WITNESSES


@pytest.mark.parametrize("name", WITNESSES)
def test_figures_are_those_of_the_witness(shared: Path, name: str) -> None:
    witness = WITNESSES[name]
    figures = witness.make(shared)
    assert figures
    worst = max(figures, key=lambda figure: figure.difference)
    assert largest(figures) <= witness.tolerance, worst


def test_no_two_witnesses_share_a_name() -> None:
    assert sum(map(len, PARTS.values())) == len(WITNESSES)


def test_every_oracle_has_a_witness(shared: Path) -> None:
    """A file that no entry reads is a figure that nobody checks."""
    root = shared / "oracles"
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    read = {file for witness in WITNESSES.values() for file in witness.files}
    assert read <= there
    excused = {file for file in there if file.startswith(tuple(NO_FIGURE))} | set(AWAITED) | UNUSED
    assert there - read - excused == set()
    assert not read & set(AWAITED), "an awaited oracle is read: take it out of AWAITED"

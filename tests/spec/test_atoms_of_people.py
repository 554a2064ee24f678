"""From people to atoms, and a publication made of them (DISCLOSURE R13, R17)."""

from __future__ import annotations

import numpy as np
import pytest

from counterfoil.disclosure.intruder import Exact, Piece, Publication, find_attacks
from counterfoil.disclosure.intruder.people import find_atoms
from counterfoil.errors import Fault

EVERYONE = np.array([True] * 12 + [False] * 3)
MEN = np.array([True] * 11 + [False, True, False, False])
REOFFENDED = np.array([1] * 5 + [0] * 7 + [1, 1, 1])


def test_r13_atoms_are_people_of_the_same_populations() -> None:
    populations, truth = find_atoms({"everyone": EVERYONE, "men": MEN}, {"reoffended": REOFFENDED})
    both = set(populations["everyone"]) & set(populations["men"])
    (one,) = both
    assert truth[one, ""] == 11
    assert truth[one, "reoffended"] == 5
    assert sum(truth[atom, ""] for atom in populations["men"]) == 12
    assert len({atom for atoms in populations.values() for atom in atoms}) == 3  # two people are in neither


def test_r13_the_order_of_people_makes_no_difference() -> None:
    order = np.random.default_rng(1).permutation(len(MEN))
    members = {"everyone": EVERYONE, "men": MEN}
    shuffled = {name: values[order] for name, values in members.items()}
    assert find_atoms(shuffled, {"r": REOFFENDED[order]}) == find_atoms(members, {"r": REOFFENDED})


def test_r17_the_woman_who_is_left_is_found() -> None:
    populations, truth = find_atoms({"everyone": EVERYONE, "men": EVERYONE & MEN}, {})
    said = (Exact("everyone", (Piece("everyone"),), 12), Exact("men", (Piece("men"),), 11))
    found = find_attacks([Publication("report", populations, said)], truth)
    assert [one.target for one in found] == ["people in everyone but not men"]


def test_r13_populations_of_different_people_are_refused() -> None:
    with pytest.raises(Fault):
        find_atoms({"everyone": EVERYONE, "men": MEN[:5]}, {})

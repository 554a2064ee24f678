"""From people to atoms: those who belong to exactly the same populations (GLOSSARY: atom)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from counterfoil.disclosure.intruder.statements import PEOPLE, Truth
from counterfoil.errors import Fault

BoolArray = npt.NDArray[np.bool_]


def find_atoms(
    members: Mapping[str, BoolArray], outcomes: Mapping[str, npt.ArrayLike]
) -> tuple[dict[str, tuple[str, ...]], Truth]:
    """Populations as atoms, and the true counts. `members`, `outcomes`: one value for each person, in one order.

    An outcome is 0 or 1 for a count of people, or a number of events. Atoms are numbered by who belongs to them, so
    the order of the people makes no difference. People in no population are left out.
    """
    names = sorted(members)
    if not names or len({len(one) for one in members.values()}) > 1:
        raise Fault("Populations must be given for the same people, one value for each.")
    stacked = np.column_stack([members[name] for name in names]).astype(np.int8)
    inside = stacked.any(axis=1)
    patterns, place = np.unique(stacked[inside], axis=0, return_inverse=True)
    place = place.ravel()
    atoms = [f"atom {number:05d}" for number in range(len(patterns))]
    counts = {(atom, PEOPLE): int(n) for atom, n in zip(atoms, np.bincount(place, minlength=len(atoms)), strict=True)}
    for outcome, values in outcomes.items():
        whole = np.asarray(values, np.int64)[inside]
        sums = np.bincount(place, weights=whole, minlength=len(atoms))
        counts |= {(atom, outcome): int(n) for atom, n in zip(atoms, np.rint(sums), strict=True)}
    populations = {
        name: tuple(atom for atom, has in zip(atoms, patterns[:, column], strict=True) if has)
        for column, name in enumerate(names)
    }
    return {name: populations[name] for name in members}, Truth(counts)

"""Which earlier publications can matter to a new one: those that share people with it, or with one that does.

What does not hang together with the new one, by an atom or by a weighted rate, bounds none of its counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.disclosure.intruder.statements import Difference, Publication, Weighted

Held = set[tuple[str, str]]  # what a publication hangs on: an atom, or a weighted rate, by name


def find_sharing(new: Publication, earlier: Sequence[Publication]) -> tuple[Publication, ...]:
    """Those of `earlier` that must be audited with `new`, in their order. All must have atoms of the same people."""
    reached = _held(new)
    left = {place: _held(one) for place, one in enumerate(earlier)}
    while joining := [place for place, held in left.items() if held & reached]:
        for place in joining:
            reached |= left.pop(place)
    return tuple(one for place, one in enumerate(earlier) if place not in left)


def _held(publication: Publication) -> Held:
    atoms = {("atom", atom) for members in publication.populations.values() for atom in members}
    rates = {("rate", one.name) for one in publication.statements if isinstance(one, Weighted)}
    return atoms | rates | {("rate", one.against) for one in publication.statements if isinstance(one, Difference)}

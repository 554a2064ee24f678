"""One publication, asked about many targets: what does not hang on the target is made once, and no question twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from counterfoil.disclosure.intruder.parts import Parts
from counterfoil.disclosure.intruder.side_by_side import side_by_side
from counterfoil.disclosure.intruder.solver import Held, Worlds, held_at
from counterfoil.disclosure.intruder.statements import Publication, Truth, Unknown
from counterfoil.disclosure.intruder.system import Ints, Spread, System, build, named_in, true_world

_Key = tuple[tuple[tuple[Unknown, int], ...], int]  # a sum and its sign


@dataclass(frozen=True, slots=True)
class _Ready:
    system: System
    real: Ints
    parts: Parts


class Questions:
    """What a reader of a publication can know of one sum after another. `cap`: as `find_cap` gives it."""

    def __init__(self, publication: Publication, truth: Truth, cap: int) -> None:
        self.publication, self.truth, self.cap = publication, truth, cap
        self._named = named_in(publication)
        self._ready: dict[frozenset[Unknown], _Ready] = {}
        self._held: dict[_Key, Held] = {}
        self._lock = Lock()

    def system(self, of: Mapping[Unknown, int]) -> System:
        """Everything that the publication says, with the unknowns of this sum."""
        return self._made(of).system

    def worlds(self, of: Mapping[Unknown, int]) -> Worlds:
        """The true one."""
        made = self._made(of)
        return Worlds(made.system, made.real, made.parts)

    def held(self, of: Mapping[Unknown, int], sign: int) -> Held:
        """How far up the sum can go (sign 1), or down (-1), in fractions of people, and what holds it there."""
        key = (tuple(sorted(of.items())), sign)
        if key not in self._held:
            system = self.system(of)
            self._held[key] = held_at(system, sign * system.vector(of))
        return self._held[key]

    def ask_ahead(self, sums: Iterable[Mapping[Unknown, int]], sign: int) -> None:
        """Ask what `held` will be asked, several at once."""
        list(side_by_side(lambda of: self.held(of, sign), list(sums)))

    def _made(self, of: Mapping[Unknown, int]) -> _Ready:
        """Sums of which the statements speak already need no system of their own."""
        more = frozenset(of.keys() - self._named)
        with self._lock:
            if more not in self._ready:
                system = build(self.publication, [dict.fromkeys(more, 1)], cap=self.cap)
                real = true_world(system, self.truth, Spread(self.publication))
                self._ready[more] = _Ready(system, real, Parts(system))
            return self._ready[more]

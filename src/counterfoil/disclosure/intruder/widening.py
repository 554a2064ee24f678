"""Worlds that prove many targets at once, before any target is asked about by itself.

In turns: people are placed so that many atoms hold as many as their targets need; then, for those people, the outcomes
are set so that as many targets as possible are far from where they were. Which come first is drawn with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import sparse

from counterfoil.disclosure.intruder.filling import Floats, Goals, Mask
from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.parts import Parts
from counterfoil.disclosure.intruder.side_by_side import AT_ONCE, side_by_side
from counterfoil.disclosure.intruder.solver import Worlds
from counterfoil.disclosure.intruder.statements import PEOPLE, Unknown
from counterfoil.disclosure.intruder.system import NO_BOUND, Ints, System
from counterfoil.disclosure.intruder.targets import Target
from counterfoil.disclosure.settings import DisclosureSettings

SEED = 13
PATIENCE = 3  # placings of people in a row, for one group of targets, that proved nothing
FIRST = 9.0  # how much more the first goal can weigh than the last
SEVERAL = 8  # groups that people are placed for, once placing them for all at once has proved nothing
FEW = 2  # people of an atom that cannot hold what a target needs
WORTH_TWO = 16  # groups with something open: fewer are not worked on in halves
STAY = 0.05  # weight of a person who stays: far from the truth, less is left for outcomes to vary


@dataclass(slots=True)
class _Open:
    """What each target is in the worlds so far, and which are not yet proved."""

    sums: sparse.csr_array  # targets by unknowns
    group: Ints  # of each target: those of one group are about the same atoms
    people: sparse.csr_array  # groups by unknowns: the people of those atoms
    small: Mask
    low: Ints
    high: Ints
    settings: DisclosureSettings

    @property
    def wanted(self) -> Ints:
        """How large each must be in some world."""
        found: Ints = np.maximum(self.low + self.settings.min_width, self.settings.threshold * self.small)
        return found

    @property
    def left(self) -> Mask:
        """Not proved safe yet."""
        found: Mask = self.high < self.wanted
        return found

    def halves(self, turn: int) -> list[tuple[int, _Open]]:
        """Each a half of the groups of which something is open, drawn by `turn`; each goes its own way from here."""
        draw = np.random.default_rng((SEED, turn))
        groups = draw.permutation(np.unique(self.group[self.left]))
        parts = np.array_split(groups, AT_ONCE if len(groups) >= WORTH_TWO else 1)
        return [
            (n, replace(self, low=self.low.copy(), high=np.where(np.isin(self.group, part), self.high, NO_BOUND)))
            for n, part in enumerate(parts)
        ]

    def see(self, world: Ints) -> int:
        """Take a world into account: how many targets it proved."""
        before = int(self.left.sum())
        values = self.sums @ world
        self.low, self.high = np.minimum(self.low, values), np.maximum(self.high, values)
        return before - int(self.left.sum())


def widen(targets: Sequence[Target], worlds: Worlds, settings: DisclosureSettings, limits: Limits) -> None:
    """Add worlds until new ones prove nothing more. `worlds` holds the truth, first.

    Two halves of what is open are worked on beside each other, each from what was seen before both: which worlds are
    found does not hang on which of them is quicker.
    """
    state = _start(targets, worlds, settings)
    most, idle, turn = len(targets), 0, 0  # `most`: groups at once
    while state.left.any() and idle < PATIENCE and limits.left() > 0.0:
        prove = partial(_prove, worlds=worlds, most=most if turn else 0, turn=turn, limits=limits)
        found = [world for each in side_by_side(prove, state.halves(turn)) for world in each]
        proved = sum(state.see(world) for world in found if worlds.add(world))
        turn += 1
        if proved:
            idle = 0
        else:
            idle, most = (idle + 1, 1) if most == 1 else (0, min(SEVERAL, most // 2))


def _prove(half: tuple[int, _Open], worlds: Worlds, most: int, turn: int, limits: Limits) -> list[Ints]:
    """Worlds with people placed for `most` groups of targets; with 0, where they truly are."""
    number, state = half
    draw = np.random.default_rng((SEED, turn, number))
    real = worlds.found[0]
    world = _place(state, worlds.parts, real, draw, limits, most) if most else real
    return [] if world is None else list(_settle(world, state, worlds.parts, draw, limits))


def _start(targets: Sequence[Target], worlds: Worlds, settings: DisclosureSettings) -> _Open:
    sums = _rows(worlds.system, [target.of for target in targets])
    values = sums @ np.array(worlds.found).T
    groups: dict[tuple[str, ...], int] = {}
    about = [groups.setdefault(tuple(sorted({atom for atom, _ in t.of})), len(groups)) for t in targets]
    return _Open(
        sums=sums,
        group=np.array(about, np.int64),
        people=_rows(worlds.system, [{(atom, PEOPLE): 1 for atom in atoms} for atoms in groups]),
        small=np.array([target.small for target in targets], np.bool_),
        low=values.min(axis=1, initial=np.iinfo(np.int64).max),
        high=values.max(axis=1, initial=np.iinfo(np.int64).min),
        settings=settings,
    )


def _rows(system: System, sums: Sequence[Mapping[Unknown, int]]) -> sparse.csr_array:
    entries = [(i, system.place[u], n) for i, of in enumerate(sums) for u, n in of.items() if u in system.place]
    where = np.array(entries, np.int64).reshape(-1, 3)
    shape = (len(sums), len(system.unknowns))
    return sparse.csr_array((where[:, 2], (where[:, 0], where[:, 1])), shape=shape)


def _settle(world: Ints, state: _Open, parts: Parts, draw: np.random.Generator, limits: Limits) -> Iterator[Ints]:
    """For people as in `world`, outcomes of every kind, as long as they prove something."""
    free, settled = parts.block >= 0, False
    while state.left.any():
        goals = _within_reach(world, state, parts, draw)
        if settled:  # outcomes of which nothing is wanted, and those of atoms of few people, stay as they are
            free = np.isin(parts.block, parts.block[(abs(goals.sums).sum(axis=0) > 0) & (parts.block >= 0)])
            free &= parts.crowded(world, FEW)
        found = parts.settle(world, free, goals, limits)
        if found is None or not state.see(found):
            return
        yield found
        world, settled = found, True


def _within_reach(world: Ints, state: _Open, parts: Parts, draw: np.random.Generator) -> Goals:
    """Targets about outcomes that these people leave room for."""
    least, most = parts.room(world)
    reach = state.sums.maximum(0) @ most + state.sums.minimum(0) @ least
    about = (abs(state.sums) @ (parts.block >= 0)) > 0
    return _goals(state.sums, state.wanted, state.left & about & (reach >= state.wanted), draw)


def _place(state: _Open, parts: Parts, real: Ints, draw: np.random.Generator, limits: Limits, most: int) -> Ints | None:
    """The true people, moved so that `most` atoms, or sets of them, of which targets are open hold what these need."""
    wanted = np.zeros(state.people.shape[0], np.int64)
    np.maximum.at(wanted, state.group[state.left], state.wanted[state.left])
    first = draw.permutation(np.flatnonzero(wanted))[:most]
    goals = _goals(state.people[first], wanted[first], np.ones(len(first), np.bool_), draw)
    stay = np.flatnonzero((parts.block < 0) & (real > 0))
    eye = sparse.csr_array(sparse.eye_array(len(real), dtype=np.int64, format="csr")[stay])
    return parts.place_people(real, goals.and_also(Goals(eye, real[stay], np.full(len(stay), STAY))), limits)


def _goals(sums: sparse.csr_array, wanted: Ints, chosen: Mask, draw: np.random.Generator) -> Goals:
    weights: Floats = 1.0 + FIRST * draw.random(len(wanted))
    return Goals(sums, wanted, weights).of(chosen)

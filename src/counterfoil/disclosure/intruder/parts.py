"""A system in parts: once the people are fixed, outcomes that no statement joins have no more to do with each other.

So a question about one outcome is asked of the people and that outcome alone (a relaxation: what it rules out is ruled
out), and the world that answers it is completed, outcome by outcome, for the rest. Nothing here is trusted: a world
counts only when `System.agrees` has checked all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from counterfoil.disclosure.intruder.filling import (
    WHOLE,
    Effort,
    Floats,
    Goals,
    Mask,
    Rest,
    ask,
    ask_fractions,
    bounded,
    no_goals,
    open_ends,
)
from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.side_by_side import side_by_side
from counterfoil.disclosure.intruder.statements import PEOPLE
from counterfoil.disclosure.intruder.system import CHOSEN, Ints, System

Batch = tuple[Ints, Goals]  # blocks, and what is wanted of them
AT_LEAST = 600  # unknowns of a question: fewer are asked about sooner together


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the unknowns, and the rows that speak of no others."""

    columns: Ints  # their places in the whole
    system: System


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some of the rows, and their ends."""

    matrix: sparse.csr_array
    low: Ints
    high: Ints
    mixed: Mask

    def broken_by(self, world: Ints) -> Mask:
        sums = self.matrix @ world
        found: Mask = (sums < self.low) | (sums > self.high)
        return found


@dataclass(slots=True)
class Parts:
    """How a system falls apart once the people are fixed. `block`: of each unknown, -1 for the people's own."""

    system: System
    block: Ints = field(init=False)
    atom: Ints = field(init=False)  # of each unknown
    outcome: Ints = field(init=False)  # of each unknown
    _people: Ints = field(init=False)  # of each atom, the place of its people; -1 where they are not spoken of
    row_block: Ints = field(init=False)  # of each row, -1 where it speaks of people alone
    mixed: Mask = field(init=False)  # statements about people and an outcome at once
    _known: dict[tuple[int, ...], Part] = field(default_factory=dict)
    _rows_known: dict[tuple[int, ...], _Rows] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the blocks."""
        numbers: dict[str, int] = {}
        self.atom = np.array([numbers.setdefault(atom, len(numbers)) for atom, _ in self.system.unknowns], np.int64)
        kind: dict[str, int] = {}
        self.outcome = np.array([kind.setdefault(what, len(kind)) for _, what in self.system.unknowns], np.int64)
        there = np.array([what == PEOPLE for _, what in self.system.unknowns], np.bool_)
        self._people = np.full(len(numbers), -1, np.int64)
        self._people[self.atom[there]] = np.flatnonzero(there)
        kinds = np.array([0 if what == PEOPLE else 1 if what == CHOSEN else 2 for _, what in self.system.unknowns])
        matrix = abs(self.system.matrix).sign()
        apart = matrix[:, np.flatnonzero(kinds)]
        _, found = connected_components(apart.T @ apart, directed=False)
        self.block = np.full(len(kinds), -1, np.int64)
        self.block[kinds > 0] = found
        outcomes = set(self.block[kinds == 2].tolist())  # a block of choices alone is about the people
        self.block[[one not in outcomes for one in self.block.tolist()]] = -1
        entries = matrix.tocoo()
        self.row_block = np.full(matrix.shape[0], -1, np.int64)
        np.maximum.at(self.row_block, entries.row, self.block[entries.col])
        with_people = np.zeros(matrix.shape[0], np.bool_)
        with_people[entries.row[self.block[entries.col] < 0]] = True
        said = np.array([bool(label) for label in self.system.labels], np.bool_)
        self.mixed = said & with_people & (self.row_block >= 0)

    def about(self, objective: Ints) -> Part:
        """The part that a question is about: the people, what sizes are stated through, and its own outcomes."""
        inside = {*self.block[objective != 0].tolist(), *self.row_block[self.mixed].tolist()} - {-1}
        key = tuple(sorted(inside))
        if key not in self._known:
            self._known[key] = self._part(np.isin(self.block, (-1, *key)), np.isin(self.row_block, (-1, *key)))
        return self._known[key]

    def whole(self) -> Part:
        """All of it."""
        return Part(np.arange(len(self.system.unknowns)), self.system)

    def _part(self, columns: Mask, rows: Mask) -> Part:
        whole = self.system
        places, kept = np.flatnonzero(columns), np.flatnonzero(rows)
        unknowns = tuple(whole.unknowns[i] for i in places)
        if len(places) == len(whole.unknowns) and len(kept) == len(whole.labels):
            return self.whole()
        system = System(
            unknowns=unknowns,
            place={unknown: i for i, unknown in enumerate(unknowns)},
            matrix=sparse.csr_array(whole.matrix[kept][:, places]),
            low=whole.low[kept],
            high=whole.high[kept],
            labels=tuple(whole.labels[i] for i in kept),
            cap=whole.cap,
        )
        return Part(places, system)

    def complete(self, part: Part, world: Ints, start: Ints, limits: Limits) -> Ints | None:
        """A world of the whole that is `world` in this part. What else there is stays as in `start`, if it can."""
        found = start.copy()
        found[part.columns] = world
        if self.system.agrees(found):
            return found
        outside = np.ones(len(found), np.bool_)
        outside[part.columns] = False
        return self.settle(found, outside, no_goals(len(self.system.unknowns)), limits)

    def reach(self, part: Part, objective: Ints, wanted: int, start: Ints, limits: Limits) -> Ints | None:
        """A world of the whole in which a sum is as large as is wanted: the first that is found."""
        goals = Goals(sparse.csr_array(objective[None, part.columns]), np.array([wanted]), np.ones(1))
        inside = Parts(part.system)
        every = np.ones(len(part.columns), np.bool_)
        nothing = np.zeros(len(part.columns), np.int64)
        rest = inside._rest(nothing, every, inside._rows(np.ones(len(part.system.labels), np.bool_)))
        found = ask(rest, goals, nothing, limits, whole=True, effort=Effort(limits.nodes, 0.0))
        return None if found is None else self.complete(part, found, start, limits)

    def settle(self, world: Ints, free: Mask, goals: Goals, limits: Limits) -> Ints | None:
        """The outcomes that are free, for fixed people, so that what is wanted is large. Checked exactly.

        Outcomes that nothing joins are set side by side; one that cannot be set anew stays, if it can.
        """
        found = world.copy()
        apart = [(blocks, goals.of(about)) for blocks, about in self._apart(free, goals)]
        for one in side_by_side(lambda each: self._settle(world, free, *each, limits), apart):
            if one is None:
                return None
            found = np.where(one == world, found, one)
        return found if self.system.agrees(found) else None

    def _apart(self, free: Mask, goals: Goals) -> Iterator[tuple[Ints, Mask]]:
        """Free blocks in batches that no goal joins, each with which goals are about it."""
        columns = np.flatnonzero(free)
        blocks, place = np.unique(self.block[columns], return_inverse=True)
        if not len(blocks):
            return
        entries = np.ones(len(columns), np.int64), (columns, place)
        about = abs(goals.sums) @ sparse.csr_array(entries, shape=(len(free), len(blocks)))
        _, group = connected_components(about.T @ about, directed=False)
        sizes = np.bincount(group[place])
        batch = ((np.cumsum(sizes) - sizes) // AT_LEAST)[group]
        for number in np.unique(batch):
            inside = batch == number
            yield blocks[inside], (about @ inside) > 0

    def _settle(self, world: Ints, free: Mask, blocks: Ints, goals: Goals, limits: Limits) -> Ints | None:
        """Some blocks that goals join, most often one."""
        rows = self._rows_of(blocks)
        fits = not rows.broken_by(world).any()
        if fits and not len(goals.wanted):
            return world
        inside = free & np.isin(self.block, blocks)
        exact = ask_fractions(self._rest(world, inside, rows), goals, world, limits, whole=False)
        found = None if exact is None else self._made_whole(exact, inside, blocks, goals, limits)
        return world if found is None and fits else found

    def _made_whole(self, exact: Floats, inside: Mask, blocks: Ints, goals: Goals, limits: Limits) -> Ints | None:
        found: Ints = np.rint(exact).astype(np.int64)
        for block in blocks[[self._rows_of(blocks[[i]]).broken_by(found).any() for i in range(len(blocks))]]:
            own = inside & (self.block == block)
            mended = self._mend(exact, found, own, block, goals.of((abs(goals.sums) @ own) > 0), limits)
            if mended is None:
                return None
            found = mended
        return found

    def _mend(self, exact: Floats, world: Ints, inside: Mask, block: int, goals: Goals, limits: Limits) -> Ints | None:
        """A block that came out in fractions: what is whole stays, and the atoms that are not are set anew; where no
        whole world is so near, the outcomes that are not, in every atom; and where none is so either, all of it."""
        rows = self._rows_of(np.array([block]))
        split = inside & (abs(exact - world) > WHOLE)
        for loose in (np.isin(self.atom, self.atom[split]), np.isin(self.outcome, self.outcome[split]), inside):
            found = ask(self._rest(world, inside & loose, rows), goals, world, limits, whole=True)
            if found is not None and not rows.broken_by(found).any():
                return found
        return None

    def crowded(self, world: Ints, few: int) -> Mask:
        """Unknowns of atoms that hold more than a few people, or nobody says how many."""
        people = np.where(self._people < 0, few + 1, world[self._people])
        found: Mask = (people > few)[self.atom]
        return found

    def room(self, world: Ints) -> tuple[Floats, Floats]:
        """For these people, the least and the most that each unknown can be by itself."""
        free = self.block >= 0
        rest = self._rest(world, free, self._rows(self.row_block >= 0))
        least, most = world.astype(np.float64), world.astype(np.float64)
        least[free], most[free] = rest.least, rest.most
        return least, most

    def place_people(self, world: Ints, goals: Goals, limits: Limits) -> Ints | None:
        """Other people in the atoms, so that what is wanted is large. Sizes that rates speak of stay as they are."""
        free = self.block < 0
        rows = (self.row_block < 0) | self.mixed
        rest = self._rest(np.where(free, world, 0), free, self._rows(rows), keep=world)
        return ask(rest, goals, world, limits, whole=True)

    def _rows(self, chosen: Mask) -> _Rows:
        kept = np.flatnonzero(chosen)
        whole = self.system
        return _Rows(sparse.csr_array(whole.matrix[kept]), whole.low[kept], whole.high[kept], self.mixed[kept])

    def _rows_of(self, blocks: Ints) -> _Rows:
        """The rows of some blocks, made once."""
        key = tuple(blocks.tolist())
        if key not in self._rows_known:
            self._rows_known[key] = self._rows(np.isin(self.row_block, blocks))
        return self._rows_known[key]

    def _rest(self, world: Ints, free: Mask, rows: _Rows, *, keep: Ints | None = None) -> Rest:
        """`keep`: mixed rows keep the sum of free unknowns that they have in this world."""
        columns = np.flatnonzero(free)
        inner = sparse.csr_array(rows.matrix[:, columns])
        fixed = rows.matrix @ np.where(free, 0, world)
        low, high = (open_ends(ends, fixed) for ends in (rows.low, rows.high))
        if keep is not None:
            sums = (inner @ keep[columns]).astype(np.float64)
            low, high = (np.where(rows.mixed, sums, ends) for ends in (low, high))
        return bounded(columns, inner, low, high, float(self.system.cap))

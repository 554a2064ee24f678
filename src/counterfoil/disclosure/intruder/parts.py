"""A system in parts: once the people are fixed, outcomes that no statement joins have no more to do with each other.

So a question about one outcome is asked of the people and that outcome alone (a relaxation: what it rules out is ruled
out), and the world that answers it is completed, outcome by outcome, for the rest. Nothing here is trusted: a world
counts only when `System.agrees` has checked all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse.csgraph import connected_components

from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.statements import PEOPLE
from counterfoil.disclosure.intruder.system import CHOSEN, NO_BOUND, Ints, System

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look: how many nodes of a search, and how far from the best (a share) may be enough."""

    nodes: int
    gap: float


WHOLE = 1e-6  # how near to a whole number is one
QUICK = Effort(100, 0.2)  # one world of many: where it is not found, others are


@dataclass(frozen=True, slots=True)
class Goals:
    """Sums that should be large: `wanted` of each is enough, and `weights` say which first."""

    sums: sparse.csr_array  # goals by unknowns
    wanted: Ints
    weights: Floats

    def of(self, chosen: Mask) -> Goals:
        """Some of them."""
        return Goals(self.sums[np.flatnonzero(chosen)], self.wanted[chosen], self.weights[chosen])

    def and_also(self, more: Goals) -> Goals:
        """These and others."""
        return Goals(
            sparse.csr_array(sparse.vstack([self.sums, more.sums])),
            np.concatenate([self.wanted, more.wanted]),
            np.concatenate([self.weights, more.weights]),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the unknowns, and the rows that speak of no others."""

    columns: Ints  # their places in the whole
    system: System


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left to find when the other unknowns are fixed. Rows of one unknown have become bounds."""

    columns: Ints
    matrix: sparse.csr_array
    low: Floats
    high: Floats
    least: Floats
    most: Floats


@dataclass(slots=True)
class Parts:
    """How a system falls apart once the people are fixed. `block`: of each unknown, -1 for the people's own."""

    system: System
    block: Ints = field(init=False)
    atom: Ints = field(init=False)  # of each unknown
    _people: Ints = field(init=False)  # of each atom, the place of its people; -1 where they are not spoken of
    row_block: Ints = field(init=False)  # of each row, -1 where it speaks of people alone
    mixed: Mask = field(init=False)  # statements about people and an outcome at once
    _known: dict[tuple[int, ...], Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the blocks."""
        numbers: dict[str, int] = {}
        self.atom = np.array([numbers.setdefault(atom, len(numbers)) for atom, _ in self.system.unknowns], np.int64)
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
        return self.settle(found, outside, _no_goals(self.system), limits)

    def reach(self, part: Part, objective: Ints, wanted: int, start: Ints, limits: Limits) -> Ints | None:
        """A world of the whole in which a sum is as large as is wanted: the first that is found."""
        goals = Goals(sparse.csr_array(objective[None, part.columns]), np.array([wanted]), np.ones(1))
        inside = Parts(part.system)
        every = np.ones(len(part.columns), np.bool_)
        nothing = np.zeros(len(part.columns), np.int64)
        rest = inside._rest(nothing, every, np.ones(len(part.system.labels), np.bool_))
        found = _asked(rest, goals, nothing, limits, whole=True, effort=Effort(limits.nodes, 0.0))
        return None if found is None else self.complete(part, found, start, limits)

    def settle(self, world: Ints, free: Mask, goals: Goals, limits: Limits) -> Ints | None:
        """The outcomes that are free, for fixed people, so that what is wanted is large. Checked exactly."""
        exact = _fractions(self._rest(world, free, self.row_block >= 0), goals, world, limits, whole=False)
        if exact is None:
            return None
        found: Ints = np.rint(exact).astype(np.int64)
        for block in sorted(self._broken_blocks(found)):
            inside = free & (self.block == block)
            mended = self._mend(exact, found, inside, block, goals.of((abs(goals.sums) @ inside) > 0), limits)
            if mended is None:
                return None
            found = mended
        return found if self.system.agrees(found) else None

    def _mend(self, exact: Floats, world: Ints, inside: Mask, block: int, goals: Goals, limits: Limits) -> Ints | None:
        """A block that came out in fractions: atoms that are whole stay, and the others are set anew. Where no whole
        world is so near, all of the block is."""
        rows = self.row_block == block
        loose = np.isin(self.atom, self.atom[inside & (abs(exact - world) > WHOLE)])
        found = _asked(self._rest(world, inside & loose, rows), goals, world, limits, whole=True)
        if found is not None and block not in self._broken_blocks(found):
            return found
        return _asked(self._rest(world, inside, rows), goals, world, limits, whole=True)

    def crowded(self, world: Ints, few: int) -> Mask:
        """Unknowns of atoms that hold more than a few people, or nobody says how many."""
        people = np.where(self._people < 0, few + 1, world[self._people])
        found: Mask = (people > few)[self.atom]
        return found

    def room(self, world: Ints) -> tuple[Floats, Floats]:
        """For these people, the least and the most that each unknown can be by itself."""
        free = self.block >= 0
        rest = self._rest(world, free, self.row_block >= 0)
        least, most = world.astype(np.float64), world.astype(np.float64)
        least[free], most[free] = rest.least, rest.most
        return least, most

    def place_people(self, world: Ints, goals: Goals, limits: Limits) -> Ints | None:
        """Other people in the atoms, so that what is wanted is large. Sizes that rates speak of stay as they are."""
        free = self.block < 0
        rows = (self.row_block < 0) | self.mixed
        rest = self._rest(np.where(free, world, 0), free, rows, keep=world)
        return _asked(rest, goals, world, limits, whole=True)

    def _broken_blocks(self, world: Ints) -> set[int]:
        sums = self.system.matrix @ world
        broken = (sums < self.system.low) | (sums > self.system.high)
        return set(self.row_block[broken].tolist()) - {-1}

    def _rest(self, world: Ints, free: Mask, rows: Mask, *, keep: Ints | None = None) -> _Rest:
        """`keep`: mixed rows keep the sum of free unknowns that they have in this world."""
        columns, kept = np.flatnonzero(free), np.flatnonzero(rows)
        matrix = sparse.csr_array(self.system.matrix[kept])
        inner = sparse.csr_array(matrix[:, columns])
        fixed = matrix @ np.where(free, 0, world)
        low, high = (_open(ends[kept], fixed) for ends in (self.system.low, self.system.high))
        if keep is not None:
            sums = (inner @ keep[columns]).astype(np.float64)
            low, high = (np.where(self.mixed[kept], sums, ends) for ends in (low, high))
        return _bounded(columns, inner, low, high, float(self.system.cap))


def _open(ends: Ints, fixed: Ints) -> Floats:
    found = (ends - fixed).astype(np.float64)  # NO_BOUND is so far out that this cannot overflow
    found[ends >= NO_BOUND], found[ends <= -NO_BOUND] = np.inf, -np.inf
    return found


def _bounded(columns: Ints, matrix: sparse.csr_array, low: Floats, high: Floats, cap: float) -> _Rest:
    """Rows with one unknown as bounds of it; rows with none are left out (whoever asks checks the answer)."""
    least, most = np.zeros(len(columns)), np.full(len(columns), cap)
    entries = np.diff(matrix.indptr)
    single = np.flatnonzero(entries == 1)
    places, times = matrix.indices[matrix.indptr[single]], matrix.data[matrix.indptr[single]].astype(np.float64)
    ends = np.sort(np.column_stack([low[single] / times, high[single] / times]), axis=1)
    np.maximum.at(least, places, np.ceil(ends[:, 0] - 1e-9))
    np.minimum.at(most, places, np.floor(ends[:, 1] + 1e-9))
    several = np.flatnonzero(entries > 1)
    return _Rest(columns, sparse.csr_array(matrix[several]), low[several], high[several], least, most)


def _no_goals(system: System) -> Goals:
    return Goals(sparse.csr_array((0, len(system.unknowns)), dtype=np.int64), np.zeros(0, np.int64), np.zeros(0))


def _asked(
    rest: _Rest, goals: Goals, world: Ints, limits: Limits, *, whole: bool, effort: Effort = QUICK
) -> Ints | None:
    """`world` with what is left filled in, rounded and not yet checked."""
    found = _fractions(rest, goals, world, limits, whole=whole, effort=effort)
    return None if found is None else np.rint(found).astype(np.int64)


def _fractions(
    rest: _Rest, goals: Goals, world: Ints, limits: Limits, *, whole: bool, effort: Effort = QUICK
) -> Floats | None:
    """The same before it is rounded."""
    if limits.left() <= 0.0 or np.any(rest.least > rest.most):
        return None
    filled = world.astype(np.float64)
    if not len(rest.columns):
        return filled
    found = _solve(rest, goals, world, limits, whole=whole, effort=effort)
    if found.x is None:
        return None
    filled[rest.columns] = found.x[: len(rest.columns)]
    return filled


def _solve(rest: _Rest, goals: Goals, world: Ints, limits: Limits, *, whole: bool, effort: Effort) -> OptimizeResult:
    unknowns, wanted = len(rest.columns), len(goals.wanted)
    inner = sparse.csr_array(goals.sums[:, rest.columns]).astype(np.float64)
    outside = world.copy()
    outside[rest.columns] = 0
    reached = (goals.sums @ outside).astype(np.float64)  # by what is fixed
    return milp(
        np.concatenate([np.zeros(unknowns), -goals.weights]),
        integrality=np.concatenate([np.full(unknowns, int(whole)), np.zeros(wanted)]),
        bounds=Bounds(
            np.concatenate([rest.least, np.full(wanted, -np.inf)]), np.concatenate([rest.most, goals.wanted])
        ),
        constraints=list(_constraints(rest, inner, reached)),
        options={
            "node_limit": min(effort.nodes, limits.nodes),
            "time_limit": limits.left(),
            "mip_rel_gap": effort.gap,
        },
    )


def _constraints(rest: _Rest, inner: sparse.csr_array, reached: Floats) -> Iterator[LinearConstraint]:
    wanted = len(reached)
    if len(rest.low):
        none = sparse.csr_array((len(rest.low), wanted))
        yield LinearConstraint(sparse.hstack([rest.matrix.astype(np.float64), none]).tocsr(), rest.low, rest.high)
    if wanted:  # what counts towards a goal is no more than its sum is
        yield LinearConstraint(sparse.hstack([-inner, sparse.eye_array(wanted)]).tocsr(), -np.inf, reached)

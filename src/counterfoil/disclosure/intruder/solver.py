"""HiGHS, through scipy: how far a sum of unknowns can go. What a solver says is a bound or a proposal, never a proof.

A bound is used only to refuse. A pass needs worlds, and each world that the solver proposes is rounded to whole numbers
and checked exactly against every statement (`System.agrees`). So a solver's tolerance cannot let anything out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.parts import Part, Parts
from counterfoil.disclosure.intruder.system import NO_BOUND, Ints, System
from counterfoil.errors import Fault

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-5  # of a bound that is a whole number; HiGHS works to 1e-7
OPTIMAL, LIMIT, INFEASIBLE = 0, 1, 2  # scipy's statuses


class Answer(Enum):
    """How a question to the solver ended."""

    FOUND = "found"
    ENOUGH = "enough"  # as much as was asked for; there may be more
    IMPOSSIBLE = "impossible"  # no world agrees with the statements
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Reached:
    """The largest that a sum can be. `bound`: no world has more. `world`: one that agrees, where one was found."""

    answer: Answer
    bound: int | None = None
    world: Ints | None = None


@dataclass(slots=True)
class Worlds:
    """Worlds that agree with everything published, each checked exactly. Each one saves questions."""

    system: System
    real: InitVar[Ints]  # the truth, which is the first
    apart: InitVar[Parts | None] = None  # the system in parts, where that was done before
    found: list[Ints] = field(default_factory=list)
    stacked: Ints | None = None  # of those found, until there is another
    parts: Parts = field(init=False)

    def __post_init__(self, real: Ints, apart: Parts | None) -> None:
        """Take the system apart."""
        self.parts = Parts(self.system) if apart is None else apart
        if not self.add(real):
            raise Fault("What is published does not agree with its own true counts. Audit it to see where.")

    def add(self, world: Ints) -> bool:
        """Keep a world, if it agrees."""
        if not self.system.agrees(world):
            return False
        self.found.append(world)
        self.stacked = None
        return True

    def span(self, objective: Ints) -> tuple[int, int]:
        """The smallest and the largest that a sum is in the worlds so far."""
        if self.stacked is None:
            self.stacked = np.array(self.found)
        values = self.stacked[:, objective != 0] @ objective[objective != 0]
        return int(values.min()), int(values.max())

    def with_most(self, objective: Ints, bound: int | None) -> Ints | None:
        """A world in which a sum is as large as `bound` says that it can be."""
        return next((world for world in reversed(self.found) if int(objective @ world) == bound), None)


def relax(worlds: Worlds, objective: Ints, limits: Limits) -> Reached:
    """How large a sum of fractions of people can be, in the part that it is about: no less than of whole ones."""
    return _in_part(worlds, worlds.parts.about(objective), objective, limits, whole=False)


def largest(worlds: Worlds, objective: Ints, relaxed: Reached, limits: Limits, *, enough: int | None = None) -> Reached:
    """The largest that a sum of whole people can be. `enough`: any world with as much will do.

    Asked of the part that the sum is about, and of the whole where the world of that part has no place in it.
    """
    if relaxed.answer is not Answer.FOUND or relaxed.world is not None:
        return relaxed
    part = worlds.parts.about(objective)
    if enough is not None and (relaxed.bound or 0) >= enough:
        world = worlds.parts.reach(part, objective, enough, worlds.found[0], limits)
        if world is not None and worlds.add(world) and int(objective @ world) >= enough:
            return Reached(Answer.ENOUGH, relaxed.bound, world)
    exact = _in_part(worlds, part, objective, limits, whole=True)
    if part.system is not worlds.system and exact.answer is Answer.FOUND and exact.world is None:
        exact = _in_part(worlds, worlds.parts.whole(), objective, limits, whole=True)
    if exact.answer is Answer.IMPOSSIBLE or exact.world is not None:
        return exact
    return Reached(Answer.TIMED_OUT, relaxed.bound)


def _in_part(worlds: Worlds, part: Part, objective: Ints, limits: Limits, *, whole: bool) -> Reached:
    """The largest in a part. With a world only where that world, completed, agrees with everything and has as much."""
    found = solve(part.system, objective[part.columns], limits, whole=whole)
    if found.answer is not Answer.FOUND:
        return Reached(found.answer, found.bound)
    if found.world is not None and worlds.span(objective)[1] != found.bound and part.system.agrees(found.world):
        world = worlds.parts.complete(part, found.world, worlds.found[0], limits)
        if world is not None:
            worlds.add(world)
    return Reached(Answer.FOUND, found.bound, worlds.with_most(objective, found.bound))


def solve(system: System, objective: Ints, limits: Limits, *, whole: bool, gap: float = 0.0) -> Reached:
    """One question to HiGHS. `whole`: whether people are whole. `gap`: how far from the largest it may stop, 0 to 1.

    Of whole people it is asked twice, with and without what it simplifies first: now and then that leaves the largest
    out (case 984 of the brute force: -3 where -1 is reached). The weaker of the two bounds counts.
    """
    first = _solve(system, objective, limits, whole=whole, gap=gap, presolve=True)
    if not whole or first.answer is Answer.TIMED_OUT:
        return first
    again = _solve(system, objective, limits, whole=whole, gap=gap, presolve=False)
    return again if again.answer is Answer.FOUND and _is_weaker(again, first) else first


def _is_weaker(one: Reached, other: Reached) -> bool:
    return other.bound is None or (one.bound is not None and one.bound > other.bound)


def _solve(system: System, objective: Ints, limits: Limits, *, whole: bool, gap: float, presolve: bool) -> Reached:
    if limits.left() <= 0.0:  # HiGHS would answer what is easy all the same
        return Reached(Answer.TIMED_OUT)
    found = milp(
        -objective.astype(np.float64),
        integrality=np.full(len(objective), int(whole)),
        bounds=Bounds(0, system.cap),
        constraints=_constraint(system) if system.labels else (),
        options={"node_limit": limits.nodes, "time_limit": limits.left(), "mip_rel_gap": gap, "presolve": presolve},
    )
    if found.status == INFEASIBLE:
        return Reached(Answer.IMPOSSIBLE)
    world = None if found.x is None else np.rint(found.x).astype(np.int64)
    if found.status != OPTIMAL or found.x is None:
        return Reached(Answer.TIMED_OUT, None, world)
    return Reached(Answer.FOUND, math.floor(-found.fun + TOLERANCE), world)


def _constraint(system: System) -> LinearConstraint:
    return LinearConstraint(system.matrix.astype(np.float64), *_ends(system))


def _ends(system: System) -> tuple[Floats, Floats]:
    low = np.where(system.low <= -NO_BOUND, -np.inf, system.low.astype(np.float64))
    high = np.where(system.high >= NO_BOUND, np.inf, system.high.astype(np.float64))
    return low, high


@dataclass(frozen=True, slots=True)
class Held:
    """The largest that a sum of fractions of people can be (None: not found), and the statements that hold it there.

    `by`: label and multiplier, which is how much the statement holds it down; once for each row of a statement.
    """

    bound: int | None
    by: tuple[tuple[str, float], ...] = ()


def held_at(system: System, objective: Ints) -> Held:
    """The relaxed question, with its multipliers."""
    low, high = _ends(system)
    matrix = system.matrix.astype(np.float64)
    equal = low == high
    over, under = (np.isfinite(high) & ~equal), (np.isfinite(low) & ~equal)
    rows = [np.flatnonzero(over), np.flatnonzero(under)]
    found = linprog(
        -objective.astype(np.float64),
        A_ub=sparse.vstack([matrix[rows[0]], -matrix[rows[1]]]).tocsr(),
        b_ub=np.concatenate([high[rows[0]], -low[rows[1]]]),
        A_eq=matrix[np.flatnonzero(equal)],
        b_eq=low[equal],
        bounds=(0, system.cap),
        method="highs",
    )
    if found.status != OPTIMAL:  # pragma: no cover - only where HiGHS fails: the truth is always a solution
        return Held(None)
    equals = _pairs(system, np.flatnonzero(equal), -found.eqlin.marginals)
    others = _pairs(system, np.concatenate(rows), -found.ineqlin.marginals)
    return Held(math.floor(-found.fun + TOLERANCE), (*equals, *others))


def _pairs(system: System, rows: Ints, multipliers: Floats) -> Iterator[tuple[str, float]]:
    for row, multiplier in zip(rows, multipliers, strict=True):
        if abs(multiplier) > TOLERANCE:
            yield system.labels[int(row)], float(multiplier)

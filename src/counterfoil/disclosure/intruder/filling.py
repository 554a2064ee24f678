"""What is left to find when some unknowns are fixed: how HiGHS is asked for whole numbers, or fractions, of it.

What it answers is a proposal. Whoever asks rounds it and checks it against the statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.system import NO_BOUND, Ints

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
class Rest:
    """What is left to find when the other unknowns are fixed. Rows of one unknown have become bounds."""

    columns: Ints
    matrix: sparse.csr_array
    low: Floats
    high: Floats
    least: Floats
    most: Floats


def open_ends(ends: Ints, fixed: Ints) -> Floats:
    """Ends of rows, less what is fixed in them; infinite where there is none."""
    found = (ends - fixed).astype(np.float64)  # NO_BOUND is so far out that this cannot overflow
    found[ends >= NO_BOUND], found[ends <= -NO_BOUND] = np.inf, -np.inf
    return found


def bounded(columns: Ints, matrix: sparse.csr_array, low: Floats, high: Floats, cap: float) -> Rest:
    """Rows with one unknown as bounds of it; rows with none are left out (whoever asks checks the answer)."""
    least, most = np.zeros(len(columns)), np.full(len(columns), cap)
    entries = np.diff(matrix.indptr)
    single = np.flatnonzero(entries == 1)
    places, times = matrix.indices[matrix.indptr[single]], matrix.data[matrix.indptr[single]].astype(np.float64)
    ends = np.sort(np.column_stack([low[single] / times, high[single] / times]), axis=1)
    np.maximum.at(least, places, np.ceil(ends[:, 0] - 1e-9))
    np.minimum.at(most, places, np.floor(ends[:, 1] + 1e-9))
    several = np.flatnonzero(entries > 1)
    return Rest(columns, sparse.csr_array(matrix[several]), low[several], high[several], least, most)


def no_goals(unknowns: int) -> Goals:
    """Nothing is wanted."""
    return Goals(sparse.csr_array((0, unknowns), dtype=np.int64), np.zeros(0, np.int64), np.zeros(0))


def ask(rest: Rest, goals: Goals, world: Ints, limits: Limits, *, whole: bool, effort: Effort = QUICK) -> Ints | None:
    """`world` with what is left filled in, rounded and not yet checked."""
    found = ask_fractions(rest, goals, world, limits, whole=whole, effort=effort)
    return None if found is None else np.rint(found).astype(np.int64)


def ask_fractions(
    rest: Rest, goals: Goals, world: Ints, limits: Limits, *, whole: bool, effort: Effort = QUICK
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


def _solve(rest: Rest, goals: Goals, world: Ints, limits: Limits, *, whole: bool, effort: Effort) -> OptimizeResult:
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


def _constraints(rest: Rest, inner: sparse.csr_array, reached: Floats) -> Iterator[LinearConstraint]:
    wanted = len(reached)
    if len(rest.low):
        none = sparse.csr_array((len(rest.low), wanted))
        yield LinearConstraint(sparse.hstack([rest.matrix.astype(np.float64), none]).tocsr(), rest.low, rest.high)
    if wanted:  # what counts towards a goal is no more than its sum is
        yield LinearConstraint(sparse.hstack([-inner, sparse.eye_array(wanted)]).tocsr(), -np.inf, reached)

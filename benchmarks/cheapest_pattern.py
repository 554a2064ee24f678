"""The cheapest safe pattern of a small table, found another way: one exact program, with nothing of the product in it.

R14 of the product learns which sets of statements pin a target down and hides the cheapest choice that takes one of
each. Here hiding and the worlds that prove it safe are decided at once (after Fischetti and Salazar, Management Science
47(7), 2001): for every target, two tables that agree with all that is shown must lie `WIDE` apart, one with `LEAST` or
more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST = 10  # T: smaller counts are hidden
WIDE = 10  # W: how wide what can be known of one must be
FEW = 10  # D: two populations that differ by fewer are targets
# How far a count of another table may lie from the true one. In a table of two dimensions every change is a sum of
# cycles of plus and minus one, and a target need move by under LEAST + WIDE, so that more room changes nothing.
ROOM = 2 * (LEAST + WIDE)


@dataclass(frozen=True, slots=True)
class Places:
    """Every number of a table with its totals. `cells`: which cells each is the sum of, places by cells."""

    names: tuple[tuple[int, int], ...]  # row, column; -1 is the total
    cells: Ints
    values: Ints

    @classmethod
    def of(cls, counts: Ints) -> Places:
        """Cells row by row, then totals of rows, of columns, and of all."""
        rows, columns = counts.shape
        names = [(i, j) for i in range(rows) for j in range(columns)]
        names += [(i, -1) for i in range(rows)] + [(-1, j) for j in range(columns)] + [(-1, -1)]
        cells = np.array(
            [
                [row in (-1, i) and column in (-1, j) for i in range(rows) for j in range(columns)]
                for row, column in names
            ]
        ).astype(np.int64)
        return cls(tuple(names), cells, cells @ counts.ravel())

    def lines(self) -> Iterator[Ints]:
        """Numbers that stand in one line and have a printed total."""
        for axis in (0, 1):
            for at in sorted({name[axis] for name in self.names}):
                line = [k for k, name in enumerate(self.names) if name[axis] == at and name[1 - axis] >= 0]
                yield np.array(line, np.int64)


@dataclass(frozen=True, slots=True)
class Cheapest:
    """`hidden`: what must be hidden by itself and with it; None where nothing is safe. `proved`: nothing is cheaper."""

    hidden: frozenset[tuple[int, int]] | None
    cost: int  # people in what is hidden to protect others
    proved: bool


def draw_table(seed: int) -> Ints:
    """Three or four rows and columns of a gamma law; drawn again while a line has fewer than two cells with people."""
    draw = np.random.default_rng(seed)
    while True:
        shape = tuple(draw.integers(3, 5, 2))
        counts = draw.poisson(draw.gamma(1.2, 25.0, shape))
        if min((counts > 0).sum(axis=0).min(), (counts > 0).sum(axis=1).min()) >= 2:
            return np.asarray(counts, np.int64)


def find_cheapest(
    counts: Ints, *, pattern: Collection[tuple[int, int]] | None = None, seconds: float = 60.0
) -> Cheapest:
    """The cheapest safe choice; or with a `pattern`, whether that one is safe (`hidden` is None where it is not)."""
    places = Places.of(counts)
    small = (places.values > 0) & (places.values < LEAST)
    least = small.astype(np.float64)
    most = (places.values > 0).astype(np.float64)
    if pattern is not None:
        least = most = np.array([name in pattern for name in places.names], np.float64)
    if np.any(small & (most < 1)):
        return Cheapest(None, 0, proved=True)
    found = _solve(places, _targets(places), least, most, seconds)
    if found.x is None:
        return Cheapest(None, 0, proved=found.status == 2)
    taken = found.x[: len(places.names)] > 0.5
    hidden = frozenset(name for name, out in zip(places.names, taken, strict=True) if out)
    return Cheapest(hidden, int(places.values[taken & ~small].sum()), proved=found.status == 0)


def _targets(places: Places) -> Ints:
    """Sums of cells that hold few people: numbers, and what of one number is not in another. Each once."""
    found = {}
    for one in places.cells:
        for other in [np.zeros_like(one), *places.cells]:
            inside = one * (1 - other)
            both = int((one * other).sum())
            people = int(inside @ places.values[: len(one)])
            if 0 < people < max(LEAST, FEW) and (both or not other.any()):
                found[tuple(inside.tolist())] = inside
    return np.array(list(found.values()), np.int64).reshape(-1, places.cells.shape[1])


def _solve(places: Places, targets: Ints, least: Floats, most: Floats, seconds: float) -> OptimizeResult:
    """Unknowns: what is hidden (0 or 1), then for each target a table where it is small and one where it is large."""
    shown, cells = places.cells.shape
    tables = 2 * len(targets)
    truth = places.values[:cells]
    hides = sparse.vstack([ROOM * sparse.eye_array(shown)] * tables) if tables else sparse.csr_array((0, shown))
    sums = sparse.block_diag([places.cells] * tables) if tables else sparse.csr_array((0, 0))
    value = np.tile(places.values, tables)
    rules = [
        LinearConstraint(sparse.hstack([hides, sums]).tocsr(), value, np.inf),  # no less than is shown
        LinearConstraint(sparse.hstack([-hides, sums]).tocsr(), -np.inf, value),  # and no more
    ] * bool(tables)
    width = shown + tables * cells
    for number, target in enumerate(targets):
        row = np.zeros((2, width))
        low, high = (shown + (2 * number + side) * cells for side in (0, 1))
        row[:, high : high + cells] = target
        row[1, low : low + cells] = -target
        rules.append(LinearConstraint(row, [LEAST, WIDE], np.inf))
    for line in places.lines():  # R15: hidden numbers of a line with a small one hold enough people, in two or more
        if np.any((places.values[line] > 0) & (places.values[line] < LEAST)):
            row = np.zeros((2, width))
            row[0, line], row[1, line] = places.values[line], places.values[line] > 0
            rules.append(LinearConstraint(row, [LEAST, 2], np.inf))
    cost = np.concatenate([places.values * (least < 1), np.zeros(width - shown)])
    room = np.tile(truth + ROOM, tables)
    return milp(
        cost,
        integrality=np.ones(width),
        bounds=Bounds(np.concatenate([least, np.zeros(len(room))]), np.concatenate([most, room])),
        constraints=rules,
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )

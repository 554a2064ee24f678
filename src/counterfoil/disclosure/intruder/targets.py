"""What an intruder could be after: hidden cells, their sums, what is printed itself, and differences of populations.

A target is any of these whose true value is under T, zeros among them. Where two populations differ by fewer than D
people, everything counted over both is a target, whatever its value (R17).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from counterfoil.disclosure.intruder.statements import (
    PEOPLE,
    Counts,
    Exact,
    Publication,
    Share,
    Truth,
    Unknown,
    Withheld,
    pieces_of,
)
from counterfoil.disclosure.intruder.system import Coefficients, Spread, value_of
from counterfoil.disclosure.settings import DisclosureSettings

Ints = npt.NDArray[np.int64]
WITHOUT = "without "  # a count of people who do not have an outcome, as against those who do


@dataclass(frozen=True, slots=True)
class Target:
    """A sum of unknowns. `small`: its true value is under T. `label` says it in words; inside the lab only."""

    label: str
    of: Mapping[Unknown, int]
    small: bool


@dataclass(frozen=True, slots=True)
class _Grid:
    """Populations by atoms, where one outcome is spoken of. `counts`: of each atom."""

    names: tuple[str, ...]
    atoms: tuple[str, ...]
    member: npt.NDArray[np.bool_]
    counts: Ints
    people: Ints
    outcome: str
    without: bool


def find_targets(publication: Publication, truth: Truth, settings: DisclosureSettings) -> tuple[Target, ...]:
    """All of them, each sum once, in the order of the publication: hidden cells, sums of them, then differences."""
    found: dict[tuple[tuple[Unknown, int], ...], Target] = {}
    spread = Spread(publication)
    zeros = _open_zeros(publication, spread)
    for target in _every(publication, truth, spread, settings):
        of = spread.told(target.of)
        key = tuple(sorted(of.items()))
        if key and not zeros.issuperset(of) and key not in found:
            found[key] = replace(target, of=of)
    return tuple(found.values())


def _open_zeros(publication: Publication, spread: Spread) -> frozenset[Unknown]:
    """Cells of people that say 0 openly. R4 decides whether they may; what may be read is no secret."""
    cells = [spread.of(one.of) for one in publication.statements if isinstance(one, Exact) and one.value == 0]
    return frozenset(unknown for cell in cells if len(cell) == 1 for unknown in cell if unknown[1] == PEOPLE)


def _every(publication: Publication, truth: Truth, spread: Spread, settings: DisclosureSettings) -> Iterator[Target]:
    yield from _hidden(publication, truth, spread, settings)
    yield from _printed(publication, truth, spread, settings)
    for grid in _grids(publication, truth):
        yield from _differences(grid, settings)
        yield from _atoms(grid, settings)


def _hidden(publication: Publication, truth: Truth, spread: Spread, settings: DisclosureSettings) -> Iterator[Target]:
    cells = {one.label: spread.of(one.of) for one in publication.statements if isinstance(one, Withheld)}
    vague = {one.label for one in publication.statements if isinstance(one, Withheld) and one.vague}
    for label, of in cells.items():
        small = value_of(of, truth) < settings.threshold
        if small or label in vague:
            yield Target(label, of, small)
    for line in publication.lines:
        of = _sum([cells[label] for label in line.of if label in cells])
        if value_of(of, truth) < settings.threshold:
            yield Target(f"the hidden cells of {line.label} together", of, small=True)


def _sum(parts: Sequence[Coefficients]) -> Coefficients:
    found: Coefficients = {}
    for part in parts:
        for unknown, times in part.items():
            found[unknown] = found.get(unknown, 0) + times
    return found


def _printed(publication: Publication, truth: Truth, spread: Spread, settings: DisclosureSettings) -> Iterator[Target]:
    """What is printed itself, and for a rate the others too: R2, R3 and R6 are cases of R13."""
    once = {one.name for one in publication.outcomes if one.counts is Counts.ONCE}
    for one in publication.statements:
        if isinstance(one, Withheld) or not hasattr(one, "of") or isinstance(one.of[0], tuple):
            continue
        if any(piece.times < 0 for piece in pieces_of(one)):  # a comparison of two counts, which is none
            continue
        of = spread.of(tuple(piece for piece in pieces_of(one) if piece in one.of))
        if 0 <= value_of(of, truth) < settings.threshold:
            yield Target(f"the count behind {one.label}", of, small=True)
        if isinstance(one, Share) and {piece.outcome for piece in one.of} <= once:
            rest = _sum([spread.of(one.over), {unknown: -times for unknown, times in of.items()}])
            if 0 <= value_of(rest, truth) < settings.threshold:
                yield Target(f"the people of {one.label} who are not counted in it", rest, small=True)


def _grids(publication: Publication, truth: Truth) -> Iterator[_Grid]:
    """For the people and for each outcome (and its absence): the populations of which it is spoken."""
    spoken: dict[str, dict[str, None]] = {PEOPLE: {}}
    for one in publication.statements:
        for piece in pieces_of(one):
            spoken.setdefault(piece.outcome, {})[piece.population] = None
            spoken[PEOPLE][piece.population] = None
    kinds = {one.name: one.counts for one in publication.outcomes}
    for outcome, populations in spoken.items():
        yield _grid(publication, truth, outcome, tuple(populations), without=False)
        if outcome != PEOPLE and kinds[outcome] is Counts.ONCE:
            yield _grid(publication, truth, outcome, tuple(populations), without=True)


def _grid(publication: Publication, truth: Truth, outcome: str, names: tuple[str, ...], *, without: bool) -> _Grid:
    atoms = tuple(dict.fromkeys(atom for name in names for atom in publication.populations[name]))
    sets = [set(publication.populations[name]) for name in names]
    member = np.array([[atom in one for atom in atoms] for one in sets], np.bool_).reshape(len(names), len(atoms))
    counts = np.array([truth[atom, outcome] for atom in atoms], np.int64)
    people = counts if outcome == PEOPLE else np.array([truth.counts.get((a, PEOPLE), 0) for a in atoms], np.int64)
    return _Grid(
        names=names,
        atoms=atoms,
        member=member,
        counts=people - counts if without else counts,
        people=people,
        outcome=outcome,
        without=without,
    )


def _differences(grid: _Grid, settings: DisclosureSettings) -> Iterator[Target]:
    """Each population, and each without each other that it overlaps, where the count is small or the people few."""
    member = grid.member.astype(np.int64)
    counted, people = (_in_first_only(member, values) for values in (grid.counts, grid.people))
    atoms = _in_first_only(member, np.ones(len(grid.atoms), np.int64))
    few = (people > 0) & (people < settings.min_difference)
    small = counted < settings.threshold
    parts = member.sum(axis=1)
    for first in np.flatnonzero(grid.member @ grid.counts < settings.threshold):
        yield _target(grid, grid.member[first], grid.names[first], small=True)
    overlapping = (atoms > 0) & (atoms < parts[:, None])
    for first, second in np.argwhere((small | few) & overlapping):
        words = f"{grid.names[first]} but not {grid.names[second]}"
        inside = grid.member[first] & ~grid.member[second]
        yield _target(grid, inside, words, small=bool(small[first, second]))


def _in_first_only(member: Ints, values: Ints) -> Ints:
    """Sum of `values` over the atoms of one population (row) that are not in another (column).

    In floats, whose products are quick and whole up to 2**53.
    """
    inside = member.astype(np.float64)
    total = inside @ values
    found: Ints = np.rint(total[:, None] - (inside * values) @ inside.T).astype(np.int64)
    return found


def _atoms(grid: _Grid, settings: DisclosureSettings) -> Iterator[Target]:
    for place in np.flatnonzero(grid.counts < settings.threshold):
        inside = np.zeros(len(grid.atoms), np.bool_)
        inside[place] = True
        belongs = [name for name, has in zip(grid.names, grid.member[:, place], strict=True) if has]
        yield _target(grid, inside, " and ".join(belongs) + " and nothing else", small=True)


def _target(grid: _Grid, inside: npt.NDArray[np.bool_], words: str, *, small: bool) -> Target:
    atoms = [grid.atoms[place] for place in np.flatnonzero(inside)]
    if grid.outcome == PEOPLE:
        return Target(f"people in {words}", {(atom, PEOPLE): 1 for atom in atoms}, small)
    of = {(atom, grid.outcome): -1 if grid.without else 1 for atom in atoms}
    if grid.without:
        of |= {(atom, PEOPLE): 1 for atom in atoms}
    return Target(f"{WITHOUT if grid.without else ''}{grid.outcome}, in {words}", of, small)

"""Statements as rows of whole-number inequalities: low <= coefficients * unknowns <= high, every one of them exact.

Rates become rows without fractions; weighted rates, which are real numbers, are eliminated pair by pair (Fourier and
Motzkin), so that a world of whole numbers can be checked without rounding.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import sparse

from counterfoil.disclosure.intruder.printed import range_of, whole_from, whole_to
from counterfoil.disclosure.intruder.statements import (
    PEOPLE,
    AddsUp,
    Between,
    Counts,
    Difference,
    Exact,
    OneOf,
    Outcome,
    Pieces,
    Publication,
    Rounded,
    Share,
    Statement,
    Truth,
    Unknown,
    Weighted,
    Withheld,
)

Ints = npt.NDArray[np.int64]
Coefficients = dict[Unknown, int]

NO_BOUND = 2**62
LEAST_CAP = 1000  # an unknown is at most this, or four times the largest number around: a bound, so on the safe side
CHOSEN = "(one of)"  # the outcome of the unknowns, 0 or 1, that say which point of a OneOf it is


@dataclass(frozen=True, slots=True)
class Row:
    """low <= sum of coefficients * unknowns <= high. `label`: the statement it says; "" where it holds anyway."""

    coefficients: Coefficients
    low: int
    high: int
    label: str


@dataclass(frozen=True, slots=True)
class System:
    """Everything a reader knows, as a matrix. Unknowns are whole numbers from 0 to `cap`."""

    unknowns: tuple[Unknown, ...]
    place: Mapping[Unknown, int]
    matrix: sparse.csr_array
    low: Ints
    high: Ints
    labels: tuple[str, ...]  # of rows
    cap: int
    choices: Mapping[str, OneOf] = field(default_factory=dict)

    def agrees(self, world: Ints) -> bool:
        """Whether `world` (a count for each unknown) could have been published, in exact whole numbers."""
        if world.min(initial=0) < 0 or world.max(initial=0) > self.cap:
            return False
        found = self.matrix @ world
        return bool(np.all(found >= self.low) and np.all(found <= self.high))

    def broken_by(self, world: Ints) -> tuple[str, ...]:
        """Labels of the statements that are not true of `world`; "" stands for what holds anyway."""
        found = self.matrix @ world
        broken = (found < self.low) | (found > self.high)
        return tuple(dict.fromkeys(label for label, bad in zip(self.labels, broken, strict=True) if bad))

    def vector(self, coefficients: Mapping[Unknown, int]) -> Ints:
        """A sum of unknowns as a row."""
        row = np.zeros(len(self.unknowns), np.int64)
        for unknown, times in coefficients.items():
            row[self.place[unknown]] = times
        return row


class Spread:
    """Pieces of a publication spread over the atoms of their populations."""

    def __init__(self, publication: Publication) -> None:
        self.populations = publication.populations
        self.known: dict[Unknown, bool] = {}  # whether everybody in the atom has the outcome, or nobody
        for one in publication.known:
            apart = set(self.populations[one.without]) if one.without else set()
            inside = [atom for atom in self.populations[one.population] if atom not in apart]
            self.known |= {(atom, one.outcome): one.have for atom in inside}

    def of(self, pieces: Pieces) -> Coefficients:
        """How often each unknown is counted; those that cancel are left out."""
        found: Coefficients = {}
        for piece in pieces:
            for atom in self.populations[piece.population]:
                unknown = (atom, piece.outcome)
                found[unknown] = found.get(unknown, 0) + piece.times
        return self.told({unknown: times for unknown, times in found.items() if times})

    def told(self, coefficients: Mapping[Unknown, int]) -> Coefficients:
        """A sum without what is known before: nobody's count is 0, and everybody's is the count of people."""
        if not self.known:
            return dict(coefficients)
        found: Coefficients = {}
        for unknown, times in coefficients.items():
            have = self.known.get(unknown)
            if have is not False:
                asked = (unknown[0], PEOPLE) if have else unknown
                found[asked] = found.get(asked, 0) + times
        return {unknown: times for unknown, times in found.items() if times}

    def untrue(self, truth: Truth) -> tuple[str, ...]:
        """Outcomes of which something is taken as known that is not so."""
        wrong = (
            name
            for (atom, name), have in self.known.items()
            if truth[atom, name] != (truth[atom, PEOPLE] if have else 0)
        )
        return tuple(dict.fromkeys(f"what is known of {name}" for name in wrong))


def value_of(coefficients: Mapping[Unknown, int], truth: Truth) -> int:
    """The true value of a sum."""
    return sum(times * truth[unknown] for unknown, times in coefficients.items())


def build(publication: Publication, also: Sequence[Mapping[Unknown, int]] = (), *, cap: int | None = None) -> System:
    """The system of a publication. `also`: sums that a target asks about, so that their unknowns are there."""
    spread = Spread(publication)
    rows = list(_said(publication.statements, spread))
    used = {unknown for row in rows for unknown in row.coefficients}
    used.update(unknown for sums in also for unknown in sums)
    rows += _holds_anyway(publication, used, spread)
    used.update(unknown for row in rows for unknown in row.coefficients)
    unknowns = tuple(sorted(used))
    choices = {one.label: one for one in publication.statements if isinstance(one, OneOf)}
    return _matrix(unknowns, rows, cap or _cap(publication.statements), choices)


def named_in(publication: Publication) -> frozenset[Unknown]:
    """The unknowns of which its statements speak."""
    rows = _said(publication.statements, Spread(publication))
    return frozenset(unknown for row in rows for unknown in row.coefficients)


def find_cap(publication: Publication, truth: Truth) -> int:
    """A bound that no true count comes near."""
    return max(_cap(publication.statements), 4 * max(map(abs, truth.counts.values()), default=0))


def true_world(system: System, truth: Truth, spread: Spread) -> Ints:
    """The truth as a world of the system. Where a OneOf leaves it out, no point is chosen, which breaks its rows."""
    world = np.zeros(len(system.unknowns), np.int64)
    for place, unknown in enumerate(system.unknowns):
        if unknown[1] != CHOSEN:
            world[place] = truth[unknown]
    for one in system.choices.values():
        point = tuple(value_of(spread.of(pieces), truth) for pieces in one.of)
        if point in one.points:
            world[system.place[_chosen(one, one.points.index(point))]] = 1
    return world


def _cap(statements: Sequence[Statement]) -> int:
    numbers = [one.value for one in statements if isinstance(one, Exact | Rounded)]
    numbers += [abs(n) for one in statements if isinstance(one, OneOf) for point in one.points for n in point]
    numbers += [abs(n) for one in statements if isinstance(one, Between) for n in (one.low, one.high) if n is not None]
    return max(LEAST_CAP, 4 * max(map(abs, numbers), default=0))


def _matrix(unknowns: tuple[Unknown, ...], rows: Sequence[Row], cap: int, choices: Mapping[str, OneOf]) -> System:
    place = {unknown: i for i, unknown in enumerate(unknowns)}
    entries = [(i, place[unknown], times) for i, row in enumerate(rows) for unknown, times in row.coefficients.items()]
    where = np.array(entries, np.int64).reshape(-1, 3)
    shape = (len(rows), len(unknowns))
    return System(
        unknowns=unknowns,
        place=place,
        matrix=sparse.csr_array((where[:, 2], (where[:, 0], where[:, 1])), shape=shape),
        low=np.array([row.low for row in rows], np.int64),
        high=np.array([row.high for row in rows], np.int64),
        labels=tuple(row.label for row in rows),
        cap=cap,
        choices=choices,
    )


def _row(coefficients: Mapping[Unknown, int], low: int | None, high: int | None, label: str) -> Row:
    """In lowest terms: 200 k <= 4199 is k <= 20, which a solver of real numbers would not see by itself."""
    divisor = math.gcd(*coefficients.values()) or 1
    return Row(
        coefficients={unknown: times // divisor for unknown, times in coefficients.items()},
        low=-NO_BOUND if low is None else -(-low // divisor),
        high=NO_BOUND if high is None else high // divisor,
        label=label,
    )


def _said(statements: Sequence[Statement], spread: Spread) -> Iterator[Row]:
    exact = {_key(spread.of(one.of)): one.value for one in statements if isinstance(one, Exact)}
    for one in statements:
        match one:
            case Exact():
                yield _row(spread.of(one.of), one.value, one.value, one.label)
            case Rounded():
                yield _rounded(one, spread)
            case Between():
                yield _row(spread.of(one.of), one.low, one.high, one.label)
            case Share():
                yield from _share(one, spread, exact)
            case OneOf():
                yield from _one_of(one, spread)
            case Withheld():
                yield _row(spread.of(one.of), 0, None, one.label)
            case Weighted() | Difference():  # pragma: no branch - the last kinds there are, which mypy checks
                pass
    yield from _weighted(statements, spread)


def _key(coefficients: Coefficients) -> tuple[tuple[Unknown, int], ...]:
    return tuple(sorted(coefficients.items()))


def _rounded(one: Rounded, spread: Spread) -> Row:
    half = Fraction(one.base, 2)
    low = whole_from(one.value - half, itself=True)
    high = whole_to(one.value + half, itself=False)
    return _row(spread.of(one.of), max(low, one.least), high, one.label)


def _share(one: Share, spread: Spread, exact: Mapping[tuple[tuple[Unknown, int], ...], int]) -> Iterator[Row]:
    """low * over <= of <= high * over. With an exact size that is a range of whole numbers."""
    of, over = spread.of(one.of), spread.of(one.over)
    ends = range_of(one.shown)
    size = exact.get(_key(over))
    if size is not None:
        low = whole_from(ends.low * size, itself=ends.with_low)
        yield _row(of, low, whole_to(ends.high * size, itself=ends.with_high), one.label)
        return
    yield _compare(of, over, ends.low, itself=ends.with_low, label=one.label)
    minus = {unknown: -times for unknown, times in of.items()}
    yield _compare(minus, over, -ends.high, itself=ends.with_high, label=one.label)


def _compare(of: Coefficients, over: Coefficients, low: Fraction, *, itself: bool, label: str) -> Row:
    """of - low * over >= 0 without fractions; > 0 is 1 or more, where everything is whole."""
    found = {unknown: low.denominator * times for unknown, times in of.items()}
    for unknown, times in over.items():
        found[unknown] = found.get(unknown, 0) - low.numerator * times
    return _row({u: t for u, t in found.items() if t}, 0 if itself else 1, None, label)


def _chosen(one: OneOf, number: int) -> Unknown:
    return (f"{one.label}#{number:06d}", CHOSEN)


def _one_of(one: OneOf, spread: Spread) -> Iterator[Row]:
    """Exactly one point is chosen, and each sum is what that point says."""
    chosen = [_chosen(one, i) for i in range(len(one.points))]
    yield _row(dict.fromkeys(chosen, 1), 1, 1, one.label)
    for which, pieces in enumerate(one.of):
        found = spread.of(pieces)
        for unknown, point in zip(chosen, one.points, strict=True):
            found[unknown] = -point[which]
        yield _row({u: t for u, t in found.items() if t}, 0, 0, one.label)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A sum of unknowns, times `times` and plus `plus`, that bounds a weighted rate from below or above."""

    coefficients: Coefficients
    times: Fraction
    plus: Fraction
    itself: bool
    label: str


def _weighted(statements: Sequence[Statement], spread: Spread) -> Iterator[Row]:
    """A real number is between all its lower and all its upper bounds: so each lower is at most each upper."""
    for name in dict.fromkeys(one.name for one in statements if isinstance(one, Weighted)):
        below, above = [], []
        for one in statements:
            if isinstance(one, Weighted) and one.name == name:
                ends = range_of(one.shown)
                below.append(_Bound({}, Fraction(0), ends.low, ends.with_low, one.label))
                above.append(_Bound({}, Fraction(0), ends.high, ends.with_high, one.label))
            if isinstance(one, Difference) and one.against == name:
                ends = range_of(one.shown, one.step)
                of, times = spread.of(one.of), Fraction(1, one.over)
                below.append(_Bound(of, times, -ends.high / 100, ends.with_high, one.label))
                above.append(_Bound(of, times, -ends.low / 100, ends.with_low, one.label))
        for low, high in itertools.product(below, above):
            if low.label != high.label:
                yield from _between(low, high)


def _between(low: _Bound, high: _Bound) -> Iterator[Row]:
    """high - low >= 0 without fractions. Two plain ranges that do not meet make a row that nothing can satisfy."""
    itself = low.itself and high.itself
    scale = math.lcm(low.times.denominator, high.times.denominator, (high.plus - low.plus).denominator)
    found: Coefficients = {}
    for side, sign in ((high, 1), (low, -1)):
        for unknown, times in side.coefficients.items():
            found[unknown] = found.get(unknown, 0) + int(sign * scale * side.times) * times
    found = {unknown: times for unknown, times in found.items() if times}
    least = (0 if itself else 1) - int(scale * (high.plus - low.plus))
    for label in (low.label, high.label):
        if found or least > 0:
            yield _row(found, least, None, label)


def _holds_anyway(publication: Publication, used: set[Unknown], spread: Spread) -> list[Row]:
    """What needs no statement: nobody counts twice, events have people behind them, parts add up."""
    rows = []
    kinds = {one.name: one for one in publication.outcomes}
    seen = set(used)
    there = sorted({unknown[0] for unknown in used if unknown[1] != CHOSEN})
    for adds in publication.sums:
        within = {atom for name in adds.within for atom in publication.populations[name]}
        for atom in (one for one in there if one in within or not adds.within):
            sums = spread.told({(atom, adds.whole): -1, **{(atom, p): s for p, s in adds.parts}})
            if any((atom, name) in seen for name in _asked_in(adds)):
                rows.append(_row(sums, 0, 0, ""))
                seen.update(sums)
    for atom, name in sorted(seen):
        rows += _bounds(atom, kinds.get(name), seen)
    return rows


def _asked_in(adds: AddsUp) -> list[str]:
    """The outcomes of a sum of which one must be asked about before the sum matters. People always are."""
    return [name for name in (adds.whole, *(part for part, _ in adds.parts)) if name != PEOPLE]


def _bounds(atom: str, outcome: Outcome | None, seen: set[Unknown]) -> list[Row]:
    if outcome is None:
        return []
    if outcome.counts is Counts.ONCE:
        return [_row({(atom, outcome.name): -1, (atom, PEOPLE): 1}, 0, None, "")]
    if outcome.behind is not None and (atom, outcome.behind) in seen:
        return [_row({(atom, outcome.name): 1, (atom, outcome.behind): -1}, 0, None, "")]
    return []

"""The intruder audit (R13): can anything small be pinned down from what is published?

For each target the tightest interval of whole numbers [l, u] is sought. A target whose true value is under T passes
only if u is T or more and u - l is W or more. A pass is proved by two worlds that agree exactly with everything
published; a failure, by a bound of the solver. Where the solver gives up, that is a failure too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.solver import Answer, Reached, Worlds, largest, relax, solve
from counterfoil.disclosure.intruder.statements import Publication, Truth, Withheld
from counterfoil.disclosure.intruder.system import NO_BOUND, Ints, Spread, build, find_cap, true_world, value_of
from counterfoil.disclosure.intruder.targets import Target, find_targets
from counterfoil.disclosure.intruder.widening import widen
from counterfoil.disclosure.settings import DEFAULT_SETTINGS, DisclosureSettings
from counterfoil.errors import Fault

LIMITS = Limits()


class Breach(Enum):
    """What is wrong with a publication."""

    PINNED = "R13"  # a count under T is pinned down
    SUM = "R15"  # the hidden cells of a line are too few, or hold too few people
    UNTRUE = "R16"  # something printed is not so
    CONTRADICTION = "contradiction"  # what is printed cannot all be so
    TIMED_OUT = "timed out"  # the solver gave up: not proved safe, so not safe


@dataclass(frozen=True, slots=True)
class Interval:
    """What a reader can know of a target: at least `low`, at most `high`. It never leaves the lab.

    `tight`: no narrower interval holds. Else, where it passed, a reader can be at least this unsure; where it did not,
    at most.
    """

    target: Target
    low: int
    high: int
    passed: bool
    tight: bool
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Attack:
    """One way in. `sentence` says how, with numbers: it is shown inside the lab only (R12)."""

    breach: Breach
    target: str
    low: int | None
    high: int | None
    used: tuple[str, ...]  # labels of the statements that it needs, none of which can be left out
    sentence: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The answer. `intervals` are those of every target, in order."""

    intervals: tuple[Interval, ...]
    untrue: tuple[str, ...] = ()
    impossible: bool = False
    sums: tuple[str, ...] = ()  # labels of lines that break R15

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not (self.untrue or self.impossible or self.sums) and all(one.passed for one in self.intervals)

    @property
    def failed(self) -> tuple[Interval, ...]:
        """Targets that are pinned down, or not proved safe."""
        return tuple(one for one in self.intervals if not one.passed)


def join(publications: Sequence[Publication]) -> Publication:
    """Several publications as one, for a reader who has them all. Their atoms must be of the same people."""
    if len(publications) == 1:
        return publications[0]
    for one, other in itertools.combinations(publications, 2):
        if any(one.populations[name] != other.populations[name] for name in one.populations.keys() & other.populations):
            raise Fault("Two publications have different populations of one name.")
    populations = {name: atoms for one in publications for name, atoms in one.populations.items()}
    named = [(one, f"{one.name}: ") for one in publications]
    return Publication(
        name=" and ".join(one.name for one in publications),
        populations=populations,
        statements=tuple(replace(s, label=start + s.label) for one, start in named for s in one.statements),
        outcomes=tuple(dict.fromkeys(outcome for one in publications for outcome in one.outcomes)),
        sums=tuple(dict.fromkeys(adds for one in publications for adds in one.sums)),
        lines=tuple(
            replace(line, label=start + line.label, of=tuple(start + label for label in line.of))
            for one, start in named
            for line in one.lines
        ),
        known=tuple(dict.fromkeys(known for one in publications for known in one.known)),
    )


def audit(
    publications: Sequence[Publication],
    truth: Truth,
    settings: DisclosureSettings = DEFAULT_SETTINGS,
    *,
    limits: Limits = LIMITS,
    tight: bool = False,
) -> Audit:
    """Audit what was published together. `tight`: find the tightest interval even of what passes."""
    return look(join(publications), truth, settings, limits=limits, tight=tight).audit


@dataclass(frozen=True, slots=True)
class Looked:
    """An audit, and the worlds that it found."""

    audit: Audit
    worlds: tuple[Ints, ...] = ()


def look(
    publication: Publication,
    truth: Truth,
    settings: DisclosureSettings = DEFAULT_SETTINGS,
    *,
    limits: Limits = LIMITS,
    tight: bool = False,
) -> Looked:
    """As `audit`, of one publication, for who goes on from there."""
    limits = limits.started()
    targets = find_targets(publication, truth, settings)
    cap = find_cap(publication, truth)
    system = build(publication, [target.of for target in targets], cap=cap)
    spread = Spread(publication)
    real = true_world(system, truth, spread)
    untrue = (*system.broken_by(real), *spread.untrue(truth))
    if untrue:
        nothing = solve(system, 0 * real, limits, whole=True)
        return Looked(Audit((), untrue=untrue, impossible=nothing.answer is Answer.IMPOSSIBLE))
    worlds = Worlds(system, real)
    widen(targets, worlds, settings, limits)  # also where tight: a world that was seen mends a bound that leaves it out
    intervals = tuple(find_interval(target, worlds, settings, limits, tight=tight) for target in targets)
    return Looked(Audit(intervals, sums=find_sums(publication, truth, settings)), tuple(worlds.found[1:]))


def passes(target: Target, low: int, high: int, settings: DisclosureSettings) -> bool:
    """Whether a reader who knows no more than [low, high] is unsure enough."""
    return (high >= settings.threshold or not target.small) and high - low >= settings.min_width


def find_interval(
    target: Target, worlds: Worlds, settings: DisclosureSettings, limits: Limits, *, tight: bool
) -> Interval:
    """The tightest interval; or, unless `tight`, the first that is wide enough. It passes by worlds that were seen."""
    objective = worlds.system.vector(target.of)
    seen = worlds.span(objective)
    if not tight and passes(target, *seen, settings):
        return Interval(target, *seen, passed=True, tight=False)
    least, most = relax(worlds, -objective, limits), relax(worlds, objective, limits)
    if not tight and (refused := _refused(target, least, most, worlds.span(objective), settings)):
        return refused
    enough = None if tight else _wanted(target, seen[0], settings)
    up = largest(worlds, objective, most, limits, enough=enough)
    down = Reached(up.answer) if up.answer is Answer.ENOUGH else largest(worlds, -objective, least, limits)
    seen = worlds.span(objective)
    low, high = _ends(down, up, seen)
    if seen == (low, high):
        return Interval(target, low, high, passed=passes(target, low, high, settings), tight=True)
    if passes(target, *seen, settings):
        return Interval(target, *seen, passed=True, tight=False)
    open_still = passes(target, low, high, settings)  # the bounds would let it pass: only the proof is missing
    return Interval(target, low, high, passed=False, tight=False, timed_out=open_still)


def _refused(
    target: Target, down: Reached, up: Reached, seen: tuple[int, int], settings: DisclosureSettings
) -> Interval | None:
    """Where even fractions of people cannot be far enough apart, whole ones cannot."""
    low, high = _ends(down, up, seen)
    return (
        None
        if passes(target, low, high, settings)
        else Interval(target, low, high, passed=False, tight=(low, high) == seen)
    )


def _ends(down: Reached, up: Reached, seen: tuple[int, int]) -> tuple[int, int]:
    """The bounds of the solver; but never inside worlds that were seen: a bound that leaves one out is wrong."""
    low = -NO_BOUND if down.bound is None else -down.bound
    high = NO_BOUND if up.bound is None else up.bound
    return min(low, seen[0]), max(high, seen[1])


def _wanted(target: Target, low: int, settings: DisclosureSettings) -> int:
    """How large a target that can be as small as `low` must be able to be."""
    return max(low + settings.min_width, settings.threshold if target.small else 0)


def find_sums(publication: Publication, truth: Truth, settings: DisclosureSettings) -> tuple[str, ...]:
    """R15: lines with a hidden small count whose hidden cells hold under T people, or of which only one holds any."""
    spread = Spread(publication)
    hidden = {one.label: one for one in publication.statements if isinstance(one, Withheld)}
    found = []
    for line in publication.lines:
        values = [value_of(spread.of(hidden[label].of), truth) for label in line.of if label in hidden]
        small = any(0 < value < settings.threshold for value in values)
        if small and (sum(values) < settings.threshold or sum(value > 0 for value in values) < 2):
            found.append(line.label)
    return tuple(found)

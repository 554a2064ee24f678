"""Choosing what else to hide (R14): the same for the same input, losing the least, never an empty cell.

Each target that is pinned down is pinned by some of the statements (the multipliers of the solver say which), and one
of those at least must go. The cheapest choice that takes one of each such set is hidden, and everything is audited
again; what is still pinned gives more sets, until the audit passes. As no cheaper choice takes one of every set, none
that is cheaper is safe (implicit hitting sets: Moreno-Centeno and Karp, 2013). Costs are people, the information lost;
of two equal choices the fixed order of the publication decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from counterfoil.disclosure.intruder.audit import LIMITS, Audit, Interval, Looked, find_interval, find_sums, passes
from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.questions import Questions
from counterfoil.disclosure.intruder.solver import LIMIT, Floats, Worlds
from counterfoil.disclosure.intruder.statements import OneOf, Publication, Statement, Truth, Weighted, Withheld
from counterfoil.disclosure.intruder.system import Ints, Spread, build, find_cap, true_world, value_of
from counterfoil.disclosure.intruder.targets import Target, find_targets
from counterfoil.disclosure.intruder.widening import widen
from counterfoil.disclosure.settings import DEFAULT_SETTINGS, DisclosureSettings
from counterfoil.errors import Fault

TIE = 0.5  # people: all that the fixed order can add to the cost of a choice, so that it decides between equals only
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0  # its multiples spread evenly, so that no two choices come to the same


@dataclass(frozen=True, slots=True)
class Repaired:
    """A publication after repair. `partners`: labels hidden to protect others, in the order of the publication."""

    publication: Publication
    partners: tuple[str, ...]
    audit: Audit
    unprotected: tuple[str, ...] = ()  # targets and lines that hiding everything that may be hidden does not protect
    cheapest: bool = True  # False: the search was cut short, and a cheaper choice may exist


def hide(publication: Publication, labels: Sequence[str]) -> Publication:
    """The publication with these statements withheld."""
    chosen = set(labels)
    return replace(
        publication,
        statements=tuple(_withhold(one) if one.label in chosen else one for one in publication.statements),
    )


def _withhold(statement: Statement) -> Withheld:
    if isinstance(statement, OneOf | Weighted):
        raise Fault("Only a statement about one sum of counts can be withheld.")
    return statement if isinstance(statement, Withheld) else Withheld(statement.label, statement.of)


def repair(
    publication: Publication,
    truth: Truth,
    costs: Mapping[str, int],
    settings: DisclosureSettings = DEFAULT_SETTINGS,
    *,
    limits: Limits = LIMITS,
    first: Looked | None = None,
    questions: Questions | None = None,
) -> Repaired:
    """Hide partners until the audit passes. `costs`: what each statement that may be hidden would lose, by label.

    A statement whose true count is 0 is never a partner, whatever `costs` says: its value can be known.
    `first`: the audit of the publication as it is, and `questions` of it, where there are such already.
    """
    held = _Held(publication, truth, settings, limits.started(), _may_hide(publication, truth, costs))
    hidden: tuple[str, ...] = ()
    found = held.audit(hidden) if first is None else held.take(first)
    asked = Questions(publication, truth, held.cap) if questions is None else questions
    while True:
        new = held.learn(found, hidden, asked)
        if not new:
            break
        hidden = held.choose()
        asked = Questions(hide(publication, hidden), truth, held.cap)
        found = held.audit(hidden)
    return Repaired(hide(publication, hidden), hidden, found, tuple(held.unprotected), cheapest=held.cheapest)


def _may_hide(publication: Publication, truth: Truth, costs: Mapping[str, int]) -> Mapping[str, int]:
    spread = Spread(publication)
    return {
        one.label: costs[one.label]
        for one in publication.statements
        if one.label in costs and not isinstance(one, Withheld | OneOf | Weighted)
        if value_of(spread.of(one.of), truth) != 0
    }


@dataclass(slots=True)
class _Held:
    """A publication on its way to being safe: what has been learnt of it so far."""

    publication: Publication
    truth: Truth
    settings: DisclosureSettings
    limits: Limits
    costs: Mapping[str, int]  # of what may be hidden, in the order of the publication
    worlds: list[Ints] = field(default_factory=list)  # that agreed once: they are tried again before the solver is
    sets: dict[frozenset[str], None] = field(default_factory=dict)  # of each, one statement at least must go
    unprotected: dict[str, None] = field(default_factory=dict)
    cheapest: bool = True

    @property
    def cap(self) -> int:
        """The same whatever is hidden."""
        return find_cap(self.publication, self.truth)

    def take(self, first: Looked) -> Audit:
        """The audit with nothing hidden, from who has it."""
        self.worlds += first.worlds
        return first.audit

    def audit(self, hidden: Sequence[str]) -> Audit:
        """R13 and R15 with these hidden."""
        publication = hide(self.publication, hidden)
        targets = find_targets(publication, self.truth, self.settings)
        system = build(publication, [target.of for target in targets], cap=self.cap)
        worlds = Worlds(system, true_world(system, self.truth, Spread(publication)))
        for world in self.worlds:
            worlds.add(world)
        known = len(worlds.found)
        widen(targets, worlds, self.settings, self.limits)
        found = tuple(find_interval(t, worlds, self.settings, self.limits, tight=False) for t in targets)
        self.worlds += worlds.found[known:]
        return Audit(found, sums=find_sums(publication, self.truth, self.settings))

    def learn(self, found: Audit, hidden: Sequence[str], asked: Questions) -> bool:
        """Of each target that failed, the statements of which one must go. False: nothing new, so this is the end."""
        before = len(self.sets)
        if self.limits.left() > 0.0:
            asked.ask_ahead([one.target.of for one in found.failed], 1)
            asked.ask_ahead([one.target.of for one in found.failed if not self._is_low(one.target, asked)], -1)
        for one in found.failed:
            self._learn(one.target.label, self._pinned_by(one, asked))
        for line in (line for line in self.publication.lines if line.label in found.sums):
            self._learn(line.label, frozenset(line.of) & self.costs.keys() - set(hidden))
        return len(self.sets) > before

    def choose(self) -> tuple[str, ...]:
        """The cheapest choice that takes one of every set, in the order of the publication."""
        labels = list(self.costs)
        weights = [
            cost + TIE * (place + math.modf(GOLDEN * (place + 1))[0]) / (len(labels) + 1) ** 2
            for place, cost in enumerate(self.costs.values())
        ]
        rows = np.array([[label in one for label in labels] for one in self.sets], np.float64)
        found = self._solved(np.array(weights), LinearConstraint(rows, 1, np.inf))
        self.cheapest = self.cheapest and found.status == 0
        if found.x is None:  # no time for any choice: all of them
            return tuple(label for label in labels if any(label in one for one in self.sets))
        return tuple(label for label, taken in zip(labels, found.x, strict=True) if taken > 0.5)

    def _solved(self, weights: Floats, constraint: LinearConstraint) -> OptimizeResult:
        seconds = self.limits.left()
        if seconds <= 0.0:
            return OptimizeResult(status=LIMIT, x=None)
        return milp(
            weights,
            integrality=np.ones(len(weights)),
            bounds=Bounds(0, 1),
            constraints=constraint,
            options={"node_limit": self.limits.nodes, "time_limit": seconds, "mip_rel_gap": 0.0},
        )

    def _learn(self, label: str, one: frozenset[str]) -> None:
        if one:
            self.sets[one] = None
        else:
            self.unprotected[label] = None

    def _pinned_by(self, interval: Interval, asked: Questions) -> frozenset[str]:
        """What may be hidden of the statements that hold a target; all of it where only whole numbers pin it down."""
        target = interval.target
        withheld = {one.label for one in asked.publication.statements if isinstance(one, Withheld)}
        open_ones = self.costs.keys() - withheld
        if self.limits.left() <= 0.0:
            return frozenset(open_ones)
        up = asked.held(target.of, 1)
        if self._is_low(target, asked):
            return frozenset({label for label, _ in up.by} & open_ones)
        down = asked.held(target.of, -1)
        if down.bound is None or up.bound is None or passes(target, -down.bound, up.bound, self.settings):
            return frozenset(open_ones)
        return frozenset({label for end in (up, down) for label, _ in end.by} & open_ones)

    def _is_low(self, target: Target, asked: Questions) -> bool:
        """Whether a small target cannot be as large as T: then nothing else about it matters."""
        most = asked.held(target.of, 1).bound
        return target.small and most is not None and most < self.settings.threshold

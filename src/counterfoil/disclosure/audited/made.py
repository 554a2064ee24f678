"""A report on its way to being said: who is behind it, and what has been said of them so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from counterfoil.disclosure.beside import BoolArray
from counterfoil.disclosure.cells import Box
from counterfoil.disclosure.intruder import (
    AddsUp,
    Counts,
    Known,
    Line,
    Outcome,
    Statement,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ANALYSED = "people analysed"
# What is hidden of a report, as the repair names it: SIZE, or one of those that follow with a name.
SIZE = "size"
MEASURE, PART, WAY, CELL, CURVES, BALANCE, TERM = "measure", "part", "way", "cell", "curves", "balance", "term"
CONTROL = "control"
COMPARED = "comparison group"


@dataclass(frozen=True, slots=True)
class Compared:
    """Comparison people who count once each (`counts_once`), as rows of `People`, of whom none is analysed.

    `used`: in the headline's comparison. `parts` and `ways`: in those of the sub-analyses and other ways, by place.
    """

    used: BoolArray
    parts: Mapping[int, BoolArray] = field(default_factory=dict)
    ways: Mapping[int, BoolArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Side:
    """The treated, or those whom they are compared with: what the audit calls them, and who they are."""

    name: str
    members: BoolArray
    exact: bool  # how many they are is printed
    words: str = ""  # that a label adds


@dataclass(frozen=True, slots=True)
class Control:
    """The check against an outcome of before the programme (`had`, a yes or no), as rows of `People`.

    `members`: the treated in it. `compared`: whom they are compared with, where these count once each; else nobody.
    """

    members: BoolArray
    compared: BoolArray
    had: BoolArray


@dataclass(frozen=True, slots=True)
class People:
    """The treated who were analysed, one by one, and what is counted over them. It never leaves the lab.

    Whoever is in the headline, a sub-analysis or another way: `analysed` says who is in the headline. `keys` tell the
    same person with the same index event in another run. `values`: of each measure, NaN for those whom it is not over.
    `parts` and `ways`: members of the sub-analyses and other ways, by their place in the report.
    `tables`: of tables of the group, members of each kind, by name. `boxes`: people in each box of the flow.
    `followed`: what makes an outcome of one name the same outcome elsewhere. `terms`: who has each yes or no of the
    balance table. `compared`: who they are compared with, where that is a count of people. `cohort`: keys of everybody
    of the list who is in scope, analysed or not. `apart`: comparison people of another pool than the headline's, of
    whom outcomes are known and nothing that `tables` and `terms` say. `partners`: comparison people for each of the
    treated, where all have as many.
    """

    keys: tuple[str, ...]
    analysed: BoolArray
    values: Mapping[str, Floats]
    boxes: Mapping[Box, int]
    parts: Mapping[int, BoolArray] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, BoolArray]] = field(default_factory=dict)
    ways: Mapping[int, BoolArray] = field(default_factory=dict)
    days: Floats | None = None  # to the first event, as `Survival.days`, where the report has curves
    headline: Floats | None = None  # the outcome that parts and ways are about, where it is a rate
    weighted: bool = False  # the treated count unequally
    followed: str = ""
    terms: Mapping[str, BoolArray] = field(default_factory=dict)
    compared: Compared | None = None
    cohort: tuple[str, ...] = ()
    apart: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    partners: int = 0
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One report as the audit holds it: statements, and the people behind them. `hides`: label -> what to hide.

    `cohort`: as in `People`. `lost`: of each population, atoms of people who are in no analysis, with how many.
    `untold`: outcomes that say what a person is like, of which nothing is said of those `apart`.
    """

    name: str
    keys: tuple[str, ...]
    members: Mapping[str, BoolArray]
    values: Mapping[str, Ints]
    statements: tuple[Statement, ...]
    outcomes: tuple[Outcome, ...] = ()
    sums: tuple[AddsUp, ...] = ()
    lines: tuple[Line, ...] = ()
    known: tuple[Known, ...] = ()
    lost: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    hides: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    beyond: tuple[tuple[str, str], ...] = ()
    cohort: tuple[str, ...] = ()
    apart: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    untold: tuple[str, ...] = ()

    def told(self, outcome: str) -> BoolArray:
        """Of whom an outcome is known, of `keys`."""
        everyone = np.ones(len(self.keys), np.bool_)
        return ~self.apart if len(self.apart) and outcome in self.untold else everyone


@dataclass(slots=True)
class Made:
    """A report being said."""

    people: People
    exact: bool  # how many were analysed is printed
    compared_exact: bool = True  # so is how many they are compared with
    members: dict[str, BoolArray] = field(default_factory=dict)
    values: dict[str, Ints] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    hides: dict[str, tuple[str, str]] = field(default_factory=dict)
    beyond: list[tuple[str, str]] = field(default_factory=list)
    of_measure: dict[str, str] = field(default_factory=dict)  # measure -> outcome
    sums: list[AddsUp] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)  # outcomes that are what a person is like

    @property
    def sides(self) -> tuple[Side, ...]:
        """The treated, and the comparison people where they count once each."""
        treated = Side(ANALYSED, self.people.analysed, self.exact)
        compared = self.people.compared
        if compared is None or not compared.used.any():
            return (treated,)
        return treated, Side(COMPARED, compared.used, self.compared_exact, words=", comparison group")

    def kind(self, name: str, members: BoolArray) -> str:
        """What some people are like, as an outcome; what just these people are already, where there is such a kind."""
        had = members.astype(np.int64)
        for known in self.kinds:
            if np.array_equal(self.values[known], had):
                return known
        self.values[name], self.outcomes[name] = had, Outcome(name)
        self.kinds.append(name)
        return name

    def say(self, statement: Statement, hides: tuple[str, str] | None = None) -> None:
        self.statements.append(statement)
        if hides is not None:
            self.hides[statement.label] = hides

    def outcome(self, name: str, values: Ints, counts: Counts) -> str:
        """An outcome of these values; `followed` makes its name the same in another report of the same kind only."""
        named = f"{name} ({self.people.followed})" if self.people.followed else name
        behind = self.same_as((values > 0).astype(np.int64)) if counts is Counts.OFTEN else None
        self.values[named] = values
        self.outcomes[named] = Outcome(named, counts, behind)
        return named

    def same_as(self, had: Ints) -> str | None:
        """The outcome that just these people had, where there is one."""
        once = (name for name, one in self.outcomes.items() if one.counts is Counts.ONCE)
        return next((name for name in once if np.array_equal(self.values[name], had)), None)

    def population(self, name: str, members: BoolArray) -> str:
        """The population of these people; the same people are the same population."""
        for known, there in self.members.items():
            if np.array_equal(there, members):
                return known
        self.members[name] = members
        return name


def whole_of(raw: Floats) -> Ints | None:
    """The values as whole numbers, nothing where there is none; None when they are no counts."""
    found = np.nan_to_num(raw)
    whole = np.rint(found)
    if np.abs(found - whole).max(initial=0.0) > 1e-9 or found.min(initial=0.0) < 0:
        return None
    return whole.astype(np.int64)

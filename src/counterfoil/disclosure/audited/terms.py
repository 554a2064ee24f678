"""Balance, as statements: a standardised difference of a yes or no is a count of those who have it (R23).

A reader may know what the comparison group is like and how spread out a term is; so the difference gives the share of
the treated, and their number. The levels of one factor add up to everybody. What is left open: the difference of two
means of a number, since neither mean nor the spread is printed, and so any total agrees with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from counterfoil.disclosure.audited.made import TERM, Made, Side
from counterfoil.disclosure.intruder import PEOPLE, AddsUp, Exact, Known, Line, Piece, Withheld
from counterfoil.disclosure.shown_measures import ProtectedTerm

SEVERAL = 3  # levels of a factor from which on each is a term; of two, one is


def say_terms(made: Made, terms: Sequence[ProtectedTerm]) -> None:
    """Every yes or no of the balance table, of each side that is a count of people."""
    of_covariate: dict[str, list[ProtectedTerm]] = {}
    for one in terms:
        if one.term in made.people.terms:
            of_covariate.setdefault(one.covariate, []).append(one)
    for side in made.sides:
        if side.exact and not made.people.weighted:
            for covariate, levels in of_covariate.items():
                _say_levels(made, side, covariate, levels)


def _say_levels(made: Made, side: Side, covariate: str, levels: Sequence[ProtectedTerm]) -> None:
    """Levels of which everybody has one are a line of a table.

    A hidden level that nobody has is not asked about: it is nobody's. A profile without it says so, hence it is known.
    """
    members = [made.people.terms[one.term] for one in levels]
    outcomes = [made.kind(f"balance of {one.term}", there) for one, there in zip(levels, members, strict=True)]
    line = []
    for one, outcome in zip(levels, outcomes, strict=True):
        label, of = f"balance of {one.term}{side.words}", (Piece(side.name, outcome),)
        count = int(made.values[outcome][side.members].sum())
        if one.smd.value is not None:
            made.say(Exact(label, of, count), (TERM, one.term))
        elif count:
            made.say(Withheld(label, of), (TERM, one.term))
        else:
            made.known.append(Known(side.name, outcome, have=False))
            continue
        line.append(label)
    times = np.sum([there[side.members] for there in members], axis=0, dtype=np.int64)
    if len(levels) >= SEVERAL and np.all(times == 1):
        adds = AddsUp(PEOPLE, tuple((name, 1) for name in outcomes), (side.name,))
        if adds not in made.sums:
            made.sums.append(adds)
        made.lines.append(Line(f"balance of {covariate}{side.words}", tuple(line)))

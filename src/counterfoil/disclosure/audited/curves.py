"""Curves of everyone, as statements: how many had had their first event by each month that is printed.

Nobody leaves the follow-up early, so that a point of a curve of people who count alike is a count by their number. What
is not said is the mean of days, the test and the ratio that stand beside the curves: so beside an earlier report of
nearly the same people all of it is hidden.
"""

from __future__ import annotations

import numpy as np

from counterfoil.disclosure.audited.compared import as_printed
from counterfoil.disclosure.audited.made import ANALYSED, CURVES, Floats, Made, Side
from counterfoil.disclosure.intruder import AddsUp, Counts, Exact, Piece
from counterfoil.disclosure.shown_beside import ProtectedSurvival

A_MONTH = 365.25 / 12  # days
HIDES = (CURVES, "")


def say_curves(made: Made, curves: ProtectedSurvival, days: Floats) -> None:
    """`days`: as `People.days`. Where people count unequally a point is no count of them.

    By the same month is the same outcome in every report; what falls between two printed months is one too.
    """
    made.beyond.append(HIDES)
    if made.people.weighted:
        return
    for side in made.sides:
        _say_curve(made, curves, days, side)


def _say_curve(made: Made, curves: ProtectedSurvival, days: Floats, side: Side) -> None:
    label = curves.measure.label
    followed = ~np.isnan(days) & side.members
    population = made.population(f"people followed for {label}{side.words}", followed)
    sizes = [one.of for one in made.statements if isinstance(one, Exact)]
    if population != ANALYSED and (Piece(population),) not in sizes:
        made.say(Exact(population, (Piece(population),), int(followed.sum())), HIDES)
    by_before, month_before = "", 0
    for point in curves.points:
        month = int(point.month.value or 0)
        by, step = (_events(made, label, days, since, month) for since in (0, month_before))
        if by_before:
            made.sums.append(AddsUp(by, ((by_before, 1), (step, 1)), (population,)))
        of = tuple(Piece(population, name) for name in (by_before, step) if name)
        count = int(made.values[by][followed].sum())
        where = f"curve of {label}, month {month}{side.words}"
        cell = point.treated if side.name == ANALYSED else point.comparison
        made.say(as_printed(where, of, (Piece(population),), cell, count, int(followed.sum())), HIDES)
        by_before, month_before = by, month


def _events(made: Made, label: str, days: Floats, since: int, month: int) -> str:
    """The outcome of those whose first event fell after month `since` and by `month`; one that is there where it is."""
    inside = ((days > A_MONTH * since) | (since == 0)) & (days <= A_MONTH * month)
    had = inside.astype(np.int64)
    return made.same_as(had) or made.outcome(f"{label}: first event in months {since + 1} to {month}", had, Counts.ONCE)

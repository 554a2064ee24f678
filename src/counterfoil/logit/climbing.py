"""Ways up the log-likelihood: full Newton, and quasi-Newton from an information matrix that a sample gave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from counterfoil.logit.likelihood import Point, Problem, evaluate, information
from counterfoil.logit.matrices import dot, invert, times
from counterfoil.logit.values import FloatArray

MAX_NEWTON_STEPS = 60
MAX_QUASI_STEPS = 30
MAX_HALVINGS = 20
# Newton near a maximum squares its error at each step; towards a maximum at infinity (separation) the decrement only
# falls by about e. Rare levels take a step for each unit of their coefficient first, hence the patience.
PATIENCE = 20
SLOW_STEPS = 5
SLOW_RATIO = 0.1


class End(Enum):
    """How a climb ended."""

    TOP = "converged"
    SEPARATED = "the maximum lies at infinity"
    UNFINISHED = "stopped before the top"


@dataclass(frozen=True, slots=True)
class Climb:
    """Where a climb ended; `decrement` is the squared Newton decrement there."""

    point: Point
    decrement: float
    passes: int
    end: End


def newton(problem: Problem, start: FloatArray, *, tol: float) -> Climb:
    """Newton with step halving until the decrement is below `tol`, and one step more."""
    point, passes, decrements = evaluate(problem, start), 1, [np.inf]
    for _ in range(MAX_NEWTON_STEPS):
        inverse = invert(information(problem, point.eta))
        if inverse is None or is_slow(decrements):
            return Climb(point, decrements[-1], passes, End.SEPARATED)
        step = times(inverse, point.gradient)
        decrements.append(dot(point.gradient, step))
        if decrements[-1] < tol:
            return _last_step(problem, point, inverse, passes)
        point, tried = _uphill(problem, point, step)
        passes += tried
    return Climb(point, decrements[-1], passes, End.UNFINISHED)


def quasi_newton(problem: Problem, start: FloatArray, inverse: FloatArray, *, tol: float) -> Climb:
    """BFGS from `inverse`, an approximate inverse information: each step is one pass over the rows.

    UNFINISHED when the steps do not pay; the caller then goes on with full Newton from where this stopped.
    """
    point, passes, previous = evaluate(problem, start), 1, np.inf
    for _ in range(MAX_QUASI_STEPS):
        step = times(inverse, point.gradient)
        decrement = dot(point.gradient, step)
        if 0.0 <= decrement < tol:
            return _last_step(problem, point, inverse, passes)
        following = evaluate(problem, moved(problem, point.beta, step))
        passes += 1
        if not (0.0 < decrement < previous and following.objective > point.objective):
            return Climb(point, decrement, passes, End.UNFINISHED)
        inverse = bfgs(inverse, step, point.gradient - following.gradient)
        point, previous = following, decrement
    return Climb(point, previous, passes, End.UNFINISHED)


def is_slow(decrements: list[float]) -> bool:
    """Whether the last steps gained like steps towards infinity do."""
    if len(decrements) <= PATIENCE:
        return False
    last = np.array(decrements[-SLOW_STEPS - 1 :])
    return bool(np.all(last[1:] > SLOW_RATIO * last[:-1]))


def _last_step(problem: Problem, point: Point, inverse: FloatArray, passes: int) -> Climb:
    """One step past the tolerance, which near the top squares the error; kept only if the slope got smaller."""
    step = times(inverse, point.gradient)
    before = dot(point.gradient, step)
    final = evaluate(problem, moved(problem, point.beta, step))
    after = dot(final.gradient, times(inverse, final.gradient))
    if after <= before:
        return Climb(final, after, passes + 1, End.TOP)
    return Climb(point, before, passes + 1, End.TOP)


def _uphill(problem: Problem, point: Point, step: FloatArray) -> tuple[Point, int]:
    """The first of the step, its half, its quarter … that does not go down, and the passes it took."""
    slack = 1e-12 * abs(point.objective)  # rounding in the sum over the rows
    for halvings in range(MAX_HALVINGS):
        candidate = evaluate(problem, moved(problem, point.beta, step / 2.0**halvings))
        if candidate.objective >= point.objective - slack:
            break
    return candidate, halvings + 1


def moved(problem: Problem, beta: FloatArray, step: FloatArray) -> FloatArray:
    """`beta` (all slots) after a step of the free ones."""
    there = beta.copy()
    there[problem.free] += step
    return there


def bfgs(inverse: FloatArray, step: FloatArray, slope_change: FloatArray) -> FloatArray:
    """The inverse information after a step that changed the slope by `slope_change` (before minus after)."""
    curvature = dot(step, slope_change)
    through = times(inverse, slope_change)
    stretch = (1.0 + dot(slope_change, through) / curvature) / curvature
    cross = np.outer(step, through) / curvature
    return inverse + stretch * np.outer(step, step) - cross - cross.T

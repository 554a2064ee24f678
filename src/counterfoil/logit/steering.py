"""Climb by the slope of all rows, steered by the curvature of some: for many fits of few columns on the same rows.

The top is where the slope of all rows is 0, whatever steered the way there. Who steers depends on what their row holds,
not on where it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from counterfoil.logit.climbing import MAX_HALVINGS, bfgs, moved
from counterfoil.logit.kernels import hash_people
from counterfoil.logit.likelihood import Point, Problem, cross_products
from counterfoil.logit.matrices import dot, invert, times
from counterfoil.logit.values import CodedDesign, FloatArray, IntArray

AIM = 12_000  # rows that steer
LEAST = 4 * AIM  # rows with a weight, under which the curvature of all costs little
FAR_STEPS, NEAR_STEPS = 16, 24  # where these do not arrive there may be no top, and the caller climbs in small steps
NEAR = 1.0  # twice the log-likelihood still to be gained: the curvature hardly changes from here on
# The slope's own rounding is worth about 1e-26; with one step more every coefficient is within 1e-10 of its SE.
ENOUGH, ROUNDING = 1e-20, 1e-18


@dataclass(frozen=True, slots=True, eq=False)
class Steering:
    """Some rows, heavy ones likelier, with weights by which they stand for all."""

    rows: IntArray
    design: CodedDesign
    weight: FloatArray

    def curvature(self, problem: Problem, of_each: FloatArray) -> FloatArray:
        """Minus the second derivative of all rows, estimated; `of_each`: that of each row, for a weight of 1."""
        return curvature_of(replace(problem, design=self.design), self.weight * of_each[self.rows])


def curvature_of(problem: Problem, of_each: FloatArray) -> FloatArray:
    """Minus the second derivative over the free slots, from that of each row by itself."""
    full = cross_products(problem, of_each)
    return full[np.ix_(problem.free, problem.free)] + np.diag(problem.penalty)


def draw_steering(design: CodedDesign, weight: FloatArray) -> Steering | None:
    """None where there are too few rows for it to be worth it, or too many alike for a fair draw."""
    if np.count_nonzero(weight) < LEAST:
        return None
    share = np.minimum(1.0, AIM / weight.sum() * weight)
    rows = np.flatnonzero(hash_people(design).astype(np.float64) < share * 2.0**64)
    if not 0.5 * AIM < len(rows) < 2.0 * AIM:
        return None
    return Steering(rows, design.take(rows), weight[rows] / share[rows])


def steer(
    problem: Problem,
    start: FloatArray,
    evaluate: Callable[[FloatArray], Point],
    of_each: Callable[[FloatArray], FloatArray],
    by: Steering,
) -> Point | None:
    """The top; None where it was not found, as when it lies at infinity.

    `of_each`: the curvature of each row with a weight of 1, given the linear predictor.
    """
    point = evaluate(start)
    for _ in range(FAR_STEPS):
        inverse = invert(by.curvature(problem, of_each(point.eta)))
        if inverse is None:
            return None
        step = times(inverse, point.gradient)
        if dot(point.gradient, step) < NEAR:
            return _approach(problem, point, evaluate, of_each)
        point = _uphill(problem, point, step, evaluate)
    return None


def _uphill(problem: Problem, point: Point, step: FloatArray, evaluate: Callable[[FloatArray], Point]) -> Point:
    slack = 1e-12 * abs(point.objective)  # rounding in the sum over the rows
    for halvings in range(MAX_HALVINGS):
        candidate = evaluate(moved(problem, point.beta, step / 2.0**halvings))
        if candidate.objective >= point.objective - slack:
            break
    return candidate


def _approach(
    problem: Problem,
    point: Point,
    evaluate: Callable[[FloatArray], Point],
    of_each: Callable[[FloatArray], FloatArray],
) -> Point | None:
    """The curvature of all rows once; then the slopes that are met mend it (BFGS)."""
    inverse, previous = invert(curvature_of(problem, problem.weights * of_each(point.eta))), np.inf
    if inverse is None:
        return None
    for _ in range(NEAR_STEPS):
        step = times(inverse, point.gradient)
        decrement = dot(point.gradient, step)
        if not 0.0 <= decrement < previous:
            return point if previous < ROUNDING else None
        following = evaluate(moved(problem, point.beta, step))
        if decrement < ENOUGH:
            return following
        inverse = bfgs(inverse, step, point.gradient - following.gradient)
        point, previous = following, decrement
    return None

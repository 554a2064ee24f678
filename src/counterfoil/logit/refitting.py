"""Fit again where a few rows moved: from the fit's own coefficients, steered by its own information."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from counterfoil.logit.climbing import bfgs, moved, newton
from counterfoil.logit.fitting import problem_of, to_raw_scale
from counterfoil.logit.likelihood import Problem, evaluate, information
from counterfoil.logit.matrices import dot, invert, times
from counterfoil.logit.values import CodedDesign, FloatArray, LogitFit

BoolArray = npt.NDArray[np.bool_]

REFIT_TOLERANCE = 1e-3  # twice the log-likelihood still to be gained; every coefficient is then within 0.03 of its SE
MAX_STEPS = 8  # a few rows need one or two


@dataclass(frozen=True, slots=True, eq=False)
class Refitting:
    """A fit, on its standardised scale, and the inverse information at it: exact, so that one pass is mostly enough."""

    problem: Problem  # all rows that may take part, with the fit's outcome and a weight of 1 for the fit's own rows
    beta: FloatArray
    inverse: FloatArray


def ready_to_refit(design: CodedDesign, outcome: BoolArray, fitted: LogitFit, *, threads: int = 1) -> Refitting | None:
    """`design` and `outcome`: the rows of `fitted` and then more; None when the information cannot be inverted."""
    own = np.zeros(design.rows)
    own[: len(fitted.eta)] = 1.0
    problem = problem_of(design, outcome.astype(np.float64), own, threads=threads)
    names = design.slot_names
    free = np.array([slot for slot in problem.free if names[slot] in set(fitted.terms)], np.int64)
    problem = replace(problem, free=free, ridge=fitted.ridge)
    beta = np.zeros(problem.slots)
    beta[free] = np.linalg.solve(to_raw_scale(problem), fitted.coef)
    eta = np.zeros(design.rows)
    eta[: len(fitted.eta)] = fitted.eta
    inverse = invert(information(problem, eta))
    return None if inverse is None else Refitting(problem, beta, inverse)


def refit(ready: Refitting, outcome: BoolArray, there: BoolArray) -> FloatArray:
    """The log odds of every row under the fit of the rows that are `there`.

    The first step needs only the rows that differ from the fit's: the slope of all the others was 0.
    """
    problem = replace(ready.problem, outcome=outcome.astype(np.float64), weights=there.astype(np.float64))
    slope = _slope_of_change(ready, problem)
    beta, inverse = moved(problem, ready.beta, times(ready.inverse, slope)), ready.inverse
    point = evaluate(problem, beta)
    for _ in range(MAX_STEPS):
        step = times(inverse, point.gradient)
        if dot(point.gradient, step) < REFIT_TOLERANCE:
            return point.eta
        following = evaluate(problem, moved(problem, point.beta, step))
        inverse = bfgs(inverse, step, point.gradient - following.gradient)
        point = following
    return newton(problem, ready.beta, tol=REFIT_TOLERANCE).point.eta


def _slope_of_change(ready: Refitting, problem: Problem) -> FloatArray:
    before = ready.problem
    rows = np.flatnonzero((before.outcome != problem.outcome) | (before.weights != problem.weights))
    design = problem.design.take(rows)

    def slope(each: Problem) -> FloatArray:
        small = replace(each, design=design, outcome=each.outcome[rows], weights=each.weights[rows], ridge=0.0)
        return evaluate(small, ready.beta).gradient

    return slope(problem) - slope(before)

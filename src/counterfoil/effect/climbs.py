"""The likeliest linear predictor of a log-linear or logistic model of an outcome, with a ridge where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.effect.characteristics import Characteristics, columns_of
from counterfoil.effect.columns import Columns
from counterfoil.effect.influence import ESTIMATE_RULE
from counterfoil.errors import Refused
from counterfoil.logit import SEPARATION_RIDGE, column_totals
from counterfoil.logit.columns import find_separating_levels
from counterfoil.logit.fitting import climb_to_top
from counterfoil.logit.kernels import add_log_scores
from counterfoil.logit.likelihood import Point, Problem, evaluate
from counterfoil.logit.steering import Steering, steer

MAX_STEPS = 50
TOLERANCE = 1e-12  # squared Newton decrement, for weights of mean 1
LOWEST = -30.0  # a log mean below this runs to minus infinity: some level has no event at all
HIGHEST = 700.0  # e to this is the largest number there is; only a prediction far outside the data comes near
# Weight of a level without events from which a climb meets LOWEST before TOLERANCE: 1e-12 > 50 e^-30 would be needed.
# So it is with a logistic climb, which is given up for slow after 20 steps of about e: 1e-12 > 50 e^-20 of its rate.
SURELY_LOW = 50.0
NO_MODEL = "The model of the outcome has no likeliest coefficients. Adjust for fewer characteristics."


def log_odds(given: Characteristics, columns: Columns, outcome: FloatArray, w: FloatArray) -> tuple[FloatArray, float]:
    """Of everyone, with the ridge that it took (0.0 unless the outcome was separated).

    Numbers are in their SDs over everyone here, which no ridge but a ridge's size depends on.
    """
    scaled = replace(columns_of(given, np.ones(len(w))), kept=columns.kept)
    separated = _is_separated(given, columns, outcome, w)
    problem = scaled.problem(outcome, w, SEPARATION_RIDGE if separated else 0.0)
    found = _steered_odds(problem, given.steering(w))
    if found is not None:
        return found.eta, problem.ridge
    problem, climb = climb_to_top(replace(problem, ridge=0.0), separated=separated)
    return climb.point.eta, problem.ridge


def _is_separated(given: Characteristics, columns: Columns, outcome: FloatArray, w: FloatArray) -> bool:
    """Whether some level's people are all alike in the outcome. Where only some levels may have a coefficient: one in
    use, of so many people that a climb would be sure to find it out in the end."""
    if given.slots is None:
        return bool(find_separating_levels(given.design, outcome, w, threads=1))
    people = column_totals(columns.design, w, threads=1)
    events = column_totals(columns.design, w * outcome, threads=1)
    return _has_level(columns, (people > SURELY_LOW) & ((events == 0.0) | (events == people)))


def _has_level(columns: Columns, which: BoolArray) -> bool:
    """Whether a level in use is one of these slots."""
    levels = columns.kept[(columns.kept > 0) & (columns.kept < columns.design.offsets[-1])]
    return bool(which[levels].any())


def _steered_odds(problem: Problem, steering: Steering | None) -> Point | None:
    if steering is None:
        return None

    def of_each(eta: FloatArray) -> FloatArray:
        e = np.exp(-np.abs(eta))
        return e / (1.0 + e) ** 2

    total, cases = problem.weights.sum(), (problem.weights * problem.outcome).sum()
    start = np.zeros(problem.slots)
    start[0] = np.log(cases / (total - cases))
    return steer(problem, start, lambda beta: evaluate(problem, beta), of_each, steering)


def log_mean(
    given: Characteristics, columns: Columns, outcome: FloatArray, w: FloatArray, offset: FloatArray
) -> tuple[FloatArray, float]:
    """Of everyone, with the ridge that it took (0.0 unless a level has no event). `offset` is part of it."""
    if not (w * outcome).sum() > 0.0:
        raise Refused("Nobody in one of the groups has an event, so their frequency has no model.", rule=ESTIMATE_RULE)
    steering = given.steering(w)
    if not _has_no_lowest(columns, outcome, w * np.exp(offset)):
        eta = _climb_log(columns, outcome, w, offset, steering, ridge=0.0)
        if eta is not None and float((eta - offset)[w > 0].min()) > LOWEST:
            return eta, 0.0
    eta = _climb_log(columns, outcome, w, offset, steering, ridge=SEPARATION_RIDGE)
    if eta is None:
        raise Refused(NO_MODEL, rule=ESTIMATE_RULE)
    return eta, SEPARATION_RIDGE


def _has_no_lowest(columns: Columns, outcome: FloatArray, exposed: FloatArray) -> bool:
    """Whether a level in use has many people and no event, so that its mean runs to minus infinity."""
    people = column_totals(columns.design, exposed, threads=1)
    events = column_totals(columns.design, exposed * outcome, threads=1)
    return _has_level(columns, (events == 0.0) & (people > SURELY_LOW))


def _climb_log(
    columns: Columns,
    outcome: FloatArray,
    w: FloatArray,
    offset: FloatArray,
    steering: Steering | None,
    *,
    ridge: float,
) -> FloatArray | None:
    """The top of the Poisson likelihood; None when it is not reached."""
    problem = columns.problem(outcome, w, ridge)
    start = np.zeros(problem.slots)
    start[0] = np.log((w * outcome).sum() / (w * np.exp(offset)).sum())
    if columns.count == 1:  # the mean itself
        mean: FloatArray = offset + start[0]
        return mean
    if steering is not None:
        found = steer(problem, start, lambda beta: _log_point(problem, offset, beta), _mean, steering)
        if found is not None:
            return found.eta
    return _newton_log(columns, problem, offset, start[columns.kept])


def _newton_log(columns: Columns, problem: Problem, offset: FloatArray, coef: FloatArray) -> FloatArray | None:
    """Newton with halving; None when it does not arrive."""
    outcome, w, penalty = problem.outcome, problem.weights, problem.penalty
    eta = columns.times(coef) + offset
    value = _log_likelihood(outcome, w, eta) - 0.5 * float((penalty * coef**2).sum())
    for _ in range(MAX_STEPS):
        mean = _mean(eta)
        slope = columns.total(w * (outcome - mean)) - penalty * coef
        step = solve(columns.gram(w * mean) + np.diag(penalty), slope)
        decrement = float(slope @ step)
        move, share = columns.times(step), 1.0
        while True:
            trial = coef + share * step
            after = _log_likelihood(outcome, w, eta + share * move) - 0.5 * float((penalty * trial**2).sum())
            if after >= value - 1e-12 * abs(value) or share < 1e-6:
                break
            share /= 2.0
        coef, eta, value = trial, eta + share * move, after
        if decrement < TOLERANCE:
            return eta
        if float((eta - offset)[w > 0].min()) < LOWEST:
            return None
    return None


def _log_point(problem: Problem, offset: FloatArray, beta: FloatArray) -> Point:
    design, free_beta = problem.design, beta[problem.free]
    eta, gradient = np.empty(design.rows), np.zeros(problem.slots)
    value = add_log_scores(
        design.codes,
        design.offsets,
        design.numeric,
        problem.centre,
        problem.inverse_scale,
        problem.outcome,
        problem.weights,
        offset,
        HIGHEST,
        beta,
        eta,
        gradient,
    )
    lost = 0.5 * float((problem.penalty * free_beta**2).sum())
    return Point(beta, eta, value, value - lost, gradient[problem.free] - problem.penalty * free_beta)


def _mean(eta: FloatArray) -> FloatArray:
    mean: FloatArray = np.exp(np.minimum(eta, HIGHEST))
    return mean


def _log_likelihood(outcome: FloatArray, w: FloatArray, eta: FloatArray) -> float:
    used = w > 0
    with np.errstate(over="ignore"):
        return float((w[used] * (outcome[used] * eta[used] - np.exp(eta[used]))).sum())


def solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Refused where the matrix has no inverse."""
    try:
        return np.asarray(np.linalg.solve(matrix, right), np.float64)
    except np.linalg.LinAlgError as singular:
        raise Refused(NO_MODEL, rule=ESTIMATE_RULE) from singular

"""`fit`: the exact maximum-likelihood logistic regression of a coded design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from counterfoil.errors import UsageError
from counterfoil.logit.climbing import Climb, End, newton, quasi_newton
from counterfoil.logit.columns import Columns, candidate_slots, choose_columns, find_separating_levels
from counterfoil.logit.kernels import number_moments
from counterfoil.logit.likelihood import Problem, cross_products, information
from counterfoil.logit.matrices import dot, invert, times
from counterfoil.logit.sampling import Sample, draw_sample, start_from_sample
from counterfoil.logit.values import CodedDesign, FloatArray, LogitFit

TOLERANCE = 1e-12  # twice the log-likelihood still to be gained; every coefficient is then within 1e-6 of its SE
# A normal prior with SD 10 on every coefficient (numbers in their SDs). Used only when the groups are separated.
SEPARATION_RIDGE = 0.01


def fit(
    design: CodedDesign,
    outcome: FloatArray,
    *,
    weights: FloatArray | None = None,
    tol: float = TOLERANCE,
    threads: int = 1,
    covariance: bool = True,
) -> LogitFit:
    """Fit `outcome` (0 or 1, one a row) on `design` with an intercept.

    `weights` count rows (a row with weight 2 is two rows). Without separation there is no penalty at all; with it the
    coefficients would be infinite, so a small ridge is used and the fit says so. The result does not depend on
    `threads`.
    """
    check_outcome(design, outcome, weights)
    rows = np.ones(design.rows) if weights is None else np.asarray(weights, np.float64)
    problem = problem_of(design, np.asarray(outcome, np.float64), rows, threads=threads)
    sample = draw_sample(design, problem.outcome) if weights is None else None
    columns = _columns(problem, sample)
    problem = replace(problem, free=columns.free)
    separating = find_separating_levels(design, problem.outcome, rows, threads=threads)
    problem, climb = climb_to_top(problem, sample, separated=bool(separating), tol=tol)
    return _answer(problem, climb, columns, separating, covariance=covariance)


def climb_to_top(
    problem: Problem, sample: Sample | None = None, *, separated: bool, tol: float = TOLERANCE
) -> tuple[Problem, Climb]:
    """The top; with a ridge, and then the problem with it, where there is none or the outcome is known separated."""
    climb = None if separated else _climb(problem, sample, tol=tol)
    if climb is None or climb.end is not End.TOP:
        problem = replace(problem, ridge=SEPARATION_RIDGE)
        climb = _climb(problem, sample, tol=tol)
    return problem, climb


def check_outcome(design: CodedDesign, outcome: FloatArray, weights: FloatArray | None) -> None:
    """The outcome is 0 or 1 for every row, both occur, weights are finite and not negative."""
    problems = []
    if len(outcome) != design.rows:
        problems.append("The outcome must have one value for each row of the design.")
    elif not ((outcome == 0) | (outcome == 1)).all():
        problems.append("The outcome must be 0 or 1 for everyone.")
    elif not _has_both(outcome if weights is None else outcome[np.asarray(weights) > 0]):
        problems.append("Everyone is in the same group: both groups must have people.")
    if weights is not None and not (np.isfinite(weights).all() and (np.asarray(weights) >= 0).all()):
        problems.append("Weights must be finite and not negative.")
    if not np.isfinite(design.numeric).all():
        problems.append("Numbers must be finite.")
    if problems:
        raise UsageError(*problems)


def _has_both(outcome: FloatArray) -> bool:
    return bool((outcome == 0).any() and (outcome == 1).any())


def problem_of(design: CodedDesign, outcome: FloatArray, weights: FloatArray, *, threads: int) -> Problem:
    """Numbers centred and in their SDs; every slot free but the references."""
    centre = number_moments(design, np.zeros(len(design.numeric_names)), threads=threads)[0]
    deviation = np.sqrt(number_moments(design, centre, threads=threads)[1])  # numpy's would copy all numbers
    varies = deviation > np.abs(centre) * 1e-12  # a constant's SD is rounding error at most
    inverse_scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    return Problem(design, outcome, weights, centre, inverse_scale, candidate_slots(design), 0.0, threads)


def _columns(problem: Problem, sample: Sample | None) -> Columns:
    """Columns that are independent in a sample are so in the whole; only otherwise does the whole need a look."""
    if sample is not None:
        small = replace(problem, design=problem.design.take(sample.rows))
        columns = choose_columns(problem.design, cross_products(small, np.ones(len(sample.rows))))
        if not columns.dropped:
            return columns
    return choose_columns(problem.design, cross_products(problem, problem.weights))


def _climb(problem: Problem, sample: Sample | None, *, tol: float) -> Climb:
    total, cases = problem.weights.sum(), dot(problem.weights, problem.outcome)
    beta = np.zeros(problem.slots)
    beta[0] = np.log(cases / (total - cases))
    passes = 0
    start = None if sample is None else start_from_sample(problem, sample)
    if start is not None:
        climb = quasi_newton(problem, *start, tol=tol)
        if climb.end is End.TOP:
            return climb
        beta, passes = climb.point.beta, climb.passes
    climb = newton(problem, beta, tol=tol)
    return replace(climb, passes=climb.passes + passes)


def _answer(
    problem: Problem, climb: Climb, columns: Columns, separating: tuple[str, ...], *, covariance: bool
) -> LogitFit:
    to_raw = to_raw_scale(problem)
    names = problem.design.slot_names
    inverse = invert(information(problem, climb.point.eta)) if covariance else None
    return LogitFit(
        terms=tuple(names[slot] for slot in problem.free),
        coef=times(to_raw, climb.point.beta[problem.free]),
        eta=climb.point.eta,
        log_likelihood=climb.point.log_likelihood,
        iterations=climb.passes,
        decrement=climb.decrement,
        ridge=problem.ridge,
        covariance=None if inverse is None else times(times(to_raw, inverse), to_raw.T),
        dropped=columns.dropped,
        notes=(*columns.notes, *_notes(problem, climb, separating)),
    )


def to_raw_scale(problem: Problem) -> FloatArray:
    """The matrix that takes coefficients of standardised numbers to coefficients of the numbers as given."""
    first = int(problem.design.offsets[-1])
    matrix = np.eye(len(problem.free))
    for position, slot in enumerate(problem.free):
        if slot >= first:
            scale = problem.inverse_scale[slot - first]
            matrix[position, position] = scale
            matrix[0, position] = -problem.centre[slot - first] * scale
    return matrix


def _notes(problem: Problem, climb: Climb, separating: tuple[str, ...]) -> tuple[str, ...]:
    notes = []
    if problem.ridge > 0.0:
        notes.append(
            "Some characteristics separate the groups, so that no finite model is the likeliest; a small ridge keeps "
            "it finite."
        )
        if separating:
            notes.append(f"They are: {', '.join(separating)}.")
    if climb.end is not End.TOP:
        notes.append("The fit stopped before it was exact.")
    return tuple(notes)

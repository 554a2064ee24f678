"""Exponential tilting: weights exp(x'b) under which a coded design has given means. The dual of entropy balancing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from counterfoil.logit.climbing import is_slow
from counterfoil.logit.columns import candidate_slots, choose_columns
from counterfoil.logit.compiling import compiled
from counterfoil.logit.kernels import chunk_bounds, hash_people, number_moments, run_chunks
from counterfoil.logit.likelihood import Problem, cross_products
from counterfoil.logit.matrices import dot, invert, times
from counterfoil.logit.values import CodeArray, CodedDesign, FloatArray, IntArray

MAX_STEPS = 200
MAX_HALVINGS = 30
# A pool larger than twice this is first solved on a sample of this size, drawn by what rows hold: a start close to the
# answer, so that few steps need everyone.
SAMPLE = 50_000
SAMPLE_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Moments:
    """Means to reach, by slot: shares of levels, means of numbers as they are given."""

    target: FloatArray


@dataclass(frozen=True, slots=True)
class Tilt:
    """Weights that add up to 1, and how far each slot's mean stays from its target (shares; numbers in their SDs)."""

    weight: FloatArray
    gap: FloatArray
    steps: int


@dataclass(frozen=True, slots=True)
class _Point:
    beta: FloatArray  # all slots
    value: float  # of the dual: log of the sum of exp(x'b), minus b'target
    weight: FloatArray


def tilt(design: CodedDesign, moments: Moments, *, tolerance: float, threads: int = 1) -> Tilt:
    """Newton on the dual until every gap is below `tolerance`, and one step more. Without such weights the coefficients
    run away; the search then stops and the gaps say where. The result does not depend on `threads`."""
    problem, target = _standardised(design, moments, threads=threads)
    start = np.zeros(problem.slots)
    if design.rows > 2 * SAMPLE:
        start = _start_from_sample(problem, target)
    point, steps = _descend(problem, target, start, tolerance=tolerance)
    return Tilt(point.weight, _gap(problem, target, point.weight), steps)


def _standardised(design: CodedDesign, moments: Moments, *, threads: int) -> tuple[Problem, FloatArray]:
    """Numbers about their targets, in SDs of the design; their targets are then 0. Columns that others explain have no
    coefficient."""
    first = int(design.offsets[-1])
    centre = moments.target[first:].copy()
    mean = number_moments(design, np.zeros(len(centre)), threads=threads)[0]
    deviation = np.sqrt(number_moments(design, mean, threads=threads)[1])
    varies = deviation > np.abs(mean) * 1e-12
    inverse = np.divide(1.0, deviation, out=np.ones_like(deviation), where=varies)
    ones = np.ones(design.rows)
    problem = Problem(design, ones, ones, centre, inverse, candidate_slots(design), 0.0, threads)
    columns = choose_columns(design, cross_products(replace(problem, centre=mean), ones))
    target = moments.target.copy()
    target[first:] = 0.0
    return replace(problem, free=columns.free[columns.free > 0]), target


def _start_from_sample(problem: Problem, target: FloatArray) -> FloatArray:
    hashes = hash_people(problem.design)
    rows = np.flatnonzero(hashes < np.uint64(int(SAMPLE / problem.design.rows * 2.0**64)))
    zero = np.zeros(problem.slots)
    if len(rows) < SAMPLE // 2:  # many people are alike: no fair draw
        return zero
    small = replace(problem, design=problem.design.take(rows))
    free = choose_columns(small.design, cross_products(small, np.ones(len(rows)))).free
    small = replace(small, free=np.intersect1d(free, problem.free))
    point, _ = _descend(small, target, zero, tolerance=SAMPLE_TOLERANCE)
    reached = np.abs(_gap(small, target, point.weight)[small.free]).max(initial=0.0) < SAMPLE_TOLERANCE
    return point.beta if reached else zero


def _descend(problem: Problem, target: FloatArray, start: FloatArray, *, tolerance: float) -> tuple[_Point, int]:
    point, decrements, free = _evaluate(problem, target, start), [np.inf], problem.free
    for step_number in range(MAX_STEPS):
        products = cross_products(problem, point.weight)
        mean = products[0, free]
        slope = mean - target[free]
        inverse = invert(products[np.ix_(free, free)] - np.outer(mean, mean))
        if inverse is None or is_slow(decrements):
            return point, step_number
        step = -times(inverse, slope)
        decrements.append(-dot(slope, step))
        following = _downhill(problem, target, point, step)
        if np.abs(slope).max(initial=0.0) < tolerance:
            return _better(problem, target, point, following), step_number + 1
        if following is None:
            return point, step_number
        point = following
    return point, MAX_STEPS


def _better(problem: Problem, target: FloatArray, point: _Point, following: _Point | None) -> _Point:
    """The one more step is kept only if it made the largest gap smaller."""
    if following is None:
        return point
    before, after = (np.abs(_gap(problem, target, p.weight)).max() for p in (point, following))
    return following if after < before else point


def _downhill(problem: Problem, target: FloatArray, point: _Point, step: FloatArray) -> _Point | None:
    """The first of the step, its half, its quarter ... that does not go up; None when none does."""
    slack = 1e-13 * max(abs(point.value), 1.0)  # rounding in the sum over the rows
    for halvings in range(MAX_HALVINGS):
        beta = point.beta.copy()
        beta[problem.free] += step / 2.0**halvings
        candidate = _evaluate(problem, target, beta)
        if candidate.value <= point.value + slack:
            return candidate
    return None


def _evaluate(problem: Problem, target: FloatArray, beta: FloatArray) -> _Point:
    design, eta = problem.design, np.empty(problem.design.rows)
    bounds, offsets = chunk_bounds(design.rows, problem.slots), design.offsets

    def work(chunk: int) -> None:
        scales = (problem.centre, problem.inverse_scale)
        add_predictor(design.codes, offsets, design.numeric, *scales, beta, *bounds[chunk], eta)

    run_chunks(work, len(bounds), problem.threads)
    highest = float(eta.max())
    weight = np.exp(eta - highest)
    total = float(weight.sum())
    value = highest + float(np.log(total)) - dot(beta, target)
    return _Point(beta, value, weight / total)


def _gap(problem: Problem, target: FloatArray, weight: FloatArray) -> FloatArray:
    """How far each slot's mean lies from its target, references and dropped columns too."""
    return _means(problem, weight) - target


def _means(problem: Problem, weight: FloatArray) -> FloatArray:
    design = problem.design
    bounds, offsets = chunk_bounds(design.rows, problem.slots), design.offsets
    totals = np.zeros((len(bounds), problem.slots))

    def work(chunk: int) -> None:
        scales = (problem.centre, problem.inverse_scale)
        add_scaled_totals(design.codes, offsets, design.numeric, *scales, weight, *bounds[chunk], totals[chunk])

    run_chunks(work, len(bounds), problem.threads)
    summed: FloatArray = totals.sum(axis=0)
    means: FloatArray = summed / summed[0]
    return means


@compiled
def add_predictor(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    beta: FloatArray,
    first: int,
    last: int,
    eta: FloatArray,
) -> None:
    """Fill `eta[first:last]` with the linear predictor, numbers standardised."""
    factors, numbers = codes.shape[1], numeric.shape[1]
    for i in range(first, last):
        s = beta[0]
        for j in range(factors):
            s += beta[offsets[j] + codes[i, j]]
        for j in range(numbers):
            s += beta[offsets[factors] + j] * (numeric[i, j] - centre[j]) * inverse_scale[j]
        eta[i] = s


@compiled
def add_scaled_totals(  # pragma: no cover - compiled
    codes: CodeArray,
    offsets: IntArray,
    numeric: FloatArray,
    centre: FloatArray,
    inverse_scale: FloatArray,
    row_weight: FloatArray,
    first: int,
    last: int,
    totals: FloatArray,
) -> None:
    """Add X'w of the rows to `totals`, numbers standardised: a small gap is not lost beside a large mean."""
    factors, numbers = codes.shape[1], numeric.shape[1]
    for i in range(first, last):
        w = row_weight[i]
        totals[0] += w
        for j in range(factors):
            totals[offsets[j] + codes[i, j]] += w
        for j in range(numbers):
            totals[offsets[factors] + j] += w * (numeric[i, j] - centre[j]) * inverse_scale[j]

"""The logistic log-likelihood of a coded design, its gradient and its information, at any coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from counterfoil.logit.kernels import add_products, add_scores, chunk_bounds, run_chunks
from counterfoil.logit.values import CodedDesign, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to maximise. `free` are the slots with a coefficient; the rest (references, dropped) stay 0."""

    design: CodedDesign
    outcome: FloatArray  # 0 or 1
    weights: FloatArray
    centre: FloatArray  # of the numbers
    inverse_scale: FloatArray  # 1 / SD of the numbers
    free: IntArray
    ridge: float
    threads: int
    stretch: FloatArray | None = None  # of each slot: what the ridge on it is multiplied by; None: 1

    @property
    def slots(self) -> int:
        """Slots in all."""
        return int(self.design.offsets[-1]) + len(self.design.numeric_names)

    @property
    def penalty(self) -> FloatArray:
        """The ridge of each free slot; the intercept has none."""
        ridge = np.full(len(self.free), self.ridge) if self.stretch is None else self.ridge * self.stretch[self.free]
        return np.where(self.free == 0, 0.0, ridge)


@dataclass(frozen=True, slots=True)
class Point:
    """The log-likelihood and its slope at `beta` (all slots); `objective` and `gradient` (free slots) are penalised."""

    beta: FloatArray
    eta: FloatArray
    log_likelihood: float
    objective: float
    gradient: FloatArray


def evaluate(problem: Problem, beta: FloatArray) -> Point:
    """One pass over the rows."""
    design, slots = problem.design, problem.slots
    bounds = chunk_bounds(design.rows, slots)
    gradients, totals = np.zeros((len(bounds), slots)), np.zeros(len(bounds))
    eta, offsets = np.empty(design.rows), design.offsets

    def work(chunk: int) -> None:
        first, last = bounds[chunk]
        totals[chunk] = add_scores(
            design.codes,
            offsets,
            design.numeric,
            problem.centre,
            problem.inverse_scale,
            problem.outcome,
            problem.weights,
            beta,
            first,
            last,
            eta,
            gradients[chunk],
        )

    run_chunks(work, len(bounds), problem.threads)
    log_likelihood, free_beta = float(totals.sum()), beta[problem.free]
    return Point(
        beta=beta,
        eta=eta,
        log_likelihood=log_likelihood,
        objective=log_likelihood - 0.5 * float((problem.penalty * free_beta**2).sum()),
        gradient=gradients.sum(axis=0)[problem.free] - problem.penalty * free_beta,
    )


def cross_products(problem: Problem, row_weight: FloatArray) -> FloatArray:
    """X'WX over all slots, numbers standardised."""
    design, slots = problem.design, problem.slots
    bounds = chunk_bounds(design.rows, slots * slots)
    products, offsets = np.zeros((len(bounds), slots, slots)), design.offsets

    def work(chunk: int) -> None:
        first, last = bounds[chunk]
        add_products(
            design.codes,
            offsets,
            design.numeric,
            problem.centre,
            problem.inverse_scale,
            row_weight,
            first,
            last,
            products[chunk],
        )

    run_chunks(work, len(bounds), problem.threads)
    upper: FloatArray = products.sum(axis=0)
    both: FloatArray = upper + np.triu(upper, 1).T
    return both


def information(problem: Problem, eta: FloatArray) -> FloatArray:
    """Minus the second derivative of the penalised log-likelihood, over the free slots."""
    e = np.exp(-np.abs(eta))
    row_weight = problem.weights * e / (1.0 + e) ** 2
    full = cross_products(problem, row_weight)[np.ix_(problem.free, problem.free)]
    return full + np.diag(problem.penalty)

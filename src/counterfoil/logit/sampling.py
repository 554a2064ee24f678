"""Start a fit on a big pool from everyone with the outcome and a sample of the rest (a case-control fit).

The sample gives a start near the top and an information matrix that is good enough to steer by; the exact maximum is
then found with passes over all rows. Who is in the sample depends on what their row holds, not on where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from counterfoil.logit.climbing import newton
from counterfoil.logit.kernels import hash_people
from counterfoil.logit.likelihood import Problem, information
from counterfoil.logit.matrices import invert
from counterfoil.logit.values import CodedDesign, FloatArray, IntArray

SAMPLE_MIN, SAMPLE_MAX, SAMPLE_PER_CASE = 40_000, 60_000, 20
POOL_SHARE = 0.5  # of the pool; a sample larger than this saves nothing
SAMPLE_RIDGE = 0.01  # only for the start: a rare level can be separated in the sample and not in the whole
SAMPLE_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of everyone with the outcome and of a share of the rest."""

    rows: IntArray
    pool_share: float  # sampled part of those without the outcome


def draw_sample(design: CodedDesign, outcome: FloatArray) -> Sample | None:
    """None when the pool is too small to be worth it, or holds too many people who are alike for a fair draw."""
    cases = int(np.count_nonzero(outcome))
    pool = design.rows - cases
    wanted = max(SAMPLE_MIN, min(SAMPLE_PER_CASE * cases, SAMPLE_MAX))
    if wanted > POOL_SHARE * pool:
        return None
    hashes = hash_people(design)
    drawn = (hashes < np.uint64(int(wanted / pool * 2.0**64))) & (outcome == 0)
    count = int(np.count_nonzero(drawn))
    if not 0.5 * wanted < count < 2.0 * wanted:
        return None
    return Sample(np.flatnonzero(drawn | (outcome == 1)), count / pool)


def start_from_sample(problem: Problem, sample: Sample) -> tuple[FloatArray, FloatArray] | None:
    """(coefficients, inverse information of all rows), both approximate; None when the sample gives neither."""
    outcome = problem.outcome[sample.rows]
    ones = np.ones(len(outcome))
    small = replace(
        problem,
        design=problem.design.take(sample.rows),
        outcome=outcome,
        weights=ones,
        ridge=max(problem.ridge, SAMPLE_RIDGE),
    )
    beta = np.zeros(problem.slots)
    beta[0] = np.log(outcome.sum() / (len(outcome) - outcome.sum()))
    climb = newton(small, beta, tol=SAMPLE_TOLERANCE)
    beta = climb.point.beta.copy()
    shift = np.log(sample.pool_share)  # the sample has fewer people without the outcome than there are
    beta[0] += shift
    weighted = replace(small, weights=np.where(outcome == 1, 1.0, 1.0 / sample.pool_share))
    inverse = invert(information(weighted, climb.point.eta + shift))
    return None if inverse is None else (beta, inverse)

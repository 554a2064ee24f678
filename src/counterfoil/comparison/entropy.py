"""Entropy balancing (Hainmueller 2012, Political Analysis 20(1)): the weights nearest to equal ones under which the
pool has the treated people's means, exactly.

The weights are exp(x'b), and b is the minimum of a convex function of as many numbers as there are means, found by
Newton. Levels that no treated person has get weight 0 before that: nothing else gives them the share of 0.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.design import Covariates
from counterfoil.comparison.made import Groups, Made, covariates_of
from counterfoil.comparison.methods import EntropyBalancing
from counterfoil.comparison.values import BoolArray, FloatArray
from counterfoil.errors import Refused, UsageError
from counterfoil.logit import CodedDesign, Moments, column_totals, tilt

# Largest gap that counts as none: a share, or a mean in SDs of the pool. What rounding leaves is under 1e-12.
TOLERANCE = 1e-9


def make_entropy(groups: Groups, method: EntropyBalancing) -> Made:
    """Refused with rule "overlap" and the names of the covariates when no weights give the pool the treated means."""
    covariates = with_squares(groups.covariates) if method.moments == 2 else groups.covariates
    design, threads = covariates.design, groups.settings.threads
    target = column_totals(design, groups.treated.astype(np.float64), threads=threads)
    target = target / target[0]
    pool = np.flatnonzero(~groups.treated & _has_treated_levels(design, target))
    if not len(pool):
        raise _cannot(groups.covariates.factor_sources)
    found = tilt(design.take(pool), Moments(target), tolerance=TOLERANCE, threads=threads)
    apart = np.abs(found.gap) > TOLERANCE
    if apart.any():
        raise _cannot(covariates_of(covariates, apart))
    weight = np.ones(len(groups.treated))
    weight[~groups.treated] = 0.0
    weight[pool] = found.weight * float(np.count_nonzero(groups.treated))
    return Made(weight)


def with_squares(covariates: Covariates) -> Covariates:
    """The covariates and the square of each number, about a round number near its mean, so that the two are less
    alike and the order of the rows does not enter by the mean's last digit."""
    design = covariates.design
    centre = np.array([float(f"{mean:.3g}") for mean in design.numeric.mean(axis=0)])
    with np.errstate(over="ignore"):
        squares = np.ascontiguousarray(np.hstack([design.numeric, (design.numeric - centre) ** 2]))
    if not np.isfinite(squares).all():
        raise UsageError("A covariate is too large to be squared. Use a larger unit for it, or `moments` 1.")
    names = (*design.numeric_names, *(f"{name}, squared" for name in design.numeric_names))
    return Covariates(
        CodedDesign(design.factors, design.codes, names, squares),
        covariates.factor_sources,
        covariates.numeric_sources * 2,
        covariates.notes,
    )


def _has_treated_levels(design: CodedDesign, target: FloatArray) -> BoolArray:
    """Whether each person has only levels that some treated person has too."""
    has = np.ones(design.rows, np.bool_)
    for factor, (first, last) in enumerate(zip(design.offsets[:-1], design.offsets[1:], strict=True)):
        allowed = target[first:last] > 0.0
        if not allowed.all():
            has &= allowed[design.codes[:, factor]]
    return has


def _cannot(names: tuple[str, ...]) -> Refused:
    listed = ", ".join(f"`{name}`" for name in names)
    return Refused(
        f"No weights make the comparison pool like the treated people in {listed}: their values lie outside, or at the "
        "edge of, what the pool has. Leave a covariate out, put levels together, or use the radius method, which "
        "leaves out people without a counterpart and says so.",
        rule="overlap",
    )

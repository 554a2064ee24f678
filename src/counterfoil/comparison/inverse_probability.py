"""Inverse-probability weights: the pool, or both groups, weighted until they look like those whom the answer is for."""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.made import Groups, Made, covariates_of
from counterfoil.comparison.methods import InverseProbability, Target
from counterfoil.comparison.propensity import Propensity
from counterfoil.comparison.values import BoolArray, Estimand, FloatArray
from counterfoil.errors import Refused


def make_inverse_probability(groups: Groups, method: InverseProbability, propensity: Propensity) -> Made:
    """Refused with rule "separation" when somebody whom the answer is for had no counterpart at all: their weight, or
    their counterpart's, would be infinite."""
    check_not_separated(groups, propensity, method.target)
    if method.target is Target.TREATED:
        return Made(weight_by_odds(propensity.logit, groups.treated), propensity)
    weight = weight_by_probability(propensity.logit, groups.treated)
    return Made(weight, propensity, asked=Estimand.ATE)


def weight_by_odds(logit: FloatArray, treated: BoolArray) -> FloatArray:
    """1 for the treated; e / (1 - e) for the others, scaled to add up to the number of the treated."""
    weight = np.ones(len(logit))
    others = logit[~treated]
    odds = np.exp(others - others.max())
    weight[~treated] = odds * (float(np.count_nonzero(treated)) / odds.sum())
    return weight


def weight_by_probability(logit: FloatArray, treated: BoolArray) -> FloatArray:
    """1 / e for the treated, 1 / (1 - e) for the others, each scaled to add up to the number of people."""
    weight = 1.0 + np.exp(np.where(treated, -logit, logit))
    for group in (treated, ~treated):
        weight[group] *= len(logit) / weight[group].sum()
    return weight


def check_not_separated(groups: Groups, propensity: Propensity, target: Target) -> None:
    """Levels that only the pool has are no harm to an answer about the treated: those people get hardly any weight."""
    if propensity.fit.ridge == 0.0:
        return
    means, first_number = groups.baseline.means, int(groups.covariates.design.offsets[-1])
    treated_only = (means[0] == 0.0) & (means[1] > 0.0)
    pool_only = (means[1] == 0.0) & (means[0] > 0.0)
    treated_only[first_number:] = pool_only[first_number:] = False
    fatal = treated_only if target is Target.TREATED else treated_only | pool_only
    if fatal.any() or not pool_only.any():
        names = covariates_of(groups.covariates, fatal)
        which = f" They lie in {', '.join(f'`{name}`' for name in names)}." if names else ""
        raise Refused(
            f"Some characteristics separate the groups: whoever has them is in one group only, so their weights would "
            f"be infinite.{which} Leave them out, put levels together or make bands wider, or use the radius method, "
            "which leaves out people without a counterpart and says so.",
            rule="separation",
        )

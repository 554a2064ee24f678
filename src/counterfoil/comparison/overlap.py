"""Overlap weights (Li, Morgan and Zaslavsky 2018, JASA 113(521)): each person's probability of the other group.

They never explode, count most those who could have been in either group, and with a maximum-likelihood score they make
the mean of every column of its model the same in both groups, exactly: the score's own equations say so.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.made import Groups, Made, no_overlap
from counterfoil.comparison.propensity import Propensity
from counterfoil.comparison.values import BoolArray, Estimand, FloatArray


def make_overlap(groups: Groups, propensity: Propensity) -> Made:
    """Refused when the scores of the groups do not meet."""
    logit, treated = propensity.logit, groups.treated
    if float(logit[treated].min()) > float(logit[~treated].max()):
        raise no_overlap("every one of them has a higher propensity.", "Use fewer covariates or another pool.")
    return Made(weight_by_overlap(logit, treated), propensity, asked=Estimand.ATO)


def weight_by_overlap(logit: FloatArray, treated: BoolArray) -> FloatArray:
    """1 - e for the treated; e for the others, scaled to the sum of the treated (to which it is equal without a
    ridge)."""
    weight = np.exp(-np.logaddexp(0.0, np.where(treated, logit, -logit)))
    weight[~treated] *= weight[treated].sum() / weight[~treated].sum()
    return weight

"""Subclassification on the propensity score, as MatchIt's `method = "subclass"`: cut at quantiles, weight within.

Quantiles are of the treated for the effect on the treated, of everyone for the effect on everyone (R's type 7). A
person at a cut belongs to the subclass above it; whoever lies outside the first or last cut to the first or last one.
MatchIt moves people between neighbouring subclasses when one lacks a group; here that is refused, with what to do.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.made import Groups, Made
from counterfoil.comparison.methods import Subclassification, Target
from counterfoil.comparison.propensity import Propensity
from counterfoil.comparison.values import BoolArray, Estimand, FloatArray, IntArray
from counterfoil.errors import Refused


def make_subclasses(groups: Groups, method: Subclassification, propensity: Propensity) -> Made:
    """Refused with rule "overlap" when a subclass holds nobody of one group."""
    treated = groups.treated
    stratum = cut_at_quantiles(propensity.probability, treated, method)
    check_filled(stratum, treated, method.subclasses)
    asked = Estimand.ATT if method.target is Target.TREATED else Estimand.ATE
    return Made(weigh_strata(stratum, treated, method.target), propensity, asked=asked, stratum=stratum)


def cut_at_quantiles(score: FloatArray, treated: BoolArray, method: Subclassification) -> IntArray:
    """The number of each person's subclass, from 0 for the lowest scores."""
    of = score[treated] if method.target is Target.TREATED else score
    cuts = np.quantile(of, np.linspace(0.0, 1.0, method.subclasses + 1))
    return np.searchsorted(cuts[1:-1], score, side="right").astype(np.int64)


def weigh_strata(stratum: IntArray, treated: BoolArray, target: Target) -> FloatArray:
    """Weights that give each group the strata's sizes among the treated, or among everyone; -1 is in no stratum.

    The treated: 1 each, the others (treated / others of the stratum). Everyone: (people / own group of the stratum).
    """
    inside = stratum >= 0
    strata = int(stratum.max(initial=-1)) + 1
    sizes = np.stack([np.bincount(stratum[inside & group], minlength=strata) for group in (~treated, treated)])
    aim = sizes[1] if target is Target.TREATED else sizes.sum(axis=0)
    shares = np.divide(aim, sizes, out=np.zeros(sizes.shape), where=sizes > 0)
    weight = np.zeros(len(stratum))
    weight[inside] = shares[treated[inside].astype(np.int64), stratum[inside]]
    return weight


def check_filled(stratum: IntArray, treated: BoolArray, subclasses: int) -> None:
    """Every subclass has people of both groups."""
    for group in (treated, ~treated):
        if (np.bincount(stratum[group], minlength=subclasses) == 0).any():
            raise Refused(
                "A subclass holds nobody of one of the groups, so there is nothing to compare in it. Ask for fewer "
                "`subclasses`, or use the radius method.",
                rule="overlap",
            )

"""How many columns an outcome model can carry, and which ones it gets when there are more.

A model with a column for every few outcomes fits their noise: its adjusted figure is worse than none, and robust errors
say so by growing. So there is one column for ten outcomes (Peduzzi and others 1996, Journal of Clinical Epidemiology
49), and those go to the characteristics that the comparison left furthest apart. Outcomes decide how many, never which.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.values import Comparison, Estimand, FloatArray
from counterfoil.effect.characteristics import Characteristics
from counterfoil.effect.groups import kish_ess
from counterfoil.effect.influence import ESTIMATE_RULE
from counterfoil.errors import Refused
from counterfoil.units import Kind

OUTCOMES_A_COLUMN = 10
SOME = "Adjusted for the characteristics that stayed furthest apart, as many as the outcomes can carry."


def room_for(outcome: FloatArray, comparison: Comparison, kind: Kind) -> int:
    """Columns that the outcomes carry: effective people with the rarer outcome (rates), with any (counts), or at all.

    Of the comparison group; for an effect on everyone, of the smaller side.
    """
    on_treated = comparison.achieved in (Estimand.ATT, Estimand.ATT_MATCHED)
    sides = (~comparison.treated,) if on_treated else (comparison.treated, ~comparison.treated)
    people = [side & (comparison.weight > 0) & ~np.isnan(outcome) for side in sides]
    return min(int(_effective(outcome[p], comparison.weight[p], kind) / OUTCOMES_A_COLUMN) for p in people)


def _effective(outcome: FloatArray, weight: FloatArray, kind: Kind) -> float:
    """Outcomes, scaled down as the weights scale down the people."""
    if len(outcome) == 0:
        return 0.0
    some = int(np.count_nonzero(outcome))
    told = {Kind.RATE: min(some, len(outcome) - some), Kind.COUNT: some}.get(kind, len(outcome))
    return told * kish_ess(weight) / len(outcome)


def within_room(covariates: Characteristics, room: int, comparison: Comparison) -> Characteristics:
    """The same when it fits; else its `room` columns with the largest |SMD| after the comparison."""
    slots = covariates.candidates[1:]  # without the intercept
    if len(slots) <= room:
        return covariates
    if room < 1:
        raise Refused("There are too few outcomes to adjust for any characteristic.", rule=ESTIMATE_RULE)
    apart = {row.term: abs(row.smd) for row in comparison.balance if row.smd is not None}
    names = covariates.design.slot_names
    furthest = sorted(slots.tolist(), key=lambda slot: (-apart.get(names[slot], 0.0), slot))[:room]
    return covariates.only(np.array([0, *sorted(furthest)], np.int64))

"""How many columns an outcome model can carry, and which ones it gets when there are more.

A model with a column for every few outcomes fits their noise: its adjusted figure is worse than none, and robust errors
say so by growing. So there is one column for ten outcomes (Peduzzi and others 1996, Journal of Clinical Epidemiology
49), and those go to the characteristics that the comparison left furthest apart. Outcomes decide how many, never which.
"""

from __future__ import annotations

import numpy as np

from counterfoil.comparison.values import Comparison, Estimand, FloatArray
from counterfoil.effect.groups import kish_ess
from counterfoil.effect.influence import ESTIMATE_RULE
from counterfoil.errors import Refused
from counterfoil.logit import CodedDesign
from counterfoil.logit.columns import candidate_slots
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


def within_room(covariates: CodedDesign, room: int, comparison: Comparison) -> CodedDesign:
    """The same design when it fits; else its `room` columns with the largest |SMD| after the comparison."""
    slots = candidate_slots(covariates)[1:]  # without the intercept
    if len(slots) <= room:
        return covariates
    if room < 1:
        raise Refused("There are too few outcomes to adjust for any characteristic.", rule=ESTIMATE_RULE)
    apart = {row.term: abs(row.smd) for row in comparison.balance if row.smd is not None}
    names = covariates.slot_names
    furthest = sorted(slots.tolist(), key=lambda slot: (-apart.get(names[slot], 0.0), slot))[:room]
    chosen = sorted(furthest)
    numbers = np.column_stack([_column(covariates, slot) for slot in chosen])
    return CodedDesign(
        (),
        np.empty((covariates.rows, 0), np.int8),
        tuple(names[slot] for slot in chosen),
        np.ascontiguousarray(numbers),
    )


def _column(design: CodedDesign, slot: int) -> FloatArray:
    offsets = design.offsets
    if slot >= offsets[-1]:
        numbers: FloatArray = design.numeric[:, slot - int(offsets[-1])]
        return numbers
    factor = int(np.searchsorted(offsets, slot, side="right")) - 1
    return np.asarray(design.codes[:, factor] == slot - int(offsets[factor]), np.float64)

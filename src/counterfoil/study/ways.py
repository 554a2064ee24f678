"""Which ways to make the comparison a plan asks for: pools, people who applied, and three runs by assessments.

Decided from the plan and from who is there, never from what happened to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.comparison.checks import MATCHES_WITHIN
from counterfoil.study.comparison_plan import APPLIED, REGION, ComparisonPlan
from counterfoil.study.way_designs import Way

BoolArray = npt.NDArray[np.bool_]

NATIONAL = "national"
ARM = "arm"  # of a trial in a lab: those of the list to whom lots gave no place
ASSESSED, NEEDS = "assessed", "needs"  # the second and third of three runs; the first is the headline


@dataclass(frozen=True, slots=True)
class There:
    """Who is there, row by row. `applied`: a mask for each group of the list that did not take part."""

    treated: BoolArray
    applied: dict[str, BoolArray]
    region: pa.ChunkedArray | None
    assessed: BoolArray | None = None
    needs: tuple[str, ...] = ()  # their covariates

    @property
    def pool(self) -> BoolArray:
        """The treated and everyone outside the list."""
        applied = np.zeros_like(self.treated)
        for rows in self.applied.values():
            applied |= rows
        return ~applied


@dataclass(frozen=True, slots=True)
class Ways:
    """Candidates for the headline, in order, and what stands beside it."""

    candidates: tuple[Way, ...]
    others: tuple[Way, ...]


def ways(plan: ComparisonPlan, there: There, covariates: tuple[str, ...], *, least: float) -> Ways:
    """`least`: people that a group needs (R1); three runs are made where as many of the treated were assessed."""
    if plan.design == "randomised":
        return Ways(_arms(there, covariates), ())
    national = Way(NATIONAL, there.pool, covariates, plan.exact)
    applied = {
        name: Way(name, there.treated | rows, covariates, plan.exact)
        for name, rows in there.applied.items()
        if rows.any() or name == plan.design
    }
    if plan.design in APPLIED:
        beside = [other for name, other in applied.items() if name != plan.design] if plan.applied else []
        return Ways((applied[plan.design],), (national, *beside, *_runs(plan, there, covariates, least)))
    candidates: Sequence[Way] = (national,)
    if plan.pool != NATIONAL and there.region is not None:
        regional = _regional(plan, there, there.region, covariates)
        candidates = (regional,) if plan.pool == REGION else (regional, national)
    beside = list(applied.values()) if plan.applied else []
    return Ways(tuple(candidates), (*beside, *_runs(plan, there, covariates, least)))


def _arms(there: There, covariates: tuple[str, ...]) -> tuple[Way, ...]:
    """The arms of a trial. A table that has no more than its two arms is compared as it is."""
    arm = np.zeros_like(there.treated)
    for rows in there.applied.values():
        arm |= rows
    return (Way(ARM, there.treated | arm, covariates),) if arm.any() else ()


def _regional(plan: ComparisonPlan, there: There, region: pa.ChunkedArray, covariates: tuple[str, ...]) -> Way:
    """People of the regions that the treated are of; each is compared within the region where the method can do so."""
    theirs = pc.unique(region.filter(pa.array(there.treated)))
    inside = np.asarray(pc.is_in(region, theirs).to_numpy(zero_copy_only=False), np.bool_)
    several = len(theirs) > 1
    exact = (*plan.exact, REGION) if several and plan.chosen_method in MATCHES_WITHIN else plan.exact
    left = covariates if several else tuple(name for name in covariates if name != REGION)
    return Way(REGION, there.pool & inside, left, tuple(dict.fromkeys(exact)))


def _runs(plan: ComparisonPlan, there: There, covariates: tuple[str, ...], least: float) -> list[Way]:
    """The second and third run: only people with an assessment, without and with what it says (EVALUATION A8)."""
    if not plan.assessments or there.assessed is None or np.count_nonzero(there.treated & there.assessed) < least:
        return []
    return [
        Way(ASSESSED, there.assessed, covariates, within_headline=True),
        Way(NEEDS, there.assessed, (*covariates, *there.needs), within_headline=True),
    ]

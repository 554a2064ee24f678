"""Each sub-analysis is its own comparison: made and frozen with the whole, before outcomes; estimated after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.comparison import compare
from counterfoil.comparison.values import Comparison, ComparisonSettings
from counterfoil.disclosure import DisclosureSettings, SubResult
from counterfoil.effect import HidingRules, estimate, sub_analyses
from counterfoil.effect.sub_analyses import SubAnalysis
from counterfoil.errors import Refused, UsageError
from counterfoil.outcomes.measures import Measure
from counterfoil.study.sub_plan import AFTER_START, Part
from counterfoil.study.way_designs import compared_of, rule_of

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SubDesign:
    """A sub-analysis before outcomes. `rule`: what stops it already, else ""; `comparison` None where none was made."""

    part: Part
    comparison: Comparison | None
    rule: str


def design_parts(
    people: pa.Table, treated: str, whole: ComparisonSettings, parts: Sequence[Part], settings: DisclosureSettings
) -> tuple[SubDesign, ...]:
    """Compare the people of each part by themselves; those too few or not alike are stopped here (METHODS 5)."""
    return tuple(_design(people, treated, whole, part, settings) for part in parts)


def _design(
    people: pa.Table, treated: str, whole: ComparisonSettings, part: Part, settings: DisclosureSettings
) -> SubDesign:
    chosen = part.settings(whole)
    used = people.filter(pa.array(part.rows)).select([treated, *dict.fromkeys((*chosen.covariates, *chosen.exact))])
    taken = np.asarray(used[treated].to_numpy(zero_copy_only=False), np.bool_)
    if min(taken.sum(), (~taken).sum()) < settings.min_group:
        return SubDesign(part, None, "R1")
    try:
        comparison = compare(used, treated, chosen)
    except (Refused, UsageError) as stopped:
        return SubDesign(part, None, rule_of(stopped))
    if min(comparison.n_treated_matched, comparison.n_comparison) < settings.min_group:
        return SubDesign(part, comparison, "R1")
    return SubDesign(part, comparison, "" if comparison.reliable else "balance")


def estimate_parts(
    designs: Sequence[SubDesign],
    outcomes: Mapping[str, FloatArray],
    headline: Measure,
    settings: DisclosureSettings,
) -> tuple[SubResult, ...]:
    """The headline measure of each, their p-values corrected together by Holm's method."""
    effects = {
        d.part.plan.name: estimate({headline.name: outcomes[headline.name][d.part.rows]}, d.comparison, [headline])[0]
        for d in designs
        if d.comparison is not None and not d.rule
    }
    found = sub_analyses(effects, rules=HidingRules(group=settings.min_group)) if effects else ()
    by_name: dict[str, SubAnalysis] = {f.name: f for f in found}
    return tuple(
        SubResult(
            name=d.part.plan.name,
            about=d.part.plan.about,
            members=_members(d),
            comparison=d.comparison,
            found=by_name.get(d.part.plan.name),
            rule=d.rule,
            after_start=d.part.plan.by in AFTER_START,
            compared=compared_of(d.comparison, np.flatnonzero(d.part.rows), len(d.part.rows), settings),
        )
        for d in designs
    )


def _members(design: SubDesign) -> npt.NDArray[np.bool_]:
    """The treated analysed in it, as rows of the whole."""
    members = np.zeros(len(design.part.rows), np.bool_)
    if design.comparison is not None:
        used = design.comparison.treated & (design.comparison.weight > 0)
        members[np.flatnonzero(design.part.rows)[used]] = True
    return members

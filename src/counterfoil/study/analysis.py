"""The analyst's stages in order: gate, compare, freeze, measure, estimate, protect, render.

The design (who is compared with whom, with which weight) is written and hashed before outcomes are opened: the
function that opens them is not called earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.cohort.values import Attrition, Step
from counterfoil.comparison import (
    InverseProbability,
    Kernel,
    Overlap,
    Radius,
    compare_groups,
    prepare,
    with_propensity,
)
from counterfoil.comparison.balance import members_of_terms
from counterfoil.comparison.made import Groups
from counterfoil.comparison.values import Comparison, ComparisonSettings, Design
from counterfoil.disclosure import (
    Beside,
    Protected,
    ProtectedRefusal,
    check_gate,
    check_groups,
    headline_measure,
    refuse,
)
from counterfoil.effect import estimate, survival
from counterfoil.errors import Refused
from counterfoil.lab.files import write_json
from counterfoil.lab.progress import Progress, silent
from counterfoil.study.alike import check_analysed, check_cohort
from counterfoil.study.audit import Behind, Calculated, Checked, protect_and_audit
from counterfoil.study.comparison_plan import APPLIED, REGION
from counterfoil.study.freezing import freeze
from counterfoil.study.inputs import Inputs
from counterfoil.study.link_draws import LinkDesigns, design_draws, estimate_draws
from counterfoil.study.negative_control import design_control, with_control
from counterfoil.study.plan import comparison_settings
from counterfoil.study.printing import SENSITIVITY, publish_inside
from counterfoil.study.specifications import decide_specifications, run_specifications
from counterfoil.study.sub_analyses import SubDesign, design_parts, estimate_parts
from counterfoil.study.way_designs import (
    Designed,
    Way,
    choose,
    compared_of,
    estimate_ways,
    make_designs,
    people_of,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
OpenOutcomes = Callable[[], Mapping[str, FloatArray]]
TREATED = "treated"
LINKING = "linking.json"  # the same of doubt about links
_SHARE_SCORE = (Radius, InverseProbability, Overlap, Kernel)  # methods whose score is estimated in the order of rows


def analyse(inputs: Inputs, open_outcomes: OpenOutcomes, *, progress: Progress = silent) -> dict[str, Any]:
    """Run the stages and write the report; gives the JSON of `evaluate`. A refusal is a result and has a report."""
    checked: Checked | None = None
    held: tuple[str, ...] = ()
    try:
        checked = _checked(inputs, open_outcomes, progress)
        result: Protected | ProtectedRefusal = checked.audited.protected
    except Refused as refusal:
        result = refuse(refusal, inputs.settings)
        held = refusal.about
    progress("Writing the report", 0.95)
    return publish_inside(inputs, result, checked, held)


def _checked(inputs: Inputs, open_outcomes: OpenOutcomes, progress: Progress) -> Checked:
    check_gate(inputs.attrition, None, inputs.settings)
    n_treated = pc.sum(inputs.people[TREATED]).as_py() or 0
    check_groups(n_treated, inputs.people.num_rows - n_treated, inputs.settings)
    check_cohort(inputs.behind.keys, inputs.behind.alike, inputs.settings)
    progress("Comparing like with like", 0.3)
    whole = comparison_settings(inputs.plan, inputs.covariates, threads=inputs.threads)
    candidates = _candidates(inputs, whole)
    way = choose(candidates).way if candidates else next(iter(inputs.candidates), None)
    used = inputs if way is None else _narrowed(inputs, way, whole)
    settings = whole if way is None else way.settings(whole)
    groups = prepare(used.people, TREATED, settings)
    if settings.design is Design.MATCHED and isinstance(settings.method, _SHARE_SCORE):
        groups = with_propensity(groups)
    comparison = compare_groups(groups)
    attrition = _with_matching(inputs.attrition, comparison)
    check_gate(attrition, comparison, inputs.settings)
    rows = np.ones(inputs.people.num_rows, np.bool_) if way is None else way.rows
    treated = np.asarray(inputs.people[TREATED].to_numpy(zero_copy_only=False), np.bool_)
    check_analysed(_analysed(inputs.behind, comparison, rows, treated), inputs.behind.alike, inputs.settings)
    designs = design_parts(used.people, TREATED, settings, used.parts, inputs.settings)
    specifications = decide_specifications(
        groups, seed=inputs.plan.seed, made=comparison, sites=used.sites, least=inputs.settings.min_group
    )
    ways = _ways_beside(inputs, whole, way, candidates)
    check = design_control(
        inputs.control, used.people, TREATED, settings, comparison, inputs.settings, _history_of(inputs, rows)
    )
    draws = _draws(inputs, groups, comparison, way, rows, progress)
    freeze(used, comparison, designs, specifications, (*ways, *check), None if draws is None else draws.designs)
    progress("Measuring what happened next", 0.7)
    opened = open_outcomes()
    everyone = {name: values[: len(rows)] for name, values in opened.items()}
    outcomes = {name: values[rows] for name, values in everyone.items()}
    effects = estimate(outcomes, comparison, inputs.measures, people=groups.covariates)
    beside = _beside(used, outcomes, comparison, designs)
    progress("Asking the same in other ways", 0.78)
    measure = headline_measure(inputs.measures)
    headline = next(effect for effect in effects if effect.measure.name == measure.name)
    found = run_specifications(groups, specifications, headline, comparison, outcomes, inputs.settings)
    write_json(inputs.folder / SENSITIVITY, found.facts())
    beside = replace(
        beside,
        trust=with_control(found.result(), inputs.control, check, outcomes, inputs.settings),
        ways=tuple(
            replace(each, members=each.members[rows])  # whom they are compared with stays of everyone
            for each in estimate_ways(ways, everyone, measure, inputs.settings)
        ),
        pool=way.name if way is not None and (candidates or way.name in (REGION, *APPLIED)) else "",
    )
    if draws is not None:
        progress("Asking with other people linked", 0.82)
        more = {name: values[len(rows) :][draws.possible] for name, values in opened.items()}
        linking = estimate_draws(draws.designs, outcomes, more, effects, measure)
        write_json(inputs.folder / LINKING, linking.facts())
        beside = replace(beside, linking=linking.headline)
    progress("Protecting everyone in it", 0.85)
    beside = replace(
        beside,
        compared=compared_of(comparison, np.arange(len(comparison.treated)), len(comparison.treated), inputs.settings),
        terms=members_of_terms(groups.covariates),
    )
    calculated = Calculated(effects, comparison, attrition, beside, everyone)
    return protect_and_audit(calculated, rows, treated, inputs.behind, inputs.settings)


def _analysed(behind: Behind, comparison: Comparison, rows: BoolArray, treated: BoolArray) -> list[str]:
    """Keys of the treated who are left. `rows`: of everyone, those the comparison is of; `treated`: of everyone."""
    if not behind.keys:
        return []
    number = np.cumsum(treated) - 1  # of a row among the treated, as `behind` has them
    return [behind.keys[at] for at in number[rows][comparison.treated & (comparison.weight > 0)]]


@dataclass(frozen=True, slots=True)
class _Draws:
    """The draws of the links. `possible`: which of the doubt's people may be in the headline's comparison."""

    designs: LinkDesigns
    possible: BoolArray


def _draws(
    inputs: Inputs, groups: Groups, comparison: Comparison, way: Way | None, rows: BoolArray, progress: Progress
) -> _Draws | None:
    if inputs.doubt is None:
        return None
    progress("Drawing who else may have been linked", 0.6)
    more = inputs.doubt.people
    possible = np.ones(more.num_rows, np.bool_)
    if way is not None and way.name == REGION:
        theirs = inputs.people[REGION].filter(pa.array(rows))
        possible = np.asarray(pc.is_in(more[REGION], pc.unique(theirs)).to_numpy(zero_copy_only=False), np.bool_)
    doubt = inputs.doubt.narrowed(rows, possible)
    return _Draws(design_draws(groups, comparison, doubt, seed=inputs.plan.seed), possible)


def _candidates(inputs: Inputs, whole: ComparisonSettings) -> tuple[Designed, ...]:
    """Every pool that could make the headline, compared; nothing when there is no choice."""
    several = inputs.candidates if len(inputs.candidates) > 1 else ()
    return make_designs(inputs.people, TREATED, whole, several, inputs.settings)


def _ways_beside(
    inputs: Inputs, whole: ComparisonSettings, headline: Way | None, candidates: Sequence[Designed]
) -> tuple[Designed, ...]:
    """The pools that did not make the headline, then the other ways."""
    rest = tuple(each for each in candidates if each.way is not headline)
    asked = [each.within(headline) for each in inputs.others]
    return (*rest, *make_designs(inputs.people, TREATED, whole, asked, inputs.settings))


def _history_of(inputs: Inputs, rows: BoolArray) -> pa.Table | None:
    return None if inputs.history_before is None else inputs.history_before.filter(pa.array(rows))


def _narrowed(inputs: Inputs, headline: Way, whole: ComparisonSettings) -> Inputs:
    """The people of the headline's comparison, and everything that is row by row of them."""
    return replace(
        inputs,
        people=people_of(inputs.people, TREATED, headline.settings(whole), headline.rows),
        parts=tuple(replace(part, rows=part.rows[headline.rows]) for part in inputs.parts),
        sites=tuple(replace(site, rows=site.rows[headline.rows]) for site in inputs.sites),
        profile=tuple(
            replace(one, cells={kind: rows[headline.rows] for kind, rows in one.cells.items()})
            for one in inputs.profile
        ),
    )


def _beside(
    inputs: Inputs, outcomes: Mapping[str, FloatArray], comparison: Comparison, designs: Sequence[SubDesign]
) -> Beside:
    headline = headline_measure(inputs.measures)
    months, of = inputs.follow_up_months, inputs.curves_of
    return Beside(
        members=comparison.treated & (comparison.weight > 0),
        headline=outcomes[headline.name],
        survival=None if months is None else survival(outcomes, comparison, inputs.measures, months=months, of=of),
        sub_analyses=estimate_parts(designs, outcomes, headline, inputs.settings),
        sample=inputs.sample,
        costs=inputs.costs,
        tables=inputs.profile,
    )


def _with_matching(attrition: Attrition, comparison: Comparison) -> Attrition:
    people = dict(attrition.people)
    if comparison.settings.design is Design.MATCHED:
        people[Step.ON_SUPPORT] = comparison.n_treated_matched
    people[Step.MATCHED] = comparison.n_treated_matched
    return replace(attrition, people=people)

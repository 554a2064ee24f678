"""The analyst's stages in order: gate, compare, freeze, measure, estimate, protect, render.

The design (who is compared with whom, with which weight) is written and hashed before outcomes are opened: the
function that opens them is not called earlier.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil import __version__
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
from counterfoil.comparison.values import Comparison, Design, Pairs
from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    Beside,
    DisclosureSettings,
    Protected,
    ProtectedRefusal,
    SampleFacts,
    UnitCost,
    check_gate,
    headline_measure,
    protect,
    refuse,
)
from counterfoil.effect import estimate, survival
from counterfoil.errors import Refused
from counterfoil.lab.files import atomic_write, write_json
from counterfoil.lab.progress import Progress, silent
from counterfoil.outcomes.measures import Measure
from counterfoil.provenance import sha256_of_bytes
from counterfoil.report import About, render, to_json
from counterfoil.study.comparison_plan import comparison_facts
from counterfoil.study.plan import Plan, Setting, comparison_settings
from counterfoil.study.risk_score import PICTURE, RiskScore, calibration_picture
from counterfoil.study.specifications import Specification, decide_specifications, run_specifications
from counterfoil.study.sub_analyses import SubDesign, design_parts, estimate_parts
from counterfoil.study.sub_plan import Part
from counterfoil.warehouse import write_table

FloatArray = npt.NDArray[np.float64]
OpenOutcomes = Callable[[], Mapping[str, FloatArray]]
TREATED = "treated"
RESULT = "result.json"
REPORT = "report.html"
SENSITIVITY = "sensitivity.json"  # exact; inside the lab
_SHARE_SCORE = (Radius, InverseProbability, Overlap, Kernel)  # methods whose score is estimated in the order of rows


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report says of where it was made."""

    today: dt.date
    lab: str = ""
    data_window: str = ""
    method: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything one analysis works on. `people` holds covariates and `treated`, and no outcome."""

    run: str
    plan: Plan
    people: pa.Table
    covariates: tuple[str, ...]
    attrition: Attrition
    measures: tuple[Measure, ...]
    folder: Path
    inputs: Mapping[str, str]  # what went in -> SHA-256 or version, as the report shows it
    facts: Facts
    inside: Mapping[str, str] = field(default_factory=dict)  # more of it, for the manifest: it stays inside the lab
    score: RiskScore | None = None  # of the lab's own, among the covariates; its calibration stays inside the lab
    settings: DisclosureSettings = DEFAULT_SETTINGS
    threads: int = 2
    parts: tuple[Part, ...] = ()  # the plan's sub-analyses
    follow_up_months: int | None = None  # of the curves of everyone; None draws none
    sample: SampleFacts | None = None
    costs: tuple[UnitCost, ...] = ()


def analyse(inputs: Inputs, open_outcomes: OpenOutcomes, *, progress: Progress = silent) -> dict[str, Any]:
    """Run the stages and write the report; gives the JSON of `evaluate`. A refusal is a result and has a report."""
    try:
        result: Protected | ProtectedRefusal = _protected(inputs, open_outcomes, progress)
    except Refused as refusal:
        result = refuse(refusal, inputs.settings)
    progress("Writing the report", 0.95)
    return publish_inside(inputs, result)


def _protected(inputs: Inputs, open_outcomes: OpenOutcomes, progress: Progress) -> Protected:
    check_gate(inputs.attrition, None, inputs.settings)
    progress("Comparing like with like", 0.3)
    chosen = comparison_settings(inputs.plan, inputs.covariates, threads=inputs.threads)
    groups = prepare(inputs.people, TREATED, chosen)
    if chosen.design is Design.MATCHED and isinstance(chosen.method, _SHARE_SCORE):
        groups = with_propensity(groups)
    comparison = compare_groups(groups)
    attrition = _with_matching(inputs.attrition, comparison)
    check_gate(attrition, comparison, inputs.settings)
    designs = design_parts(inputs.people, TREATED, chosen, inputs.parts, inputs.settings)
    specifications = decide_specifications(groups, seed=inputs.plan.seed)
    freeze(inputs, comparison, designs, specifications)
    progress("Measuring what happened next", 0.7)
    outcomes = open_outcomes()
    effects = estimate(outcomes, comparison, inputs.measures, people=inputs.people)
    beside = _beside(inputs, outcomes, comparison, designs)
    progress("Asking the same in other ways", 0.78)
    name = headline_measure(inputs.measures).name
    headline = next(effect for effect in effects if effect.measure.name == name)
    found = run_specifications(groups, specifications, headline, comparison, outcomes, inputs.settings)
    write_json(inputs.folder / SENSITIVITY, found.facts())
    progress("Protecting everyone in it", 0.85)
    return protect(effects, comparison, attrition, inputs.settings, beside)


def _beside(
    inputs: Inputs, outcomes: Mapping[str, FloatArray], comparison: Comparison, designs: Sequence[SubDesign]
) -> Beside:
    headline = headline_measure(inputs.measures)
    months = inputs.follow_up_months
    return Beside(
        members=comparison.treated & (comparison.weight > 0),
        headline=outcomes[headline.name],
        survival=None if months is None else survival(outcomes, comparison, inputs.measures, months=months),
        sub_analyses=estimate_parts(designs, outcomes, headline, inputs.settings),
        sample=inputs.sample,
        costs=inputs.costs,
    )


def _with_matching(attrition: Attrition, comparison: Comparison) -> Attrition:
    people = dict(attrition.people)
    if comparison.settings.design is Design.MATCHED:
        people[Step.ON_SUPPORT] = comparison.n_treated_matched
    people[Step.MATCHED] = comparison.n_treated_matched
    return replace(attrition, people=people)


def freeze(
    inputs: Inputs,
    comparison: Comparison,
    designs: Sequence[SubDesign] = (),
    specifications: Sequence[Specification] = (),
) -> str:
    """Write the design and its hash. After this nothing about who is compared can change unseen."""
    rows = len(comparison.treated)
    table = pa.table(
        {
            "treated": comparison.treated,
            "weight": comparison.weight,
            "logit_propensity": _padded(comparison.logit_propensity, rows),
            "pair": comparison.pair if len(comparison.pair) == rows else np.full(rows, -1),
            "stratum": comparison.stratum if len(comparison.stratum) == rows else np.full(rows, -1),
        }
    )
    design = write_table(table, inputs.folder / "design.parquet").sha256
    frozen = {"design": design, "plan": inputs.plan.sha256(), "version": __version__, **_chosen(comparison)}
    frozen["specifications"] = [one.facts() for one in specifications]
    if comparison.pairs is not None:  # errors rest on who was matched with whom
        frozen["pairs"] = write_table(_pairs_table(comparison.pairs), inputs.folder / "pairs.parquet").sha256
    if designs:
        frozen["sub_analyses"] = [_frozen_part(inputs.folder, number, each) for number, each in enumerate(designs, 1)]
    write_json(inputs.folder / "frozen.json", frozen)
    return design


def _frozen_part(folder: Path, number: int, design: SubDesign) -> dict[str, str]:
    """A sub-analysis: the design's hash, or the rule that stopped it."""
    made = design.comparison
    if made is None or design.rule:
        return {"name": design.part.plan.name, "rule": design.rule}
    table = pa.table({"row": np.flatnonzero(design.part.rows), "treated": made.treated, "weight": made.weight})
    digest = write_table(table, folder / f"sub_analysis_{number}.parquet").sha256
    return {"name": design.part.plan.name, "design": digest}


def _pairs_table(pairs: Pairs) -> pa.Table:
    """One row a pair; people by their row in the design."""
    return pa.table({field.name: getattr(pairs, field.name) for field in fields(pairs)})


def _chosen(comparison: Comparison) -> dict[str, Any]:
    """What the design settled on, every rung of the caliper ladder included. Inside the lab only."""
    steps = [
        {"caliper_sd": s.caliper_sd, "kept_share": s.kept_share, "worst_smd": s.worst_smd, "ess": s.ess}
        for s in comparison.steps
        if np.isfinite(s.worst_smd)  # a rung that matched nobody has none
    ]
    method = None if comparison.method is None else comparison.method.value
    return {"method": method, "caliper_sd": comparison.caliper_sd, "ridge": comparison.ridge, "steps": steps}


def _padded(values: FloatArray, rows: int) -> FloatArray:
    return values if len(values) == rows else np.full(rows, np.nan)


def publish_inside(inputs: Inputs, result: Protected | ProtectedRefusal) -> dict[str, Any]:
    """Write the report's files, the result and the manifest into the run's folder. Inside the lab until cleared."""
    rendered = render(result, _about(inputs))
    report = inputs.folder / REPORT
    answer = to_json(result, run=inputs.run, report_path=str(report))
    for name, data in rendered.files.items():
        atomic_write(inputs.folder / name, data)
    if inputs.score is not None:
        atomic_write(inputs.folder / PICTURE, calibration_picture(inputs.score))
    hashes = {name: sha256_of_bytes(data) for name, data in rendered.files.items()}
    write_json(inputs.folder / "manifest.json", _manifest(inputs, hashes))
    write_json(inputs.folder / RESULT, {"result": answer, "files": hashes})
    return answer


def _manifest(inputs: Inputs, outputs: Mapping[str, str]) -> dict[str, Any]:
    return {
        "run": inputs.run,
        "version": __version__,
        "plan": {"sha256": inputs.plan.sha256(), "values": inputs.plan.model_dump(mode="json")},
        "seed": inputs.plan.seed,
        "inputs": {**inputs.inputs, **inputs.inside},
        "outputs": dict(outputs),
        **({"risk_score": inputs.score.facts()} if inputs.score else {}),
    }


def _about(inputs: Inputs) -> About:
    plan, facts = inputs.plan, inputs.facts
    frozen = inputs.folder / "frozen.json"
    design = str(json.loads(frozen.read_bytes())["design"]) if frozen.is_file() else "not made"
    return About(
        title=plan.title,
        provider=plan.provider,
        description=plan.description,
        run=inputs.run,
        today=facts.today,
        plan_hash=plan.sha256(),
        design_hash=design,
        versions=versions(),
        seeds=(plan.seed,),
        inputs=tuple(sorted(inputs.inputs.items())),
        method=method_facts(inputs),
        data_window=facts.data_window,
        lab=facts.lab,
    )


def versions() -> tuple[tuple[str, str], ...]:
    """The program and the libraries that its numbers pass through."""
    libraries = ("duckdb", "numpy", "scipy", "splink")
    return (("counterfoil", __version__), *((name, metadata.version(name)) for name in libraries))


_SETTINGS = {
    Setting.CUSTODY: "in custody",
    Setting.COMMUNITY: "in the community",
    Setting.BOTH: "in custody and in the community",
}


def method_facts(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """Every choice that decides the numbers, in words (METHODS 4: programs differ in these). Settings, no results."""
    chosen = inputs.plan.comparison
    where = ("Setting of the service", _SETTINGS[inputs.plan.service.setting])
    welch = "Welch, unequal variances, two-sided; Kish effective size and reliability weights for the comparison"
    score = ("Beside it", "Newcombe's score interval for rates; a disagreement on significance is said in the headline")
    adjusted = ("Adjusted", _adjusted_words(trial=chosen.design == "randomised"))
    if chosen.design == "randomised":
        test = "for rates the test of two proportions, its interval unpooled; for other measures Welch"
        return (where, ("Design", "randomised: everyone counts once"), ("Test", test), score, adjusted)
    return (
        where,
        ("Design", "matched comparison group"),
        *comparison_facts(chosen),
        ("Balance", "standardised mean difference over the treated SD before matching"),
        ("Covariates", ", ".join(chosen.covariates or inputs.covariates)),
        ("Squares and products", ", ".join(chosen.terms) or "none"),
        *inputs.facts.method,
        ("Test", welch),
        score,
        adjusted,
    )  # fmt: skip


def _adjusted_words(*, trial: bool) -> str:
    model = (
        "regression on the covariates (logistic for rates, log-linear for counts), one column for ten outcomes, those "
        "furthest apart first"
    )
    if trial:
        return f"{model}, each group by itself, averaged over everyone; robust errors (HC3)"
    return (
        f"{model} among the comparison group, taken to the treated; robust errors (HC3), by pair for nearest matching, "
        "Abadie and Imbens's for nearest matching with replacement; none for days among those with the outcome"
    )

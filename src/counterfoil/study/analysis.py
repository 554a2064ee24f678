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
import pyarrow.compute as pc

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
from counterfoil.comparison.balance import members_of_terms
from counterfoil.comparison.made import Groups
from counterfoil.comparison.values import Comparison, ComparisonSettings, Design, Pairs
from counterfoil.disclosure import (
    DEFAULT_SETTINGS,
    Beside,
    DisclosureSettings,
    GroupTable,
    Protected,
    ProtectedRefusal,
    SampleFacts,
    UnitCost,
    check_gate,
    check_groups,
    headline_measure,
    refuse,
)
from counterfoil.effect import estimate, survival
from counterfoil.errors import Refused
from counterfoil.lab.files import atomic_write, write_json
from counterfoil.lab.paths import REPORT, RESULT
from counterfoil.lab.progress import Progress, silent
from counterfoil.outcomes.measures import Measure
from counterfoil.outcomes.negative_control import NegativeControl
from counterfoil.provenance import sha256_of_bytes, sha256_of_file
from counterfoil.report import PRINTINGS, About, render, to_json
from counterfoil.report.about import ProviderWords
from counterfoil.study.asked import asked_of
from counterfoil.study.audit import Behind, Calculated, Checked, keep_audit, protect_and_audit
from counterfoil.study.comparison_plan import REGION, comparison_facts
from counterfoil.study.link_draws import LinkDesigns, LinkDoubt, design_draws, estimate_draws, freeze_draws
from counterfoil.study.negative_control import design_control, with_control
from counterfoil.study.plan import Plan, Setting, comparison_settings
from counterfoil.study.provider_words import hash_of
from counterfoil.study.risk_score import PICTURE, RiskScore, calibration_picture
from counterfoil.study.specifications import Site, Specification, decide_specifications, run_specifications
from counterfoil.study.sub_analyses import SubDesign, compared_of, design_parts, estimate_parts
from counterfoil.study.sub_plan import Part
from counterfoil.study.way_designs import (
    Designed,
    Way,
    choose,
    estimate_ways,
    make_designs,
    people_of,
)
from counterfoil.warehouse import write_table

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
OpenOutcomes = Callable[[], Mapping[str, FloatArray]]
TREATED = "treated"
SENSITIVITY = "sensitivity.json"  # exact; inside the lab
LINKING = "linking.json"  # the same of doubt about links
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
    # ways to make the headline's comparison, the first that is large enough and alike is it; none: everyone as they are
    candidates: tuple[Way, ...] = ()
    others: tuple[Way, ...] = ()  # ways beside the headline's
    sites: tuple[Site, ...] = ()  # of the list, row by row of `people`
    control: NegativeControl | None = None
    history_before: pa.Table | None = None  # row by row of `people`; the control alone is compared on it
    follow_up_months: int | None = None  # of the curves of everyone; None draws none
    pdf: bool = False  # a copy of the report as PDF as well
    languages: tuple[str, ...] = ("en",)  # of the report
    words: ProviderWords = field(default_factory=ProviderWords)  # what the organisation says of the result
    sample: SampleFacts | None = None
    costs: tuple[UnitCost, ...] = ()
    doubt: LinkDoubt | None = None  # who else the entries of a list may be; None: nobody was linked
    profile: tuple[GroupTable, ...] = ()  # who they are, row by row of `people`
    behind: Behind = field(default_factory=Behind)  # who the treated are, and earlier reports that share people


def analyse(inputs: Inputs, open_outcomes: OpenOutcomes, *, progress: Progress = silent) -> dict[str, Any]:
    """Run the stages and write the report; gives the JSON of `evaluate`. A refusal is a result and has a report."""
    checked: Checked | None = None
    try:
        checked = _checked(inputs, open_outcomes, progress)
        result: Protected | ProtectedRefusal = checked.audited.protected
    except Refused as refusal:
        result = refuse(refusal, inputs.settings)
    progress("Writing the report", 0.95)
    return publish_inside(inputs, result, checked)


def _checked(inputs: Inputs, open_outcomes: OpenOutcomes, progress: Progress) -> Checked:
    check_gate(inputs.attrition, None, inputs.settings)
    n_treated = pc.sum(inputs.people[TREATED]).as_py() or 0
    check_groups(n_treated, inputs.people.num_rows - n_treated, inputs.settings)
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
    designs = design_parts(used.people, TREATED, settings, used.parts, inputs.settings)
    specifications = decide_specifications(
        groups, seed=inputs.plan.seed, made=comparison, sites=used.sites, least=inputs.settings.min_group
    )
    ways = _ways_beside(inputs, whole, way, candidates)
    rows = np.ones(inputs.people.num_rows, np.bool_) if way is None else way.rows
    check = design_control(
        inputs.control, used.people, TREATED, settings, comparison, inputs.settings, _history_of(inputs, rows)
    )
    draws = _draws(inputs, groups, comparison, way, rows, progress)
    freeze(used, comparison, designs, specifications, (*ways, *check), draws)
    progress("Measuring what happened next", 0.7)
    opened = open_outcomes()
    everyone = {name: values[: len(rows)] for name, values in opened.items()}
    outcomes = {name: values[rows] for name, values in everyone.items()}
    effects = estimate(outcomes, comparison, inputs.measures, people=used.people)
    beside = _beside(used, outcomes, comparison, designs)
    progress("Asking the same in other ways", 0.78)
    measure = headline_measure(inputs.measures)
    headline = next(effect for effect in effects if effect.measure.name == measure.name)
    found = run_specifications(groups, specifications, headline, comparison, outcomes, inputs.settings)
    write_json(inputs.folder / SENSITIVITY, found.facts())
    beside = replace(
        beside,
        trust=with_control(found.result(), inputs.control, check, outcomes),
        ways=tuple(replace(each, members=each.members[rows]) for each in estimate_ways(ways, everyone, measure)),
        pool=way.name if way is not None and candidates else "",
    )
    if draws is not None:
        progress("Asking with other people linked", 0.82)
        more = {name: values[len(rows) :][draws.possible] for name, values in opened.items()}
        linking = estimate_draws(draws.designs, outcomes, more, effects, measure)
        write_json(inputs.folder / LINKING, linking.facts())
        beside = replace(beside, linking=linking.headline)
    progress("Protecting everyone in it", 0.85)
    treated = np.asarray(inputs.people[TREATED].to_numpy(zero_copy_only=False), np.bool_)
    beside = replace(
        beside,
        compared=compared_of(comparison, np.arange(len(comparison.treated)), len(comparison.treated), inputs.settings),
        terms=members_of_terms(groups.covariates),
    )
    calculated = Calculated(effects, comparison, attrition, beside, outcomes)
    return protect_and_audit(calculated, rows, treated, inputs.behind, inputs.settings)


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
    months = inputs.follow_up_months
    return Beside(
        members=comparison.treated & (comparison.weight > 0),
        headline=outcomes[headline.name],
        survival=None if months is None else survival(outcomes, comparison, inputs.measures, months=months),
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


def freeze(
    inputs: Inputs,
    comparison: Comparison,
    designs: Sequence[SubDesign] = (),
    specifications: Sequence[Specification] = (),
    ways: Sequence[Designed] = (),
    draws: _Draws | None = None,
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
        frozen["sub_analyses"] = [
            _frozen(inputs.folder / f"sub_analysis_{n}.parquet", d.part.plan.name, d.part.rows, d.comparison, d.rule)
            for n, d in enumerate(designs, 1)
        ]
    if ways:
        frozen["ways"] = [
            _frozen(
                inputs.folder / f"way_{each.way.name}.parquet",
                each.way.name,
                each.way.rows,
                each.comparison,
                each.rule,
            )
            for each in ways
        ]
    if draws is not None:
        frozen["links"] = freeze_draws(draws.designs, inputs.folder, seed=inputs.plan.seed)
    write_json(inputs.folder / "frozen.json", frozen)
    return design


def _frozen(path: Path, name: str, rows: BoolArray, made: Comparison | None, rule: str) -> dict[str, str]:
    """A comparison beside the headline's: its design's hash, or the rule that stopped it."""
    if made is None or rule:
        return {"name": name, "rule": rule}
    table = pa.table({"row": np.flatnonzero(rows), "treated": made.treated, "weight": made.weight})
    return {"name": name, "design": write_table(table, path).sha256}


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


def publish_inside(
    inputs: Inputs, result: Protected | ProtectedRefusal, checked: Checked | None = None
) -> dict[str, Any]:
    """Write the report's files, the result and the manifest into the run's folder. Inside the lab until cleared."""
    rendered = render(result, _about(inputs), pdf=inputs.pdf)
    report = inputs.folder / REPORT
    answer = to_json(result, run=inputs.run, report_path=str(report))
    for earlier in PRINTINGS - rendered.files.keys():  # with a PDF, or in a language, that this printing has not
        (inputs.folder / earlier).unlink(missing_ok=True)
    for name, data in rendered.files.items():
        atomic_write(inputs.folder / name, data)
    if inputs.score is not None:
        atomic_write(inputs.folder / PICTURE, calibration_picture(inputs.score))
    hashes = {name: sha256_of_bytes(data) for name, data in rendered.files.items()}
    inside = inputs.folder / SENSITIVITY
    kept = {SENSITIVITY: sha256_of_file(inside)} if inside.is_file() else {}
    write_json(inputs.folder / "manifest.json", _manifest(inputs, {**hashes, **kept}))
    why = result.reason if isinstance(result, ProtectedRefusal) else ""
    keep_audit(inputs.folder, inputs.run, hashes, checked, inputs.behind, why)
    write_json(inputs.folder / RESULT, {"result": answer, "files": hashes, "words": hash_of(inputs.words)})
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
        asked=asked_of(plan.model_dump(mode="json")),
        data_window=facts.data_window,
        lab=facts.lab,
        words=inputs.words,
        languages=inputs.languages,
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


_DESIGNS = {
    "matched": "matched comparison group",
    "refused": "matched comparison group of people who applied and were refused",
    "waiting": "matched comparison group of people who applied and were still waiting",
}
_POOLS = {
    "region": "people of the same region, each compared within it",
    "both": "people of the same region where they are enough and alike, else of the whole country; both are shown",
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
        ("Design", _DESIGNS[chosen.design]),
        *((("Pool", _POOLS[chosen.pool]),) if chosen.pool != "national" else ()),
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

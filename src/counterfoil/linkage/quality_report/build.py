"""The quality report of one spine, as one JSON value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import counterfoil
from counterfoil.domains import Domain
from counterfoil.domains import load as load_domain
from counterfoil.lab.make import OpenLab
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage import engine as engines
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.clusters import Labels, Strictness, cluster, links_of
from counterfoil.linkage.engine import DEFAULT_ENGINE, Engine
from counterfoil.linkage.journeys import load_journeys
from counterfoil.linkage.linked_share import linked_shares
from counterfoil.linkage.model import Resources
from counterfoil.linkage.quality import MODEL_NOTE, completeness, exact_baseline, link_rates
from counterfoil.linkage.quality_report import bias, controls, counted, groups, transparency
from counterfoil.linkage.quality_report.beyond import recaptured, without_numbers
from counterfoil.linkage.quality_report.by_product import (
    Known,
    judge,
    judge_share,
    label_row,
    model_rows,
    review_json,
    truth_row,
)
from counterfoil.linkage.quality_report.cases import count_journeys
from counterfoil.linkage.quality_report.domain import QualityRules, quality_rules
from counterfoil.linkage.quality_report.estimates import Estimated
from counterfoil.linkage.quality_report.findings import TRUTH_OF_REST, find_concerns
from counterfoil.linkage.quality_report.judged import SPINE, Judged, judged_products, labels_of, share_product
from counterfoil.linkage.quality_report.review import (
    ReviewSample,
    by_group_of_labels,
    estimate_from_labels,
    is_drawn,
    review_sample,
)
from counterfoil.linkage.quality_report.share_sample import is_share_drawn, share_sample
from counterfoil.linkage.spine import Spine, resources

SCHEMA = 1  # of report.json; fields are added, none renamed
KINDS = ("sex", "ethnicity", "age", "origin", "source")
_MEDIUM = Strictness.MEDIUM


@dataclass(frozen=True, slots=True)
class _Given:
    """What every part of the report starts from."""

    lab: OpenLab
    spine: Spine
    judged: Judged
    rules: QualityRules
    encoded: pa.Table
    links: pa.Table
    labels: Mapping[Strictness, Labels]
    truth: pa.Table | None
    engine: Engine
    machine: Resources


def build_report(
    lab: OpenLab,
    spine: Spine,
    *,
    truth: pa.Table | None = None,
    cases: Mapping[str, pa.Table] | None = None,
    labels: pa.Table | None = None,
    reviewer_error: float | None = None,
    engine: Engine = DEFAULT_ENGINE,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Everything that the page shows.

    `truth` as `lab_truth` gives it, `cases` as `true_journeys` does; `labels` as `estimate` takes them.
    """
    encoded, people = spine.encoded(), spine.people()
    judged, *parts = judged_products(spine)
    given = _Given(
        lab,
        spine,
        judged,
        quality_rules(lab.settings.domain),
        encoded,
        judged.links(),
        judged.labels(),
        truth,
        engine,
        resources(lab),
    )
    progress("Counting", 0.05)
    report = _counted(given)
    report["journeys"] = count_journeys(spine.folder, people, load_journeys(lab.settings.domain), cases or {})
    progress("Linking without numbers, and by plain keys", 0.3)
    others = {"exact_keys": exact_baseline(encoded), "no_numbers": _without_numbers(given)}
    progress("Drawing pairs for review", 0.5)
    sample = review_sample(judged, given.rules, today=lab.settings.date(), engine=engine, resources=given.machine)
    own = None if labels is None else labels_of(labels, SPINE)
    found = None if own is None else estimate_from_labels(sample, own, reviewer_error=reviewer_error)
    report["precision_recall"] = _precision_recall(given, others, sample, found)
    every = {SPINE: judge(judged, Known(truth, lab.settings.date(), sample, found))}
    report["products"] = every | {part.name: _judged(given, part, labels, reviewer_error) for part in parts}
    report["products"] |= _judged_shares(given, labels, reviewer_error)
    progress("Groups of people and the bias suite", 0.7)
    report["recaptured"] = recaptured(judged, given.rules, engine=engine, resources=given.machine)
    report["groups"] = _groups(given, sample, own)
    report["groups"]["words"] = group_words(report["groups"]["kinds"], load_domain(lab.settings.domain))
    report["expected"] = _expected(given, report["groups"]["kinds"].get("source", {}))
    report["bias"] = _bias(given)
    report["findings"] = [finding.to_json() for finding in find_concerns(report, given.rules.concern)]
    report["transparency"] = transparency.record_of(report, domain=lab.settings.domain, lab=lab.settings.name)
    return report


def _judged(given: _Given, part: Judged, labels: pa.Table | None, reviewer_error: float | None) -> dict[str, Any]:
    """A product beside the spine. Its sample is drawn when somebody reviews it, not here."""
    drawn, found, today = None, None, given.lab.settings.date()
    if is_drawn(part):
        drawn = review_sample(part, given.rules, today=today, engine=given.engine, resources=given.machine)
        own = None if labels is None else labels_of(labels, part.name)
        found = None if own is None else estimate_from_labels(drawn, own, reviewer_error=reviewer_error)
    return judge(part, Known(given.truth, today, drawn, found))


def _judged_shares(given: _Given, labels: pa.Table | None, reviewer_error: float | None) -> dict[str, Any]:
    """The shares that are linked to this spine and whose gateway is open."""
    judged = {}
    for linked in linked_shares(given.lab, given.spine):
        name, drawn, found = share_product(linked.share.name), None, None
        if is_share_drawn(linked):
            drawn = share_sample(linked, given.rules.looser, resources=given.machine)
            own = None if labels is None else labels_of(labels, name)
            found = None if own is None else estimate_from_labels(drawn, own, reviewer_error=reviewer_error)
        judged[name] = judge_share(linked, drawn, found)
    return judged


def _counted(given: _Given) -> dict[str, Any]:
    lab, spine, encoded = given.lab, given.spine, given.encoded
    extracts = lab.paths.latest_extracts(lab.paths.linker)
    kept = spine.quality()
    shares = completeness(encoded)
    years = counted.years_of(extracts, encoded)
    previous = _previous(spine.folder)
    return {
        "schema": SCHEMA,
        "about": _about(given, kept),
        "completeness": {
            "by_source": shares,
            "by_year": counted.completeness_by_year(encoded, years),
            "drift": counted.drift(shares, _kept_completeness(previous)),
        },
        "blocking": counted.by_rule(spine, encoded, given.links),
        "hot_blocks": list(kept.get("hot_blocks", ())),
        "weights": counted.histogram(given.links["match_weight"].to_numpy()),
        "cluster_sizes": counted.cluster_sizes(spine.people()),
        "link_rates": link_rates(encoded, given.labels[_MEDIUM]),
        "guards": counted.guards(spine, given.links, given.labels[_MEDIUM]),
        "controls": [
            each.to_json()
            for each in controls.run_controls(
                spine, encoded, given.labels[_MEDIUM], given.labels[Strictness.LOOSE], extracts
            )
        ],
        "changes": counted.changes(spine, previous),
        "model": _model(spine, kept),
        "models": {name: _trained(each) for name, each in kept.get("models", {}).items()},
    }


def _about(given: _Given, kept: Mapping[str, Any]) -> dict[str, Any]:
    spine, people = given.spine, given.spine.people()
    return {
        "lab": given.lab.settings.name,
        "spine": spine.version,
        "engine": kept.get("engine"),
        "counterfoil": counterfoil.__version__,
        "model": spine.model.key,
        "thresholds": {level.value: spine.thresholds[level] for level in Strictness},
        "records": people.num_rows,
        "people": {level.value: len(np.unique(given.labels[level])) for level in Strictness},
        "truth_known": given.truth is not None,
    }


def _model(spine: Spine, kept: Mapping[str, Any]) -> dict[str, Any]:
    trained = kept.get("model", {})
    return {
        "prior": spine.model.prior,
        "weights": counted.level_weights(spine, trained.get("never_seen_in_training", ())),
        "sessions": trained.get("sessions", []),
        "bounds": trained.get("never_seen_in_training", []),
    }


def _trained(about: Mapping[str, Any]) -> dict[str, Any]:
    """How the model of one slice was trained."""
    return {
        "version": about["version"],
        "sources": about["sources"],
        "prior": about["prior"],
        "sessions": about["sessions"],
        "bounds": about["never_seen_in_training"],
    }


def _expected(given: _Given, of_sources: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sources of this lab of which less is expected, why, and the recall of pairs with a record of each."""
    nothing = {"rate": None, "low": None, "high": None}
    return [
        {
            "source": each.source,
            "least_recall": each.least_recall,
            "reason": each.reason,
            "recall": of_sources.get(each.source, {}).get("recall", nothing),
        }
        for each in given.rules.expected
        if each.source in given.encoded["source"].unique().to_pylist()
    ]


def _previous(folder: Path) -> Path | None:
    """The spine before this one."""
    older = sorted(p for p in folder.parent.iterdir() if not p.name.startswith(".") and p.name < folder.name)
    return older[-1] if older else None


def _kept_completeness(previous: Path | None) -> Mapping[str, Mapping[str, Any]]:
    if previous is None:
        return {}
    found: Mapping[str, Mapping[str, Any]] = _json(previous / "quality.json").get("completeness", {})
    return found


def _json(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _without_numbers(given: _Given) -> Mapping[Strictness, Labels]:
    """People if no record held any identifying number, by the same model."""
    bare, specification = without_numbers(given.encoded, given.rules.numbers), given.spine.specification
    pairs = sum(count.pairs for count in count_within(bare, specification.rules))
    least = min(given.spine.thresholds.values())
    scored = engines.score(
        bare, given.spine.model, threshold=least, pairs=pairs, engine=given.engine, resources=given.machine
    )
    return cluster(bare, links_of(scored), given.spine.thresholds, specification.guards).labels


def _precision_recall(
    given: _Given, others: Mapping[str, Any], sample: ReviewSample, found: Estimated | None
) -> dict[str, Any]:
    rows = model_rows(given.judged)
    if found is not None:
        rows += [label_row(level, found) for level in Strictness]
    if given.truth is not None:
        rows += [_truth_row(given, "Truth", level, given.labels[level]) for level in Strictness]
        if given.rules.expected:
            less = [each.source for each in given.rules.expected]
            rows += [_truth_row(given, TRUTH_OF_REST, level, given.labels[level], less) for level in Strictness]
        rows += [
            _truth_row(given, "Truth, without any number", level, others["no_numbers"][level]) for level in Strictness
        ]
        rows.append(_truth_row(given, "Truth, plain equality of keys", None, others["exact_keys"]))
    return {
        "rows": rows,
        "note": MODEL_NOTE,
        "review": review_json(sample, found),
        "compared": [
            _compared("Plain equality of keys (SQL)", others["exact_keys"], given.labels[_MEDIUM]),
            _compared("The model without any number", others["no_numbers"][_MEDIUM], given.labels[_MEDIUM]),
        ],
    }


def _truth_row(
    given: _Given, basis: str, level: Strictness | None, labels: Labels, without: Sequence[str] = ()
) -> dict[str, Any]:
    """`without`: sources whose records are left out, and with them every pair that has one."""
    return truth_row(_joined(given, labels), basis, level, [s for s in given.judged.sources if s not in without])


def _joined(given: _Given, labels: Labels) -> pa.Table:
    if given.truth is None:
        raise ValueError("there is no truth to join")
    return groups.with_truth(given.encoded, labels, given.truth, given.lab.settings.date())


def _compared(name: str, other: Labels, labels: Labels) -> dict[str, Any]:
    """How far other people agree with the spine's, in pairs of records; no truth is needed."""
    both = _pairs(np.unique(np.column_stack([labels, other]), axis=0, return_counts=True)[1])
    ours, theirs = (_pairs(np.unique(each, return_counts=True)[1]) for each in (labels, other))
    return {
        "name": name,
        "people": len(np.unique(other)),
        "pairs": theirs,
        "spine_pairs": ours,
        "of_spine_found": round(both / ours, 6) if ours else None,
        "found_beside": theirs - both,
    }


def _pairs(sizes: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    return int((sizes.astype(np.int64) * (sizes - 1) // 2).sum())


def group_words(kinds: Mapping[str, Mapping[str, Any]], domain: Domain) -> dict[str, dict[str, str]]:
    """What people call each group: the words of the domain's list of codes, where the kind has one."""
    named = {kind: domain.codes.get(kind, {}) for kind in kinds}
    return {
        kind: {str(value): named[kind].get(str(value), _plain_words(kind, str(value))) for value in values}
        for kind, values in kinds.items()
    }


def _plain_words(kind: str, value: str) -> str:
    """A group that no list of codes names. Origins are names of peoples."""
    words = value.replace("_", " ")
    return words.title() if kind == "origin" else words


def _groups(given: _Given, sample: ReviewSample, labels: pa.Table | None) -> dict[str, Any]:
    if given.truth is not None:
        rates = groups.by_group(_joined(given, given.labels[_MEDIUM]), KINDS)
        return {"basis": "truth", "strictness": _MEDIUM.value, "kinds": rates, "note": ""}
    rates = {} if labels is None else by_group_of_labels(sample, labels)
    return {
        "basis": "sampled review" if rates else "none",
        "strictness": _MEDIUM.value,
        "kinds": rates,
        "note": "The linker holds no ethnicity and no origin of names, and neither is guessed: what can be "
        "said of them is in the bias suite.",
    }


def _bias(given: _Given) -> dict[str, Any]:
    suite = bias.load_suite(given.lab.settings.domain)
    outcomes = bias.run_suite(suite, given.spine, engine=given.engine, resources=given.machine)
    joined = None if given.truth is None else _joined(given, given.labels[_MEDIUM])
    gap = given.rules.concern.bias_gap
    rows = []
    for hypothesis in suite.hypotheses:
        rates = None if joined is None else groups.rates_of(joined, hypothesis.group)
        sides = outcomes[hypothesis.name]
        gaps = [] if rates is None else [
            rates[f"{name}_worse_by"]["rate"]
            for name in ("recall", "precision")
            if rates[f"{name}_worse_beyond_chance"]
        ]  # fmt: skip
        rows.append(
            {
                "name": hypothesis.name,
                "label": hypothesis.label,
                "hypothesis": hypothesis.hypothesis,
                "statement": bias.statement_of(sides, gaps, gap).value,
                "mitigation": hypothesis.mitigation,
                "made_up": {side: {k: o.to_json() for k, o in kinds.items()} for side, kinds in sides.items()},
                "truth": rates,
            }
        )
    return {"tolerance": bias.TOLERANCE, "gap": gap, "hypotheses": rows}

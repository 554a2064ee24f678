"""quality.json of a spine: what it was made from, what was counted, what the model expects, what the truth says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from counterfoil.linkage import engine as engines
from counterfoil.linkage import quality
from counterfoil.linkage.batch.models import KeptModel
from counterfoil.linkage.batch.records import estimate_of
from counterfoil.linkage.clusters import Clustering, Guard, Strictness, clusters_in, sizes
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.linked import PERSON_LEVEL, Linked
from counterfoil.linkage.model import weights


def spine_report(
    linked: Linked,
    inputs: Mapping[str, str],
    *,
    key: str,
    engine: Engine,
    thresholds: Mapping[Strictness, float],
    truth: pa.Table | None,
) -> Mapping[str, Any]:
    """quality.json of a spine: counts and rates only. `truth` is of synthetic labs."""
    specification, labels = linked.specification, linked.clustering.labels
    used = engines.engine_for(next(iter(linked.models.values())).model, engine, linked.prepared)
    exact = quality.exact_baseline(linked.prepared)
    report: dict[str, Any] = {
        "key": key,
        "engine": used.engine.value,
        "engine_because": used.because,
        "specification": specification.key,
        "inputs": dict(inputs),
        "thresholds": {level.value: limit for level, limit in thresholds.items()},
        "records": linked.prepared.num_rows,
        "people": {level.value: clusters_in(found) for level, found in labels.items()},
        "completeness": quality.completeness(linked.prepared),
        "blocking": [asdict(count) for count in linked.counts],
        "expected": estimate_of(linked.records, linked.counts, specification).about(),
        "model": _model_report(next(iter(linked.models.values()))),
        "models": {name: _model_report(kept) for name, kept in linked.models.items()},
        "hot_blocks": linked.records.about["hot_blocks"],
        "stages": _stages_report(linked),
        "products": {
            name: {level.value: clusters_in(found) for level, found in each.labels.items()}
            for name, each in linked.products.items()
        },
        "cluster_sizes": {level.value: sizes(found) for level, found in labels.items()},
        "guards": _guard_report(linked.clustering),
        "overrides": {name: ruled.about() for name, ruled in linked.ruled.items()},
        "link_rates": quality.link_rates(linked.prepared, labels[PERSON_LEVEL]),
        "estimated": quality.estimated(linked.links, thresholds),
        "exact_keys": {"people": clusters_in(exact)},
    }
    if truth is not None:
        groups = [name for name in truth.column_names if name not in ("source", "record_id", "person_id")]
        found = {level.value: each for level, each in labels.items()} | {"exact_keys": exact}
        report["truth"] = {
            name: quality.against_truth(linked.prepared, each, truth, groups) for name, each in found.items()
        }
    return report


def _guard_report(clustering: Clustering) -> Mapping[str, Mapping[str, int]]:
    """For each guard: links left out, and links that stand and are for review."""
    counted = Counter((doubt.guard, doubt.taken) for doubt in clustering.doubts.each())
    return {guard.value: {"left_out": counted[guard, False], "for_review": counted[guard, True]} for guard in Guard}


def _model_report(kept: KeptModel) -> Mapping[str, Any]:
    training = kept.trained
    return {
        "key": training.model.key,
        "version": kept.version,
        "trained": kept.about["trained"],
        "sources": kept.about["sources"],
        "line": kept.line(),
        "prior": training.model.prior,
        "weights": weights(training.model),
        "never_seen_in_training": [asdict(bound) for bound in training.bounds],
        "sessions": list(training.sessions),
        "notes": dict(training.notes),
    }


def _stages_report(linked: Linked) -> Mapping[str, Mapping[str, Any]]:
    """What the spine was made from, by stage; the next one takes from it what has not changed."""
    found: dict[str, dict[str, Any]] = {
        each.stage.name: {
            "key": each.stage.key, "method": each.method, "how": each.how, "fresh": each.fresh, "pairs": each.pairs,
        }
        for each in linked.scored
    }  # fmt: skip
    columns = linked.prepared.column_names
    return found | {"records": {"key": linked.records.stage.key, "columns": columns}}

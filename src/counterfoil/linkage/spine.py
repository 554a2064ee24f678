"""`link`: the newest extracts of all sources to people, with keys that are kept from one spine to the next."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import counterfoil
from counterfoil.errors import Fault, UsageError
from counterfoil.lab.files import atomic_folder, write_json
from counterfoil.lab.keys import register_secret
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.lab.versions import version_for
from counterfoil.linkage import engine as engines
from counterfoil.linkage import quality
from counterfoil.linkage.blocking import RuleCount, check_blocks, count_within
from counterfoil.linkage.clusters import Clustering, Guard, Labels, Links, Strictness, cluster, links_of, sizes
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.keys import NewKey, assign_keys, register_keys
from counterfoil.linkage.model import Model, Resources, Trained, load_model, save_model, weights
from counterfoil.linkage.prepare import ID, STANDARD_COLUMNS, prepare
from counterfoil.linkage.specification import Specification, load_specification
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.warehouse import read_table, write_table

KEPT_WEIGHT = 0.0  # pairs as likely as not and above are kept with the spine, for review and for what the model expects
PERSON_LEVEL = Strictness.MEDIUM  # a person key names a medium cluster (METHODS 1: the one that evaluation uses)
_PERSON_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Spine:
    """A spine on disk, and what a cohort needs of it."""

    folder: Path
    model: Model
    thresholds: Mapping[Strictness, float]
    specification: Specification

    @property
    def version(self) -> str:
        """Its name: date, number within the day, hash of the inputs."""
        return self.folder.name

    def people(self) -> pa.Table:
        """source, record_id, person_id, cluster_strict, cluster_medium, cluster_loose; ordered by the first two."""
        return read_table(self.folder / "people.parquet")

    def encoded(self) -> pa.Table:
        """The records as they are compared; row i is record number i."""
        return read_table(self.folder / "encoded.parquet")

    def quality(self) -> Mapping[str, Any]:
        """quality.json."""
        return _read_quality(self.folder)


@dataclass(frozen=True, slots=True)
class SpineResult:
    """`made` is False when a spine of the same inputs was there already."""

    spine: Spine
    quality: Mapping[str, Any]
    made: bool


@dataclass(frozen=True, slots=True)
class _Linked:
    """Everything that one run found out."""

    prepared: pa.Table
    counts: tuple[RuleCount, ...]
    training: Trained
    links: Links
    clustering: Clustering


def build_spine(
    lab: OpenLab,
    *,
    engine: Engine = Engine.SPLINK,
    truth: pa.Table | None = None,
    new_key: NewKey = lambda: secrets.token_hex(_PERSON_KEY_BYTES),
    progress: Progress = silent,
) -> SpineResult:
    """Link the newest extract of every source, write the spine and the register keys.

    `truth` (source, record_id, person_id and groups such as sex) is for synthetic labs: the quality then holds error
    rates. Same inputs, settings and version of Counterfoil: the spine that is there is returned.
    """
    specification = load_specification(lab.settings.domain)
    extracts = _extracts(lab.paths)
    inputs = {source: sha256_of_file(path) for source, path in extracts.items()}
    key = _key(lab, specification, engine, inputs)
    version, there = version_for(lab.paths.linker / "spine", lab.settings.date(), key)
    folder, latest = lab.paths.spine(version), lab.paths.latest_spine()
    if there:
        _write_register_keys(lab.paths, folder)
        return SpineResult(read_spine(lab), _read_quality(folder), made=False)
    records = _read_records(extracts)
    linked = _link(records, lab, specification, engine, progress)
    report = _report(linked, lab, inputs, key=key, engine=engine, specification=specification, truth=truth)
    progress("Writing the spine", 0.95)
    _write(folder, linked, report, previous=latest, new_key=new_key)
    _write_register_keys(lab.paths, folder)
    return SpineResult(read_spine(lab), report, made=True)


def read_spine(lab: OpenLab) -> Spine:
    """The newest spine. UsageError before the first `link`; Fault when it was made by another linkage specification."""
    folder = lab.paths.latest_spine()
    if folder is None:
        raise UsageError("This lab has no people yet: its records are not linked. Run `counterfoil link` first.")
    specification = load_specification(lab.settings.domain)
    report = _read_quality(folder)
    if report["specification"] != specification.key:
        raise Fault("The lab's people were linked by other rules than this version has. Run `counterfoil link` again.")
    thresholds = {level: float(report["thresholds"][level.value]) for level in Strictness}
    return Spine(folder, load_model(folder), thresholds, specification)


def resources(lab: OpenLab) -> Resources:
    """What a lab's settings let one run use."""
    return Resources(lab.settings.threads, lab.settings.memory)


def thresholds_of(lab: OpenLab) -> Mapping[Strictness, float]:
    """Total match weights of the lab's settings."""
    set_ = lab.settings.thresholds
    return {Strictness.STRICT: set_.strict, Strictness.MEDIUM: set_.medium, Strictness.LOOSE: set_.loose}


def _extracts(paths: LabPaths) -> Mapping[str, Path]:
    found = {s: folder / "identifiers.parquet" for s, folder in paths.latest_extracts(paths.linker).items()}
    if not found:
        raise UsageError("No source has been loaded. Run `counterfoil load` for each source, then `counterfoil link`.")
    return found


def _read_records(extracts: Mapping[str, Path]) -> pa.Table:
    return pa.concat_tables([read_table(path, list(STANDARD_COLUMNS)) for path in extracts.values()])


def _key(lab: OpenLab, specification: Specification, engine: Engine, inputs: Mapping[str, str]) -> str:
    return key_of(
        inputs=dict(inputs),
        specification=specification.key,
        thresholds={level.value: limit for level, limit in thresholds_of(lab).items()},
        engine=engine.value,
        counterfoil=counterfoil.__version__,
    )


def _link(records: pa.Table, lab: OpenLab, specification: Specification, engine: Engine, progress: Progress) -> _Linked:
    progress("Preparing records", 0.0)
    prepared = prepare(records, specification)
    counts = count_within(prepared, specification.rules)
    check_blocks(counts, max_block=specification.guards.max_block)
    progress("Training the model", 0.1)
    training = engines.train(prepared, specification, engine=engine, resources=resources(lab))
    progress("Comparing records", 0.6)
    pairs = sum(count.pairs for count in counts)
    scored = engines.score(
        prepared, training.model, threshold=KEPT_WEIGHT, pairs=pairs, engine=engine, resources=resources(lab)
    )
    progress("Joining links to people", 0.8)
    links = links_of(scored)
    clustering = cluster(prepared, links, thresholds_of(lab), specification.guards)
    return _Linked(prepared, counts, training, links, clustering)


def _report(
    linked: _Linked,
    lab: OpenLab,
    inputs: Mapping[str, str],
    *,
    key: str,
    engine: Engine,
    specification: Specification,
    truth: pa.Table | None,
) -> Mapping[str, Any]:
    thresholds, labels = thresholds_of(lab), linked.clustering.labels
    exact = quality.exact_baseline(linked.prepared)
    report: dict[str, Any] = {
        "key": key,
        "engine": engine.value,
        "specification": specification.key,
        "inputs": dict(inputs),
        "thresholds": {level.value: limit for level, limit in thresholds.items()},
        "records": linked.prepared.num_rows,
        "people": {level.value: len(set(found.tolist())) for level, found in labels.items()},
        "completeness": quality.completeness(linked.prepared),
        "blocking": [asdict(count) for count in linked.counts],
        "model": _model_report(linked.training),
        "cluster_sizes": {level.value: sizes(found) for level, found in labels.items()},
        "guards": _guard_report(linked.clustering),
        "link_rates": quality.link_rates(linked.prepared, labels[PERSON_LEVEL]),
        "estimated": quality.estimated(linked.links, thresholds),
        "exact_keys": {"people": len(set(exact.tolist()))},
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


def _model_report(training: Trained) -> Mapping[str, Any]:
    return {
        "key": training.model.key,
        "prior": training.model.prior,
        "weights": weights(training.model),
        "never_seen_in_training": [asdict(bound) for bound in training.bounds],
        "sessions": list(training.sessions),
    }


def _write(
    folder: Path,
    linked: _Linked,
    report: Mapping[str, Any],
    *,
    previous: Path | None,
    new_key: NewKey,
) -> None:
    before = None if previous is None else read_table(previous / "people.parquet")
    labels = linked.clustering.labels
    records = linked.prepared.select(["source", "record_id"])
    keys = assign_keys(records, labels[PERSON_LEVEL], before, new_key)
    people = records.append_column("person_id", keys.person_id)
    for level in Strictness:
        people = people.append_column(f"cluster_{level.value}", pa.array(labels[level]))
    with atomic_folder(folder) as temporary:
        write_table(people, temporary / "people.parquet")
        write_table(_links_table(linked), temporary / "links.parquet")
        write_table(_review_table(linked), temporary / "review.parquet")
        write_table(keys.crosswalk, temporary / "crosswalk.parquet")
        write_table(linked.prepared, temporary / "encoded.parquet")
        save_model(linked.training.model, temporary)
        write_json(temporary / "quality.json", dict(report))


def _links_table(linked: _Linked) -> pa.Table:
    """Scored pairs of `KEPT_WEIGHT` and more, by record number and by what the sources call the records."""
    links = linked.links
    return _named(linked, links.left, links.right).append_column("match_weight", pa.array(links.weight))


def _review_table(linked: _Linked) -> pa.Table:
    """Links that a guard spoke against, for clerical review: `taken` ones stand, the others were left out."""
    doubts = linked.clustering.doubts.each()
    left, right = (np.array([getattr(doubt, side) for doubt in doubts], dtype=np.int64) for side in ("left", "right"))
    columns = {
        "match_weight": pa.array([doubt.weight for doubt in doubts], pa.float64()),
        "guard": pa.array([doubt.guard.value for doubt in doubts], pa.string()),
        "taken": pa.array([doubt.taken for doubt in doubts], pa.bool_()),
    }
    table = _named(linked, left, right)
    for name, values in columns.items():
        table = table.append_column(name, values)
    return table


def _named(linked: _Linked, left: Labels, right: Labels) -> pa.Table:
    columns: dict[str, Any] = {}
    for side, numbers in (("l", left), ("r", right)):
        at = pa.array(numbers)
        columns[f"{ID}_{side}"] = at
        for name in ("source", "record_id"):
            columns[f"{name}_{side}"] = linked.prepared.column(name).combine_chunks().take(at)
    return pa.table(columns)


def _write_register_keys(paths: LabPaths, folder: Path) -> None:
    target = paths.register_keys(folder.name)
    if not target.exists():
        people = read_table(folder / "people.parquet", ["source", "record_id", "person_id"])
        write_table(register_keys(people, register_secret(paths)), target)


def _read_quality(folder: Path) -> Mapping[str, Any]:
    try:
        report: Mapping[str, Any] = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise Fault(
            f"The spine {folder.name} is damaged: quality.json cannot be read. Restore it from a backup."
        ) from error
    return report

"""`link`: the newest extracts of all sources to people, with keys that are kept from one spine to the next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import counterfoil
from counterfoil.errors import Fault, UsageError
from counterfoil.lab.files import atomic_folder, write_json
from counterfoil.lab.keys import register_secret
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.lab.versions import next_version, version_for
from counterfoil.linkage import engine as engines
from counterfoil.linkage import joining, quality
from counterfoil.linkage.batch.models import KeptModel, kept_model
from counterfoil.linkage.batch.records import Records, changes_since, read_records
from counterfoil.linkage.batch.scoring import (
    Before,
    Engaged,
    Scored,
    read_pairs,
    run_task,
    sources_of,
    tasks_of,
    trained_on,
)
from counterfoil.linkage.batch.stages import Stage, remove_old_stages
from counterfoil.linkage.blocking import RuleCount, check_blocks, count_within
from counterfoil.linkage.clusters import (
    Clustering,
    Guard,
    Labels,
    Links,
    Strictness,
    cluster,
    clusters_in,
    components,
    links_of,
    sizes,
    weak_bridges,
)
from counterfoil.linkage.engine import DEFAULT_ENGINE, Engine
from counterfoil.linkage.estimates import check_memory, estimate
from counterfoil.linkage.guards import Apart, find_same_day
from counterfoil.linkage.kept import Kept, is_kept, keep, open_kept
from counterfoil.linkage.keys import NewKey, assign_keys, register_keys
from counterfoil.linkage.model import Model, Resources, Trained, load_model, save_model, weights
from counterfoil.linkage.overrides import read_overrides
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.rulings import Ruled, key_of_overrides, rulings_of
from counterfoil.linkage.specification import Specification, load_specification
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.warehouse import query, read_table, write_table

PERSON_LEVEL = Strictness.MEDIUM  # a person key names a medium cluster (METHODS 1: the one that evaluation uses)


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

    def encoded(self, columns: list[str] | None = None) -> pa.Table:
        """The records as they are compared, or some of their columns; row i is record number i."""
        return read_table(self.folder / "encoded.parquet", columns)

    def quality(self) -> Mapping[str, Any]:
        """quality.json."""
        return _read_quality(self.folder)

    def kept(self, *, resources: Resources, progress: Progress = silent) -> Kept | None:
        """The encoded table that lies with it, made again when it cannot be used; None when only Splink can score."""
        return open_kept(self.folder, self.model, self.specification, resources=resources, progress=progress)


@dataclass(frozen=True, slots=True)
class SpineResult:
    """`made` is False when a spine of the same inputs was there already."""

    spine: Spine
    quality: Mapping[str, Any]
    made: bool

    def lines(self) -> list[str]:
        """What was done, as sentences: which spine, which models, what was scored."""
        said = "Made the spine" if self.made else "The spine is up to date"
        models = [model["line"] for model in self.quality["models"].values()]
        because = self.quality.get("engine_because")
        other = [f"Splink scored: our own engine cannot express {because}."] if because else []
        notes = [model.get("notes", {}).get("engine_because") for model in self.quality["models"].values()]
        other += [f"Splink trained: our own engine cannot express {note}." for note in notes if note]
        contradicting = sum(each["contradictions"] > 0 for each in self.quality.get("overrides", {}).values())
        settle = ["Some overrides contradict each other; `counterfoil review` shows them."] if contradicting else []
        return [f"{said}: {self.spine.version}.", *models, *other, *settle]


@dataclass(frozen=True, slots=True)
class _Linked:
    """Everything that one run found out."""

    prepared: pa.Table
    records: Records
    specification: Specification
    counts: tuple[RuleCount, ...]
    models: Mapping[str, KeptModel]
    scored: tuple[Scored, ...]
    pairs: pa.Table
    products: Mapping[str, Clustering]
    overrides: pa.Table
    ruled: Mapping[str, Ruled]  # by product

    @property
    def links(self) -> Links:
        """All scored pairs."""
        return links_of(self.pairs)

    @property
    def clustering(self) -> Clustering:
        """The last product, whose people have keys."""
        return list(self.products.values())[-1]


def build_spine(
    lab: OpenLab,
    *,
    engine: Engine = DEFAULT_ENGINE,
    truth: pa.Table | None = None,
    new_key: NewKey | None = None,
    retrain: bool = False,
    rebuild: bool = False,
    progress: Progress = silent,
) -> SpineResult:
    """Link the newest extract of every source, write the spine and the register keys.

    `truth` (source, record_id, person_id and groups such as sex) is for synthetic labs: the quality then holds error
    rates. Same inputs, models, settings and version of Counterfoil: the spine that is there is returned. Pairs of
    records that have not changed since the spine before are not scored again; `rebuild` scores all with the kept
    models, and gives the same people. `retrain` makes new models.
    """
    specification = load_specification(lab.settings.domain)
    extracts = _extracts(lab.paths)
    tasks_of(specification, sorted(extracts))  # a source that nobody said how to link is refused before anything runs
    inputs = {source: sha256_of_file(path) for source, path in extracts.items()}
    progress("Preparing records", 0.0)
    records = read_records(lab.paths, extracts, inputs, specification)
    counts = count_within(records.table, specification.rules)
    check_blocks(counts, max_block=specification.guards.max_block)
    expected = estimate(records.table, counts, records.about["hot_blocks"], specification)
    for line in expected.lines():
        progress(line, 0.05)
    check_memory(expected, lab.settings.memory)
    progress("Training the model", 0.1)
    models = _models(lab, records, specification, engine, retrain)
    overrides = read_overrides(lab.paths)
    key = _key(lab, specification, engine, inputs, models, overrides)
    latest = lab.paths.latest_spine()
    version, there = version_for(lab.paths.linker / "spine", lab.settings.date(), key)
    if there and not rebuild:
        folder = lab.paths.spine(version)
        _write_register_keys(lab.paths, folder, None)
        spine = read_spine(lab)
        if not is_kept(folder):
            spine.kept(resources=resources(lab), progress=progress)
        return SpineResult(spine, _read_quality(folder), made=False)
    folder = lab.paths.spine(next_version(lab.paths.linker / "spine", lab.settings.date(), key))
    linked = _link(lab, records, counts, models, specification, engine, latest, rebuild, overrides, progress)
    report = _report(linked, lab, inputs, key=key, engine=engine, specification=specification, truth=truth)
    progress("Writing the spine", 0.95)
    _write(folder, linked, report, previous=latest, new_key=new_key)
    _write_register_keys(lab.paths, folder, latest)
    spine = read_spine(lab)
    progress("Keeping the encoded table for cohorts and searches", 0.97)
    keep(folder, spine.model, specification, linked.prepared, resources=resources(lab))
    _tidy(lab.paths, (folder, latest))
    return SpineResult(spine, report, made=True)


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


def _key(
    lab: OpenLab,
    specification: Specification,
    engine: Engine,
    inputs: Mapping[str, str],
    models: Mapping[str, KeptModel],
    overrides: pa.Table,
) -> str:
    return key_of(
        overrides=key_of_overrides(overrides),
        evidence=_evidence(specification, lab.paths.latest_extracts(lab.paths.linker)),
        inputs=dict(inputs),
        specification=specification.key,
        thresholds={level.value: limit for level, limit in thresholds_of(lab).items()},
        engine=engine.value,
        models={name: kept.key for name, kept in models.items()},
        counterfoil=counterfoil.__version__,
    )


def _models(
    lab: OpenLab, records: Records, specification: Specification, engine: Engine, retrain: bool
) -> dict[str, KeptModel]:
    """The model of each slice that has a source in the lab."""
    found = {}
    for part in specification.slices:
        if set(part.sources) & set(records.sources):
            sources = trained_on(part, specification, records.sources)
            found[part.name] = kept_model(
                lab,
                part,
                specification,
                sources,
                retrain=retrain,
                train=partial(_train, lab, records, sources, specification, engine),
            )
    return found


def _train(
    lab: OpenLab, records: Records, sources: Sequence[str], specification: Specification, engine: Engine
) -> Trained:
    return engines.train(records.of(sources), specification, engine=engine, resources=resources(lab))


def _link(
    lab: OpenLab,
    records: Records,
    counts: tuple[RuleCount, ...],
    models: Mapping[str, KeptModel],
    specification: Specification,
    engine: Engine,
    latest: Path | None,
    rebuild: bool,
    overrides: pa.Table,
    progress: Progress,
) -> _Linked:
    engaged = Engaged(specification, engine, resources(lab))
    before = None if rebuild else _before(lab, records, latest)
    tasks = tasks_of(specification, records.sources)
    scored = []
    for number, task in enumerate(tasks):
        progress("Comparing records", 0.6 + 0.2 * number / len(tasks))
        kept = models[task.slice]
        scored.append(run_task(task, records, kept, engaged, lab.paths, before=before, anew=rebuild))
    progress("Joining links to people", 0.8)
    parts = [read_pairs(each, records, lab.paths) for each in scored]
    order = [(f"{ID}_l", "ascending"), (f"{ID}_r", "ascending")]
    pairs = pa.concat_tables(parts).unify_dictionaries().sort_by(order)
    ruled = {product.name: rulings_of(overrides, records.table, product.name) for product in specification.products}
    folders = lab.paths.latest_extracts(lab.paths.linker)
    products = _products(records, scored, parts, specification, thresholds_of(lab), ruled, folders)
    return _Linked(
        records.table, records, specification, counts, models, tuple(scored), pairs, products, overrides, ruled
    )


def _before(lab: OpenLab, records: Records, latest: Path | None) -> Before | None:
    """The spine before, where what it was made from is still there."""
    made_of = None if latest is None else _read_quality(latest).get("stages")
    if made_of is None:
        return None
    was = Stage("records", made_of["records"]["key"])
    if not was.is_made(lab.paths) or made_of["records"]["columns"] != records.table.column_names:
        return None
    return Before(changes_since(was, records, lab.paths, resources(lab)), made_of)


def _products(
    records: Records,
    scored: Sequence[Scored],
    parts: Sequence[pa.Table],
    specification: Specification,
    thresholds: Mapping[Strictness, float],
    ruled: Mapping[str, Ruled],
    folders: Mapping[str, Path],
) -> dict[str, Clustering]:
    """One clustering for each product, of the links of its slices."""
    found = {}
    for product in specification.products:
        own = [part for each, part in zip(scored, parts, strict=True) if each.task.slice in product.slices]
        if own:
            links = links_of(pa.concat_tables([part.drop_columns(["slice"]) for part in own]))
            rulings = ruled[product.name].rulings
            apart = _in_two_places(records.table, links.above(thresholds[Strictness.LOOSE]), specification, folders)
            found[product.name] = cluster(
                records.table, links, thresholds, specification.guards, rulings=rulings, apart=apart
            )
    return found


def _in_two_places(
    prepared: pa.Table, links: Links, specification: Specification, folders: Mapping[str, Path]
) -> list[Apart]:
    """Pairs that the tables of link evidence keep apart: in prison, and somewhere else on that day."""
    rules = [rule for rule in specification.guards.same_day if rule.cut]
    if not rules:
        return []
    together = components(prepared.num_rows, links)
    found = [find_same_day(prepared, together, rule, dict(folders)) for rule in rules]
    return [Apart.of(pairs, joining.SAME_DAY) for pairs in found]


def _evidence(specification: Specification, folders: Mapping[str, Path]) -> dict[str, str]:
    """The hash of each table that a guard reads."""
    tables = {(side.source, side.table) for rule in specification.guards.same_day for side in (rule.stays, rule.days)}
    files = {f"{source}/{table}": folders[source] / f"{table}.parquet" for source, table in tables if source in folders}
    return {name: sha256_of_file(file) for name, file in sorted(files.items()) if file.is_file()}


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
    used = engines.engine_for(next(iter(linked.models.values())).model, engine)
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
        "expected": estimate(linked.prepared, linked.counts, linked.records.about["hot_blocks"], specification).about(),
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


def _stages_report(linked: _Linked) -> Mapping[str, Mapping[str, Any]]:
    """What the spine was made from, by stage; the next one takes from it what has not changed."""
    found: dict[str, dict[str, Any]] = {
        each.stage.name: {
            "key": each.stage.key, "method": each.method, "how": each.how, "fresh": each.fresh, "pairs": each.pairs,
        }
        for each in linked.scored
    }  # fmt: skip
    columns = linked.prepared.column_names
    return found | {"records": {"key": linked.records.stage.key, "columns": columns}}


def _write(
    folder: Path,
    linked: _Linked,
    report: Mapping[str, Any],
    *,
    previous: Path | None,
    new_key: NewKey | None,
) -> None:
    before = None if previous is None else read_table(previous / "people.parquet")
    labels = linked.clustering.labels
    records = linked.prepared.select(["source", "record_id"])
    keys = assign_keys(records, labels[PERSON_LEVEL], before, new_key)
    people = records.append_column("person_id", keys.person_id)
    for level in Strictness:
        people = people.append_column(f"cluster_{level.value}", pa.array(labels[level]))
    people = _with_products(people, linked)
    with atomic_folder(folder) as temporary:
        write_table(people, temporary / "people.parquet")
        write_table(_links_table(linked), temporary / "links.parquet")
        write_table(_review_table(linked), temporary / "review.parquet")
        write_table(keys.crosswalk, temporary / "crosswalk.parquet")
        write_table(linked.overrides, temporary / "overrides.parquet")
        write_table(linked.prepared, temporary / "encoded.parquet")
        write_table(_bridges_table(linked, report), temporary / "weak_bridges.parquet")
        first, *others = linked.models.values()
        save_model(first.model, temporary)
        for kept in others:
            save_model(kept.model, temporary / "models" / kept.slice)
        write_json(temporary / "quality.json", dict(report))


def _links_table(linked: _Linked) -> pa.Table:
    """Scored pairs of `KEPT_WEIGHT` and more, by record number and by what the sources call the records."""
    return linked.pairs


def _with_products(people: pa.Table, linked: _Linked) -> pa.Table:
    """The clusters of the products before the last, null for records of no slice of theirs."""
    specification = linked.specification
    for product in specification.products[:-1]:
        if product.name not in linked.products:
            continue
        inside = pc.is_in(people["source"], value_set=pa.array(sources_of(specification, product.slices)))
        for level, labels in linked.products[product.name].labels.items():
            values = pc.if_else(inside, pa.array(labels), pa.scalar(None, pa.int64()))
            people = people.append_column(f"{product.name}_{level.value}", values)
    return people


def _bridges_table(linked: _Linked, report: Mapping[str, Any]) -> pa.Table:
    """Links that alone hold two parts of a person together and weigh little, for clerical review."""
    limit = float(report["thresholds"][PERSON_LEVEL.value])
    labels = linked.clustering.labels[PERSON_LEVEL]
    weakest = linked.specification.guards.weak_bridge
    found = weak_bridges(linked.links, labels, threshold=limit, weakest=weakest)
    table = _named(linked, found.links.left, found.links.right)
    table = table.append_column("match_weight", pa.array(found.links.weight))
    return table.append_column("smaller_side", pa.array(found.smaller))


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


def _write_register_keys(paths: LabPaths, folder: Path, previous: Path | None) -> None:
    target = paths.register_keys(folder.name)
    if not target.exists():
        people = read_table(folder / "people.parquet", ["source", "record_id", "person_id"])
        write_table(register_keys(people, register_secret(paths), _known_keys(paths, previous)), target)


def _known_keys(paths: LabPaths, previous: Path | None) -> pa.Table | None:
    """person_id and register_key of the spine before, each once."""
    if previous is None or not paths.register_keys(previous.name).is_file():
        return None
    tables = {
        "people": read_table(previous / "people.parquet", ["source", "record_id", "person_id"]),
        "keys": read_table(paths.register_keys(previous.name)),
    }
    sql = """SELECT person_id, any_value(register_key) AS register_key FROM people JOIN keys USING (source, record_id)
             GROUP BY person_id ORDER BY person_id"""
    return query(sql, tables)


def _tidy(paths: LabPaths, spines: Sequence[Path | None]) -> None:
    """Keep what the newest spine and the one before were made from."""
    made_of = [_read_quality(spine).get("stages", {}) for spine in spines if spine is not None]
    remove_old_stages(paths, [Stage(name, about["key"]) for stages in made_of for name, about in stages.items()])


def _read_quality(folder: Path) -> Mapping[str, Any]:
    try:
        report: Mapping[str, Any] = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise Fault(
            f"The spine {folder.name} is damaged: quality.json cannot be read. Restore it from a backup."
        ) from error
    return report

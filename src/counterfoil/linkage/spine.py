"""`link`: the newest extracts of all sources to people, with keys that are kept from one spine to the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import counterfoil
from counterfoil.errors import Fault, UsageError
from counterfoil.lab.files import remove_abandoned
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.lab.versions import next_version, version_for
from counterfoil.linkage import engine as engines
from counterfoil.linkage.batch.models import KeptModel, kept_model
from counterfoil.linkage.batch.records import PREPARED, Records, changes_since, estimate_of, read_records
from counterfoil.linkage.batch.scoring import Before, Engaged, Scored, read_pairs, run_task, tasks_of, trained_on
from counterfoil.linkage.batch.stages import Stage, remove_old_stages
from counterfoil.linkage.blocking import RuleCount, check_blocks, counted
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.engine import DEFAULT_ENGINE, Engine
from counterfoil.linkage.estimates import check_memory
from counterfoil.linkage.kept import Kept, encoded_to_keep, is_kept, keep, open_kept
from counterfoil.linkage.keys import NewKey
from counterfoil.linkage.ledger import names_given
from counterfoil.linkage.linked import Linked
from counterfoil.linkage.model import Model, Resources, Trained, load_model
from counterfoil.linkage.overrides import ENTRIES, read_overrides
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.products import cluster_products, evidence_of
from counterfoil.linkage.rulings import key_of_overrides, rulings_of
from counterfoil.linkage.specification import Specification, load_specification
from counterfoil.linkage.spine_files import People, write_register_keys, write_spine
from counterfoil.linkage.spine_report import spine_report
from counterfoil.provenance import key_of, sha256_of_file
from counterfoil.warehouse import read_table


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

    def people(self, columns: list[str] | None = None) -> pa.Table:
        """source, record_id, person_id, cluster_strict, cluster_medium, cluster_loose, or some of them; ordered by the
        first two."""
        return read_table(self.folder / "people.parquet", columns)

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


def build_spine(
    lab: OpenLab,
    *,
    engine: Engine = DEFAULT_ENGINE,
    truth: pa.Table | None = None,
    new_key: NewKey | None = None,
    retrain: bool = False,
    rebuild: bool = False,
    beside: Callable[[Path], None] | None = None,
    progress: Progress = silent,
) -> SpineResult:
    """Link the newest extract of every source, write the spine and the register keys.

    `truth` (source, record_id, person_id and groups such as sex) is for synthetic labs: the quality then holds error
    rates. Same inputs, models, settings and version of Counterfoil: the spine that is there is returned. Pairs of
    records that have not changed since the spine before are not scored again; `rebuild` scores all with the kept
    models, and gives the same people. `retrain` makes new models. `beside` is run, when a spine is made, with
    its folder while its encoded table is written.
    """
    run = _begin(lab, engine, retrain=retrain, rebuild=rebuild, progress=progress)
    version, there = version_for(lab.paths.linker / "spine", lab.settings.date(), run.key)
    if there and not rebuild:
        return _as_it_is(lab, version, progress)
    given = names_given(lab.paths)  # also of spines that were taken away: a new one has other keys
    folder = lab.paths.spine(next_version(lab.paths.linker / "spine", lab.settings.date(), run.key, given=given))
    with ThreadPoolExecutor(1) as other:
        main = next(iter(run.models.values())).model
        to_keep = other.submit(encoded_to_keep, main, run.records.table, resources=resources(lab))
        linked = _join(run, _score(run, rebuild, progress), progress)
        progress("Writing the spine", 0.95)
        report, people = _write(run, folder, linked, truth, new_key)
        spine = read_spine(lab)
        after = [other.submit(write_register_keys, lab.paths, folder, previous=run.latest, people=people)]
        after += [] if beside is None else [other.submit(beside, folder)]
        progress("Keeping the encoded table for cohorts and searches", 0.97)
        keep(
            folder, spine.model, run.specification, run.records.table, resources=resources(lab),
            orders=run.records.written, encoded=to_keep.result(), people=people.now,
        )  # fmt: skip
        for each in after:
            each.result()
    _tidy(lab.paths, (folder, run.latest))
    return SpineResult(spine, report, made=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """What the steps of one run share. `latest`: the spine before; `key`: of all that the new one is made from."""

    lab: OpenLab
    engine: Engine
    specification: Specification
    inputs: Mapping[str, str]
    latest: Path | None
    records: Records
    counts: tuple[RuleCount, ...]
    models: Mapping[str, KeptModel]
    overrides: pa.Table
    key: str


def _begin(lab: OpenLab, engine: Engine, *, retrain: bool, rebuild: bool, progress: Progress) -> _Run:
    """Records and models, after what a run would take was checked."""
    specification, extracts = load_specification(lab.settings.domain), _extracts(lab.paths)
    tasks_of(specification, sorted(extracts))  # a source that nobody said how to link is refused before anything runs
    inputs = {source: sha256_of_file(path) for source, path in extracts.items()}
    remove_abandoned(_places(lab.paths))
    progress("Preparing records", 0.0)
    latest = lab.paths.latest_spine()
    records = read_records(lab.paths, extracts, inputs, specification, before=_inputs_before(latest), anew=rebuild)
    counts = _checked(lab, records, specification, progress)
    progress("Training the model", 0.1)
    models = _models(lab, records, specification, engine, retrain)
    overrides = read_overrides(lab.paths)
    overrides = overrides.filter(pc.not_equal(overrides["scope"], ENTRIES))
    key = _key(lab, specification, engine, inputs, models, overrides)
    return _Run(lab, engine, specification, inputs, latest, records, counts, models, overrides, key)


def _checked(lab: OpenLab, records: Records, specification: Specification, progress: Progress) -> tuple[RuleCount, ...]:
    """The pairs of each rule. Refused when a block or the memory that is needed is too large."""
    counts = counted(specification.rules, records.orders)
    check_blocks(counts, max_block=specification.guards.max_block)
    expected = estimate_of(records, counts, specification)
    for line in expected.lines():
        progress(line, 0.05)
    check_memory(expected, lab.settings.memory)
    return counts


def _as_it_is(lab: OpenLab, version: str, progress: Progress) -> SpineResult:
    """The spine of the same inputs; what a stopped run left out beside it is made."""
    folder = lab.paths.spine(version)
    write_register_keys(lab.paths, folder)
    spine = read_spine(lab)
    if not is_kept(folder):
        spine.kept(resources=resources(lab), progress=progress)
    return SpineResult(spine, _read_quality(folder), made=False)


def _write(
    run: _Run, folder: Path, linked: Linked, truth: pa.Table | None, new_key: NewKey | None
) -> tuple[Mapping[str, Any], People]:
    limits, prepared = thresholds_of(run.lab), run.records.stage.folder(run.lab.paths) / PREPARED
    made = partial(spine_report, linked, run.inputs, key=run.key, engine=run.engine, thresholds=limits, truth=truth)
    return write_spine(folder, linked, made, thresholds=limits, prepared=prepared, previous=run.latest, new_key=new_key)


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
        evidence=evidence_of(specification, lab.paths.latest_extracts(lab.paths.linker)),
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


def _score(run: _Run, rebuild: bool, progress: Progress) -> tuple[Scored, ...]:
    before = None if rebuild else _before(run)
    fresh = None if before is None else before.changes.fresh(run.records.table.num_rows)
    engaged = Engaged(run.specification, run.engine, resources(run.lab), run.records, run.models, fresh)
    tasks = tasks_of(run.specification, run.records.sources)
    scored = []
    for number, task in enumerate(tasks):
        progress("Comparing records", 0.6 + 0.2 * number / len(tasks))
        kept = run.models[task.slice]
        done = run_task(task, run.records, kept, engaged, run.lab.paths, before=before, anew=rebuild, progress=progress)
        scored.append(done)
    return tuple(scored)


def _join(run: _Run, scored: tuple[Scored, ...], progress: Progress) -> Linked:
    progress("Joining links to people", 0.8)
    records, specification, paths = run.records, run.specification, run.lab.paths
    parts = [read_pairs(each, records, paths) for each in scored]
    pairs = _by_ids(pa.concat_tables(parts).unify_dictionaries())
    ruled = {product.name: rulings_of(run.overrides, records.table, product.name) for product in specification.products}
    folders = paths.latest_extracts(paths.linker)
    products = cluster_products(records, scored, parts, specification, thresholds_of(run.lab), ruled, folders)
    return Linked(
        records.table, records, specification, run.counts, run.models, scored, pairs, products, run.overrides, ruled
    )


def _by_ids(pairs: pa.Table) -> pa.Table:
    """Ordered by the left record's number, then the right one's. Each part is so already, which a stable sort uses."""
    left, right = (pairs[f"{ID}_{side}"].to_numpy() for side in "lr")
    order = np.argsort((left.astype(np.int64) << 32) | right.astype(np.int64), kind="stable")
    return pairs.combine_chunks().take(pa.array(order))


def _before(run: _Run) -> Before | None:
    """The spine before, where what it was made from is still there."""
    records, paths = run.records, run.lab.paths
    made_of = None if run.latest is None else _read_quality(run.latest).get("stages")
    if made_of is None:
        return None
    was = Stage("records", made_of["records"]["key"])
    if not was.is_made(paths) or made_of["records"]["columns"] != records.table.column_names:
        return None
    changes = records.changes or changes_since(was, records, paths, run.specification)
    return Before(changes, made_of)


def _inputs_before(latest: Path | None) -> Mapping[str, str] | None:
    """What the spine before was made from."""
    found: Mapping[str, str] | None = None if latest is None else _read_quality(latest).get("inputs")
    return found


def _places(paths: LabPaths) -> list[Path]:
    """Where a run of `link` makes folders."""
    stages, models, spines = paths.linking_stage("any").parent, paths.models("any").parent, paths.spine("any").parent
    return [spines, *(place for each in (spines, stages, models) for place in each.glob("[!.]*"))]


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

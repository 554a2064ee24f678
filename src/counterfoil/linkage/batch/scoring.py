"""Which pairs each stage scores, so that each pair is scored once, by one model; and which it need not score again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.errors import UsageError
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage import engine as engines
from counterfoil.linkage.batch.models import KeptModel
from counterfoil.linkage.batch.records import Changes, Records, numbers_of
from counterfoil.linkage.batch.stages import Stage, make_stage
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.core_engine import near_in
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.model import Resources
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.specification import Slice, Specification
from counterfoil.provenance import key_of
from counterfoil.warehouse import read_table, write_table

KEPT_WEIGHT = 0.0  # pairs as likely as not and above are kept with the spine, for review and for what the model expects
PAIRS = "pairs.parquet"
LEFT, RIGHT = f"{ID}_l", f"{ID}_r"


@dataclass(frozen=True, slots=True)
class Task:
    """The pairs of one stage: within one source, or between the groups of a slice's sources.

    `groups` has a number for each source; only pairs of different numbers are scored. None: all pairs.
    """

    name: str
    slice: str
    sources: tuple[str, ...]
    groups: Mapping[str, int] | None


def tasks_of(specification: Specification, sources: Sequence[str]) -> tuple[Task, ...]:
    """Slice by slice: each source's own pairs, then the pairs between. Sources that are not loaded are left out."""
    check_sources(specification, sources)
    found: list[Task] = []
    for part in specification.slices:
        own = [source for source in part.sources if source in sources]
        found += [Task(f"dedupe-{source}", part.name, (source,), None) for source in own]
        before = sorted(set(sources_of(specification, part.to)) & set(sources))
        groups = dict.fromkeys(before, 0) | {source: number for number, source in enumerate(own, start=1)}
        if own and len(set(groups.values())) > 1:
            found.append(Task(f"link-{part.name}", part.name, tuple(sorted(groups)), groups))
    return tuple(found)


def sources_of(specification: Specification, slices: Sequence[str]) -> tuple[str, ...]:
    """All sources of some slices."""
    return tuple(source for part in specification.slices if part.name in slices for source in part.sources)


def trained_on(part: Slice, specification: Specification, sources: Sequence[str]) -> tuple[str, ...]:
    """The sources, of those loaded, whose records a slice's model is trained on: all that it is used on."""
    used = {*part.sources, *sources_of(specification, part.to)}
    return tuple(sorted(used & set(sources)))


def check_sources(specification: Specification, sources: Sequence[str]) -> None:
    """UsageError when a source is in no slice: nobody said how it is linked."""
    known = {source for part in specification.slices for source in part.sources}
    if unknown := sorted(set(sources) - known):
        raise UsageError(
            f"The domain's linkage.toml does not say how to link {', '.join(unknown)}. Add it to the `sources` of one "
            "of its slices, or remove its extracts from the lab."
        )


class Engaged:
    """What the tasks of one run share: the engine that was asked for, what it may use, and each slice's records.

    The records of a slice are handed to the engine once for all its tasks; those of one slice at a time are held.
    `fresh`, a flag a record, says which are new or changed since the run before.
    """

    def __init__(
        self,
        specification: Specification,
        engine: Engine,
        resources: Resources,
        records: Records,
        models: Mapping[str, KeptModel],
        fresh: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self.specification, self.engine, self.resources = specification, engine, resources
        self._records, self._models, self._fresh = records, models, fresh
        self._held: tuple[str, engines.Scorer] | None = None

    def scorer(self, slice_: str) -> engines.Scorer:
        """What scores the records of a slice and of those that it is linked to."""
        if self._held is None or self._held[0] != slice_:
            self._held = None  # the slice before is let go first
            sources = self._sources(slice_)
            table, model = self._records.of(sources), self._models[slice_].model
            fresh, near = self._fresh_and_near(self._records.numbers(sources))
            scorer = engines.Scorer(table, model, engine=self.engine, resources=self.resources, fresh=fresh, near=near)
            self._held = slice_, scorer
        return self._held[1]

    def _fresh_and_near(
        self, numbers: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.bool_] | None]:
        """Of some records, which are fresh, and which share a block with a fresh one of them."""
        if self._fresh is None:
            return None, None
        fresh = np.zeros_like(self._fresh)
        fresh[numbers] = self._fresh[numbers]
        return fresh[numbers], near_in(self._records.orders, fresh)[numbers]

    def places(self, slice_: str, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Where records, given by number, stand among those of a slice."""
        return np.searchsorted(self._records.numbers(self._sources(slice_)), numbers)

    def _sources(self, slice_: str) -> tuple[str, ...]:
        part = next(part for part in self.specification.slices if part.name == slice_)
        return trained_on(part, self.specification, self._records.sources)


@dataclass(frozen=True, slots=True)
class Before:
    """The run before: what became of its records, and its stages by name with the parts of their keys."""

    changes: Changes
    stages: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Scored:
    """One task's stage. `how`: "kept" from an earlier run, "all" pairs scored, or "fresh" ones alone."""

    stage: Stage
    task: Task
    how: str
    fresh: int  # records that were new or changed, when only their pairs were scored
    pairs: int  # that weigh `KEPT_WEIGHT` and more
    method: str  # key of model, rules and engine: pairs scored by the same need not be scored again


def run_task(
    task: Task,
    records: Records,
    kept: KeptModel,
    engaged: Engaged,
    paths: LabPaths,
    *,
    before: Before | None,
    anew: bool,
    progress: Progress = silent,
) -> Scored:
    """Score the pairs of one task, or take them from the run before where both records are what they were.

    Pairs are kept by the record's place among the task's own records, so that other sources may grow.
    """
    method = _method(task, kept, engaged)
    stage = Stage(task.name, key_of(method=method, inputs=_inputs(task, records), hot=records.about["hot_blocks"]))
    was = None if anew or before is None else _usable(task, method, before, paths)

    def make(folder: Path) -> Mapping[str, Any]:
        if was is None or before is None:
            found, fresh = _score(task, records, engaged, only_fresh=False, progress=progress), None
        else:
            found, fresh = _score_fresh(task, records, engaged, before.changes, was.folder(paths) / PAIRS, progress)
        write_table(found, folder / PAIRS)
        return {"method": method, "sources": list(task.sources), "pairs": found.num_rows, "fresh": fresh}

    made = make_stage(stage, paths, make, anew=anew)
    about = stage.about(paths)
    how = "kept" if not made else "all" if about["fresh"] is None else "fresh"
    return Scored(stage, task, how, about["fresh"] or 0, about["pairs"], method)


def _method(task: Task, kept: KeptModel, engaged: Engaged) -> str:
    rules = [rule.sql for rule in engaged.specification.rules]
    return key_of(
        model=kept.key, rules=rules, engine=engaged.engine.value, weight=KEPT_WEIGHT, groups=task.groups,
        sources=task.sources,
    )  # fmt: skip


def _inputs(task: Task, records: Records) -> dict[str, str]:
    return {source: records.inputs[source] for source in task.sources}


def _usable(task: Task, method: str, before: Before, paths: LabPaths) -> Stage | None:
    """The stage of the run before, when the same method scored it and it is still there."""
    known = before.stages.get(task.name)
    if known is None or known["method"] != method:
        return None
    stage = Stage(task.name, known["key"])
    return stage if stage.is_made(paths) else None


def _score(
    task: Task,
    records: Records,
    engaged: Engaged,
    *,
    only_fresh: bool,
    progress: Progress,
) -> pa.Table:
    """Scored pairs, by the place of their records among the task's own."""
    numbers = records.numbers(task.sources)
    rules = engaged.specification.rules
    return engaged.scorer(task.slice).score(
        engaged.places(task.slice, numbers),
        threshold=KEPT_WEIGHT,
        pairs=lambda table: sum(count.pairs for count in count_within(table, rules)),
        groups=_groups(task, records),
        only_fresh=only_fresh,
        progress=lambda text, done: progress(text, None) if done is None else None,  # of a task no share is known
    )


def _groups(task: Task, records: Records) -> npt.NDArray[np.int64] | None:
    if task.groups is None:
        return None
    return np.repeat(
        [task.groups[source] for source in sorted(task.sources)],
        [records.spans[source][1] for source in sorted(task.sources)],
    )


def _score_fresh(
    task: Task,
    records: Records,
    engaged: Engaged,
    changes: Changes,
    old: Path,
    progress: Progress,
) -> tuple[pa.Table, int]:
    """The old pairs of unchanged records, and the scored pairs of the others."""
    fresh = changes.fresh(records.table.num_rows)
    numbers = records.numbers(task.sources)
    count = int(fresh[numbers].sum())
    kept_pairs = _carried(task, records, changes, read_table(old))
    if not count:
        return kept_pairs, count
    found = _score(task, records, engaged, only_fresh=True, progress=progress)
    both = pa.concat_tables([kept_pairs, found.cast(kept_pairs.schema)])
    return both.sort_by([(LEFT, "ascending"), (RIGHT, "ascending")]).combine_chunks(), count


def _carried(task: Task, records: Records, changes: Changes, old: pa.Table) -> pa.Table:
    """Old pairs under the new places of their records; those of a changed or vanished record are dropped."""
    place = np.full(records.table.num_rows + 1, -1, dtype=np.int64)  # the last cell is for records that are gone
    numbers = records.numbers(task.sources)
    place[numbers] = np.arange(numbers.size)
    now = place[changes.now[numbers_of(changes.spans, [s for s in task.sources if s in changes.spans])]]
    left, right = now[old[LEFT].to_numpy()], now[old[RIGHT].to_numpy()]
    stay = (left >= 0) & (right >= 0)
    table = old.filter(pa.array(stay))
    for name, values in ((LEFT, left[stay]), (RIGHT, right[stay])):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table


def read_pairs(scored: Scored, records: Records, paths: LabPaths) -> pa.Table:
    """The pairs of a stage by record number, with `slice`."""
    table = read_table(scored.stage.folder(paths) / PAIRS)
    numbers = records.numbers(scored.task.sources)
    for name in (LEFT, RIGHT):
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array(numbers[table[name].to_numpy()]))
    return table.append_column("slice", pa.repeat(scored.task.slice, table.num_rows).dictionary_encode())

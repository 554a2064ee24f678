"""One call for whichever engine scores. The pairs and weights are the same whichever it is.

What our own engine cannot say it names, and Splink does the work; `EngineUsed` says so on screen and in the report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage import core_engine, splink_engine
from counterfoil.linkage.core.conditions import NotExpressible
from counterfoil.linkage.model import Model, Resources, Trained
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.specification import Specification

Groups = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Engine(Enum):
    """What scores."""

    CORE = "core"
    SPLINK = "splink"


DEFAULT_ENGINE = Engine.CORE


@dataclass(frozen=True, slots=True)
class EngineUsed:
    """Which engine does the work, and why it is not the one that was asked for (empty when it is)."""

    engine: Engine
    because: str = ""


def engine_for(model: Model, asked: Engine, prepared: pa.Table | None = None) -> EngineUsed:
    """The engine that was asked for, or Splink when our own cannot say what the model says of such records."""
    if asked is Engine.CORE:
        try:
            if prepared is None:
                core_engine.core_model(model)
            else:
                core_engine.check_records(prepared, model)
        except NotExpressible as error:
            return EngineUsed(Engine.SPLINK, str(error))
    return EngineUsed(asked)


def train(prepared: pa.Table, specification: Specification, *, engine: Engine, resources: Resources) -> Trained:
    """Learn the model from the records themselves; no labels."""
    match engine:
        case Engine.CORE:
            try:
                return core_engine.train(prepared, specification, resources)
            except NotExpressible as error:
                trained = splink_engine.train(prepared, specification, resources)
                return replace(trained, notes={**trained.notes, "engine_because": str(error)})
        case Engine.SPLINK:
            return splink_engine.train(prepared, specification, resources)


def score(
    prepared: pa.Table,
    model: Model,
    *,
    threshold: float,
    pairs: int,
    engine: Engine,
    resources: Resources,
    groups: Groups | None = None,
    fresh: Flags | None = None,
    progress: Progress = silent,
) -> pa.Table:
    """Pairs within one table: unique_id_l, unique_id_r (l < r), match_weight in log2 with the prior, ordered by id.

    `pairs` is how many candidate pairs the blocking rules make at most; it decides Splink's chunks.
    `groups`: a number a row, only pairs of different numbers. `fresh`: only pairs of which one row is fresh. Our own
    engine also gives `rule`, the first blocking rule that made the pair.
    """
    if engine is Engine.CORE:
        try:
            return core_engine.score(
                prepared, model, threshold=threshold, resources=resources, groups=groups, fresh=fresh,
                progress=progress,
            )  # fmt: skip
        except NotExpressible as error:
            progress(f"Splink compares these records, because our own engine cannot: {error}", None)
    return splink_engine.score(
        prepared, model, threshold=threshold, pairs=pairs, resources=resources, groups=groups, fresh=fresh
    )


def score_between(
    left: pa.Table,
    right: pa.Table,
    model: Model,
    *,
    threshold: float,
    engine: Engine,
    resources: Resources,
    progress: Progress = silent,
) -> pa.Table:
    """Pairs of one record of `left` and one of `right`, whose ids do not overlap; the same columns and order."""
    if engine is Engine.CORE:
        try:
            return core_engine.score_between(left, right, model, threshold=threshold, resources=resources)
        except NotExpressible as error:
            progress(f"Splink compares these records, because our own engine cannot: {error}", None)
    return splink_engine.score_between(left, right, model, threshold=threshold, resources=resources)


class Scorer:
    """Scores several sets of the same records under one model; our own engine encodes them once, when first asked.

    With `fresh`, a flag a record, pairs of which neither record is fresh can be left out; then only records that share
    a block with a fresh one are encoded. `near`, where it is known, flags them.
    """

    def __init__(
        self,
        prepared: pa.Table,
        model: Model,
        *,
        engine: Engine,
        resources: Resources,
        fresh: Flags | None = None,
        near: Flags | None = None,
    ) -> None:
        self._prepared, self._model, self._resources = prepared, model, resources
        self._engine, self._fresh, self._known_near = engine, fresh, near
        self._whole: core_engine.EncodedRecords | None = None
        self._near: tuple[core_engine.EncodedRecords, Groups] | None = None  # and each record's place, -1 for none

    def score(
        self,
        rows: Groups,
        *,
        threshold: float,
        pairs: Callable[[pa.Table], int],
        groups: Groups | None = None,
        only_fresh: bool = False,
        progress: Progress = silent,
    ) -> pa.Table:
        """As `score` of the records `rows`; the ids of the answer are places in `rows`. `pairs` counts for Splink.

        `only_fresh`: only pairs with a fresh record.
        """
        fresh = self._fresh[rows] if only_fresh and self._fresh is not None else None
        if self._engine is Engine.CORE:
            try:
                if fresh is None:
                    return self._all().score(rows, threshold=threshold, groups=groups, progress=progress)
                return self._score_near(rows, fresh, threshold, groups, progress)
            except NotExpressible as error:
                progress(f"Splink compares these records, because our own engine cannot: {error}", None)
                self._engine = Engine.SPLINK
        table = self._prepared.take(pa.array(rows))
        table = table.set_column(table.column_names.index(ID), ID, pa.array(np.arange(len(rows))))
        return splink_engine.score(
            table, self._model, threshold=threshold, pairs=pairs(table), resources=self._resources, groups=groups,
            fresh=fresh,
        )  # fmt: skip

    def _all(self) -> core_engine.EncodedRecords:
        if self._whole is None:
            self._whole = core_engine.encode(self._prepared, self._model, self._resources)
        return self._whole

    def _score_near(
        self, rows: Groups, fresh: Flags, threshold: float, groups: Groups | None, progress: Progress
    ) -> pa.Table:
        if self._whole is not None:
            return self._whole.score(rows, threshold=threshold, groups=groups, fresh=fresh, progress=progress)
        encoded, place = self._near_fresh()
        held = np.flatnonzero(place[rows] >= 0)
        found = encoded.score(
            place[rows[held]], threshold=threshold, groups=None if groups is None else groups[held], fresh=fresh[held],
            progress=progress,
        )  # fmt: skip
        for side in (f"{ID}_l", f"{ID}_r"):
            at = found.column_names.index(side)
            found = found.set_column(at, side, pa.array(held[found[side].to_numpy()]))
        return found

    def _near_fresh(self) -> tuple[core_engine.EncodedRecords, Groups]:
        if self._near is None:
            near = np.flatnonzero(self._flags_near())
            place = np.full(self._prepared.num_rows, -1, dtype=np.int64)
            place[near] = np.arange(near.size)
            records = core_engine.encode(self._prepared.take(pa.array(near)), self._model, self._resources)
            self._near = records, place
        return self._near

    def _flags_near(self) -> Flags:
        if self._known_near is not None:
            return self._known_near
        fresh = np.zeros(self._prepared.num_rows, np.bool_) if self._fresh is None else self._fresh
        return core_engine.near(self._prepared, self._model, fresh, self._resources)

"""One call for whichever engine scores. The pairs and weights are the same whichever it is.

What our own engine cannot say it names, and Splink does the work; `EngineUsed` says so on screen and in the report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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


def engine_for(model: Model, asked: Engine) -> EngineUsed:
    """The engine that was asked for, or Splink when our own cannot say what the model says."""
    if asked is Engine.CORE:
        try:
            core_engine.core_model(model)
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

    `pairs` is how many candidate pairs the blocking rules make at most; it decides Splink's chunks. `groups`: a number
    a row, only pairs of different numbers. `fresh`: only pairs of which one row is fresh. Our own engine also gives
    `rule`, the first blocking rule that made the pair.
    """
    match engine_for(model, engine).engine:
        case Engine.CORE:
            return core_engine.score(
                prepared, model, threshold=threshold, resources=resources, groups=groups, fresh=fresh,
                progress=progress,
            )  # fmt: skip
        case Engine.SPLINK:
            found = splink_engine.score(prepared, model, threshold=threshold, pairs=pairs, resources=resources)
            return _wanted(found, prepared, groups, fresh)


def _wanted(found: pa.Table, prepared: pa.Table, groups: Groups | None, fresh: Flags | None) -> pa.Table:
    """The pairs of different groups of which one record is fresh."""
    if groups is None and fresh is None:
        return found
    ids = prepared[ID].combine_chunks()
    left, right = (pc.index_in(found[f"{ID}_{side}"], ids).to_numpy() for side in "lr")
    wanted = np.ones(len(left), dtype=np.bool_)
    if groups is not None:
        wanted &= groups[left] != groups[right]
    if fresh is not None:
        wanted &= fresh[left] | fresh[right]
    return found.filter(pa.array(wanted))


def score_between(
    left: pa.Table, right: pa.Table, model: Model, *, threshold: float, engine: Engine, resources: Resources
) -> pa.Table:
    """Pairs of one record of `left` and one of `right`, whose ids do not overlap; the same columns and order."""
    match engine_for(model, engine).engine:
        case Engine.CORE:
            return core_engine.score_between(left, right, model, threshold=threshold, resources=resources)
        case Engine.SPLINK:
            return splink_engine.score_between(left, right, model, threshold=threshold, resources=resources)

"""One call for whichever engine scores. Splink today; the pairs and weights are the same whichever it is."""

from __future__ import annotations

from enum import Enum

import pyarrow as pa

from counterfoil.linkage import splink_engine
from counterfoil.linkage.model import Model, Resources, Trained
from counterfoil.linkage.specification import Specification


class Engine(Enum):
    """What scores."""

    SPLINK = "splink"


def train(prepared: pa.Table, specification: Specification, *, engine: Engine, resources: Resources) -> Trained:
    """Learn the model from the records themselves; no labels."""
    match engine:
        case Engine.SPLINK:
            return splink_engine.train(prepared, specification, resources)


def score(
    prepared: pa.Table, model: Model, *, threshold: float, pairs: int, engine: Engine, resources: Resources
) -> pa.Table:
    """Pairs within one table: unique_id_l, unique_id_r (l < r), match_weight in log2 with the prior, ordered by id.

    `pairs` is how many candidate pairs the blocking rules make at most; it decides the chunks.
    """
    match engine:
        case Engine.SPLINK:
            return splink_engine.score(prepared, model, threshold=threshold, pairs=pairs, resources=resources)


def score_between(
    left: pa.Table, right: pa.Table, model: Model, *, threshold: float, engine: Engine, resources: Resources
) -> pa.Table:
    """Pairs of one record of `left` and one of `right`, whose ids do not overlap; the same columns and order."""
    match engine:
        case Engine.SPLINK:
            return splink_engine.score_between(left, right, model, threshold=threshold, resources=resources)

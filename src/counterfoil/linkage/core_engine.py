"""Our own engine behind the same calls as Splink's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.errors import Refused
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage.core import encode as encoding
from counterfoil.linkage.core import train as training
from counterfoil.linkage.core.conditions import NotExpressible
from counterfoil.linkage.core.index import told_of
from counterfoil.linkage.core.key_order import Keys, RuleOrder
from counterfoil.linkage.core.score import score as score_encoded
from counterfoil.linkage.core.splink_json import CoreModel, read_model
from counterfoil.linkage.frequencies import count_frequencies
from counterfoil.linkage.model import (
    EM_CONVERGENCE,
    EM_ITERATIONS,
    Model,
    Resources,
    Trained,
    bounded,
    splink_settings,
    training_notes,
    with_hand_weights,
)
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.specification import Specification

_UNITS = {"MB": 10**6, "GB": 10**9}

Flags = npt.NDArray[np.bool_]
Groups = npt.NDArray[np.int64]


def core_model(model: Model) -> CoreModel:
    """The model as the core reads it. NotExpressible names what the core cannot say."""
    read = read_model(model.settings)
    if not read.rules:
        raise NotExpressible("the model", "every pair of records, with no blocking rule")
    return read


def check_records(prepared: pa.Table, model: Model) -> None:
    """NotExpressible when the core cannot compare records with columns of these types by the model."""
    no_values = {column: share.slice(0, 0) for column, share in model.frequencies.items()}  # types are all that matters
    encoding.encode(prepared.slice(0, 0), core_model(model), no_values)


def bytes_of(memory: str) -> int:
    """ "8GB" as a number of bytes."""
    found = re.fullmatch(r"(\d+)(MB|GB)", memory)
    return int(found[1]) * _UNITS[found[2]] if found else 8 * 10**9


def train(
    prepared: pa.Table, specification: Specification, resources: Resources, progress: Progress = silent
) -> Trained:
    """Prior from deterministic rules, u from random pairs, m by expectation maximisation over several blocks."""
    wanted = specification.training
    plan = training.Plan(
        prior_rules=tuple(rule.sql for rule in wanted.prior_rules),
        prior_recall=wanted.prior_recall,
        blocks=tuple(rule.sql for rule in wanted.em_blocks),
        random_pairs=wanted.random_pairs,
        block_pairs=wanted.em_max_pairs,
        seed=wanted.seed,
        convergence=EM_CONVERGENCE,
        iterations=EM_ITERATIONS,
    )
    frequencies = count_frequencies(prepared, specification)
    learnt = training.train(
        prepared, splink_settings(specification), plan, frequencies=frequencies, resources=_resources(resources),
        progress=progress,
    )  # fmt: skip
    _refuse_nothing(learnt)
    settings, bounds = bounded(learnt.settings, random_pairs=learnt.random_pairs, told_pairs=learnt.told_pairs)
    notes = training_notes(
        prepared, specification, engine="core", random_pairs=learnt.random_pairs, prior_at_recall=dict(learnt.prior_at)
    )
    model = Model(with_hand_weights(settings, specification), frequencies)
    return Trained(model, bounds, tuple(session.about() for session in learnt.sessions), notes)


def _refuse_nothing(learnt: training.Trained) -> None:
    """Refused when a block that the model learns from has no pair."""
    if all(session.pairs == 0 for session in learnt.sessions):
        raise Refused(
            "The model cannot learn from these records: too few of them agree on anything. Load all sources in full "
            "before `counterfoil link`, and see in their receipts whether birth dates and names were refused.",
            rule="training",
        )


def score(
    prepared: pa.Table,
    model: Model,
    *,
    threshold: float,
    resources: Resources,
    groups: Groups | None = None,
    fresh: Flags | None = None,
    progress: Progress = silent,
) -> pa.Table:
    """Pairs of one table: unique_id_l, unique_id_r (l < r), match_weight, rule; ordered by id."""
    table = prepared if _is_ordered(prepared) else prepared.sort_by(ID)
    order = None if table is prepared else np.argsort(prepared[ID].to_numpy(), kind="stable")
    found = encode(table, model, resources).pairs(
        None,
        threshold=threshold,
        groups=_ordered(groups, order),
        fresh=_ordered(fresh, order),
        progress=progress,
    )
    ids = table[ID].combine_chunks()
    ends = {f"{ID}_{side[0]}": ids.take(found[side].combine_chunks()) for side in ("left", "right")}
    return pa.table({**ends, "match_weight": found["match_weight"], "rule": found["rule"]})


@dataclass(frozen=True, slots=True)
class EncodedRecords:
    """Records encoded once for one model, of which any may be scored among themselves."""

    encoded: encoding.Encoded
    model: CoreModel
    resources: Resources

    def score(
        self,
        rows: Groups | None,
        *,
        threshold: float,
        groups: Groups | None = None,
        fresh: Flags | None = None,
        progress: Progress = silent,
    ) -> pa.Table:
        """Pairs of some records (all, where `rows` is None): their places in `rows` as unique_id_l and unique_id_r."""
        pairs = self.pairs(rows, threshold=threshold, groups=groups, fresh=fresh, progress=progress)
        ends = {f"{ID}_{side[0]}": pairs[side].cast(pa.int64()) for side in ("left", "right")}
        return pa.table({**ends, "match_weight": pairs["match_weight"], "rule": pairs["rule"]})

    def pairs(
        self,
        rows: Groups | None,
        *,
        threshold: float,
        groups: Groups | None,
        fresh: Flags | None,
        progress: Progress,
    ) -> pa.Table:
        """The same as the core gives it: left and right."""
        return score_encoded(
            self.encoded if rows is None else self.encoded.of(rows),
            self.model,
            threshold=threshold,
            groups=None if groups is None else groups.astype(np.int32),
            fresh=fresh,
            threads=self.resources.threads,
            memory=bytes_of(self.resources.memory),
            progress=progress,
        ).pairs


def encode(prepared: pa.Table, model: Model, resources: Resources) -> EncodedRecords:
    """The records for a model. NotExpressible names what the core cannot say."""
    read = core_model(model)
    made = encoding.encode(prepared, read, model.frequencies, resources=_resources(resources))
    return EncodedRecords(made, read, resources)


def near(prepared: pa.Table, model: Model, fresh: Flags, resources: Resources) -> Flags:
    """For each record whether it is fresh or shares a block with a fresh one: no other pairs with a fresh one."""
    read = core_model(model)
    schema, types = told_of(prepared, read)
    return near_in(Keys(prepared, schema, _resources(resources)).orders(read.rules, types), fresh)


def near_in(orders: Iterable[RuleOrder], fresh: Flags) -> Flags:
    """The same of records whose order by each rule is at hand."""
    found = fresh.copy()
    for order in orders:
        order.mark_near(fresh, found)
    return found


def score_between(left: pa.Table, right: pa.Table, model: Model, *, threshold: float, resources: Resources) -> pa.Table:
    """Pairs of a record of `left` with one of `right`, whose ids do not overlap."""
    both = pa.concat_tables([left.select(right.column_names), right]).combine_chunks()
    groups = np.repeat([0, 1], [left.num_rows, right.num_rows])
    smaller = 0 if left.num_rows <= right.num_rows else 1
    return score(both, model, threshold=threshold, resources=resources, groups=groups, fresh=groups == smaller)


def _resources(resources: Resources) -> encoding.Resources:
    return encoding.Resources(resources.threads, resources.memory)


def _is_ordered(prepared: pa.Table) -> bool:
    ids = prepared[ID].to_numpy()
    return bool(np.all(ids[1:] > ids[:-1]))


def _ordered(values: npt.NDArray[Any] | None, order: Groups | None) -> npt.NDArray[Any] | None:
    return values if values is None or order is None else values[order]

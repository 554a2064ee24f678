"""Splink 5 on DuckDB, the way docs/decisions/0002 found best: capped training, typed dates, chunks, a memory limit.

Every run has a connection of its own, because a half-read result on a shared one makes Splink's next call fail. Splink
logs names of columns and values of parameters; none of it is let through.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from splink import DuckDBAPI, Linker
from splink.internals.exceptions import EMTrainingException

from counterfoil.errors import Refused
from counterfoil.linkage.frequencies import count_frequencies
from counterfoil.linkage.model import (
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
from counterfoil.warehouse import connect

PAIRS_A_CHUNK = 100_000_000  # above this many candidate pairs Splink's memory grows past what it is worth (decision 2)
_GROUP, _FRESH = "cf_group", "cf_fresh"  # columns that are added
_PROBE_SHARE = 0.1  # of records, to estimate how many pairs a training block has

ARROW_LAMBDAS = "SET lambda_syntax = 'ENABLE_SINGLE_ARROW'"  # Splink writes them, DuckDB 2 no longer reads them

logging.getLogger("splink").setLevel(logging.CRITICAL + 1)


@contextmanager
def _database(resources: Resources) -> Iterator[DuckDBAPI]:
    connection = connect(threads=resources.threads, memory_limit=resources.memory)
    try:
        connection.execute(ARROW_LAMBDAS)
        yield DuckDBAPI(connection=connection)
    finally:
        connection.close()


def train(prepared: pa.Table, specification: Specification, resources: Resources) -> Trained:
    """Prior from deterministic rules, u from random pairs, m by expectation maximisation over several blocks.

    Term frequencies are left out of the training iterations: they run on counts of patterns, and give the same
    parameters whatever the number of threads.
    """
    plan = specification.training
    with _database(resources) as database, _said_plainly():
        linker = Linker(database.register(prepared), splink_settings(specification), log_level=None)
        linker.training.estimate_probability_two_random_records_match(
            [rule.sql for rule in plan.prior_rules], recall=plan.prior_recall
        )
        if not linker.misc.save_model_to_json()["probability_two_random_records_match"]:
            raise ValueError("no pair agrees on a deterministic rule")
        linker.training.estimate_u_using_random_sampling(
            max_pairs=plan.random_pairs, seed=plan.seed, min_count_per_level=None, num_chunks=1
        )
        sessions = tuple(_train_on(linker, rule.sql, plan.em_max_pairs) for rule in plan.em_blocks)
        settings = linker.misc.save_model_to_json()
    all_pairs = prepared.num_rows * (prepared.num_rows - 1) // 2
    trained, bounds = bounded(settings, random_pairs=max(1, min(plan.random_pairs, all_pairs)))
    model = Model(with_hand_weights(trained, specification), count_frequencies(prepared, specification))
    return Trained(model, bounds, sessions, training_notes(prepared, specification, engine="splink"))


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What Splink raises when there is nothing to learn from, in our words."""
    try:
        yield
    except (ZeroDivisionError, ValueError, EMTrainingException) as error:
        raise Refused(
            "The model cannot learn from these records: too few of them agree on anything. Load all sources in full "
            "before `counterfoil link`, and see in their receipts whether birth dates and names were refused.",
            rule="training",
        ) from error


def _train_on(linker: Linker, rule: str, max_pairs: int) -> Mapping[str, Any]:
    session = linker.training.estimate_parameters_using_expectation_maximisation(
        rule, estimate_without_term_frequencies=True, max_pairs=max_pairs, record_sample_proportion=_PROBE_SHARE
    )
    iterations = len(session._core_model_settings_history) - 1
    return {"block": rule, "iterations": iterations, "converged": iterations < EM_ITERATIONS}


def score(
    prepared: pa.Table,
    model: Model,
    *,
    threshold: float,
    pairs: int,
    resources: Resources,
    groups: npt.NDArray[np.int64] | None = None,
    fresh: npt.NDArray[np.bool_] | None = None,
) -> pa.Table:
    """Pairs of records of one table that weigh `threshold` or more: unique_id_l < unique_id_r, match_weight (log2).

    `groups`: only pairs of different numbers. `fresh`: only pairs of which one row is fresh. No other pair is made.
    """
    chunks = 1 + pairs // PAIRS_A_CHUNK
    conditions = []
    for name, values, condition in (
        (_GROUP, groups, f"l.{_GROUP} <> r.{_GROUP}"),
        (_FRESH, fresh, f"(l.{_FRESH} OR r.{_FRESH})"),
    ):
        if values is not None:
            prepared = prepared.append_column(name, pa.array(values))
            conditions.append(condition)
    with _database(resources) as database:
        linker = _linker(database, database.register(prepared), _narrowed(model, conditions))
        found = linker.inference.predict(
            threshold_match_weight=threshold, num_chunks_left=1, num_chunks_right=chunks, warning_mode="never"
        )
        return _pairs(database, found.physical_name)


def _narrowed(model: Model, conditions: Sequence[str]) -> Model:
    """The model whose blocking rules ask for more; without one, all pairs are the rule."""
    if not conditions:
        return model
    more = " AND ".join(conditions)
    rules: list[Any] = []
    for rule in model.settings.get("blocking_rules_to_generate_predictions") or ["1=1"]:
        if isinstance(rule, str):
            rules.append(f"({rule}) AND {more}")
        else:
            rules.append({**rule, "blocking_rule": f"({rule['blocking_rule']}) AND {more}"})
    return replace(model, settings={**model.settings, "blocking_rules_to_generate_predictions": rules})


def score_between(left: pa.Table, right: pa.Table, model: Model, *, threshold: float, resources: Resources) -> pa.Table:
    """Pairs of a record of `left` with one of `right` that weigh `threshold` or more."""
    with _database(resources) as database:
        tables = [database.register(left), database.register(right)]
        linker = _linker(database, tables[1], model)
        found = linker.inference.predict_between(
            tables[0], tables[1], threshold_match_weight=threshold, warning_mode="never"
        )
        return _pairs(database, found.physical_name)


def _linker(database: DuckDBAPI, table: Any, model: Model) -> Linker:
    """A linker of the trained model. Values are as common as they were then: a cohort does not tell how common."""
    linker = Linker(table, dict(model.settings), log_level=None)
    for column, frequencies in model.frequencies.items():
        linker.table_management.register_term_frequency_lookup(database.register(frequencies), column)
    return linker


def _pairs(database: DuckDBAPI, table: str) -> pa.Table:
    sql = f"SELECT {ID}_l, {ID}_r, match_weight FROM {table} ORDER BY {ID}_l, {ID}_r"
    return database.duckdb_con.sql(sql).to_arrow_table()

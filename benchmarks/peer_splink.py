"""Splink 5 on DuckDB on the benchmark's records: training, scoring, clustering and a cohort, as its guide says."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker

from benchmarks import linkage_data
from benchmarks.harness import Ready

THREADS = 2
MEMORY = "12GB"
LEAST_WEIGHT = -6.62935662007961  # log2 of the odds at probability 0.01
TRAINING_PAIRS = 5_000_000  # without it one session alone takes 90 s and 6 GB at a million records
RANDOM_PAIRS = 1_000_000
SEED = 1
FEW = 10_000  # records on which both learn before the clock starts: what Python and numba load is no training

logging.getLogger("splink").setLevel(logging.CRITICAL + 1)


def train(records: str, out: str, term_frequencies: bool) -> Ready:
    """Prior, u and m of the untrained model from a file of records; writes model JSON. A few records come first."""
    few = f"(SELECT * FROM '{records}' LIMIT {FEW})"
    _train(_linker(few, linkage_data.model()), term_frequencies=term_frequencies)

    def work() -> None:
        linker = _linker(f"'{records}'", linkage_data.model())
        _train(linker, term_frequencies=term_frequencies)
        Path(out).write_text(json.dumps(linker.misc.save_model_to_json(), indent=1) + "\n", "utf-8")

    return work


def _train(linker: Linker, *, term_frequencies: bool) -> None:
    training = linker.training
    training.estimate_probability_two_random_records_match(
        list(linkage_data.PRIOR_RULES), recall=linkage_data.PRIOR_RECALL
    )
    training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for rule in linkage_data.TRAINING_RULES:
        training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=not term_frequencies, max_pairs=TRAINING_PAIRS
        )


def score(records: str, model: str, out: str) -> Ready:
    """Block and score with a trained model: from a Parquet file of records to one of pairs."""
    return lambda: _write_pairs(_linker(f"'{records}'", json.loads(Path(model).read_text("utf-8"))), out)


def link(records: str, out: str) -> Ready:
    """The whole job: train, block, score, cluster at 0.95. Writes unique_id and cluster."""

    def work() -> None:
        linker = _linker(f"'{records}'", linkage_data.model())
        _train(linker, term_frequencies=False)
        pairs = linker.inference.predict(threshold_match_weight=LEAST_WEIGHT, warning_mode="never")
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
        _connection(linker).execute(
            f"COPY (SELECT unique_id, cluster_id AS cluster FROM {found.physical_name}) TO '{out}' (FORMAT parquet)"
        )

    return work


def cohort(cohort: str, records: str, model: str, out: str) -> Ready:
    """A short list against all records, with the tables loaded and term frequencies counted before (not timed)."""
    linker = _linker(f"'{records}'", json.loads(Path(model).read_text("utf-8")))
    connection = _connection(linker)
    connection.execute(f"CREATE TABLE cohort AS SELECT * FROM '{cohort}'")
    listed = linker._db_api.register("cohort")
    for column in ("first_name", "surname"):
        linker.table_management.compute_tf_table(column)
    tables = _tables(linker)

    def work() -> None:
        found = linker.inference.predict_between(
            listed, tables, threshold_match_weight=LEAST_WEIGHT, warning_mode="never"
        )
        _copy(connection, found.physical_name, out)

    return work


def _linker(source: str, settings: dict[str, Any]) -> Linker:
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}; SET memory_limit = '{MEMORY}'; SET enable_progress_bar = false")
    columns = ", ".join(("unique_id", *linkage_data.COLUMNS))
    connection.execute(f"CREATE TABLE records AS SELECT {columns} FROM {source}")
    return Linker(DuckDBAPI(connection=connection).register("records"), settings, log_level=None)


def _connection(linker: Linker) -> duckdb.DuckDBPyConnection:
    database = linker._db_api
    if not isinstance(database, DuckDBAPI):
        raise TypeError("The benchmark's linker works on DuckDB.")
    connection: duckdb.DuckDBPyConnection = database.duckdb_con
    return connection


def _tables(linker: Linker) -> Any:
    return next(iter(linker._input_tables_dict.values()))


def _write_pairs(linker: Linker, out: str) -> None:
    found = linker.inference.predict(threshold_match_weight=LEAST_WEIGHT, warning_mode="never")
    _copy(_connection(linker), found.physical_name, out)


def _copy(connection: duckdb.DuckDBPyConnection, table: str, out: str) -> None:
    columns = "unique_id_l, unique_id_r, match_weight"
    connection.execute(f"COPY (SELECT {columns} FROM {table}) TO '{out}' (FORMAT parquet)")

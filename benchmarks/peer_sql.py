"""Plain SQL on the benchmark's records: two records are one person when one of five exact keys is the same."""

from __future__ import annotations

import duckdb

from benchmarks.harness import Ready
from benchmarks.linkage_data import EXACT_KEYS

THREADS = 2


def link(records: str, out: str) -> Ready:
    """Write the pairs that share a key, each once: unique_id_l, unique_id_r."""

    def work() -> None:
        with duckdb.connect() as connection:
            connection.execute(f"SET threads = {THREADS}; SET enable_progress_bar = false")
            connection.execute(f"CREATE TABLE t AS SELECT * FROM '{records}'")
            joins = " UNION ".join(
                f"SELECT l.unique_id AS unique_id_l, r.unique_id AS unique_id_r FROM t l JOIN t r USING ({keys}) "
                "WHERE l.unique_id < r.unique_id"
                for keys in EXACT_KEYS
            )
            connection.execute(f"COPY ({joins}) TO '{out}' (FORMAT parquet)")

    return work

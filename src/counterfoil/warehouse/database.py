"""DuckDB, set up one way: no progress bar, no downloads, a stated number of threads, results in a stated order."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache

import duckdb
import pyarrow as pa

DEFAULT_MEMORY = "8GB"
DEFAULT_THREADS = 2


def connect(*, threads: int = DEFAULT_THREADS, memory_limit: str = DEFAULT_MEMORY) -> duckdb.DuckDBPyConnection:
    """A fresh in-memory connection for one caller: a half-read result on a shared one breaks the next query."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET preserve_insertion_order = true")
    connection.execute(f"SET threads = {int(threads)}")
    connection.execute(f"SET memory_limit = '{memory_limit}'")
    spill = f"{tempfile.gettempdir()}/spill".replace("'", "''")  # a role's process keeps this on its own side
    connection.execute(f"SET temp_directory = '{spill}'")
    return connection


@cache
def _kept(threads: int, _: str) -> duckdb.DuckDBPyConnection:
    """One empty database for all of a process's queries, each of which has a connection of its own in it and sees no
    other's tables. Making a database takes twenty times as long as a small query."""
    return connect(threads=threads)


def query(sql: str, tables: Mapping[str, pa.Table], *, threads: int = DEFAULT_THREADS) -> pa.Table:
    """Run one SELECT over Arrow tables by name. Write ORDER BY in it: rows of an unordered result may move."""
    connection = _kept(threads, tempfile.gettempdir()).cursor()
    try:
        connection.execute("SET enable_progress_bar = false")
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()
    finally:
        connection.close()

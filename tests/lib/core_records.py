"""Records, a model and Splink's own answer, for tests of the core beside it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from splink import DuckDBAPI, Linker

from benchmarks import linkage_data
from counterfoil.linkage.core.encode import encode
from counterfoil.linkage.core.score import score
from counterfoil.linkage.core.splink_json import read_model
from counterfoil.linkage.prepare import ID
from counterfoil.warehouse import connect, query

logging.getLogger("splink").setLevel(logging.CRITICAL + 1)

EVERY_PAIR = -1000.0  # bits: below any weight
SOURCE = "source_dataset"


def dirty_records(folder: Path, count: int, *, seed: int = 5) -> pa.Table:
    """The benchmark's made-up people; one in ten with letters that are not ASCII, one in twenty with names swapped."""
    made = pq.read_table(linkage_data.make(folder / f"records-{count}-{seed}.parquet", count, seed))
    sql = """SELECT unique_id, CASE WHEN unique_id % 20 = 3 THEN surname WHEN unique_id % 10 = 1
                    THEN replace(first_name, 'A', 'Å') ELSE first_name END AS first_name,
                    CASE WHEN unique_id % 20 = 3 THEN first_name WHEN unique_id % 10 = 1
                    THEN replace(surname, 'E', 'É') ELSE surname END AS surname,
                    dob, postcode, pnc_id FROM made ORDER BY unique_id"""
    return query(sql, {"made": made})


def splink_pairs(
    tables: Mapping[str, pa.Table], settings: Mapping[str, Any], *, threshold: float = EVERY_PAIR
) -> dict[tuple[str, str], tuple[float, int]]:
    """(left, right) -> (weight, rule) of Splink on DuckDB. A record is named SOURCE-__-ID, or ID for one table."""
    connection = connect(threads=2, memory_limit="2GB")
    try:
        database = DuckDBAPI(connection=connection)
        for name, table in tables.items():
            named = table.append_column(SOURCE, pa.repeat(name, table.num_rows)) if len(tables) > 1 else table
            connection.register(f"given_{name}", named)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given_{name}")
        registered: Any = [database.register(name) for name in tables]
        linker = Linker(registered[0] if len(registered) == 1 else registered, dict(settings), log_level=None)
        scored = linker.inference.predict(threshold_match_weight=threshold, warning_mode="never")
        found = connection.sql(f"SELECT * FROM {scored.physical_name}").to_arrow_table()
    finally:
        connection.close()
    many = len(tables) > 1
    ends = [_names(found, side, many) for side in "lr"]
    values = zip(found["match_weight"].to_pylist(), map(int, found["match_key"].to_pylist()), strict=True)
    return dict(zip(zip(*ends, strict=True), values, strict=True))


def _names(found: pa.Table, side: str, many: bool) -> list[str]:
    ids = [str(value) for value in found[f"unique_id_{side}"].to_pylist()]
    if not many:
        return ids
    return [f"{source}-__-{number}" for source, number in zip(found[f"{SOURCE}_{side}"].to_pylist(), ids, strict=True)]


def core_pairs(
    tables: Mapping[str, pa.Table], settings: Mapping[str, Any], *, threshold: float = EVERY_PAIR, **options: Any
) -> dict[tuple[str, str], tuple[float, int]]:
    """The same of our own engine. Rows stand in the order in which Splink calls one of two records the left one."""
    table, names, groups = in_order(tables)
    model = read_model(settings)
    only_between = model.link_type == "link_only"
    found = score(
        encode(table, model, {}), model, threshold=threshold, groups=groups if only_between else None, **options
    ).pairs
    ends = [[names[i] for i in found[side].to_pylist()] for side in ("left", "right")]
    values = zip(found["match_weight"].to_pylist(), found["rule"].to_pylist(), strict=True)
    return dict(zip(zip(*ends, strict=True), values, strict=True))


def in_order(tables: Mapping[str, pa.Table]) -> tuple[pa.Table, list[str], np.ndarray[Any, Any]]:
    """All records as one table, their names, and the number of each one's source."""
    parts = [table.append_column(SOURCE, pa.repeat(name, table.num_rows)) for name, table in tables.items()]
    key = f"{SOURCE} || '-__-' || {ID}" if len(tables) > 1 else ID
    table = query(f"SELECT *, {key} AS name FROM t ORDER BY name", {"t": pa.concat_tables(parts)})
    numbers = {name: number for number, name in enumerate(tables)}
    groups = np.array([numbers[source] for source in table[SOURCE].to_pylist()], dtype=np.int32)
    return table.drop_columns([SOURCE, "name"]), [str(name) for name in table["name"].to_pylist()], groups


def with_parameters(settings: Mapping[str, Any], prior: float = 1e-4) -> dict[str, Any]:
    """The settings with an m and u for every level, made up but plausible."""
    done = {**settings, "probability_two_random_records_match": prior}
    comparisons = []
    for comparison in settings["comparisons"]:
        levels = [dict(level) for level in comparison["comparison_levels"]]
        said = [level for level in levels if not level.get("is_null_level")]
        for k, level in enumerate(said):
            level["m_probability"] = (0.75, 0.12, 0.06, 0.04, 0.02, 0.01)[k] if k < len(said) - 1 else 0.05
            level["u_probability"] = (0.004, 0.006, 0.01, 0.05, 0.1, 0.2)[k] if k < len(said) - 1 else 0.9
        comparisons.append({**comparison, "comparison_levels": levels})
    return {**done, "comparisons": comparisons}


def split(table: pa.Table, parts: int) -> dict[str, pa.Table]:
    """A table dealt out to `parts` sources called a, b, c."""
    number = pa.array(np.arange(table.num_rows) % parts)
    return {"abc"[i]: table.filter(pa.compute.equal(number, i)) for i in range(parts)}


def assert_same(
    ours: Mapping[tuple[str, str], tuple[float, int]], theirs: Mapping[tuple[str, str], tuple[float, int]]
) -> None:
    """The same pairs with the same sides, weights to 1e-9, and the same first rule."""
    assert ours.keys() == theirs.keys()
    keys: Sequence[tuple[str, str]] = list(theirs)
    np.testing.assert_allclose([ours[key][0] for key in keys], [theirs[key][0] for key in keys], rtol=0, atol=1e-9)
    assert [ours[key][1] for key in keys] == [theirs[key][1] for key in keys]

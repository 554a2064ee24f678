"""The order of records by a rule's key: its counts, its large blocks and its neighbours are those that SQL finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage.blocking import orders_of
from counterfoil.linkage.core.encode import encode
from counterfoil.linkage.core.index import Index
from counterfoil.linkage.core.searcher import Searcher
from counterfoil.linkage.core.splink_json import read_model
from counterfoil.linkage.specification import Rule, rule_on
from counterfoil.warehouse import query

RULES = (
    rule_on("name"),
    rule_on("name", "born"),
    rule_on("number", "town", "born"),
    rule_on("parts"),
    rule_on("deep", "name"),
    Rule("swapped", ("name", "other", "born"), ("other", "name", "born")),
)


@pytest.fixture(scope="module", params=[0, 1, 400])
def records(request: pytest.FixtureRequest) -> pa.Table:
    """Few values, so that blocks are large, and nulls in every column."""
    random = np.random.default_rng(3)

    def some(values: Sequence[object], kind: pa.DataType) -> pa.Array:
        return pa.array([values[n] for n in random.integers(0, len(values), request.param)], kind)

    texts = pa.list_(pa.string())
    return pa.table(
        {
            "id": pa.array(np.arange(request.param)),
            "name": some(["ANN", "BEA", "", "ÅSA", "ANNB", None], pa.string()),
            "other": some(["ANN", "BEA", "CY", None], pa.string()),
            "born": some([dt.date(1970, 1, 1), dt.date(1969, 12, 31), dt.date(1980, 5, 5), None], pa.date32()),
            "number": some([0, -1, 7, None], pa.int64()),
            "town": some([True, False, None], pa.bool_()),
            "parts": some([[], [None], [None, None], ["A"], ["A", None], [None, "A"], None], texts),
            "deep": some([[], [[]], [None], [[None]], [["A"]], None], pa.list_(texts)),
        }
    )


def _pairs(records: pa.Table, rule: Rule) -> pa.Table:
    """a, b: every ordered pair of records, one with itself too, whose keys are equal."""
    same = " AND ".join(f"x.{one} = y.{other}" for one, other in zip(rule.left, rule.right, strict=True))
    return query(f"SELECT x.id AS a, y.id AS b FROM t x JOIN t y ON {same} ORDER BY 1, 2", {"t": records})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_counts_are_those_of_sql(records: pa.Table, rule: Rule) -> None:
    (order,) = orders_of(records, [rule])
    pairs = _pairs(records, rule)
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    blocks = np.unique(a, return_counts=True)[1], np.unique(b, return_counts=True)[1]
    expected = int((a < b).sum()) if order.is_one else len(a)
    assert order.counted() == (expected, max((int(each.max()) for each in blocks if each.size), default=0))


@pytest.mark.parametrize("rule", RULES[:-1], ids=lambda rule: rule.name)
def test_records_of_large_blocks(records: pa.Table, rule: Rule) -> None:
    (order,) = orders_of(records, [rule])
    record, size = np.unique(_pairs(records, rule)["a"].to_numpy(), return_counts=True)
    for limit in (0, 1, 9, 60):
        assert order.in_larger(limit).tolist() == record[size > limit].tolist()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_neighbours_of_fresh_records(records: pa.Table, rule: Rule) -> None:
    (order,) = orders_of(records, [rule])
    fresh = np.arange(records.num_rows) % 50 == 7
    pairs = _pairs(records, rule)
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    expected = np.unique(np.concatenate([a[fresh[b]], b[fresh[a]]]))
    found = np.zeros(records.num_rows, np.bool_)
    order.mark_near(fresh, found)
    assert np.flatnonzero(found).tolist() == expected.tolist()


def test_an_index_finds_lists_as_sql_does(records: pa.Table) -> None:
    """An empty list is no list of one null, though DuckDB hashes them alike."""
    parameters = {"m_probability": 0.5, "u_probability": 0.5}
    levels = [
        {"sql_condition": "name_l IS NULL OR name_r IS NULL", "is_null_level": True},
        {"sql_condition": "name_l = name_r", **parameters},
        {"sql_condition": "ELSE", **parameters},
    ]
    settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": 0.5,
        "blocking_rules_to_generate_predictions": ["l.parts = r.parts"],
        "comparisons": [{"output_column_name": "name", "comparison_levels": levels}],
    }
    model = read_model(settings)
    searcher = Searcher(Index.of(records, encode(records, model, {}), model, {}), model)
    found = searcher.find(records, threshold=-100.0)
    pairs = _pairs(records, rule_on("parts"))
    assert found["entry"].to_pylist() == pairs["a"].to_pylist()
    assert found["record"].to_pylist() == pairs["b"].to_pylist()

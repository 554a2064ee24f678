"""Values that are seldom met, and names in another case: the core beside Splink 5, or the reason that it gives."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage.core.blocks import block
from counterfoil.linkage.core.conditions import NotExpressible
from counterfoil.linkage.core.encode import encode
from counterfoil.linkage.core.splink_json import read_model
from counterfoil.linkage.engine import Engine, engine_for, score
from counterfoil.linkage.model import Model, Resources
from lib.core_records import EVERY_PAIR, assert_same, core_pairs, splink_pairs

pytestmark = pytest.mark.slow

NAN, INFINITY = float("nan"), float("inf")
RESOURCES = Resources(threads=1, memory="500MB")
FLOATS = [0.0, -0.0, NAN, -NAN, NAN, 1.0, None, -INFINITY, 1e300]


def records(values: list[Any], kind: pa.DataType | None = None, **more: Any) -> pa.Table:
    """One column `v`; all records in one block `k`."""
    count = len(values)
    return pa.table({"unique_id": range(count), "k": ["x"] * count, "v": pa.array(values, kind), **more})


def model(condition: str = "v_l = v_r", *, rule: str = "l.k = r.k", **of_level: Any) -> dict[str, Any]:
    """A null level unless the condition is about nulls, one level, and ELSE."""
    column = condition.split("_l")[0].split("(")[-1]
    null = {"sql_condition": f"{column}_l IS NULL OR {column}_r IS NULL", "is_null_level": True}
    said = {"sql_condition": condition, "m_probability": 0.9, "u_probability": 0.1, **of_level}
    other = {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.9}
    levels = [said, other] if "DISTINCT" in condition else [null, said, other]
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": 0.001,
        "blocking_rules_to_generate_predictions": [rule],
        "comparisons": [{"output_column_name": "v", "comparison_levels": levels}],
    }


LISTS: dict[str, tuple[list[Any], pa.DataType | None]] = {
    "texts": ([["a"], ["a"], ["b"], None, ["a", None], ["a", None], [], []], None),
    "separators": (
        [["a, b"], ["a", "b"], ["a\x1fb"], ["a\x1fb", "c"], ["a", "b\x1fc"], ["NULL"], [None], [""], [], ["\x00"]],
        None,
    ),
    "numbers": ([[1], [1], [2], None, [1, None], [], []], None),
    "floats": ([[0.0, 1.0], [-0.0, 1.0], [NAN], [-NAN], []], None),
    "large lists": ([["a"], ["a"], ["b"], None], pa.large_list(pa.string())),
    "lists of lists": ([[["a"]], [["a"]], [["a"], []], [[]], [None], None, [[None]]], None),
    "structs": ([{"a": 1}, {"a": 1}, {"a": None}, {"a": None}, None], None),
    "bytes": ([b"a", b"a", b"\xff", b"\xff"], None),
    "decimals": ([Decimal("1.10"), Decimal("1.10"), Decimal("1.20")], None),
    "doubles": (FLOATS, pa.float64()),
    "singles": (FLOATS, pa.float32()),
}


@pytest.mark.parametrize("name", LISTS)
def test_equal_values_are_those_that_splink_finds_equal(name: str) -> None:
    """In a level, its term frequency, and the first of two blocking rules; the second makes every other pair."""
    tables = {"a": records(*LISTS[name])}
    given = model(tf_adjustment_column="v") | {"blocking_rules_to_generate_predictions": ["l.v = r.v", "l.k = r.k"]}
    assert_same(core_pairs(tables, given), splink_pairs(tables, given))


@pytest.mark.parametrize(
    "condition",
    ["v_l < v_r", "v_l <= v_r", "v_l > v_r", "v_l >= v_r", "v_l <> v_r", "v_l IS NOT DISTINCT FROM v_r",
     "abs(v_l - v_r) <= 1"],
)  # fmt: skip
def test_what_is_no_number_is_greater_than_all(condition: str) -> None:
    tables = {"a": records(FLOATS, pa.float64())}
    assert_same(core_pairs(tables, model(condition)), splink_pairs(tables, model(condition)))


@pytest.mark.parametrize("rule", ["l.K = r.k", "l.V = r.v", "substr(l.V, 1, 1) = substr(r.v, 1, 1)"])
def test_a_columns_case_does_not_matter(rule: str) -> None:
    """SQL's names have none."""
    tables = {"a": records(["ann", "ann", "bob", "bill", None])}
    given = model("V_l = V_r", rule=rule, tf_adjustment_column="V")
    assert_same(core_pairs(tables, given), splink_pairs(tables, given))


def test_shared_floats_of_two_lists() -> None:
    tables = {"a": records([[0.0, 1.0], [-0.0], [NAN], [NAN, 2.0], [], [None]])}
    given = model("len(list_intersect(v_l, v_r)) >= 1")
    assert_same(core_pairs(tables, given), splink_pairs(tables, given))


OTHER = {
    "texts by size": (records(["b", "a", "10", "9"]), model("v_l < v_r")),
    "lists by size": (records([["a"], ["b"], ["a", "b"]]), model("v_l < v_r")),
    "long whole numbers by size": (records([2**53, 2**53 + 1, 2**53]), model("v_l < v_r")),
    "infinity beside what is no number": (records([NAN, INFINITY, NAN]), model("v_l < v_r")),
    "sums of what is no number": (records([NAN, 1.0, NAN]), model("abs(v_l - v_r) > 1")),
    "numbers with texts": (records([1, 2, 3, 1], w=["01", "2", "1", "1"]), model("v_l = w_r")),
    "dates with times": (
        records([dt.date(2020, 1, 1)] * 3, w=pa.array([dt.datetime(2020, 1, 1)] * 3, pa.timestamp("us"))),
        model("v_l = w_r"),
    ),
    "a key of numbers and of texts": (records([1, 2, 3, 1], w=["01", "01", "1", "1"]), model(rule="l.v = r.w")),
}


@pytest.mark.parametrize("name", OTHER)
def test_types_that_the_core_does_not_compare_go_to_splink_which_says_so(name: str) -> None:
    table, given = OTHER[name]
    with pytest.raises(NotExpressible):
        core_pairs({"a": table}, given)
    said: list[str] = []
    found = score(
        table, Model(given, {}), threshold=EVERY_PAIR, pairs=10, engine=Engine.CORE, resources=RESOURCES,
        progress=lambda text, _: said.append(text),
    )  # fmt: skip
    assert said[-1].startswith("Splink compares these records, because our own engine cannot: ")
    expected = splink_pairs({"a": table}, given)
    ends = zip(found["unique_id_l"].to_pylist(), found["unique_id_r"].to_pylist(), strict=True)
    weights = dict(zip(((str(one), str(other)) for one, other in ends), found["match_weight"].to_pylist(), strict=True))
    assert weights == {pair: value[0] for pair, value in expected.items()}


def test_the_engine_is_told_by_the_types_of_the_records() -> None:
    """Before anything is scored, and in the report."""
    given = Model(model("v_l < v_r"), {})
    assert engine_for(given, Engine.CORE, records([1, 2])).engine is Engine.CORE
    used = engine_for(given, Engine.CORE, records(["a", "b"]))
    assert used.engine is Engine.SPLINK
    assert "string" in used.because


@pytest.mark.parametrize("rules", [["l.k = r.k"], [{"blocking_rule": "l.k = r.k OR l.v = r.v"}], []], ids=str)
def test_splink_makes_only_the_pairs_that_are_asked_for(rules: list[Any]) -> None:
    """Records of different groups, one of them fresh: filtered in the blocking, not after every pair was scored."""
    table = records(["a", "a", "b", "b", None, "a"])
    groups, fresh = np.array([0, 0, 1, 1, 2, 2]), np.array([True, False, False, False, False, True])
    given = Model({**model(), "blocking_rules_to_generate_predictions": rules}, {})
    found = score(
        table, given, threshold=EVERY_PAIR, pairs=15, engine=Engine.SPLINK, resources=RESOURCES, groups=groups,
        fresh=fresh,
    )  # fmt: skip
    wanted = {(i, j) for i in range(6) for j in range(i + 1, 6) if groups[i] != groups[j] and (fresh[i] or fresh[j])}
    assert set(zip(found["unique_id_l"].to_pylist(), found["unique_id_r"].to_pylist(), strict=True)) == wanted


def test_a_rule_of_two_sides_makes_no_pair_of_two_old_records() -> None:
    """A hundred records that all but one share a key, one of them fresh: 198 places instead of 9,900."""
    count = 100
    table = records(["a"] * count, w=["a"] * (count - 1) + [None])
    fresh = np.arange(count) == 3
    made = block(encode(table, read_model(model(rule="l.v = r.w")), {}), 0, fresh)
    assert made.pairs == (count - 1) + (count - 1)  # the fresh one with all that have w, all others with it


@pytest.mark.filterwarnings("ignore:The 'salting_partitions' parameter:DeprecationWarning")
def test_a_model_from_splink_4_weighs_what_splink_5_makes_of_it() -> None:
    """The keys that Splink 4.0 saves and Splink 5 does not: prefixes of Bayes factors, salting, its own notes."""
    rule = {"blocking_rule": "l.k = r.k", "sql_dialect": "duckdb", "salting_partitions": 1}
    given = {
        **model(tf_adjustment_column="v", tf_adjustment_weight=1.0, label_for_charts="same"),
        "sql_dialect": "duckdb",
        "blocking_rules_to_generate_predictions": [rule],
        "bayes_factor_column_prefix": "bf_",
        "term_frequency_adjustment_column_prefix": "tf_",
        "comparison_vector_value_column_prefix": "gamma_",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": False,
        "additional_columns_to_retain": [],
        "em_convergence": 0.0001,
        "max_iterations": 25,
        "linker_uid": "abcdefgh",
    }
    given["comparisons"][0]["comparison_description"] = "ExactMatch"
    tables = {"a": records(["ann", "ann", "bob", "bill", None, "ann"])}
    assert_same(core_pairs(tables, given), splink_pairs(tables, given))

"""Splink's models as the core reads them: weights, term frequency, blocking keys, and what is refused (METHODS 1)."""

from __future__ import annotations

import math
import random
from typing import Any

import pyarrow as pa
import pytest
from splink import DuckDBAPI, Linker

from counterfoil.errors import UsageError
from counterfoil.linkage.core.conditions import NotExpressible
from counterfoil.linkage.core.interpret import adjustment, level_of
from counterfoil.linkage.core.layout import Input, Kind
from counterfoil.linkage.core.splink_json import read_model, rule_keys
from lib.core_values import values_of

NAME = [
    {"sql_condition": '"name_l" IS NULL OR "name_r" IS NULL', "is_null_level": True, "label_for_charts": "missing"},
    {
        "sql_condition": '"name_l" = "name_r"',
        "label_for_charts": "same",
        "m_probability": 0.8,
        "u_probability": 0.05,
        "tf_adjustment_column": "name",
        "tf_adjustment_weight": 1.0,
    },
    {
        "sql_condition": 'jaro_winkler_similarity("name_l", "name_r") >= 0.8',
        "label_for_charts": "alike",
        "m_probability": 0.15,
        "u_probability": 0.1,
        "tf_adjustment_column": "name",
        "tf_adjustment_weight": 0.5,
        "tf_minimum_u_value": 0.2,
    },
    {"sql_condition": "ELSE", "label_for_charts": "other", "m_probability": 0.05, "u_probability": 0.85},
]
TOWN = [
    {"sql_condition": "town_l IS NULL OR town_r IS NULL", "is_null_level": True},
    {"sql_condition": "town_l = town_r", "label_for_charts": "same"},
    {
        "sql_condition": "levenshtein(town_l, town_r) <= 1",
        "label_for_charts": "near",
        "m_probability": 0.2,
        "u_probability": 0.02,
        "tf_adjustment_column": "town",
        "disable_tf_exact_match_detection": True,
    },
    {"sql_condition": "ELSE", "label_for_charts": "other", "m_probability": "level not observed in training dataset"},
]


def settings(**changes: Any) -> dict[str, Any]:
    """A model of two comparisons; the town's is trained in part."""
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": 0.01,
        "blocking_rules_to_generate_predictions": [{"blocking_rule": "l.block = r.block", "sql_dialect": "duckdb"}],
        "comparisons": [
            {"output_column_name": "name", "comparison_levels": NAME},
            {"output_column_name": "town", "comparison_levels": TOWN},
        ],
        **changes,
    }


def with_level(**changes: Any) -> dict[str, Any]:
    """The model with a change of the level of equal names."""
    levels = [NAME[0], {**NAME[1], **changes}, *NAME[2:]]
    return settings(comparisons=[{"output_column_name": "name", "comparison_levels": levels}])


def test_weights_are_log2_of_m_over_u() -> None:
    """Prior log2(0.01 / 0.99); a level log2(m / u); the null level 0."""
    weights = read_model(settings()).weights
    assert weights.prior == pytest.approx(math.log2(1 / 99), abs=1e-12)
    assert weights.base[0].tolist() == pytest.approx([0, 4, math.log2(1.5), math.log2(1 / 17)], abs=1e-12)


def test_untrained_levels_have_the_defaults_of_splink_and_are_named() -> None:
    """Three levels: the best m 0.95 and 10 bits, the worst -5; "not observed" in a file counts as untrained."""
    model = read_model(settings())
    assert model.weights.base[1].tolist() == pytest.approx([0, 10, math.log2(10), -5])
    assert model.untrained == (
        ("town", "same", "m"),
        ("town", "same", "u"),
        ("town", "other", "m"),
        ("town", "other", "u"),
    )


def test_inputs_are_one_sided_and_shared() -> None:
    """The null test, the text and its frequency: each once for both sides."""
    assert read_model(settings()).inputs[0] == (
        Input("name IS NULL", Kind.NUMBER, ("name",)),
        Input("name", Kind.TEXT, ("name",)),
        Input("name", Kind.FREQUENCY, ("name",)),
    )
    assert read_model(settings()).frequency_columns == ("name", "town")


def test_pairs_weigh_what_splink_makes_them_weigh() -> None:
    """Every pair of a small table, nulls and term frequency included: Splink's own prediction is the witness."""
    draw = random.Random(5)
    names = ["anna", "anne", "bob", "bob", "rob", None]
    towns = ["york", "yorks", "hull", "hell", "ely", None]
    rows = [
        {"unique_id": i, "name": draw.choice(names), "town": draw.choice(towns), "block": draw.choice("xy")}
        for i in range(60)
    ]
    table = pa.Table.from_pylist(rows)
    api = DuckDBAPI()
    linker = Linker(api.register(table), settings(), log_level=None)
    found = linker.inference.predict(threshold_match_weight=-1000, warning_mode="never").as_record_list()
    model = read_model(settings())
    values = values_of(table, model, {column: _shares(table, column) for column in ("name", "town")})
    assert len(found) > 500
    for pair in found:
        x, y = pair["unique_id_l"], pair["unique_id_r"]
        weight = model.weights.prior
        for c in range(2):
            level = level_of(c, x, y, model.program, values)
            weight += model.weights.base[c, level]
            weight += adjustment(c, level, x, y, model.program, model.weights, values)
        assert weight == pytest.approx(pair["match_weight"], abs=1e-9), (rows[x], rows[y])


def _shares(table: pa.Table, column: str) -> dict[str, float]:
    held = [value for value in table[column].to_pylist() if value is not None]
    return {value: held.count(value) / len(held) for value in held}


@pytest.mark.parametrize(
    ("sql", "left", "right"),
    [
        ("l.a = r.a", ("a",), ("a",)),
        ('(l."a" = r."a") AND (r."b" = l."b")', ("a", "b"), ("a", "b")),
        ("l.a = r.b and (l.c = r.c and l.d = r.d)", ("a", "c", "d"), ("b", "c", "d")),
        ("substr(l.a, 1, 2) = substr(r.a, 1, 2)", ("SUBSTRING(a, 1, 2)",), ("SUBSTRING(a, 1, 2)",)),
        ('l."first name" = r."first name"', ('"first name"',), ('"first name"',)),
        ('l."order" = r."order"', ('"order"',), ('"order"',)),
    ],
)
def test_blocking_rules_become_keys(sql: str, left: tuple[str, ...], right: tuple[str, ...]) -> None:
    """Equalities of one side with the other, whichever is written first."""
    keys = rule_keys(sql)
    assert (keys.left, keys.right) == (left, right)
    assert keys.is_symmetric is (left == right)


@pytest.mark.parametrize(
    "rule",
    [
        "l.a = r.a AND l.b <> r.b",
        "l.a = r.a OR l.b = r.b",
        "levenshtein(l.a, r.a) < 2",
        "l.a = r.a AND l.b IS NOT NULL",
        "l.a = l.b",
        {"blocking_rule": "l.a = r.a", "arrays_to_explode": ["a"]},
    ],
)
def test_other_blocking_rules_go_to_splink(rule: object) -> None:
    """Conditions that are no keys, and elements of lists."""
    with pytest.raises(NotExpressible):
        read_model(settings(blocking_rules_to_generate_predictions=[rule]))


def test_models_for_another_engine_are_named() -> None:
    """No ELSE, another dialect: the core says what and where."""
    with pytest.raises(NotExpressible, match="name: no ELSE"):
        read_model(settings(comparisons=[{"output_column_name": "name", "comparison_levels": NAME[:3]}]))
    with pytest.raises(NotExpressible, match="name: a term frequency adjustment of negative weight"):
        read_model(with_level(tf_adjustment_weight=-1.0))
    with pytest.raises(NotExpressible, match="spark"):
        read_model(settings(sql_dialect="spark"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "holds no Splink model"),
        ({"comparisons": []}, "holds no Splink model"),
        (settings(link_type="other"), "`link_type`"),
        (settings(probability_two_random_records_match=0), "`probability_two_random_records_match`"),
        (settings(probability_two_random_records_match=1.0), "`probability_two_random_records_match`"),
        (settings(comparisons=["name"]), "comparison 1"),
        (settings(comparisons=[{"output_column_name": "name"}]), "name has no levels"),
        (settings(comparisons=[{"output_column_name": "name", "comparison_levels": NAME[:2]}]), "tells no pairs apart"),
        (settings(comparisons=[{"comparison_levels": [NAME[3], NAME[1]]}]), "ELSE last"),
        (settings(blocking_rules_to_generate_predictions=[{}]), "blocking rule"),
        (with_level(m_probability=1.2), "wrong m probability"),
        (with_level(u_probability=-0.1), "wrong u probability"),
        (with_level(u_probability="often"), "wrong u probability"),
        (with_level(u_probability=float("nan")), "wrong u probability"),
        (with_level(sql_condition=None), "no `sql_condition`"),
        (with_level(tf_adjustment_column="other"), "without a level of equal values"),
        (with_level(tf_adjustment_weight="much"), "term frequency"),
        (with_level(tf_minimum_u_value=2), "term frequency"),
    ],
)
def test_wrong_models_are_refused_in_a_plain_sentence(wrong: dict[str, Any], said: str) -> None:
    """What was found, what was expected, what to do."""
    with pytest.raises(UsageError, match=said):
        read_model(wrong)

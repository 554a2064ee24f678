"""No condition of a linkage specification needs DuckDB: each is said in Spark's words, with functions Spark has."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from counterfoil.linkage.portable import conditions, to_spark
from counterfoil.linkage.specification import load_specification

# Functions of Spark's SQL reference that sqlglot does not know by a type of its own, and the two that Splink adds.
SPARK = {"arrays_overlap", "unix_timestamp"}
SPLINK = {"jaro_winkler", "damerau_levenshtein"}


@pytest.mark.parametrize("sql", list(conditions(load_specification("justice"))))
def test_every_condition_is_sayable_in_spark(sql: str) -> None:
    tree = sqlglot.parse_one(to_spark(sql), read="spark")
    unknown = {call.name.lower() for call in tree.find_all(exp.Anonymous)} - SPARK - SPLINK
    assert not unknown
    assert not list(tree.find_all(exp.JarowinklerSimilarity, exp.List))


@pytest.mark.parametrize(
    ("duckdb", "spark"),
    [
        ("list_has_any(a, b)", "ARRAYS_OVERLAP(a, b)"),
        ("list_contains(a, b)", "ARRAY_CONTAINS(a, b)"),
        ("jaro_winkler_similarity(a, b) >= 0.88", "JARO_WINKLER(a, b) >= 0.88"),
        ("damerau_levenshtein(a, b) <= 1", "DAMERAU_LEVENSHTEIN(a, b) <= 1"),
        ("strftime(d, '%Y%m%d')", "DATE_FORMAT(d, 'yyyyMMdd')"),
        ("list_filter(a, lambda x: x > 1)[1]", "FILTER(a, x -> x > 1)[0]"),  # Spark counts elements from 0
    ],
)
def test_functions_by_their_names_in_spark(duckdb: str, spark: str) -> None:
    assert to_spark(duckdb) == spark

"""The conditions of a specification as Spark writes them, so that no rule of linking depends on one database."""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp

from counterfoil.linkage.specification import Specification

# What Spark calls a function that sqlglot does not carry over. The two of text are those that Splink brings to Spark.
_SPARK_NAMES: dict[type[exp.Expression], str] = {
    exp.ArrayOverlaps: "arrays_overlap",
    exp.JarowinklerSimilarity: "jaro_winkler",
}
_SPARK_ANONYMOUS = {"damerau_levenshtein": "damerau_levenshtein", "epoch": "unix_timestamp"}


def to_spark(sql: str) -> str:
    """One condition or expression of DuckDB in Spark's words. sqlglot.UnsupportedError when there are none."""
    tree = sqlglot.parse_one(sql, read="duckdb").transform(_renamed)
    return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)


def conditions(specification: Specification) -> Iterator[str]:
    """Every piece of SQL that a specification holds."""
    yield from specification.derived.values()
    yield specification.guards.twins_differ
    for rule in specification.rules:
        yield rule.sql
    for comparison in specification.comparisons:
        yield from (level.sql for level in comparison.levels if level.sql != "ELSE")


def _renamed(node: exp.Expression) -> exp.Expression:
    for kind, name in _SPARK_NAMES.items():
        if isinstance(node, kind):
            return exp.Anonymous(this=name, expressions=[node.this, node.expression])
    if isinstance(node, exp.Anonymous) and node.name.lower() in _SPARK_ANONYMOUS:
        return exp.Anonymous(this=_SPARK_ANONYMOUS[node.name.lower()], expressions=node.expressions)
    return node

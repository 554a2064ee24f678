"""DuckDB's SQL as sqlglot reads it: columns, functions, constants, and expressions written anew for one record."""

from __future__ import annotations

import re

import numpy as np
import sqlglot
from sqlglot import exp

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_WORDS = """
all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
default deferrable desc describe distinct do else end except false fetch for foreign from group having in
initially intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer
pivot_wider placing primary qualify references returning select show some summarize symmetric table then to
trailing true union unique unpivot using variadic when where window with
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
_NAMES: dict[type[exp.Expr], str] = {
    exp.JarowinklerSimilarity: "jaro_winkler_similarity",
    exp.Levenshtein: "levenshtein",
    exp.ArrayOverlaps: "list_has_any",
    exp.ArrayContains: "list_contains",
}
LIST_NAMES = frozenset({"list_intersect", "array_intersect", "array_has_any"})
_OTHER_NAMES = {"array_has_any": "list_has_any", "list_has": "list_contains", "array_has": "list_contains"}


class NotExpressible(Exception):
    """What the core has no operation for, and in which comparison or rule."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


def parse(sql: str, where: str) -> exp.Expr:
    """The tree of DuckDB SQL."""
    try:
        found = sqlglot.parse_one(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise NotExpressible(where, "SQL that could not be read") from error
    return found


def bare(node: exp.Expr) -> exp.Expr:
    """Without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def columns_of(node: exp.Expr) -> list[exp.Column]:
    """The columns that are read; the names that a lambda gives its elements are none."""
    given = {name.name for each in node.find_all(exp.Lambda) for name in each.expressions}
    return [column for column in node.find_all(exp.Column) if column.name not in given]


def quoted(name: str) -> str:
    """A column's name as SQL, quoted only where it has to be."""
    plain = _PLAIN.fullmatch(name) and name.lower() not in _RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


def one_sided(node: exp.Expr, names: dict[int, str]) -> tuple[str, tuple[str, ...]]:
    """SQL of an expression with columns renamed, and their names. `names`: id of a column's node -> its new name."""
    columns: list[str] = []

    def renamed(each: exp.Expr) -> exp.Expr:
        name = names.get(each.meta.get("column", -1)) if isinstance(each, exp.Column) else None
        return each if name is None else exp.column(exp.to_identifier(name, quoted=quoted(name) != name))

    for column in columns_of(node):
        column.meta["column"] = id(column)
        columns.append(names[id(column)])
    copy = node.copy()
    sql = copy.transform(renamed).sql("duckdb")
    return sql, tuple(sorted(set(columns), key=columns.index))


def arguments_of(node: exp.Expr) -> list[exp.Expr]:
    given = [node.this] if isinstance(node.this, exp.Expr) else []
    if isinstance(node.args.get("expression"), exp.Expr):
        given.append(node.expression)
    return given + list(node.expressions)


def function_of(node: exp.Expr) -> tuple[str, list[exp.Expr]]:
    """The name of a function as DuckDB has it, and its arguments; "common" for the size of an intersection."""
    if isinstance(node, exp.ArraySize | exp.Length):
        inner = bare(node.this)
        name, arguments = function_of(inner)
        return ("common", arguments) if name == "list_intersect" else ("", [])
    if isinstance(node, exp.ArrayIntersect):
        return "list_intersect", list(node.expressions)
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        name = "list_intersect" if name == "array_intersect" else _OTHER_NAMES.get(name, name)
        return name, list(node.expressions)
    return _NAMES.get(type(node), ""), arguments_of(node)


def constant(node: exp.Expr) -> float | None:
    """The number that an expression without columns is; null is NaN."""
    node = bare(node)
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.this)
    if isinstance(node, exp.Boolean):
        return 1.0 if node.this else 0.0
    if isinstance(node, exp.Null):
        return float("nan")
    if isinstance(node, exp.Neg):
        inner = constant(node.this)
        return None if inner is None else -inner
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        one, other = constant(node.this), constant(node.expression)
        if one is None or other is None or (isinstance(node, exp.Div) and other == 0):
            return None
        kind = type(node)
        return {exp.Add: one + other, exp.Sub: one - other, exp.Mul: one * other}.get(kind, one / (other or 1.0))
    return None


def as_type_of(node: exp.Expr, given: float) -> float:
    """A constant that is compared with single precision is rounded to it."""
    node = bare(node)
    single = isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.FLOAT
    return float(np.float32(given)) if single else given


def outermost(node: exp.Expr) -> list[exp.Expr]:
    """The columns in reading order; lists that Splink compares element by element."""
    return [column for column in node.find_all(exp.Column, bfs=False) if re.search(r"_[lrLR]$", column.name)]

"""What an operation reads: one-sided expressions, which become inputs, and functions of one of each side."""

from __future__ import annotations

import re

from sqlglot import exp

from counterfoil.linkage.core import interpret as run
from counterfoil.linkage.core.layout import Input, Kind
from counterfoil.linkage.core.operations import Row
from counterfoil.linkage.core.sql import (
    LIST_NAMES,
    NotExpressible,
    arguments_of,
    bare,
    columns_of,
    function_of,
    one_sided,
)

LEFT, RIGHT = 0, 1
FUNCTIONS = {  # name -> (operation, kind of the first, kind of the second)
    "jaro_winkler_similarity": (run.JARO_WINKLER, Kind.TEXT, Kind.TEXT),
    "jaro_similarity": (run.JARO, Kind.TEXT, Kind.TEXT),
    "levenshtein": (run.LEVENSHTEIN, Kind.TEXT, Kind.TEXT),
    "damerau_levenshtein": (run.DAMERAU, Kind.TEXT, Kind.TEXT),
    "jaccard": (run.JACCARD, Kind.TEXT, Kind.TEXT),
    "list_has_any": (run.HAS_ANY, Kind.TEXTS, Kind.TEXTS),
    "list_contains": (run.CONTAINS, Kind.TEXTS, Kind.TEXT),
    "common": (run.COMMON, Kind.TEXTS, Kind.TEXTS),
}
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs)
_LISTS = (exp.ArrayOverlaps, exp.ArrayIntersect, exp.ArraySize)


class Operands:
    """The inputs of one comparison, each found once. `lists`: SQL of the one-sided expressions that are lists."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.inputs: list[Input] = []
        self.lists: set[str] = set()

    def side(self, node: exp.Expr) -> int | None:
        """LEFT or RIGHT when only that one is read; None for both or for none."""
        sides = {self._name(column)[1] for column in columns_of(node)}
        return sides.pop() if len(sides) == 1 else None

    def _name(self, column: exp.Column) -> tuple[str, int]:
        name = column.name
        if column.table or not re.search(r"_[lrLR]$", name):
            raise self.no(f"the column {column.sql('duckdb')}, which is neither _l nor _r")
        return name[:-2], LEFT if name[-1] in "lL" else RIGHT

    def sql(self, node: exp.Expr) -> tuple[str, tuple[str, ...]]:
        return one_sided(bare(node), {id(column): self._name(column)[0] for column in columns_of(node)})

    def input(self, node: exp.Expr, kind: Kind) -> int:
        """The operand that reads a one-sided expression."""
        side = self.side(node)
        if side is None:
            raise self.no(f"`{node.sql('duckdb')}`, which is not of one side")
        sql, columns = self.sql(node)
        return self.number(Input(sql, kind, columns)) * 2 + side

    def number(self, wanted: Input) -> int:
        if wanted not in self.inputs:
            self.inputs.append(wanted)
        return self.inputs.index(wanted)

    def list_columns(self, tree: exp.Expr) -> list[str]:
        """One-sided expressions that are lists, since a list function takes them."""
        found: list[exp.Expr] = []
        for node in tree.walk():
            if isinstance(node, _LISTS) or (isinstance(node, exp.Anonymous) and node.name.lower() in LIST_NAMES):
                found += [each for each in arguments_of(node) if self.side(each) is not None]
            elif isinstance(node, exp.ArrayContains) and self.side(node.this) is not None:
                found.append(node.this)
        return [self.sql(node)[0] for node in found]

    def no(self, what: str) -> NotExpressible:
        return NotExpressible(self._where, what)

    def pair(self, one: exp.Expr, other: exp.Expr, compare: int) -> tuple[int, int]:
        """Operands of two one-sided expressions that are compared."""
        by_value = compare in (run.LESS, run.AT_MOST, run.MORE, run.AT_LEAST)
        if by_value or any(isinstance(bare(each), _ARITHMETIC) for each in (one, other)):
            return self.input(one, Kind.NUMBER), self.input(other, Kind.NUMBER)
        return self.equal_input(one), self.equal_input(other)

    def equal_input(self, node: exp.Expr) -> int:
        if self.sql(node)[0] in self.lists:
            node = exp.cast(node.copy(), "VARCHAR", dialect="duckdb")
        return self.input(node, Kind.TEXT)

    def function(self, node: exp.Expr) -> Row | None:
        """A function of one input of each side, each its own."""
        node = bare(node)
        name, arguments = function_of(node)
        if name not in FUNCTIONS or len(arguments) != 2 or any(self.side(each) is None for each in arguments):
            return None
        operation, *kinds = FUNCTIONS[name]
        a, b = (self.input(each, kind) for each, kind in zip(arguments, kinds, strict=True))
        return Row(operation, a, b, key=f"{operation} {a} {b}")

    def difference(self, node: exp.Expr) -> tuple[int, int] | None:
        node = bare(node)
        if isinstance(node, exp.DateDiff):
            sides = [self.side(node.this), self.side(node.expression)]
            unit = node.text("unit").lower()
            if None not in sides and unit:
                later, earlier = self._since(unit, node.this), self._since(unit, node.expression)
                return later, earlier
        if isinstance(node, exp.Sub) and self.side(node.this) is not None and self.side(node.expression) is not None:
            return self.input(node.this, Kind.NUMBER), self.input(node.expression, Kind.NUMBER)
        return None

    def _since(self, unit: str, node: exp.Expr) -> int:
        sql, columns = self.sql(node)
        wanted = Input(f"DATE_DIFF('{unit}', DATE '1970-01-01', {sql})", Kind.NUMBER, columns)
        side = self.side(node)
        return self.number(wanted) * 2 + (LEFT if side is None else side)

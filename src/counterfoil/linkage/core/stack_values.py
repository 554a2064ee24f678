"""Values of both records together, found on a stack: whatever has no operation of its own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from counterfoil.linkage.core import interpret as run
from counterfoil.linkage.core.layout import Kind
from counterfoil.linkage.core.operands import FUNCTIONS, Operands
from counterfoil.linkage.core.operations import Row
from counterfoil.linkage.core.sql import bare, constant, outermost, parse

COMPARISONS: dict[type[exp.Expr], int] = {
    exp.EQ: run.EQUAL,
    exp.NEQ: run.OTHER,
    exp.LT: run.LESS,
    exp.LTE: run.AT_MOST,
    exp.GT: run.MORE,
    exp.GTE: run.AT_LEAST,
    exp.NullSafeNEQ: run.DISTINCT,
    exp.NullSafeEQ: run.NOT_DISTINCT,
}
EQUALITIES = frozenset({run.EQUAL, run.OTHER, run.DISTINCT, run.NOT_DISTINCT})
_ONE_NUMBER: dict[type[exp.Expr], int] = {
    exp.Neg: run.NEGATIVE,
    exp.Abs: run.ABSOLUTE,
    exp.Sqrt: run.ROOT,
    exp.Sin: run.SINE,
    exp.Cos: run.COSINE,
    exp.Asin: run.ARC_SINE,
    exp.Acos: run.ARC_COSINE,
    exp.Atan: run.ARC_TANGENT,
    exp.Radians: run.RADIANS,
    exp.Not: run.NOT,
}
_TWO_NUMBERS: dict[type[exp.Expr], int] = {
    exp.Add: run.ADD,
    exp.Sub: run.SUBTRACT,
    exp.Mul: run.MULTIPLY,
    exp.Div: run.DIVIDE,
    exp.Pow: run.POWER,
    exp.And: run.AND,
    exp.Or: run.OR,
}
_MANY: dict[type[exp.Expr], int] = {
    exp.Least: run.LEAST,
    exp.Greatest: run.GREATEST,
    exp.Coalesce: run.COALESCE,
}
_PAIRWISE = (
    "list_{best}(list_transform(flatten(list_transform({a}, x -> list_transform({b}, y -> [x, y]))), "
    "pair -> {function}(pair[1], pair[2])))"
)


class StackValues:
    """Makes the VALUE operations of one comparison."""

    def __init__(self, operands: Operands, where: str) -> None:
        self._operands = operands
        self._where = where

    def value(self, node: exp.Expr) -> Row:
        stack: list[Row] = []
        self._push(node, stack)
        depth, most = 0, 0
        for row in stack:
            depth += 1 if row.operation in (run.PUSH_CELL, run.PUSH_NUMBER) else 1 - _taken(row.operation)
            most = max(most, depth)
        if most > run.DEPTH:
            raise self._operands.no("an expression that is nested too deeply")
        return Row(run.VALUE, stack=stack, key="value " + node.sql("duckdb"))

    def _push(self, node: exp.Expr, stack: list[Row]) -> None:
        node = bare(node)
        given = constant(node)
        if given is not None:
            stack.append(Row(run.PUSH_NUMBER, number=given))
        elif self._operands.side(node) is not None:
            stack.append(Row(run.PUSH_CELL, self._operands.input(node, Kind.NUMBER)))
        else:
            self._push_two_sided(node, stack)

    def _push_all(self, nodes: Sequence[exp.Expr], stack: list[Row]) -> None:
        for node in nodes:
            self._push(node, stack)

    def _push_two_sided(self, node: exp.Expr, stack: list[Row]) -> None:
        kind = type(node)
        if kind in COMPARISONS or isinstance(node, exp.Is):
            self._push_comparison(node, stack)
        elif (function := self._operands.function(node)) is not None:
            stack += [Row(run.PUSH_CELL, function.a), Row(run.PUSH_CELL, function.b), Row(function.operation)]
        elif (difference := self._operands.difference(node)) is not None:
            stack += [Row(run.PUSH_CELL, each) for each in difference] + [Row(run.SUBTRACT)]
        elif kind in _ONE_NUMBER:
            self._push(node.this, stack)
            stack.append(Row(_ONE_NUMBER[kind]))
        elif kind in _TWO_NUMBERS:
            self._push_all([node.this, node.expression], stack)
            stack.append(Row(_TWO_NUMBERS[kind]))
        elif kind in _MANY:
            self._push(node.this, stack)
            for each in node.expressions:
                self._push(each, stack)
                stack.append(Row(_MANY[kind]))
        elif isinstance(node, exp.Between):
            self._push_comparison(exp.GTE(this=node.this.copy(), expression=node.args["low"].copy()), stack)
            self._push_comparison(exp.LTE(this=node.this.copy(), expression=node.args["high"].copy()), stack)
            stack.append(Row(run.AND))
        elif isinstance(node, exp.Case | exp.If):
            self._push_case(node, stack)
        elif isinstance(node, exp.Cast):
            self._push_cast(node, stack)
        else:
            self._push_pairwise(node, stack)

    def _push_comparison(self, node: exp.Expr, stack: list[Row]) -> None:
        compare = COMPARISONS.get(type(node), run.NOT_DISTINCT)
        one, other = bare(node.this), bare(node.expression)
        if isinstance(node, exp.Is) and not isinstance(other, exp.Null):
            raise self._operands.no(f"`{node.sql('duckdb')}`")
        if self._operands.side(one) is not None and self._operands.side(other) is not None:
            stack += [Row(run.PUSH_CELL, each) for each in self._operands.pair(one, other, compare)]
        elif compare in EQUALITIES and self.is_plain(one) and self.is_plain(other):
            self._push_plain(one, stack)
            self._push_plain(other, stack)
        else:
            self._push_all([one, other], stack)
        stack.append(Row(run.COMPARED, compare=compare))

    def is_plain(self, node: exp.Expr) -> bool:
        """Whether it is a value of either record as it stands, or null; so it may be text."""
        node = bare(node)
        if isinstance(node, exp.Coalesce):
            return all(self.is_plain(each) for each in (node.this, *node.expressions))
        return self._operands.side(node) is not None or isinstance(node, exp.Null)

    def _push_plain(self, node: exp.Expr, stack: list[Row]) -> None:
        node = bare(node)
        if isinstance(node, exp.Coalesce) and self._operands.side(node) is None:
            self._push_plain(node.this, stack)
            for each in node.expressions:
                self._push_plain(each, stack)
                stack.append(Row(run.COALESCE))
        elif isinstance(node, exp.Null):
            stack.append(Row(run.PUSH_NUMBER, number=float("nan")))
        else:
            stack.append(Row(run.PUSH_CELL, self._operands.equal_input(node)))

    def _push_case(self, node: exp.Expr, stack: list[Row]) -> None:
        """The last alternative first, so that the first condition that holds has the last word."""
        if isinstance(node, exp.If):
            whens, otherwise = [node], node.args.get("false")
        else:
            whens, otherwise = node.args["ifs"], node.args.get("default")
        self._push(otherwise if otherwise is not None else exp.Null(), stack)
        for when in reversed(whens):
            condition = when.this
            if node.args.get("this") is not None and isinstance(node, exp.Case):
                condition = exp.EQ(this=node.this.copy(), expression=condition.copy())
            self._push_all([when.args["true"], condition], stack)
            stack.append(Row(run.CHOOSE))

    def _push_cast(self, node: exp.Cast, stack: list[Row]) -> None:
        self._push(node.this, stack)
        wanted = node.to.this
        if wanted == exp.DataType.Type.FLOAT:
            stack.append(Row(run.AS_SINGLE))
        elif wanted in exp.DataType.INTEGER_TYPES:
            stack.append(Row(run.AS_WHOLE))
        elif wanted not in (exp.DataType.Type.DOUBLE, exp.DataType.Type.BOOLEAN):
            raise self._operands.no(f"a cast of both sides together to {node.to.sql('duckdb')}")

    def _push_pairwise(self, node: exp.Expr, stack: list[Row]) -> None:
        """Splink's least or greatest distance of any element of one list to any of the other."""
        sides = [each for each in outermost(node) if self._operands.side(each) is not None]
        if len(sides) == 2:
            a, b = (each.sql("duckdb") for each in sides)
            for function in ("jaro_winkler_similarity", "jaro_similarity", "levenshtein", "damerau_levenshtein"):
                for best, operation in (("min", run.LEAST_PAIR), ("max", run.GREATEST_PAIR)):
                    shape = parse(_PAIRWISE.format(best=best, a=a, b=b, function=function), self._where)
                    if shape.sql("duckdb") == node.sql("duckdb"):
                        stack += [Row(run.PUSH_CELL, self._operands.input(each, Kind.TEXTS)) for each in sides]
                        stack.append(Row(operation, FUNCTIONS[function][0]))
                        return
        raise self._operands.no(f"`{node.sql('duckdb')}`, which needs both records at once")


def _taken(operation: int) -> int:
    """How many values of the stack an operation uses up."""
    if operation == run.CHOOSE:
        return 3
    single = (*_ONE_NUMBER.values(), run.AS_SINGLE, run.AS_WHOLE)
    return 1 if operation in single else 2

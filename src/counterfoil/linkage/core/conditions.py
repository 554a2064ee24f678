"""Splink's conditions, in DuckDB's SQL, to operations of a `Program`.

Whatever reads one side only becomes an `Input`, which DuckDB evaluates; only what needs both sides becomes operations.
A condition counts when it is true, so AND, OR and NOT become jumps, which give what SQL's three values give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from counterfoil.linkage.core import interpret as run
from counterfoil.linkage.core.layout import NO_INPUT, NO_LEVEL, Input, Kind
from counterfoil.linkage.core.operands import LEFT, RIGHT, Operands
from counterfoil.linkage.core.operations import Compiled, Label, Row, program_of
from counterfoil.linkage.core.sql import NotExpressible, as_type_of, bare, constant, parse, quoted
from counterfoil.linkage.core.stack_values import COMPARISONS, EQUALITIES, StackValues

_OPPOSITE = {
    run.EQUAL: run.OTHER,
    run.OTHER: run.EQUAL,
    run.LESS: run.AT_LEAST,
    run.AT_LEAST: run.LESS,
    run.MORE: run.AT_MOST,
    run.AT_MOST: run.MORE,
    run.DISTINCT: run.NOT_DISTINCT,
    run.NOT_DISTINCT: run.DISTINCT,
}
_TURNED = {run.LESS: run.MORE, run.MORE: run.LESS, run.AT_MOST: run.AT_LEAST, run.AT_LEAST: run.AT_MOST}


@dataclass(frozen=True, slots=True)
class Condition:
    """One level: its SQL, `None` for ELSE, and whether it is the null level."""

    sql: str | None
    is_null: bool


class Compiler:
    """Compiles the levels of one comparison."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._operands = Operands(where)
        self._values = StackValues(self._operands, where)
        self._rows: list[Row] = []

    def compile(self, levels: Sequence[Condition], frequencies: Sequence[str] = ()) -> Compiled:
        """Operations of all levels, and inputs: those of the conditions, then one for each column of `frequencies`.

        The last level has to be ELSE.
        """
        trees = [None if level.sql is None else parse(level.sql, self._where) for level in levels]
        self._operands.lists = {sql for tree in trees if tree is not None for sql in self._operands.list_columns(tree)}
        first = []
        for number, tree in enumerate(trees):
            first.append(len(self._rows))
            if tree is not None:
                is_last = trees[number + 1] is None  # of ELSE nothing is asked
                following = Label(-(number + 2) if is_last else None)
                self._branch(tree, True, Label(-(number + 1)), following)
                following.at = following.at if is_last else len(self._rows)
        null_level = next((i for i, level in enumerate(levels) if level.is_null), NO_LEVEL)
        absent = self._absent(trees[0]) if null_level == 0 and trees[0] is not None else NO_INPUT
        for column in frequencies:
            self._operands.inputs.append(Input(quoted(column), Kind.FREQUENCY, (column,)))
        return Compiled(self._operands.inputs, self._rows, first, null_level, absent)

    # --- conditions as jumps

    def _branch(self, node: exp.Expr, wanted: bool, yes: Label, no: Label) -> None:
        """Operations that go on at `yes` when the condition is `wanted` (true or false), else at `no`."""
        node = bare(node)
        if self._operands.side(node) is not None:
            compare = run.OTHER if wanted else run.EQUAL
            self._emit(Row(run.CELL, self._operands.input(node, Kind.NUMBER), compare=compare, number=0.0), yes, no)
        elif isinstance(node, exp.Not):
            self._branch(node.this, not wanted, yes, no)
        elif isinstance(node, exp.And | exp.Or):
            self._parts(list(node.flatten()), isinstance(node, exp.And) is wanted, wanted, yes, no)
        elif isinstance(node, exp.Between):
            low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
            high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
            self._parts([low, high], wanted, wanted, yes, no)
        elif isinstance(node, exp.In) and node.expressions:
            same = [exp.EQ(this=node.this.copy(), expression=each.copy()) for each in node.expressions]
            self._parts(same, not wanted, wanted, yes, no)
        else:
            self._emit(self._test(node, wanted), yes, no)

    def _parts(self, parts: Sequence[exp.Expr], all_of: bool, wanted: bool, yes: Label, no: Label) -> None:
        for part in parts[:-1]:
            following = Label()
            self._branch(part, wanted, following if all_of else yes, no if all_of else following)
            following.at = len(self._rows)
        self._branch(parts[-1], wanted, yes, no)

    def _emit(self, row: Row, yes: Label, no: Label) -> None:
        row.on_true, row.on_false = yes, no
        self._rows.append(row)

    # --- one test

    def _test(self, node: exp.Expr, wanted: bool) -> Row:
        compare = COMPARISONS.get(type(node))
        if isinstance(node, exp.Is) and isinstance(bare(node.expression), exp.Null):
            compare = run.NOT_DISTINCT
        if compare is None:
            row = self._operands.function(node) or self._values.value(node)
            row.compare, row.number = run.OTHER if wanted else run.EQUAL, 0.0
            return row
        if not wanted:
            compare = _OPPOSITE[compare]
        one, other = bare(node.this), bare(node.expression)
        if self._operands.side(one) is not None and self._operands.side(other) is not None:
            a, b = self._operands.pair(one, other, compare)
            return Row(run.PAIR, a, b, compare)
        if compare in EQUALITIES and self._values.is_plain(one) and self._values.is_plain(other):
            row = self._values.value(node)
            row.compare, row.number = run.OTHER if wanted else run.EQUAL, 0.0
            return row
        if (given := constant(one)) is not None:
            one, other, compare = other, one, _TURNED.get(compare, compare)
        else:
            given = constant(other)
        if given is None:
            row = self._values.value(node)
            row.compare, row.number = run.OTHER if wanted else run.EQUAL, 0.0
            return row
        row = self._operands.function(one) or self._distance(one) or self._values.value(one)
        row.compare, row.number = compare, as_type_of(one, given)
        return row

    def _distance(self, node: exp.Expr) -> Row | None:
        found = self._operands.difference(node.this) if isinstance(node, exp.Abs) else None
        return None if found is None else Row(run.DISTANCE, *found)

    # --- the null level

    def _absent(self, tree: exp.Expr) -> int:
        """The input that is 1 where one record alone decides for the null level, the same for either side."""
        left, right = self._alone(tree, LEFT), self._alone(tree, RIGHT)
        if left is None or right is None or left[0] != right[0]:
            return NO_INPUT
        return self._operands.number(Input(left[0], Kind.NUMBER, left[1]))

    def _alone(self, node: exp.Expr, side: int) -> tuple[str, tuple[str, ...]] | None:
        """What of one side suffices for the condition, whatever the other is."""
        node = bare(node)
        if self._operands.side(node) is not None:
            return self._operands.sql(node) if self._operands.side(node) == side else None
        if not isinstance(node, exp.And | exp.Or):
            return None
        parts = [self._alone(each, side) for each in node.flatten()]
        held = [part for part in parts if part is not None]
        if not held or (isinstance(node, exp.And) and len(held) < len(parts)):
            return None
        columns = tuple(dict.fromkeys(name for _, names in held for name in names))
        texts = sorted({sql for sql, _ in held})
        word = " AND " if isinstance(node, exp.And) else " OR "
        return (texts[0] if len(texts) == 1 else word.join(f"({text})" for text in texts)), columns


__all__ = ["Compiled", "Compiler", "Condition", "NotExpressible", "program_of"]

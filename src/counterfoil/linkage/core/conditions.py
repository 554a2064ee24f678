"""Splink's conditions, in DuckDB's SQL, to operations of a `Program`.

Whatever reads one side only becomes an `Input`, which DuckDB evaluates; only what needs both sides becomes operations.
A condition counts when it is true, so AND, OR and NOT become jumps, which give what SQL's three values give.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import sqlglot
from sqlglot import exp

from counterfoil.linkage.core import interpret as run
from counterfoil.linkage.core.layout import NO_INPUT, NO_LEVEL, Input, Kind, Program

LEFT, RIGHT = 0, 1
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_WORDS = """
all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
default deferrable desc describe distinct do else end except false fetch for foreign from group having in
initially intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer
pivot_wider placing primary qualify references returning select show some summarize symmetric table then to
trailing true union unique unpivot using variadic when where window with
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())

_COMPARISONS: dict[type[exp.Expr], int] = {
    exp.EQ: run.EQUAL,
    exp.NEQ: run.OTHER,
    exp.LT: run.LESS,
    exp.LTE: run.AT_MOST,
    exp.GT: run.MORE,
    exp.GTE: run.AT_LEAST,
    exp.NullSafeNEQ: run.DISTINCT,
    exp.NullSafeEQ: run.NOT_DISTINCT,
}
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
_EQUALITIES = frozenset({run.EQUAL, run.OTHER, run.DISTINCT, run.NOT_DISTINCT})
_TURNED = {run.LESS: run.MORE, run.MORE: run.LESS, run.AT_MOST: run.AT_LEAST, run.AT_LEAST: run.AT_MOST}
_FUNCTIONS = {  # name -> (operation, kind of the first, kind of the second)
    "jaro_winkler_similarity": (run.JARO_WINKLER, Kind.TEXT, Kind.TEXT),
    "jaro_similarity": (run.JARO, Kind.TEXT, Kind.TEXT),
    "levenshtein": (run.LEVENSHTEIN, Kind.TEXT, Kind.TEXT),
    "damerau_levenshtein": (run.DAMERAU, Kind.TEXT, Kind.TEXT),
    "jaccard": (run.JACCARD, Kind.TEXT, Kind.TEXT),
    "list_has_any": (run.HAS_ANY, Kind.TEXTS, Kind.TEXTS),
    "list_contains": (run.CONTAINS, Kind.TEXTS, Kind.TEXT),
    "common": (run.COMMON, Kind.TEXTS, Kind.TEXTS),
}
_TRUTHS = frozenset({run.HAS_ANY, run.CONTAINS})
_NAMES: dict[type[exp.Expr], str] = {
    exp.JarowinklerSimilarity: "jaro_winkler_similarity",
    exp.Levenshtein: "levenshtein",
    exp.ArrayOverlaps: "list_has_any",
    exp.ArrayContains: "list_contains",
}
_OTHER_NAMES = {"array_has_any": "list_has_any", "list_has": "list_contains", "array_has": "list_contains"}
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
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs)
_LISTS = (exp.ArrayOverlaps, exp.ArrayIntersect, exp.ArraySize)
_PAIRWISE = (
    "list_{best}(list_transform(flatten(list_transform({a}, x -> list_transform({b}, y -> [x, y]))), "
    "pair -> {function}(pair[1], pair[2])))"
)


class NotExpressible(Exception):
    """What the core has no operation for, and in which comparison or rule."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


@dataclass(frozen=True, slots=True)
class Condition:
    """One level: its SQL, `None` for ELSE, and whether it is the null level."""

    sql: str | None
    is_null: bool


@dataclass(slots=True)
class _Label:
    """A place that an operation goes on to: an operation of this comparison, or a level as -(level + 1)."""

    at: int | None = None


@dataclass(slots=True)
class _Row:
    operation: int
    a: int = -1
    b: int = -1
    compare: int = -1
    number: float | None = None
    limit: float | None = None
    key: str = ""  # what is computed, when it is worth keeping
    on_true: _Label = field(default_factory=_Label)
    on_false: _Label = field(default_factory=_Label)
    stack: list[_Row] = field(default_factory=list)  # of a VALUE


@dataclass(slots=True)
class Compiled:
    """One comparison: its inputs and its operations, still apart from those of others."""

    inputs: list[Input]
    rows: list[_Row]
    first: list[int]
    null_level: int
    absent_input: int


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


class Compiler:
    """Compiles the levels of one comparison."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._inputs: list[Input] = []
        self._rows: list[_Row] = []
        self._lists: set[str] = set()

    def compile(self, levels: Sequence[Condition], frequencies: Sequence[str] = ()) -> Compiled:
        """Operations of all levels, and inputs: those of the conditions, then one for each column of `frequencies`.

        The last level has to be ELSE.
        """
        trees = [None if level.sql is None else parse(level.sql, self._where) for level in levels]
        self._lists = {sql for tree in trees if tree is not None for sql in self._list_columns(tree)}
        first = []
        for number, tree in enumerate(trees):
            first.append(len(self._rows))
            if tree is not None:
                is_last = trees[number + 1] is None  # of ELSE nothing is asked
                following = _Label(-(number + 2) if is_last else None)
                self._branch(tree, True, _Label(-(number + 1)), following)
                following.at = following.at if is_last else len(self._rows)
        null_level = next((i for i, level in enumerate(levels) if level.is_null), NO_LEVEL)
        absent = self._absent(trees[0]) if null_level == 0 and trees[0] is not None else NO_INPUT
        for column in frequencies:
            self._inputs.append(Input(quoted(column), Kind.FREQUENCY, (column,)))
        return Compiled(self._inputs, self._rows, first, null_level, absent)

    # --- sides and inputs

    def _side(self, node: exp.Expr) -> int | None:
        """LEFT or RIGHT when only that one is read; None for both or for none."""
        sides = {self._name(column)[1] for column in columns_of(node)}
        return sides.pop() if len(sides) == 1 else None

    def _name(self, column: exp.Column) -> tuple[str, int]:
        name = column.name
        if column.table or not re.search(r"_[lrLR]$", name):
            raise self._no(f"the column {column.sql('duckdb')}, which is neither _l nor _r")
        return name[:-2], LEFT if name[-1] in "lL" else RIGHT

    def _sql(self, node: exp.Expr) -> tuple[str, tuple[str, ...]]:
        return one_sided(bare(node), {id(column): self._name(column)[0] for column in columns_of(node)})

    def _input(self, node: exp.Expr, kind: Kind) -> int:
        """The operand that reads a one-sided expression."""
        side = self._side(node)
        if side is None:
            raise self._no(f"`{node.sql('duckdb')}`, which is not of one side")
        sql, columns = self._sql(node)
        return self._given(Input(sql, kind, columns)) * 2 + side

    def _given(self, wanted: Input) -> int:
        if wanted not in self._inputs:
            self._inputs.append(wanted)
        return self._inputs.index(wanted)

    def _list_columns(self, tree: exp.Expr) -> list[str]:
        """One-sided expressions that are lists, since a list function takes them."""
        found: list[exp.Expr] = []
        for node in tree.walk():
            if isinstance(node, _LISTS) or (isinstance(node, exp.Anonymous) and node.name.lower() in _LIST_NAMES):
                found += [each for each in _arguments(node) if self._side(each) is not None]
            elif isinstance(node, exp.ArrayContains) and self._side(node.this) is not None:
                found.append(node.this)
        return [self._sql(node)[0] for node in found]

    def _no(self, what: str) -> NotExpressible:
        return NotExpressible(self._where, what)

    # --- conditions as jumps

    def _branch(self, node: exp.Expr, wanted: bool, yes: _Label, no: _Label) -> None:
        """Operations that go on at `yes` when the condition is `wanted` (true or false), else at `no`."""
        node = bare(node)
        if self._side(node) is not None:
            compare = run.OTHER if wanted else run.EQUAL
            self._emit(_Row(run.CELL, self._input(node, Kind.NUMBER), compare=compare, number=0.0), yes, no)
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

    def _parts(self, parts: Sequence[exp.Expr], all_of: bool, wanted: bool, yes: _Label, no: _Label) -> None:
        for part in parts[:-1]:
            following = _Label()
            self._branch(part, wanted, following if all_of else yes, no if all_of else following)
            following.at = len(self._rows)
        self._branch(parts[-1], wanted, yes, no)

    def _emit(self, row: _Row, yes: _Label, no: _Label) -> None:
        row.on_true, row.on_false = yes, no
        self._rows.append(row)

    # --- one test

    def _test(self, node: exp.Expr, wanted: bool) -> _Row:
        compare = _COMPARISONS.get(type(node))
        if isinstance(node, exp.Is) and isinstance(bare(node.expression), exp.Null):
            compare = run.NOT_DISTINCT
        if compare is None:
            row = self._function(node) or self._value(node)
            row.compare, row.number = run.OTHER if wanted else run.EQUAL, 0.0
            return row
        if not wanted:
            compare = _OPPOSITE[compare]
        one, other = bare(node.this), bare(node.expression)
        if self._side(one) is not None and self._side(other) is not None:
            a, b = self._pair(one, other, compare)
            return _Row(run.PAIR, a, b, compare)
        if compare in _EQUALITIES and self._is_plain(one) and self._is_plain(other):
            row = self._value(node)
            row.compare, row.number = run.OTHER if wanted else run.EQUAL, 0.0
            return row
        if (given := constant(one)) is not None:
            one, other, compare = other, one, _TURNED.get(compare, compare)
        else:
            given = constant(other)
        if given is None:
            row = self._value(node)
            row.compare, row.number = run.OTHER if wanted else run.EQUAL, 0.0
            return row
        row = self._function(one) or self._distance(one) or self._value(one)
        row.compare, row.number = compare, _as_type_of(one, given)
        return row

    def _pair(self, one: exp.Expr, other: exp.Expr, compare: int) -> tuple[int, int]:
        """Operands of two one-sided expressions that are compared."""
        by_value = compare in (run.LESS, run.AT_MOST, run.MORE, run.AT_LEAST)
        if by_value or any(isinstance(bare(each), _ARITHMETIC) for each in (one, other)):
            return self._input(one, Kind.NUMBER), self._input(other, Kind.NUMBER)
        return self._equal_input(one), self._equal_input(other)

    def _equal_input(self, node: exp.Expr) -> int:
        if self._sql(node)[0] in self._lists:
            node = exp.cast(node.copy(), "VARCHAR", dialect="duckdb")
        return self._input(node, Kind.TEXT)

    def _function(self, node: exp.Expr) -> _Row | None:
        """A function of one input of each side, each its own."""
        node = bare(node)
        name, arguments = function_of(node)
        if name not in _FUNCTIONS or len(arguments) != 2 or any(self._side(each) is None for each in arguments):
            return None
        operation, *kinds = _FUNCTIONS[name]
        a, b = (self._input(each, kind) for each, kind in zip(arguments, kinds, strict=True))
        return _Row(operation, a, b, key=f"{operation} {a} {b}")

    def _difference(self, node: exp.Expr) -> tuple[int, int] | None:
        node = bare(node)
        if isinstance(node, exp.DateDiff):
            sides = [self._side(node.this), self._side(node.expression)]
            unit = node.text("unit").lower()
            if None not in sides and unit:
                later, earlier = self._since(unit, node.this), self._since(unit, node.expression)
                return later, earlier
        if isinstance(node, exp.Sub) and self._side(node.this) is not None and self._side(node.expression) is not None:
            return self._input(node.this, Kind.NUMBER), self._input(node.expression, Kind.NUMBER)
        return None

    def _since(self, unit: str, node: exp.Expr) -> int:
        sql, columns = self._sql(node)
        wanted = Input(f"DATE_DIFF('{unit}', DATE '1970-01-01', {sql})", Kind.NUMBER, columns)
        side = self._side(node)
        return self._given(wanted) * 2 + (LEFT if side is None else side)

    def _distance(self, node: exp.Expr) -> _Row | None:
        found = self._difference(node.this) if isinstance(node, exp.Abs) else None
        return None if found is None else _Row(run.DISTANCE, *found)

    # --- values on a stack

    def _value(self, node: exp.Expr) -> _Row:
        stack: list[_Row] = []
        self._push(node, stack)
        depth, most = 0, 0
        for row in stack:
            depth += 1 if row.operation in (run.PUSH_CELL, run.PUSH_NUMBER) else 1 - _taken(row.operation)
            most = max(most, depth)
        if most > run.DEPTH:
            raise self._no("an expression that is nested too deeply")
        return _Row(run.VALUE, stack=stack, key="value " + node.sql("duckdb"))

    def _push(self, node: exp.Expr, stack: list[_Row]) -> None:
        node = bare(node)
        given = constant(node)
        if given is not None:
            stack.append(_Row(run.PUSH_NUMBER, number=given))
        elif self._side(node) is not None:
            stack.append(_Row(run.PUSH_CELL, self._input(node, Kind.NUMBER)))
        else:
            self._push_two_sided(node, stack)

    def _push_all(self, nodes: Sequence[exp.Expr], stack: list[_Row]) -> None:
        for node in nodes:
            self._push(node, stack)

    def _push_two_sided(self, node: exp.Expr, stack: list[_Row]) -> None:
        kind = type(node)
        if kind in _COMPARISONS or isinstance(node, exp.Is):
            self._push_comparison(node, stack)
        elif (function := self._function(node)) is not None:
            stack += [_Row(run.PUSH_CELL, function.a), _Row(run.PUSH_CELL, function.b), _Row(function.operation)]
        elif (difference := self._difference(node)) is not None:
            stack += [_Row(run.PUSH_CELL, each) for each in difference] + [_Row(run.SUBTRACT)]
        elif kind in _ONE_NUMBER:
            self._push(node.this, stack)
            stack.append(_Row(_ONE_NUMBER[kind]))
        elif kind in _TWO_NUMBERS:
            self._push_all([node.this, node.expression], stack)
            stack.append(_Row(_TWO_NUMBERS[kind]))
        elif kind in _MANY:
            self._push(node.this, stack)
            for each in node.expressions:
                self._push(each, stack)
                stack.append(_Row(_MANY[kind]))
        elif isinstance(node, exp.Between):
            self._push_comparison(exp.GTE(this=node.this.copy(), expression=node.args["low"].copy()), stack)
            self._push_comparison(exp.LTE(this=node.this.copy(), expression=node.args["high"].copy()), stack)
            stack.append(_Row(run.AND))
        elif isinstance(node, exp.Case | exp.If):
            self._push_case(node, stack)
        elif isinstance(node, exp.Cast):
            self._push_cast(node, stack)
        else:
            self._push_pairwise(node, stack)

    def _push_comparison(self, node: exp.Expr, stack: list[_Row]) -> None:
        compare = _COMPARISONS.get(type(node), run.NOT_DISTINCT)
        one, other = bare(node.this), bare(node.expression)
        if isinstance(node, exp.Is) and not isinstance(other, exp.Null):
            raise self._no(f"`{node.sql('duckdb')}`")
        if self._side(one) is not None and self._side(other) is not None:
            stack += [_Row(run.PUSH_CELL, each) for each in self._pair(one, other, compare)]
        elif compare in _EQUALITIES and self._is_plain(one) and self._is_plain(other):
            self._push_plain(one, stack)
            self._push_plain(other, stack)
        else:
            self._push_all([one, other], stack)
        stack.append(_Row(run.COMPARED, compare=compare))

    def _is_plain(self, node: exp.Expr) -> bool:
        """Whether it is a value of either record as it stands, or null; so it may be text."""
        node = bare(node)
        if isinstance(node, exp.Coalesce):
            return all(self._is_plain(each) for each in (node.this, *node.expressions))
        return self._side(node) is not None or isinstance(node, exp.Null)

    def _push_plain(self, node: exp.Expr, stack: list[_Row]) -> None:
        node = bare(node)
        if isinstance(node, exp.Coalesce) and self._side(node) is None:
            self._push_plain(node.this, stack)
            for each in node.expressions:
                self._push_plain(each, stack)
                stack.append(_Row(run.COALESCE))
        elif isinstance(node, exp.Null):
            stack.append(_Row(run.PUSH_NUMBER, number=float("nan")))
        else:
            stack.append(_Row(run.PUSH_CELL, self._equal_input(node)))

    def _push_case(self, node: exp.Expr, stack: list[_Row]) -> None:
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
            stack.append(_Row(run.CHOOSE))

    def _push_cast(self, node: exp.Cast, stack: list[_Row]) -> None:
        self._push(node.this, stack)
        wanted = node.to.this
        if wanted == exp.DataType.Type.FLOAT:
            stack.append(_Row(run.AS_SINGLE))
        elif wanted in exp.DataType.INTEGER_TYPES:
            stack.append(_Row(run.AS_WHOLE))
        elif wanted not in (exp.DataType.Type.DOUBLE, exp.DataType.Type.BOOLEAN):
            raise self._no(f"a cast of both sides together to {node.to.sql('duckdb')}")

    def _push_pairwise(self, node: exp.Expr, stack: list[_Row]) -> None:
        """Splink's least or greatest distance of any element of one list to any of the other."""
        sides = [each for each in _outermost(node) if self._side(each) is not None]
        if len(sides) == 2:
            a, b = (each.sql("duckdb") for each in sides)
            for function in ("jaro_winkler_similarity", "jaro_similarity", "levenshtein", "damerau_levenshtein"):
                for best, operation in (("min", run.LEAST_PAIR), ("max", run.GREATEST_PAIR)):
                    shape = parse(_PAIRWISE.format(best=best, a=a, b=b, function=function), self._where)
                    if shape.sql("duckdb") == node.sql("duckdb"):
                        stack += [_Row(run.PUSH_CELL, self._input(each, Kind.TEXTS)) for each in sides]
                        stack.append(_Row(operation, _FUNCTIONS[function][0]))
                        return
        raise self._no(f"`{node.sql('duckdb')}`, which needs both records at once")

    # --- the null level

    def _absent(self, tree: exp.Expr) -> int:
        """The input that is 1 where one record alone decides for the null level, the same for either side."""
        left, right = self._alone(tree, LEFT), self._alone(tree, RIGHT)
        if left is None or right is None or left[0] != right[0]:
            return NO_INPUT
        return self._given(Input(left[0], Kind.NUMBER, left[1]))

    def _alone(self, node: exp.Expr, side: int) -> tuple[str, tuple[str, ...]] | None:
        """What of one side suffices for the condition, whatever the other is."""
        node = bare(node)
        if self._side(node) is not None:
            return self._sql(node) if self._side(node) == side else None
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


_LIST_NAMES = frozenset({"list_intersect", "array_intersect", "array_has_any"})


def _arguments(node: exp.Expr) -> list[exp.Expr]:
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
    return _NAMES.get(type(node), ""), _arguments(node)


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


def _as_type_of(node: exp.Expr, given: float) -> float:
    """A constant that is compared with single precision is rounded to it."""
    node = bare(node)
    single = isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.FLOAT
    return float(np.float32(given)) if single else given


def _outermost(node: exp.Expr) -> list[exp.Expr]:
    """The columns in reading order; lists that Splink compares element by element."""
    return [column for column in node.find_all(exp.Column, bfs=False) if re.search(r"_[lrLR]$", column.name)]


def _taken(operation: int) -> int:
    """How many values of the stack an operation uses up."""
    if operation == run.CHOOSE:
        return 3
    single = (*_ONE_NUMBER.values(), run.AS_SINGLE, run.AS_WHOLE)
    return 1 if operation in single else 2


# --- all comparisons together


@dataclass(slots=True)
class _Table:
    rows: list[list[int]] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def number(self, value: float | None) -> int:
        if value is None:
            return run.NO_LIMIT
        for at, known in enumerate(self.numbers):
            if known == value or (known != known and value != value):
                return at
        self.numbers.append(value)
        return len(self.numbers) - 1

    def add(self, compiled: Compiled) -> None:
        """The rows of one comparison, and behind them what their values are made of."""
        base, behind = len(self.rows), len(self.rows) + len(compiled.rows)
        slots, limits = _slots(compiled.rows), _limits(compiled.rows)
        stacks: list[_Row] = []
        starts: dict[str, tuple[int, int]] = {}
        for row in compiled.rows:
            a, b = row.a, row.b
            if row.operation == run.VALUE:
                if row.key not in starts or not row.key:
                    starts[row.key] = (behind + len(stacks), behind + len(stacks) + len(row.stack))
                    stacks += row.stack
                a, b = starts[row.key]
            limit = self.number(limits.get(row.key))
            targets = [_resolved(label, base) for label in (row.on_true, row.on_false)]
            slot = slots.get(row.key, run.NO_SLOT)
            self.rows.append([row.operation, a, b, row.compare, self.number(row.number), limit, slot, *targets])
        for row in stacks:
            number = self.number(row.number)
            self.rows.append([row.operation, row.a, -1, row.compare, number, run.NO_LIMIT, run.NO_SLOT, -1, -1])


def _resolved(label: _Label, base: int) -> int:
    if label.at is None:
        raise ValueError("A condition was left without an end.")
    return label.at if label.at < 0 else label.at + base


def _slots(rows: Sequence[_Row]) -> dict[str, int]:
    """Which values are kept: those that are asked for more than once."""
    keys = [row.key for row in rows if row.key]
    repeated = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    return {key: slot for slot, key in enumerate(repeated[: run.SLOTS])}


def _limits(rows: Sequence[_Row]) -> dict[str, float]:
    """Of a similarity the lowest, of a distance the highest number that it is compared with."""
    found: dict[str, float] = {}
    for row in rows:
        if row.number is None or row.number != row.number:
            continue
        if row.operation in (run.JARO_WINKLER, run.JARO):
            found[row.key] = min(found.get(row.key, row.number), row.number)
        elif row.operation in (run.LEVENSHTEIN, run.DAMERAU):
            found[row.key] = max(found.get(row.key, row.number), row.number, 0.0)
    return found


def program_of(comparisons: Sequence[Compiled]) -> Program:
    """The program of all comparisons."""
    table = _Table()
    most = max(len(each.first) for each in comparisons)
    first = np.zeros((len(comparisons), most + 1), np.int64)
    for c, each in enumerate(comparisons):
        base, end = len(table.rows), len(table.rows) + len(each.rows)
        table.add(each)
        first[c] = [base + at for at in each.first] + [end] * (most + 1 - len(each.first))
    return Program(
        operations=np.array(table.rows, np.int32),
        numbers=np.array(table.numbers or [0.0], np.float64),
        first=first,
        levels=np.array([len(each.first) for each in comparisons], np.int64),
        width=np.array([len(each.inputs) for each in comparisons], np.int64),
        absent_level=np.array([each.null_level for each in comparisons], np.int64),
        absent_input=np.array([each.absent_input for each in comparisons], np.int64),
    )


__all__ = ["Compiled", "Compiler", "Condition", "NotExpressible", "program_of"]

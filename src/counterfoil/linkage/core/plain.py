"""Plain expressions worked out for one record without the database, which takes milliseconds for its shortest answer.

What an expression means is DuckDB's, and a test asks it. Only what is known to be the same is plain; all else is left
to DuckDB, and so is every value for which it is not known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from sqlglot import exp

from counterfoil.linkage.core.sql import NotExpressible, bare, parse

Row = Mapping[str, Any]  # values by column name in lower case; names that a lambda gives too
Work = Callable[[Row], Any]
_SECONDS_A_DAY = 86400.0
_EPOCH = dt.date(1970, 1, 1).toordinal()


class NotPlain(Exception):
    """DuckDB has to say what this is."""


class Type(Enum):
    """Types of values whose meaning is the same here and in DuckDB."""

    TEXT = "VARCHAR"
    TEXTS = "VARCHAR[]"
    DATE = "DATE"
    FLAG = "BOOLEAN"
    LONG = "BIGINT"
    WHOLE = "INTEGER"
    REAL = "DOUBLE"


PLAIN_TYPES: Mapping[str, Type] = {each.value: each for each in Type if each is not Type.REAL}
_NUMBERS = frozenset({Type.LONG, Type.WHOLE})


@dataclass(frozen=True, slots=True)
class Plain:
    """An expression that can be worked out here. Raises NotPlain for a value for which it cannot."""

    type: Type
    of: Work


def plain(sql: str, types: Mapping[str, Type]) -> Plain | None:
    """An expression over columns of these types (by name in lower case), or None when it is DuckDB's."""
    try:
        return _plain(parse(sql, "a record to look for"), types)
    except (NotExpressible, NotPlain):
        return None


def _plain(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    node = bare(node)
    make = _MAKERS.get(type(node))
    if make is None:
        raise NotPlain
    return make(node, types)


def _given(node: exp.Expr, types: Mapping[str, Type], *wanted: Type) -> Plain:
    """What an operation is given, when it is of a type that the operation is plain for."""
    found = _plain(node, types)
    if found.type not in wanted:
        raise NotPlain
    return found


def _column(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    name = node.name.lower()
    if name not in types or (
        isinstance(node, exp.Column) and (node.table or not isinstance(node.this, exp.Identifier))
    ):
        raise NotPlain
    return Plain(types[name], lambda row: row[name])


def _literal(node: exp.Expr, _: Mapping[str, Type]) -> Plain:
    value: str | int = node.this if node.is_string else _whole(node)
    return Plain(Type.TEXT if node.is_string else Type.WHOLE, lambda _: value)


def _whole(node: exp.Expr | None) -> int:
    if not isinstance(node, exp.Literal) or node.is_string or not node.this.isdecimal() or len(node.this) > 9:
        raise NotPlain
    return int(node.this)


def _joined(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    one, other = (_given(each, types, Type.TEXT).of for each in (node.this, node.expression))

    def work(row: Row) -> Any:
        a, b = one(row), other(row)
        return None if a is None or b is None else a + b

    return Plain(Type.TEXT, work)


def _coalesce(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    given = [_plain(each, types) for each in (node.this, *node.expressions)]
    if len({each.type for each in given}) > 1:
        raise NotPlain
    work = [each.of for each in given]
    return Plain(given[0].type, lambda row: next((v for each in work if (v := each(row)) is not None), None))


def _strict(type_: Type, given: Plain, work: Callable[[Any], Any]) -> Plain:
    """Of one value; null of null."""
    of = given.of
    return Plain(type_, lambda row: None if (value := of(row)) is None else work(value))


def _substring(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    """Characters are code points in both."""
    first, count = _whole(node.args.get("start")), _whole(node.args.get("length"))
    if first < 1:
        raise NotPlain
    return _strict(Type.TEXT, _given(node.this, types, Type.TEXT), lambda text: text[first - 1 : first - 1 + count])


def _length(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    return _strict(Type.LONG, _given(node.this, types, Type.TEXT), len)


def _part_of_date(name: str, node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    return _strict(Type.LONG, _given(node.this, types, Type.DATE), lambda day: getattr(day, name))


def _epoch(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    given = _given(node.this, types, Type.DATE)
    return _strict(Type.REAL, given, lambda day: (day.toordinal() - _EPOCH) * _SECONDS_A_DAY)


def _strftime(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    form = node.args["format"]
    if not isinstance(form, exp.Literal) or form.this != "%Y%m%d":
        raise NotPlain
    return _strict(Type.TEXT, _given(node.this, types, Type.DATE), _digits)


def _digits(day: dt.date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _is_null(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    if not isinstance(node.expression, exp.Null):
        raise NotPlain
    of = _plain(node.this, types).of
    return Plain(Type.FLAG, lambda row: of(row) is None)


def _equal(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    one, other = (_plain(each, types) for each in (node.this, node.expression))
    comparable = ({Type.TEXT}, {Type.DATE}, {Type.FLAG}, _NUMBERS)
    if not any(one.type in kind and other.type in kind for kind in comparable):
        raise NotPlain

    def work(row: Row) -> Any:
        a, b = one.of(row), other.of(row)
        return None if a is None or b is None else a == b

    return Plain(Type.FLAG, work)


def _not(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    return _strict(Type.FLAG, _given(node.this, types, Type.FLAG), lambda value: not value)


def _contains(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    """Of texts."""
    one, other = (_given(each, types, Type.TEXT).of for each in (node.this, node.expression))

    def work(row: Row) -> Any:
        a, b = one(row), other(row)
        return None if a is None or b is None else b in a

    return Plain(Type.FLAG, work)


# --- lists of texts


def _array(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    work = [_given(each, types, Type.TEXT).of for each in node.expressions]
    return Plain(Type.TEXTS, lambda row: [each(row) for each in work])


def _concat(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    work = [_given(each, types, Type.TEXTS).of for each in (node.this, *node.expressions)]

    def joined(row: Row) -> Any:
        lists = [each(row) for each in work]
        if any(each is None for each in lists):  # versions of DuckDB differ
            raise NotPlain
        return [text for each in lists for text in each]

    return Plain(Type.TEXTS, joined)


def _distinct(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    return _strict(Type.TEXTS, _given(node.this, types, Type.TEXTS), _one_of_each)


def _one_of_each(texts: list[str | None]) -> list[str]:
    """Without nulls. In which order DuckDB gives two and more, it does not say."""
    found = list({text for text in texts if text is not None})
    if len(found) > 1:
        raise NotPlain
    return found


def _filter(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    given, test = _given(node.this, types, Type.TEXTS), node.expression
    if not isinstance(test, exp.Lambda) or len(test.expressions) != 1:
        raise NotPlain
    name = test.expressions[0].name.lower()
    holds = _given(test.this, {**types, name: Type.TEXT}, Type.FLAG).of

    def work(row: Row) -> Any:
        texts = given.of(row)
        return None if texts is None else [text for text in texts if holds({**row, name: text})]

    return Plain(Type.TEXTS, work)


def _element(node: exp.Expr, types: Mapping[str, Type]) -> Plain:
    """By a number from 1, which sqlglot counts from 0."""
    if len(node.expressions) != 1:
        raise NotPlain
    at = _whole(node.expressions[0])
    given = _given(node.this, types, Type.TEXTS)
    return _strict(Type.TEXT, given, lambda texts: texts[at] if at < len(texts) else None)


_MAKERS: Mapping[type[exp.Expr], Callable[[Any, Mapping[str, Type]], Plain]] = {
    exp.Column: _column,
    exp.Identifier: _column,
    exp.Literal: _literal,
    exp.DPipe: _joined,
    exp.Coalesce: _coalesce,
    exp.Substring: _substring,
    exp.Length: _length,
    exp.Year: partial(_part_of_date, "year"),
    exp.Month: partial(_part_of_date, "month"),
    exp.Day: partial(_part_of_date, "day"),
    exp.TimeToUnix: _epoch,
    exp.TimeToStr: _strftime,
    exp.Is: _is_null,
    exp.EQ: _equal,
    exp.Not: _not,
    exp.Contains: _contains,
    exp.Array: _array,
    exp.ArrayConcat: _concat,
    exp.ArrayDistinct: _distinct,
    exp.ArrayFilter: _filter,
    exp.Bracket: _element,
}

"""Expressions that are worked out here for one record are what DuckDB makes of them, in value and in type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.linkage.core.cells import as_numbers, as_text
from counterfoil.linkage.core.one import number_of, text_of
from counterfoil.linkage.core.one_row import Lookup, Parts, RowReader
from counterfoil.linkage.core.plain import NotPlain, Type, plain
from counterfoil.linkage.specification import load_specification
from counterfoil.warehouse import connect

COLUMNS = {
    "name": "VARCHAR",
    "other": "VARCHAR",
    "names": "VARCHAR[]",
    "born": "DATE",
    "sure": "BOOLEAN",
    "n": "BIGINT",
}
ARROW = pa.schema(
    {
        "name": pa.string(), "other": pa.string(), "names": pa.list_(pa.string()), "born": pa.date32(),
        "sure": pa.bool_(), "n": pa.int64(),
    }
)  # fmt: skip
TYPES = {name: Type(kind) for name, kind in COLUMNS.items()}
PLAIN = (
    "name", "NAME", '"Other"', "names", "born", "sure", "n", "'it''s'", "(name)",
    "name || ' ' || other", "coalesce(name, other)", "coalesce(names, [])", "coalesce(name, other, '?')",
    "substr(name, 1, 1)", "substr(name, 2, 3)", "substring(name, 3, 0)", "length(name)", "length(name) = 1",
    "year(born)", "month(born)", "day(born)", "strftime(born, '%Y%m%d')", "epoch(born)",
    "name IS NULL", "names IS NULL", "NOT name IS NULL", "NOT sure", "sure = (name = other)", "n = 3", "born = born",
    "contains(name, other)", "[name]", "[name, other]", "list_concat([name], coalesce(names, []))",
    "list_distinct(list_concat([name], coalesce(names, [])))", "list_distinct(names)", "names[1]", "names[2]",
    "list_filter(names, lambda part: NOT contains(coalesce(name, ''), part))[1]",
    "list_filter(names, lambda name: name = other)",
)  # fmt: skip
NOT_PLAIN = (
    "upper(name)", "names[0]", "names[-1]", "names[n]", "substr(name, -1, 2)", "substr(name, 2)", "substr(name, n, 1)",
    "length(names)", "coalesce(n, name)", "name = n", "n + 1", "born > born", "strftime(born, '%d')", "[n]", "t.name",
    "list_concat([name], [n])", "nowhere", "CAST(name AS DATE)", "sure AND sure", "epoch(name)", "1.5", "names IS TRUE",
)  # fmt: skip

texts = st.one_of(
    st.none(), st.text("aAé\u0301日😀\u200d '%_", max_size=6), st.text(max_size=5).map(lambda t: t.replace("\0", ""))
)
rows = st.fixed_dictionaries(
    {
        "name": texts,
        "other": texts,
        "names": st.one_of(st.none(), st.lists(texts, max_size=3)),
        "born": st.one_of(st.none(), st.dates()),
        "sure": st.sampled_from([None, True, False]),
        "n": st.one_of(st.none(), st.integers(0, 4)),
    }
)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(threads=1)
    yield connection
    connection.close()


def answers(database: duckdb.DuckDBPyConnection, sqls: tuple[str, ...], row: Mapping[str, Any]) -> tuple[Any, ...]:
    database.register("entries", pa.Table.from_pylist([dict(row)], ARROW))
    found: tuple[Any, ...] = database.execute(f"SELECT {', '.join(sqls)} FROM entries").fetchall()[0]
    return found


@settings(max_examples=120, deadline=None)
@given(row=rows)
def test_plain_expressions_are_what_duckdb_makes_of_them(
    database: duckdb.DuckDBPyConnection, row: dict[str, Any]
) -> None:
    for sql, expected in zip(PLAIN, answers(database, PLAIN, row), strict=True):
        known = plain(sql, TYPES)
        assert known is not None, sql
        try:
            found = known.of(row)
        except NotPlain:
            assert "list_distinct" in sql
            assert len(set(expected)) > 1
            continue
        assert found == expected, sql
        assert type(found) is type(expected), sql


def test_plain_expressions_have_the_type_that_duckdb_gives_them(database: duckdb.DuckDBPyConnection) -> None:
    database.register("entries", ARROW.empty_table())
    described = database.execute(f"DESCRIBE SELECT {', '.join(PLAIN)} FROM entries").fetchall()
    known = [plain(sql, TYPES) for sql in PLAIN]
    assert [each.type.value for each in known if each is not None] == [row[1] for row in described]


@pytest.mark.parametrize("sql", NOT_PLAIN)
def test_all_else_is_left_to_duckdb(sql: str) -> None:
    assert plain(sql, TYPES) is None


def test_what_a_model_derives_is_plain() -> None:
    """All that the search of justice needs: else it would wait for the database."""
    specification = load_specification("justice")
    types = dict.fromkeys(("forename1_std", "surname_std"), Type.TEXT) | {"dob": Type.DATE}
    types |= dict.fromkeys(("forename_parts", "alias_names"), Type.TEXTS)
    not_plain = {name for name, sql in specification.derived.items() if plain(sql, types) is None}
    assert not_plain == {"dob_birthday"}  # which no rule and no comparison reads


@settings(max_examples=60, deadline=None)
@given(row=rows)
def test_what_is_not_plain_is_asked_for_beside_what_is(
    database: duckdb.DuckDBPyConnection, row: dict[str, Any]
) -> None:
    """A view with a column that is plain, one that is not, and one that is looked up."""
    view = "SELECT *, substr(name, 1, 1) AS first, upper(other) AS loud FROM entries"
    lookup = Lookup(("first", "n"), "loud", frozenset({("a", 1), ("a", 2), ("é", 1)}))
    parts = Parts({"first": "substr(name, 1, 1)", "loud": "upper(other)"}, {"cap": lookup})
    wanted = ("first", "reverse(loud)", "list_sort(names)", "loud IS NULL", "cap", "n")
    viewed = {**COLUMNS, "first": "VARCHAR", "loud": "VARCHAR", "cap": "VARCHAR"}
    reader = RowReader(database, parts, given=COLUMNS, viewed=viewed, wanted=wanted)
    database.register("entries", pa.Table.from_pylist([row], ARROW))
    held = "(first = 'a' AND n IN (1, 2)) OR (first = 'é' AND n = 1)"
    capped = f"SELECT *, CASE WHEN {held} THEN loud ELSE '' END AS cap FROM ({view})"
    expected = database.execute(f"SELECT {', '.join(wanted)} FROM ({capped})").fetchall()[0]
    assert reader.values(row) == dict(zip(wanted, expected, strict=True))


values = st.one_of(
    st.tuples(st.sampled_from([pa.string(), pa.large_string()]), texts),
    st.tuples(st.just(pa.date32()), st.one_of(st.none(), st.dates())),
    st.tuples(st.just(pa.bool_()), st.sampled_from([None, True, False])),
    st.tuples(st.just(pa.int64()), st.one_of(st.none(), st.integers(-(2**53), 2**53))),
)


@given(values)
def test_one_value_is_the_text_and_the_number_that_a_column_of_it_is(given_: tuple[pa.DataType, Any]) -> None:
    kind, value = given_
    assert text_of(value, kind) == as_text(pa.array([value], kind))[0].as_py()
    if not isinstance(value, str):
        number, expected = number_of(value, kind), as_numbers(pa.array([value], pa.int64() if value is None else kind))
        assert number == expected[0] or (value is None and number != number)


@given(st.one_of(st.floats(), st.dates().map(lambda day: float((day - dt.date(1970, 1, 1)).days))))
def test_a_real_number_is_the_number_that_a_column_of_it_is(value: float) -> None:
    assert number_of(value, pa.float64()) == as_numbers(pa.array([value], pa.float64()))[0]

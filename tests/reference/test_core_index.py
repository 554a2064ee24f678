"""New records against an index: the pairs and weights of Splink's `predict_between`, and of our own scorer.

Splink 5 has no `find_matches_to_new_records` any more; `predict_between` is what took its place.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from splink import DuckDBAPI, Linker

from benchmarks import linkage_data
from counterfoil.errors import UsageError
from counterfoil.linkage.core.encode import encode, share_of
from counterfoil.linkage.core.index import ROOM, Index
from counterfoil.linkage.core.score import score
from counterfoil.linkage.core.searcher import ROW, Searcher
from counterfoil.linkage.core.splink_json import read_model
from counterfoil.linkage.prepare import ID
from counterfoil.warehouse import connect
from lib.core_records import EVERY_PAIR, dirty_records, with_parameters

RECORDS, NEW = 3_000, 60
CLOSE = 1e-9  # bits: rounding of a sum of a dozen logarithms
Pairs = dict[tuple[int, int], float]  # (entry, record) -> weight

LONG = "ABERYSTWYTH-" * 500  # 6,000 bytes
LISTS: Mapping[str, Any] = {
    "link_type": "dedupe_only",
    "unique_id_column_name": ID,
    "blocking_rules_to_generate_predictions": [
        "l.town = r.town",
        "l.born = r.born AND l.score = r.score",
        "l.name = r.other AND l.town = r.town",
    ],
    "comparisons": [
        {
            "output_column_name": "names",
            "comparison_levels": [
                {"sql_condition": "names_l IS NULL OR names_r IS NULL", "is_null_level": True},
                {"sql_condition": "names_l = names_r"},
                {"sql_condition": "list_has_any(names_l, names_r)"},
                {"sql_condition": "ELSE"},
            ],
        },
        {
            "output_column_name": "name",
            "comparison_levels": [
                {"sql_condition": "name_l IS NULL OR name_r IS NULL", "is_null_level": True},
                {"sql_condition": "name_l = name_r", "tf_adjustment_column": "name", "tf_adjustment_weight": 1.0},
                {"sql_condition": "jaro_winkler_similarity(name_l, name_r) >= 0.9"},
                {"sql_condition": "levenshtein(name_l, name_r) <= 2"},
                {"sql_condition": "ELSE"},
            ],
        },
        {
            "output_column_name": "born",
            "comparison_levels": [
                {"sql_condition": "born_l IS NULL OR born_r IS NULL", "is_null_level": True},
                {"sql_condition": "born_l = born_r", "tf_adjustment_column": "born", "tf_adjustment_weight": 0.5},
                {"sql_condition": "abs(epoch(born_l) - epoch(born_r)) <= 86400"},
                {"sql_condition": "ELSE"},
            ],
        },
    ],
}


def splink_between(
    left: pa.Table, right: pa.Table, settings: Mapping[str, Any], frequencies: Mapping[str, pa.Table]
) -> Pairs:
    """(id of the right, id of the left) -> weight."""
    connection = connect(threads=2, memory_limit="2GB")
    try:
        database = DuckDBAPI(connection=connection)
        for name, table in (("one", left), ("other", right)):
            connection.register(f"given_{name}", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given_{name}")
        one, other = database.register("one"), database.register("other")
        linker = Linker(one, dict(settings), log_level=None)
        for column, share in frequencies.items():
            linker.table_management.register_term_frequency_lookup(database.register(share), column)
        scored = linker.inference.predict_between(one, other, threshold_match_weight=EVERY_PAIR, warning_mode="never")
        found = connection.sql(f"SELECT * FROM {scored.physical_name}").to_arrow_table()
    finally:
        connection.close()
    ends = zip(found[f"{ID}_r"].to_pylist(), found[f"{ID}_l"].to_pylist(), strict=True)
    return dict(zip(ends, found["match_weight"].to_pylist(), strict=True))


def core_between(
    left: pa.Table, right: pa.Table, settings: Mapping[str, Any], frequencies: Mapping[str, pa.Table]
) -> Pairs:
    """The same of our own scorer, over both tables as one."""
    model, groups = read_model(settings), np.repeat([0, 1], [left.num_rows, right.num_rows]).astype(np.int32)
    both = pa.concat_tables([left, right.cast(left.schema)]).combine_chunks()
    pairs = score(encode(both, model, frequencies), model, threshold=EVERY_PAIR, groups=groups).pairs
    ids = both[ID].to_pylist()
    ends = zip(pairs["right"].to_pylist(), pairs["left"].to_pylist(), strict=True)
    return dict(zip([(ids[right], ids[left]) for right, left in ends], pairs["match_weight"].to_pylist(), strict=True))


def index_of(table: pa.Table, settings: Mapping[str, Any], frequencies: Mapping[str, pa.Table]) -> Index:
    model = read_model(settings)
    return Index.of(table, encode(table, model, frequencies), model, frequencies)


def found_by(searcher: Searcher, table: pa.Table, new: pa.Table) -> Pairs:
    found = searcher.find(new, threshold=EVERY_PAIR)
    assert found.sort_by([("entry", "ascending"), ("record", "ascending")]).equals(found)
    entries, records = new[ID].to_pylist(), table[ID].to_pylist()
    ends = [
        (entries[e], records[r]) for e, r in zip(found["entry"].to_pylist(), found["record"].to_pylist(), strict=True)
    ]
    return dict(zip(ends, found["match_weight"].to_pylist(), strict=True))


def assert_same(one: Pairs, other: Pairs) -> None:
    assert one.keys() == other.keys()
    np.testing.assert_allclose([one[key] for key in other], list(other.values()), rtol=0, atol=CLOSE)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, pa.Table]:
    """Records, and new ones: of the same people, changed here and there, and of strangers."""
    table = dirty_records(tmp_path_factory.mktemp("index"), RECORDS)
    new = table.slice(100, NEW)
    names = [
        None if i % 11 == 3 else f"{name}X" if i % 7 == 2 and name else name
        for i, name in enumerate(new["surname"].to_pylist())
    ]
    new = new.set_column(new.column_names.index("surname"), "surname", pa.array(names, pa.string()))
    long = [LONG if i % 13 == 5 else name for i, name in enumerate(new["first_name"].to_pylist())]
    new = new.set_column(new.column_names.index("first_name"), "first_name", pa.array(long, pa.string()))
    numbered = pa.array(np.arange(NEW) + 10**6)
    return table, new.set_column(new.column_names.index(ID), ID, numbered)


def test_people_weigh_what_splink_says(people: tuple[pa.Table, pa.Table]) -> None:
    table, new = people
    settings = with_parameters(linkage_data.model())
    shares = {column: share_of(table, column) for column in ("first_name", "surname")}
    found = found_by(Searcher(index_of(table, settings, shares), read_model(settings)), table, new)
    assert len(found) > NEW
    assert_same(found, splink_between(table, new, settings, shares))
    assert_same(found, core_between(table, new, settings, shares))


def test_one_at_a_time_is_as_all_at_once(people: tuple[pa.Table, pa.Table]) -> None:
    table, new = people
    settings = with_parameters(linkage_data.model())
    searcher = Searcher(index_of(table, settings, {}), read_model(settings))
    together = found_by(searcher, table, new)
    alone: Pairs = {}
    for i in range(new.num_rows):
        alone |= found_by(searcher, table, new.slice(i, 1))
    assert alone == together
    assert found_by(searcher, table, new) == together


def test_searchers_of_one_index_at_the_same_time_find_what_each_finds_alone(people: tuple[pa.Table, pa.Table]) -> None:
    table, new = people
    settings = with_parameters(linkage_data.model())
    index, model = index_of(table, settings, {}), read_model(settings)
    halves = [new.slice(0, NEW // 2), new.slice(NEW // 2)]
    alone = [found_by(Searcher(index, model), table, half) for half in halves]
    searchers = [Searcher(index, model) for _ in halves]

    def often(which: int) -> list[Pairs]:
        return [found_by(searchers[which], table, halves[which]) for _ in range(40)]

    with ThreadPoolExecutor(2) as pool:
        for expected, found in zip(alone, pool.map(often, (0, 1)), strict=True):
            assert all(each == expected for each in found)


def listed(rows: list[tuple[Any, ...]], first: int) -> pa.Table:
    columns = dict(zip(("names", "name", "other", "town", "born", "score"), zip(*rows, strict=True), strict=True))
    kinds = {
        "names": pa.list_(pa.string()), "name": pa.string(), "other": pa.string(), "town": pa.string(),
        "born": pa.date32(), "score": pa.float64(),
    }  # fmt: skip
    made = {name: pa.array(values, kinds[name]) for name, values in columns.items()}
    return pa.table({ID: pa.array(np.arange(first, first + len(rows))), **made})


DAY = dt.date(1980, 1, 1)
OLD = [
    (["ÅSA BERG", None], "ÅSA", "BERG", "YSTRAD", DAY, 0.0),
    (["ÅSA BERG"], "ÅSA", "BERG", "YSTRAD", DAY, -0.0),
    ([], "ASA", "ÅSA", "YSTRAD", DAY + dt.timedelta(1), None),
    (None, None, "ÅSA", "ASH'S", None, 1.5),
    (["A", "B"], LONG, "LEE", "ASH'S", DAY, 2.0),
    (["A, B"], LONG + "X", "LEE", "ASH'S", DAY, 2.0),
    ([None], "李", "王", "北京", DAY, 2.0),
]
NEWER = [
    (["ÅSA BERG", None], "ÅSA", "ASA", "YSTRAD", DAY, -0.0),
    ([None], "ZOË", "ÅSA", "YSTRAD", DAY, 0.0),
    ([], "ÅSA", "NEVER SEEN", "YSTRAD", dt.date(2001, 2, 3), None),
    (None, LONG, "A\x1fB", "ASH'S", DAY, 2.0),
    (["A", "B", *(f"ALIAS {i}" for i in range(500))], LONG[:-3], "LEE", "ASH'S", None, 1.5),
    (["A, B"], "李", "李", "北京", DAY, 2.0),
    (["NUL\x00 HERE"], None, None, None, None, None),
]


@pytest.mark.parametrize("at_once", [1, 3, 7])
def test_lists_nulls_long_texts_and_values_never_seen(at_once: int) -> None:
    settings = with_parameters(LISTS)
    old, newer = listed(OLD, 0), listed(NEWER, 100)
    shares = {column: share_of(old, column) for column in ("name", "born")}
    searcher = Searcher(index_of(old, settings, shares), read_model(settings))
    found: Pairs = {}
    for at in range(0, len(NEWER), at_once):
        found |= found_by(searcher, old, newer.slice(at, at_once))
    assert_same(found, splink_between(old, newer, settings, shares))
    assert_same(found, core_between(old, newer, settings, shares))


def test_more_than_there_is_room_for() -> None:
    """Texts, aliases and entries beyond what the index keeps room for."""
    settings = with_parameters(LISTS)
    old = listed(OLD, 0)
    many = ROOM["lists"] // 20 + 1
    rows = [
        ([f"ALIAS {i} {j}" for j in range(20)], f"{LONG[:400]}{i}", "", "YSTRAD" if i % 100 == 0 else None, None, None)
        for i in range(many)
    ]
    newer = listed(rows, 100)
    shares = {column: share_of(old, column) for column in ("name", "born")}
    found = found_by(Searcher(index_of(old, settings, shares), read_model(settings)), old, newer)
    assert_same(found, core_between(old, newer, settings, shares))
    assert len(found) == 3 * len(range(0, many, 100))  # three records are of Ystrad


def test_a_view_may_join_and_keeps_the_order() -> None:
    """The view looks the town up; entries that it shuffles are put back by their row."""
    settings = with_parameters(LISTS)
    old, newer = listed(OLD, 0), listed(NEWER, 100)
    towns = pa.table({"code": [1, 2, 3], "town": ["YSTRAD", "ASH'S", "北京"]})
    codes = pc.add(pc.index_in(newer["town"], towns["town"]), 1)
    coded = newer.drop_columns(["town"]).append_column("code", codes.cast(pa.int64()))
    view = f"SELECT e.*, t.town FROM towns t RIGHT JOIN entries e ON e.code = t.code ORDER BY e.{ROW} DESC"
    given = coded.drop_columns([ID]).schema
    model, index = read_model(settings), index_of(old, settings, {})
    plain = found_by(Searcher(index, model), old, newer)
    assert found_by(Searcher(index, model, view=view, given=given, tables={"towns": towns}), old, coded) == plain


def test_a_column_of_another_type_is_cast_or_named() -> None:
    settings = with_parameters(LISTS)
    old, newer = listed(OLD, 0), listed(NEWER, 100)
    searcher = Searcher(index_of(old, settings, {}), read_model(settings))
    nothing = newer.slice(6, 1).set_column(newer.column_names.index("score"), "score", pa.nulls(1))
    assert searcher.find(nothing, threshold=EVERY_PAIR).num_rows == 0
    wrong = newer.set_column(newer.column_names.index("born"), "born", pa.array(["soon"] * len(NEWER)))
    with pytest.raises(UsageError, match="'born'"):
        searcher.find(wrong, threshold=EVERY_PAIR)
    with pytest.raises(UsageError, match="'town'"):
        searcher.find(newer.drop_columns(["town"]), threshold=EVERY_PAIR)


def test_no_entries_and_no_records() -> None:
    settings = with_parameters(LISTS)
    old, newer = listed(OLD, 0), listed(NEWER, 100)
    assert (
        Searcher(index_of(old, settings, {}), read_model(settings)).find(newer.slice(0, 0), threshold=0.0).num_rows == 0
    )
    empty = Searcher(index_of(old.slice(0, 0), settings, {}), read_model(settings))
    assert empty.find(newer, threshold=EVERY_PAIR).num_rows == 0


def test_what_each_rule_brings_is_told_before_any_pair_is_scored() -> None:
    """Three new records of Ystrad and three old ones: nine pairs, three that share the key on either side."""
    settings = with_parameters(LISTS)
    searcher = Searcher(index_of(listed(OLD, 0), settings, {}), read_model(settings))
    newer = listed(NEWER, 100).slice(0, 3)
    found, rules = searcher.find_checked(newer, threshold=EVERY_PAIR, most=3)
    assert (rules[0].pairs, rules[0].largest) == (9, 3)
    assert found is not None
    assert searcher.find_checked(newer, threshold=EVERY_PAIR, most=2)[0] is None


def test_columns_of_another_case_or_with_blanks() -> None:
    """DuckDB knows a column whatever its case; a name with a blank is quoted."""
    told = json.loads(json.dumps(with_parameters(LISTS)).replace("born", "BORN"))
    name = told["comparisons"][1]
    for level in name["comparison_levels"]:
        level["sql_condition"] = re.sub(r"\bname_([lr])\b", r'"full name_\1"', level["sql_condition"])
    name["comparison_levels"][1]["tf_adjustment_column"] = "full name"
    told["blocking_rules_to_generate_predictions"] = ["l.town = r.town", "l.Born = r.born AND l.score = r.score"]
    old, newer = (table.rename_columns({"name": "full name"}) for table in (listed(OLD, 0), listed(NEWER, 100)))
    found = found_by(Searcher(index_of(old, told, {}), read_model(told)), old, newer)
    assert found
    shares = {column: share_of(old, column) for column in ("full name", "BORN")}
    assert_same(found, splink_between(old, newer, told, shares))


def test_one_at_a_time_beside_what_only_duckdb_can_say() -> None:
    """Keys and conditions that are not plain; the values of one entry are plain all the same."""
    told: dict[str, Any] = json.loads(json.dumps(with_parameters(LISTS)))
    told["blocking_rules_to_generate_predictions"] = [
        "l.town = r.town AND l.born = r.born", "upper(l.name) = upper(r.other)", "l.town = r.town",
    ]  # fmt: skip
    told["comparisons"][1]["comparison_levels"][2]["sql_condition"] = "reverse(name_l) = reverse(name_r)"
    old, newer = (table.drop_columns(["score"]) for table in (listed(OLD, 0), listed(NEWER, 100)))
    shares = {column: share_of(old, column) for column in ("name", "born")}
    searcher = Searcher(index_of(old, told, shares), read_model(told))
    found: Pairs = {}
    for at in range(len(NEWER)):
        found |= found_by(searcher, old, newer.slice(at, 1))
    assert found
    assert_same(found, splink_between(old, newer, told, shares))
    assert found == found_by(Searcher(index_of(old, told, shares), read_model(told)), old, newer)
    entry = newer.to_pylist()[0]
    weights, brought = searcher.find_one(entry, threshold=EVERY_PAIR, most=RECORDS)
    assert weights == {record: weight for (of, record), weight in found.items() if of == entry[ID]}
    assert [rule.asked for rule in brought] == [1, 1, 1]
    assert searcher.find_one(entry, threshold=EVERY_PAIR, most=0)[0] is None

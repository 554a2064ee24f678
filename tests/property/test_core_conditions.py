"""The core gives a pair the level that the CASE of its conditions gives it in DuckDB (METHODS 1)."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from importlib import resources
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import ColumnExpression

from counterfoil.linkage.core.conditions import NotExpressible
from counterfoil.linkage.core.interpret import level_of
from counterfoil.linkage.core.splink_json import CoreModel, read_model
from lib.core_values import values_of

ROWS = 90


def _word(draw: random.Random) -> str | None:
    alphabet = draw.choice(["ab", "ABCDE", "smith'- ", "aéb日😀"])
    length = draw.choice([0, 1, 2, 3, 4, 6, 8, 12, 70])
    return None if draw.random() < 0.12 else "".join(draw.choice(alphabet) for _ in range(length))


def _near(draw: random.Random, text: str | None) -> str | None:
    if not text:
        return _word(draw)
    at, kind = draw.randrange(len(text)), draw.random()
    if kind < 0.3:
        return text
    if kind < 0.5:
        return text[:at] + text[at + 1 :]
    return text[:at] + draw.choice("abAé") + text[at + (kind < 0.75) :]


def _texts(draw: random.Random) -> list[str | None]:
    found: list[str | None] = []
    for _ in range(ROWS):
        found.append(_near(draw, draw.choice(found)) if found and draw.random() < 0.6 else _word(draw))
    return found


def _lists(draw: random.Random) -> list[list[str | None] | None]:
    pool = [None, "a", "b", "ab", "abc", "", "é"]
    return [
        None if draw.random() < 0.1 else [draw.choice(pool) for _ in range(draw.randint(0, 4))] for _ in range(ROWS)
    ]


def _maybe(draw: random.Random, value: Any) -> Any:
    return None if draw.random() < 0.12 else value


def records(seed: int) -> pa.Table:
    """Random records with one column of each kind that Splink compares."""
    draw = random.Random(seed)
    days = [date(1990, 1, 1) + timedelta(draw.choice([0, 1, 9, 27, 32, 365, 366, 367, 4000])) for _ in range(ROWS)]
    names = {name: _texts(draw) for name in ("a", "b", "email")}
    codes = [_maybe(draw, draw.choice(["AB1 2CD", "AB1 2CE", "AB1 3CD", "AC1 2CD", "A1", "", "x"])) for _ in days]
    return pa.table(
        {
            **names,
            "postcode": codes,
            "d": pa.array([_maybe(draw, day) for day in days], pa.date32()),
            "s": [_maybe(draw, draw.choice([day.isoformat(), "1990-13-01", "1990-01-1"])) for day in days],
            "n": pa.array([_maybe(draw, draw.choice([0, 1, 2, 3, 10, 11, -4, 100])) for _ in days], pa.int32()),
            "f": pa.array([_maybe(draw, draw.choice([0.0, 1.5, 1.6, -2.25, 1e9])) for _ in days], pa.float64()),
            "flag": pa.array([_maybe(draw, draw.random() < 0.5) for _ in days], pa.bool_()),
            "lat": pa.array([_maybe(draw, draw.choice([51.5, 51.51, 51.6, 53.0])) for _ in days], pa.float64()),
            "long": pa.array([_maybe(draw, draw.choice([-0.1, -0.12, 0.3, 2.0])) for _ in days], pa.float64()),
            "words": pa.array(_lists(draw), pa.list_(pa.string())),
            "more": pa.array(_lists(draw), pa.list_(pa.string())),
        }
    )


def model_of(conditions: Sequence[str], null: int = -1) -> CoreModel:
    """A model of one comparison; its probabilities do not matter here."""
    given = [{"sql_condition": sql, "is_null_level": k == null} for k, sql in enumerate(conditions)]
    listed = [{"output_column_name": "tested", "comparison_levels": given}]
    return read_model({"link_type": "dedupe_only", "comparisons": listed})


def check(conditions: Sequence[str], table: pa.Table, null: int = -1) -> None:
    """Every ordered pair of rows has the level that DuckDB gives it."""
    conditions = list(conditions) if conditions[-1] == "ELSE" else [*conditions, "ELSE"]
    model = model_of(conditions, null)
    values = values_of(table, model)
    whens = " ".join(f"WHEN {sql} THEN {k}" for k, sql in enumerate(conditions[:-1]))
    row = pa.array(range(table.num_rows))
    with duckdb.connect() as connection:
        connection.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
        for side in "lr":
            names = [f"{name}_{side}" for name in table.column_names]
            connection.register(side, table.rename_columns(names).append_column(f"row_{side}", row))
        query = f"SELECT row_l, row_r, CASE {whens} ELSE {len(conditions) - 1} END FROM l CROSS JOIN r"
        wanted = connection.sql(query).fetchall()
    wrong = [
        (x, y, level, found) for x, y, level in wanted if (found := level_of(0, x, y, model.program, values)) != level
    ]
    assert not wrong, (conditions, len(wrong), wrong[0], *(table.slice(i, 1).to_pylist() for i in wrong[0][:2]))
    _check_absent(model, values, wanted)


def _check_absent(model: CoreModel, values: Any, wanted: Sequence[tuple[int, int, int]]) -> None:
    """Where one record alone decides for the null level, every pair of it has that level."""
    given = int(model.program.absent_input[0])
    if given >= 0:
        absent = values.cells.reshape(-1, int(model.program.width[0]))[:, given] == 1
        level = int(model.program.absent_level[0])
        assert all(found == level for x, y, found in wanted if absent[x] or absent[y])


LEVELS = {
    "null": levels.NullLevel("a"),
    "null of a pattern": levels.NullLevel("a", valid_string_pattern="[A-Z]+"),
    "exact": levels.ExactMatchLevel("a"),
    "exact date": levels.ExactMatchLevel("d"),
    "exact number": levels.ExactMatchLevel("n"),
    "exact of an expression": levels.ExactMatchLevel(ColumnExpression("a").lower().substr(1, 2)),
    "literal": levels.LiteralMatchLevel("a", "a", "string"),
    "literal on the left": levels.LiteralMatchLevel("n", "3", "int", "left"),
    "reversed": levels.ColumnsReversedLevel("a", "b"),
    "reversed both ways": levels.ColumnsReversedLevel("a", "b", symmetrical=True),
    "levenshtein": levels.LevenshteinLevel("a", 2),
    "damerau": levels.DamerauLevenshteinLevel("a", 1),
    "jaro winkler": levels.JaroWinklerLevel("a", 0.8),
    "jaro": levels.JaroLevel("a", 0.7),
    "distance function": levels.DistanceFunctionLevel("a", "levenshtein", 3, higher_is_more_similar=False),
    "pairwise similarity": levels.PairwiseStringDistanceFunctionLevel("words", "jaro_winkler", 0.8),
    "pairwise distance": levels.PairwiseStringDistanceFunctionLevel("words", "levenshtein", 1),
    "pairwise damerau": levels.PairwiseStringDistanceFunctionLevel("words", "damerau_levenshtein", 1),
    "time of a text": levels.AbsoluteTimeDifferenceLevel(
        "s", input_is_string=True, threshold=1, metric="month", datetime_format="%Y-%m-%d"
    ),
    "days": levels.AbsoluteDateDifferenceLevel("d", input_is_string=False, threshold=30, metric="day"),
    "years of a text": levels.AbsoluteDateDifferenceLevel("s", input_is_string=True, threshold=1, metric="year"),
    "kilometres": levels.DistanceInKMLevel("lat", "long", 10),
    "kilometres, not null": levels.DistanceInKMLevel("lat", "long", 2, not_null=True),
    "intersection": levels.ArrayIntersectLevel("words", 2),
    "subset": levels.ArraySubsetLevel("words"),
    "empty subset": levels.ArraySubsetLevel("words", empty_is_subset=True),
    "percentage": levels.PercentageDifferenceLevel("n", 0.2),
    "absolute": levels.AbsoluteDifferenceLevel("f", 0.5),
    "and, not": levels.And(levels.ExactMatchLevel("a"), levels.Not(levels.ExactMatchLevel("b"))),
    "not or": levels.Not(levels.Or(levels.JaroWinklerLevel("a", 0.7), levels.LevenshteinLevel("b", 1))),
    "not null": levels.Not(levels.NullLevel("a")),
}
COMPARISONS = {
    "exact": comparisons.ExactMatch("a"),
    "levenshtein": comparisons.LevenshteinAtThresholds("a", [1, 2, 4]),
    "damerau": comparisons.DamerauLevenshteinAtThresholds("a", [1, 3]),
    "jaro": comparisons.JaroAtThresholds("a", [0.9, 0.7]),
    "jaro winkler": comparisons.JaroWinklerAtThresholds("a", [0.95, 0.85, 0.7]),
    "distance function": comparisons.DistanceFunctionAtThresholds("a", "jaro_similarity", [0.9, 0.5]),
    "pairwise": comparisons.PairwiseStringDistanceFunctionAtThresholds("words", "jaro_winkler", [0.9, 0.6]),
    "dates": comparisons.AbsoluteDateDifferenceAtThresholds(
        "s", input_is_string=True, metrics=["day", "month", "year"], thresholds=[1, 1, 1]
    ),
    "times": comparisons.AbsoluteTimeDifferenceAtThresholds(
        "d", input_is_string=False, metrics=["day", "year"], thresholds=[9, 1]
    ),
    "sets": comparisons.ArrayIntersectAtSizes("words", [3, 1]),
    "kilometres": comparisons.DistanceInKMAtThresholds("lat", "long", [2, 20, 200]),
    "birth date": comparisons.DateOfBirthComparison("s", input_is_string=True),
    "birth date as a date": comparisons.DateOfBirthComparison("d", input_is_string=False),
    "e-mail": comparisons.EmailComparison("email"),
    "postcode": comparisons.PostcodeComparison("postcode", lat_col="lat", long_col="long", km_thresholds=[2, 50]),
    "names": comparisons.ForenameSurnameComparison("a", "b"),
    "name": comparisons.NameComparison("a", dmeta_col_name="words"),
}
CONDITIONS = (
    "a_l <> a_r",
    "a_l IS DISTINCT FROM b_r",
    "a_l IS NOT DISTINCT FROM b_r",
    "NOT (a_l = b_r) OR coalesce(a_l <> b_r, true)",
    "NOT (n_l = n_r AND (f_l = f_r OR NOT flag_l))",
    "coalesce(a_l, a_r) IS NULL OR jaro_similarity(a_l, b_r) IS NULL",
    "jaro_winkler_similarity(a_l, b_r) < 0.6 AND jaro_winkler_similarity(a_l, b_r) > 0.4",
    "0.6 <= jaro_winkler_similarity(a_l, b_r)",
    "jaro_winkler_similarity(a_l, a_r) + jaro_winkler_similarity(b_l, b_r) >= 1.6",
    "levenshtein(a_l, a_r) / greatest(length(a_l), length(a_r)) < 0.4",
    "levenshtein(a_l, a_r) BETWEEN 1 AND 2",
    "NOT levenshtein(a_l, a_r) BETWEEN 1 AND 2",
    "n_l BETWEEN n_r - 1 AND n_r + 1",
    "n_l < n_r",
    "f_l > n_r * 2",
    "abs(d_l - d_r) <= 31",
    "d_l < d_r",
    "abs(date_diff('day', d_l, d_r)) <= 10",
    "date_diff('month', d_l, d_r) = 1",
    "datediff('year', d_l, d_r) > 0",
    "abs(epoch(d_l) - epoch(d_r)) <= 60 * 60 * 24 * 9",
    "flag_l OR flag_r",
    "NOT flag_l AND flag_r",
    "(length(a_l) = 1 OR length(a_r) = 1) AND substr(a_l, 1, 1) = substr(a_r, 1, 1)",
    "list_has_any(words_l, more_r)",
    "NOT list_has_any(words_l, words_r)",
    "list_contains(words_l, a_r) OR list_contains(words_r, a_l)",
    "NOT list_contains(words_l, a_r)",
    "len(list_intersect(words_l, words_r)) >= 1",
    "array_length(list_intersect(words_l, words_r)) = len(words_l)",
    "words_l = words_r AND list_has_any(words_l, words_r)",
    "sqrt(pow(n_l - n_r, 2) + power(f_l - f_r, 2)) <= 3",
    "CASE WHEN n_l > n_r THEN n_l - n_r WHEN n_l < n_r THEN n_r - n_l ELSE 0 END <= 1",
    "least(n_l, n_r) = 1 OR greatest(f_l, f_r, n_l) > 3",
    "coalesce(a_l, a_r) = b_r",
    "coalesce(a_l, b_l) = coalesce(b_r, a_r)",
    "coalesce(n_l, n_r) = 3",
    "list_contains(words_l, a_r) IS NULL",
    "len(list_intersect(words_l, more_r)) IS NOT NULL",
    "a_l IN (a_r, b_r)",
    "n_l / n_r > 1",
    "abs(-n_l + n_r) < 2",
)


@pytest.mark.parametrize("name", LEVELS)
def test_a_level_of_splink_is_true_where_duckdb_says_so(name: str) -> None:
    """Each creator of comparison_level_library."""
    check([str(LEVELS[name].get_comparison_level("duckdb").sql_condition)], records(1))


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_of_splink_has_the_levels_of_duckdb(name: str) -> None:
    """Each creator of comparison_library, with its null level."""
    given = _levels(COMPARISONS[name].get_comparison("duckdb"))
    null = next((k for k, level in enumerate(given) if level.get("is_null_level")), -1)
    check([level["sql_condition"] for level in given], records(2), null)


@pytest.mark.parametrize("sql", CONDITIONS)
def test_a_written_condition_is_true_where_duckdb_says_so(sql: str) -> None:
    """Operators one by one, three-valued logic included."""
    check([sql], records(3))


def test_jaccard_is_true_where_duckdb_says_so() -> None:
    """Of texts that are not empty: DuckDB refuses empty ones."""
    table = records(4)
    filled = pa.array([text or "x" for text in table["a"].to_pylist()])
    check([levels.JaccardLevel("a", 0.5).get_comparison_level("duckdb").sql_condition], pa.table({"a": filled}))
    given = _levels(comparisons.JaccardAtThresholds("a", [0.9, 0.5]).get_comparison("duckdb"))
    check([level["sql_condition"] for level in given], pa.table({"a": filled}), 0)


def _levels(comparison: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = comparison.as_dict()["comparison_levels"]
    return found


def _justice() -> list[dict[str, Any]]:
    text = resources.files("counterfoil.domains").joinpath("justice/linkage.toml").read_text("utf-8")
    return list(tomllib.loads(text)["comparisons"])


def _justice_records() -> pa.Table:
    """Few values, so that every level occurs."""
    draw = random.Random(7)
    forenames, surnames = ["ANN", "ANNA", "ANNIE", "JO", "J", None], ["SMITH", "SMYTH", "ANN", "SMITH JONES", "É", None]
    rows = []
    for _ in range(ROWS):
        forename, surname = draw.choice(forenames), draw.choice(surnames)
        parts = sorted({*(forename or "").split(), *(surname or "").split()})
        day = _maybe(draw, date(draw.choice([1980, 1981]), draw.choice([1, 2, 12]), draw.choice([1, 2, 12, 21])))
        rows.append(
            {
                "forename1_std": forename,
                "surname_std": surname,
                "forename_parts": [forename] if forename else [],
                "surname_parts": (surname or "").split(),
                "full_parts_sorted": " ".join(parts) or None,
                "name_key": f"{forename} {surname}" if forename and surname else None,
                "names": _maybe(draw, [draw.choice(["ANN SMITH", "JO SMITH"]), f"{forename} {surname}"]),
                "forename_class": forename and forename[:2],
                "forename_1": forename and forename[:1],
                "middle_name": _maybe(draw, draw.choice(["A", "ALEX", "ALEXA", "B"])),
                "dob": day,
                "dob_year": day and day.year,
                "dob_month": day and day.month,
                "dob_day": day and day.day,
                "dob_text": day and day.strftime("%Y%m%d"),
                "dob_is_1jan": day and (day.month, day.day) == (1, 1),
                "postcode_std": _maybe(draw, draw.choice(["AB12CD", "AB12CE"])),
                "outcode": _maybe(draw, draw.choice(["AB1", "AB2"])),
                **{
                    name: _maybe(draw, draw.choice(["A1234BC", "A1243BC", "Z9"]))
                    for name in ("sex_std", "pnc_std", "cro_std", "prison_number_std", "crn_std")
                },
            }
        )
    return pa.Table.from_pylist(rows)


@pytest.mark.parametrize("comparison", _justice(), ids=lambda each: str(each["name"]))
def test_a_justice_comparison_has_the_levels_of_duckdb(comparison: dict[str, Any]) -> None:
    """Every condition of the justice model."""
    null = next((k for k, level in enumerate(comparison["levels"]) if level.get("null")), -1)
    check([level["sql"] for level in comparison["levels"]], _justice_records(), null)


@pytest.mark.parametrize(
    "sql",
    [
        "a_l LIKE a_r",
        "a_l || a_r = 'ab'",
        "array_cosine_similarity(words_l, words_r) > 0.5",
        "coalesce(a_l, a_r) = 'x'",
        "surname = surname_r",
        "CAST(n_l + n_r AS DECIMAL(3, 1)) > 1",
    ],
)
def test_what_the_core_cannot_say_is_named(sql: str) -> None:
    """The comparison is named, so that a person sees why another engine is used."""
    with pytest.raises(NotExpressible, match="tested"):
        model_of([sql, "a_l = a_r", "ELSE"])

"""What a screen tells apart does not meet the condition: against DuckDB's own functions, and against the program."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage.core.encode import encode
from counterfoil.linkage.core.kernel import level_with_memo_apart, new_memo
from counterfoil.linkage.core.score import own_of
from counterfoil.linkage.core.screens import LETTERS, NO_SCREEN, ONE_EDIT, are_apart
from counterfoil.linkage.core.splink_json import CoreModel, read_model

TEXTS = 100
CONDITIONS = {
    "jaro_winkler_similarity(name_l, name_r) >= 0.7": LETTERS,
    "jaro_winkler_similarity(name_l, name_r) > 0.92": LETTERS,
    "jaro_similarity(name_l, name_r) >= 0.8": LETTERS,
    "levenshtein(name_l, name_r) <= 1": ONE_EDIT,
    "damerau_levenshtein(name_l, name_r) <= 1": ONE_EDIT,
    "levenshtein(name_l, name_r) <= 2": NO_SCREEN,
}


def texts(seed: int) -> list[str | None]:
    """Short texts of few letters, each with neighbours of one edit or one swap; some wide, long, empty or absent."""
    rng = np.random.default_rng(seed)
    found: list[str | None] = [None, "", "A", "ÉLODIE", "ELODIE", "A" * 70, "A" * 69 + "B"]
    while len(found) < TEXTS:
        text = "".join(rng.choice(list("ABCD12"), rng.integers(1, 11)))
        at = int(rng.integers(0, len(text)))
        swapped = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
        found += [
            text,
            text[:at] + text[at + 1 :],
            text[:at] + "Z" + text[at + 1 :],
            text[:at] + "Y" + text[at:],
            swapped,
        ]
    return found


def model_of(condition: str, *more: str) -> CoreModel:
    levels: list[dict[str, Any]] = [
        {"sql_condition": "name_l IS NULL OR name_r IS NULL", "is_null_level": True},
        {"sql_condition": "name_l = name_r", "m_probability": 0.6, "u_probability": 0.1},
        *({"sql_condition": sql, "m_probability": 0.2, "u_probability": 0.2} for sql in (condition, *more)),
        {"sql_condition": "ELSE", "m_probability": 0.1, "u_probability": 0.5},
    ]
    comparison = {"output_column_name": "name", "comparison_levels": levels}
    rules = ["l.name = r.name"]
    return read_model(
        {"link_type": "dedupe_only", "comparisons": [comparison], "blocking_rules_to_generate_predictions": rules}
    )


def true_of(condition: str, values: list[str | None]) -> set[tuple[str, str]]:
    """The pairs of different texts for which DuckDB says it is true."""
    table = pa.table({"name": sorted({value for value in values if value is not None})})
    sql = condition.replace("name_l", "l.name").replace("name_r", "r.name")
    with duckdb.connect() as connection:
        connection.register("t", table)
        asked = f"SELECT l.name, r.name FROM t l, t r WHERE l.name <> r.name AND {sql}"
        return set(connection.execute(asked).fetchall())


@pytest.mark.parametrize("condition", CONDITIONS)
def test_no_pair_that_meets_the_condition_is_told_apart(condition: str) -> None:
    values = texts(1)
    model = model_of(condition)
    encoded = encode(pa.table({"name": values}), model, {})
    own = own_of(encoded, model)
    assert own.screened.tolist() == [CONDITIONS[condition]]
    if CONDITIONS[condition] == NO_SCREEN:
        return
    number = {value: int(x) for value, x in zip(values, encoded.tuple_of[0], strict=True)}
    meets = true_of(condition, values)
    apart = [
        (one, other)
        for one in number
        for other in number
        if one is not None and other is not None and one != other
        and are_apart(own.screened[0], own.screen[number[one]], own.screen[number[other]], own.need[0])
    ]  # fmt: skip
    assert len(meets) > 20
    assert len(apart) > len(number)  # a screen that tells nothing apart would pass the line below
    assert not meets.intersection(apart)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(
    "more",
    [
        (),
        ("jaro_winkler_similarity(name_l, name_r) >= 0.6",),
        ("length(name_l) = length(name_r)",),
    ],
    ids=["alone", "then a lower similarity", "then a length"],
)
def test_the_level_is_the_first_that_duckdb_finds_true(condition: str, more: tuple[str, ...]) -> None:
    values = texts(2)
    model = model_of(condition, *more)
    encoded = encode(pa.table({"name": values}), model, {})
    own, memo = own_of(encoded, model), new_memo(1)
    true = [true_of(sql, values) for sql in (condition, *more)]
    number = {value: int(x) for value, x in zip(values, encoded.tuple_of[0], strict=True) if value is not None}
    for one, x in number.items():
        for other, y in number.items():
            if one != other:
                wanted = next((2 + k for k, pairs in enumerate(true) if (one, other) in pairs), 2 + len(true))
                found = level_with_memo_apart(0, x, y, model.program, encoded.values, own, memo)
                assert found == wanted, (one, other)

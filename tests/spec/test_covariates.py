"""How people's columns become a design: factors, numbers, missing values, rare levels, terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.comparison.design import Covariates, encode_covariates
from counterfoil.comparison.factors import MAX_LEVELS, fold_rare
from counterfoil.comparison.terms import Operand, parse_term
from counterfoil.comparison.values import ComparisonSettings
from counterfoil.errors import UsageError

SETTINGS = ComparisonSettings(covariates=("x",), min_level=2)


def _encode(column: pa.Array | list[object], settings: ComparisonSettings = SETTINGS) -> Covariates:
    return encode_covariates(pa.table({"x": column}), settings)


def _labels(encoded: Covariates, factor: int = 0) -> list[str]:
    levels = encoded.design.factors[factor].levels
    return [levels[code] for code in encoded.design.codes[:, factor]]


def test_commonest_level_is_the_reference_and_missing_is_a_level() -> None:
    encoded = _encode(["b", "b", "b", "a", "a", None, "  "])
    assert encoded.design.factors[0].levels == ("b", "a", "missing")
    assert _labels(encoded) == ["b", "b", "b", "a", "a", "missing", "missing"]
    assert encoded.notes == ()


def test_among_equally_common_levels_the_first_by_name_is_the_reference() -> None:
    assert _encode(["z", "a", "a", "z"]).design.factors[0].levels == ("a", "z")


def test_reference_can_be_stated() -> None:
    encoded = _encode(["b", "b", "b", "a", "a"], replace(SETTINGS, references={"x": "a"}))
    assert encoded.design.factors[0].levels == ("a", "b")


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ({"x": "c"}, "'c', which nobody has"),
        ({"x": "rare"}, "levels with fewer than 2 people are"),
        ({"y": "a"}, "names `y`, which is not a factor"),
    ],
)
def test_references_that_cannot_be_are_refused(references: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _encode(["a", "a", "b", "b", "b", "rare"], replace(SETTINGS, references=references))


# min_level 10: counts -> the level each label ends in.
FOLDS: list[tuple[dict[str, int], dict[str, str]]] = [
    ({"a": 50, "b": 10}, {"a": "a", "b": "b"}),
    ({"a": 50, "b": 9, "c": 4}, {"a": "a", "b": "other", "c": "other"}),
    ({"a": 50, "b": 20, "c": 9}, {"a": "a", "b": "other", "c": "other"}),  # 9 alone stay under 10, so b joins
    ({"a": 50, "b": 20, "c": 20, "d": 3}, {"a": "a", "b": "other", "c": "c", "d": "other"}),
    ({"a": 50, "missing": 9, "d": 3}, {"a": "a", "missing": "other", "d": "other"}),
    ({"a": 50, "b": 2}, {"a": "other", "b": "other"}),
    ({"a": 50, "other": 12, "b": 2}, {"a": "a", "other": "other", "b": "other"}),
    ({}, {}),
]


@pytest.mark.parametrize(("counts", "levels"), FOLDS)
def test_rare_levels_fold_into_other(counts: dict[str, int], levels: dict[str, str]) -> None:
    assert fold_rare(counts, min_level=10) == levels


def test_folding_is_said_without_counts() -> None:
    encoded = _encode(["a"] * 5 + ["b"] * 4 + ["c", "d"])
    assert _labels(encoded)[-2:] == ["other", "other"]
    assert encoded.notes == ('Levels of `x` with fewer than 2 people were put together as "other".',)


@pytest.mark.parametrize(
    "column",
    [
        ["same"] * 6,
        ["a"] * 5 + ["b"],
        [1.5] * 6,
        [True] * 6,
        [None] * 6,
        pa.array([None] * 6, pa.float64()),
        [0, 0, 0, 0, 0, 1],
        [1, 1, 1, 1, 1, 0],
    ],
)
def test_constant_and_nearly_constant_columns_are_left_out_and_said(column: pa.Array | list[object]) -> None:
    encoded = _encode(column)
    assert encoded.design.factors == ()
    assert encoded.design.numeric_names == ()
    assert encoded.notes == ("`x` was left out: it is the same for everyone, or for all but a few people.",)


@pytest.mark.parametrize("column", [[0, 1, 1, 0, 1], [0.0, 1.0, 1.0, 0.0, 1.0], [False, True, True, False, True]])
def test_yes_no_columns_are_one_term_with_reference_no(column: list[object]) -> None:
    encoded = _encode(column)
    assert encoded.design.slot_names == (
        "intercept",
        "x",
        "x",
    )
    assert encoded.design.factors[0].levels == ("0", "1")
    assert encoded.design.codes[:, 0].tolist() == [0, 1, 1, 0, 1]


def test_missing_in_a_yes_no_column_is_a_level() -> None:
    encoded = _encode([0, 0, 1, 1, None, None])
    assert encoded.design.factors[0].levels == ("0", "1", "missing")
    assert encoded.design.slot_names[1:] == ("x: 0", "x: 1", "x: missing")


def test_missing_numbers_become_the_mean_and_say_where() -> None:
    encoded = _encode([1.0, 2.0, 6.0, None, None])
    assert encoded.design.numeric[:, 0].tolist() == [1.0, 2.0, 6.0, 3.0, 3.0]
    assert encoded.design.factors[0].name == "x: missing"
    assert encoded.design.codes[:, 0].tolist() == [0, 0, 0, 1, 1]
    assert (encoded.factor_sources, encoded.numeric_sources) == (("x",), ("x",))
    assert encoded.notes == ("Missing values of `x` were filled with its mean, and a yes/no column says where.",)


def test_too_few_missing_numbers_have_no_column_of_their_own() -> None:
    encoded = _encode([1.0, 2.0, 6.0, 3.0, None])
    assert encoded.design.numeric[:, 0].tolist() == [1.0, 2.0, 6.0, 3.0, 3.0]
    assert encoded.design.factors == ()
    assert "too few are missing" in encoded.notes[0]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", "b", "a", "b"]).dictionary_encode(),
        pa.array(["a", "b", "a", "b"], pa.large_string()),
        pa.array(["a", "b", "a", "b"], pa.string_view()),
    ],
)
def test_every_kind_of_text_is_a_factor(column: pa.Array) -> None:
    assert _labels(_encode(column)) == ["a", "b", "a", "b"]


def test_dictionary_of_numbers_is_a_factor() -> None:
    assert _labels(_encode(pa.array([7, 9, 7, 9]).dictionary_encode())) == ["7", "9", "7", "9"]


@pytest.mark.parametrize("column", [pa.array([3, 4, 5], pa.int8()), pa.array([3, 4, 5], pa.float32())])
def test_every_kind_of_number_is_a_number(column: pa.Array) -> None:
    assert _encode(column).design.numeric[:, 0].tolist() == [3.0, 4.0, 5.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_by_name(bad: float) -> None:
    with pytest.raises(UsageError, match="`x` holds values that are NaN or infinite"):
        _encode(pa.array([1.0, 2.0, bad], from_pandas=False))


def test_dates_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="Turn a date into an age"):
        _encode([dt.date(2020, 1, 1), dt.date(2020, 1, 2)])


def test_too_many_levels_are_refused() -> None:
    with pytest.raises(UsageError, match=f"more than {MAX_LEVELS} different values"):
        _encode([f"name {i}" for i in range(MAX_LEVELS + 1)], replace(SETTINGS, min_level=1))


def test_factors_with_over_127_levels_keep_their_codes_apart() -> None:
    values = [f"{i:03}" for i in range(200)]
    encoded = _encode(values, replace(SETTINGS, min_level=1))
    assert encoded.design.codes.dtype == np.int16
    assert _labels(encoded) == values


# term -> operands, or None where it is refused.
TERMS: list[tuple[str, tuple[Operand, ...] | None]] = [
    ("age^2", (Operand("age", 2),)),
    ("age ^ 3", (Operand("age", 3),)),
    ("age*pay", (Operand("age", 1), Operand("pay", 1))),
    ("age^2*pay", (Operand("age", 2), Operand("pay", 1))),
    ("age", None),
    ("age^4", None),
    ("age^", None),
    ("age*", None),
    ("", None),
]


@pytest.mark.parametrize(("term", "operands"), TERMS)
def test_terms(term: str, operands: tuple[Operand, ...] | None) -> None:
    if operands is None:
        with pytest.raises(UsageError):
            parse_term(term)
    else:
        assert parse_term(term) == operands


def _two(terms: tuple[str, ...]) -> Covariates:
    people = pa.table({"n": [1.0, 2.0, 3.0, 4.0], "f": ["a", "b", "a", "b"], "same": [1, 1, 1, 1]})
    return encode_covariates(people, ComparisonSettings(covariates=("n", "f", "same"), min_level=1, terms=terms))


def test_terms_are_columns_with_their_source() -> None:
    encoded = _two(("n^2", "n*f", "n*same"))  # `same` is left out and takes its term with it
    assert encoded.design.numeric_names == ("n", "n^2", "n*f: b")
    assert encoded.numeric_sources == ("n", "n", "n*f")
    assert encoded.design.numeric.tolist() == [[1, 1, 0], [2, 4, 2], [3, 9, 0], [4, 16, 4]]


def test_terms_that_cannot_be_are_all_listed_at_once() -> None:
    with pytest.raises(UsageError) as refusal:
        _two(("f^2", "n*nobody", "n"))
    assert len(refusal.value.problems) == 3
    assert "`f` is a factor and has no powers" in refusal.value.problems[0]
    assert "names `nobody`" in refusal.value.problems[1]


def test_powers_too_large_to_compute_are_refused() -> None:
    with pytest.raises(UsageError, match="too large"):
        encode_covariates(
            pa.table({"x": [1e200, 1.0, 2.0]}), ComparisonSettings(covariates=("x",), terms=("x^2",), min_level=1)
        )


def test_a_refused_column_does_not_bring_a_second_complaint_about_its_reference() -> None:
    with pytest.raises(UsageError) as refusal:
        _encode([dt.date(2020, 1, 1)] * 3, replace(SETTINGS, references={"x": "a"}))
    assert len(refusal.value.problems) == 1

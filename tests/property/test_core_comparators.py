"""The core's comparators give DuckDB's numbers, to the last bit (METHODS 1)."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.linkage.core import characters, comparators, edits

FUNCTIONS = {
    "jaro_similarity": comparators.jaro,
    "jaro_winkler_similarity": comparators.jaro_winkler,
    "levenshtein": edits.levenshtein,
    "damerau_levenshtein": edits.damerau_levenshtein,
    "jaccard": characters.jaccard,
}
_ANY = st.characters(codec="utf-8")
_ALPHABETS = [st.sampled_from("ab"), st.sampled_from("ABCDE'- "), st.sampled_from("aé日😀b"), _ANY]
_CHARACTER = st.one_of(*_ALPHABETS).filter(lambda each: each != "\0")
_WORD = st.one_of(*(st.text(each.filter(lambda c: c != "\0"), max_size=12) for each in _ALPHABETS))
_LONG = st.text(st.sampled_from("abcé"), min_size=55, max_size=150)


@st.composite
def _near(draw: st.DrawFn, words: st.SearchStrategy[str]) -> tuple[str, str]:
    """A text, and the same after some slips."""
    one = draw(words)
    other = list(one)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(other)))
        slip = draw(st.sampled_from(["insert", "drop", "swap"]))
        if slip == "insert":
            other.insert(at, draw(_CHARACTER))
        elif slip == "drop":
            other[at : at + 1] = []
        else:
            other[at : at + 2] = reversed(other[at : at + 2])
    return one, "".join(other)


_PAIR = st.one_of(st.tuples(_WORD, _WORD), _near(_WORD), _near(_LONG), st.tuples(_LONG, _WORD))


def _laid_out(one: str, other: str) -> tuple[np.ndarray, int, int, int, int]:
    a, b = one.encode(), other.encode()
    return np.array(bytearray(b"x" + a + b + b"y"), np.uint8), 1, len(a), 1 + len(a), len(b)


def _of_duckdb(pairs: Sequence[tuple[str, str]], function: str) -> list[float | None]:
    table = pa.table({"a": [one for one, _ in pairs], "b": [other for _, other in pairs]})
    sql = f"{function}(a, b)"
    if function == "jaccard":  # an error of empty texts
        sql = f"CASE WHEN a <> '' AND b <> '' THEN {sql} END"
    with duckdb.connect() as connection:
        connection.register("pairs", table)
        return [row[0] for row in connection.sql(f"SELECT {sql} FROM pairs").fetchall()]


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=12, deadline=None)
@given(pairs=st.lists(_PAIR, min_size=10, max_size=30))
def test_each_comparator_gives_the_number_of_duckdb(name: str, pairs: list[tuple[str, str]]) -> None:
    """Empty, non-ASCII and long texts included. Jaccard of an empty text is null here and an error there."""
    for pair, wanted in zip(pairs, _of_duckdb(pairs, name), strict=True):
        found = FUNCTIONS[name](*_laid_out(*pair))
        assert found == wanted or (wanted is None and np.isnan(found)), (name, pair)


@settings(max_examples=60, deadline=None)
@given(pair=_PAIR, most=st.integers(0, 5))
def test_a_bounded_distance_is_the_distance_or_above_the_bound(pair: tuple[str, str], most: int) -> None:
    """What a condition `levenshtein(..) <= most` needs to know, and not more."""
    place = _laid_out(*pair)
    for bounded, whole in (
        (edits.levenshtein_within, edits.levenshtein),
        (edits.damerau_within, edits.damerau_levenshtein),
    ):
        found, exact = bounded(*place, most), whole(*place)
        assert found == exact if exact <= most else found > most


@settings(max_examples=100, deadline=None)
@given(pair=_PAIR)
def test_no_pair_is_more_alike_than_its_bound(pair: tuple[str, str]) -> None:
    """So that a pair may be skipped by its letters."""
    text, a, a_length, b, b_length = _laid_out(*pair)
    letters = [np.uint64(sum(1 << bit for bit in {byte & 63 for byte in each.encode()})) for each in pair]
    bound = comparators.jaro_winkler_bound(text, a, a_length, letters[0], b, b_length, letters[1])
    assert comparators.jaro(text, a, a_length, b, b_length) <= bound
    assert comparators.jaro_winkler(text, a, a_length, b, b_length) <= bound


def test_witnesses_written_by_hand() -> None:
    """MARTHA and MARHTA: six matches, one transposition, three letters in front (Winkler 1990)."""
    assert comparators.jaro(*_laid_out("MARTHA", "MARHTA")) == pytest.approx((1 + 1 + 5 / 6) / 3)
    assert comparators.jaro_winkler(*_laid_out("MARTHA", "MARHTA")) == pytest.approx(0.9444 + 0.3 * 0.0556, abs=1e-4)
    assert edits.levenshtein(*_laid_out("kitten", "sitting")) == 3
    assert edits.damerau_levenshtein(*_laid_out("ca", "abc")) == 2  # unrestricted: ca, ac, abc
    assert edits.levenshtein(*_laid_out("é", "e")) == 1  # characters, not bytes
    assert characters.jaccard(*_laid_out("abc", "abd")) == 0.5

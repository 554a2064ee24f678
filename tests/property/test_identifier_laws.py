"""Laws of check letters: cleaning twice is cleaning once; one slip of the hand is caught."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.records.identifier_columns import canonical_column
from counterfoil.records.identifiers import IdentifierKind, IdentifierStatus, canonical, check_letter

TODAY = dt.date(2026, 1, 31)
PNC = IdentifierKind.PNC

pnc_numbers = st.builds(
    lambda year, serial: f"{year}/{serial:07}{check_letter(int(f'{year % 100:02}{serial:07}'))}",
    st.integers(1950, 2026),
    st.integers(1, 9_999_999),
)
kinds = st.sampled_from(IdentifierKind)
raws = st.one_of(st.text(max_size=16), st.from_regex(r"\A(SF)?[0-9]{2,4}[/ -]?[0-9]{1,7}[A-Za-z]\Z"), pnc_numbers)


def status(raw: str) -> IdentifierStatus:
    return canonical(PNC, raw, today=TODAY).status


@given(kinds, raws)
def test_the_canonical_spelling_is_its_own(kind: IdentifierKind, raw: str) -> None:
    first = canonical(kind, raw, today=TODAY)
    if first.canonical is not None:
        again = canonical(kind, first.canonical, today=TODAY)
        assert (again.status, again.canonical) == (IdentifierStatus.VALID, first.canonical)


@given(kinds, raws)
def test_only_a_valid_number_has_a_canonical_spelling(kind: IdentifierKind, raw: str) -> None:
    found = canonical(kind, raw, today=TODAY)
    assert (found.canonical is not None) == (found.status is IdentifierStatus.VALID)
    assert found.raw == raw


@given(pnc_numbers)
def test_every_wrong_digit_and_swap_of_neighbours_is_caught(number: str) -> None:
    digits = [at for at, character in enumerate(number) if character.isdigit()]
    for at in digits:
        for digit in "0123456789":
            if digit != number[at]:
                assert status(number[:at] + digit + number[at + 1 :]) is not IdentifierStatus.VALID
    for left, right in pairwise(digits):
        if number[left] != number[right]:
            swapped = list(number)
            swapped[left], swapped[right] = number[right], number[left]
            assert status("".join(swapped)) is not IdentifierStatus.VALID


@given(kinds, st.lists(st.one_of(st.none(), raws), max_size=12))
def test_a_column_is_its_values_one_by_one(kind: IdentifierKind, column: list[str | None]) -> None:
    whole = canonical_column(kind, pa.array(column, pa.string()), today=TODAY)
    alone = [canonical(kind, raw, today=TODAY) for raw in column]
    assert whole.canonical.to_pylist() == [found.canonical for found in alone]
    assert whole.status.to_pylist() == [found.status.value for found in alone]

"""Identifying numbers as INPUTS has them: raw spelling -> what it is."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from counterfoil.records.identifier_columns import canonical_column
from counterfoil.records.identifiers import Identifier, IdentifierFlag, IdentifierKind, IdentifierStatus, canonical

TODAY = dt.date(2026, 1, 31)
PNC, CRO = IdentifierKind.PNC, IdentifierKind.CRO
PRISON, CRN = IdentifierKind.PRISON_NUMBER, IdentifierKind.CRN
VALID, INVALID = IdentifierStatus.VALID, IdentifierStatus.INVALID
AMBIGUOUS, MISSING = IdentifierStatus.AMBIGUOUS, IdentifierStatus.MISSING

# Numbers and letters are those published with the rule.
CASES = [
    (PNC, "1978/9912345Z", VALID, "1978/9912345Z"),
    (PNC, "11/9923456G", VALID, "2011/9923456G"),
    (PNC, "99/7N", VALID, "1999/0000007N"),
    (PNC, "997N", VALID, "1999/0000007N"),
    (PNC, " 1978 / 9912345z ", VALID, "1978/9912345Z"),
    (PNC, "11-9923456G", VALID, "2011/9923456G"),
    (PNC, "11\\9923456G", VALID, "2011/9923456G"),
    (PNC, "2011–9923456G", VALID, "2011/9923456G"),
    (PNC, "\u200b2011/9923456G", VALID, "2011/9923456G"),
    (PNC, "20119923456G", VALID, "2011/9923456G"),  # twelve long: reads one way
    (PNC, "1911/9923456G", VALID, "1911/9923456G"),
    (PNC, "2012/9923456G", INVALID, None),
    (PNC, "1811/9923456G", INVALID, None),  # no such century
    (PNC, "2011/9923456", INVALID, None),
    (PNC, "2011/99234561G", INVALID, None),
    (PNC, "197834U", AMBIGUOUS, None),  # 1978/34 or 19/7834
    (PNC, "2003/0000000Z", MISSING, None),
    (PNC, "", MISSING, None),
    (PNC, "   ", MISSING, None),
    (PNC, None, MISSING, None),
    (PNC, "N/A", MISSING, None),
    (PNC, "not known", MISSING, None),
    (PNC, "-", MISSING, None),
    (CRO, "990001/62R", VALID, "990001/62R"),
    (CRO, "99000162R", VALID, "990001/62R"),  # the year is always the last two digits
    (CRO, "65656/91H", VALID, "065656/91H"),
    (CRO, "990002/62R", INVALID, None),
    (CRO, "000000/00Z", MISSING, None),  # dropped by the live service too
    (CRO, "SF95/12N", VALID, "SF95/12N"),
    (CRO, "SF95/12Z", VALID, "SF95/12Z"),
    (CRO, "SF64/99001J", VALID, "SF64/99001J"),
    (CRO, "SF95/12A", INVALID, None),
    (PRISON, "a1234bc", VALID, "A1234BC"),
    (PRISON, "A1234 BC", VALID, "A1234BC"),
    (PRISON, "AO234BC", INVALID, None),
    (PRISON, "1234ABC", INVALID, None),
    (CRN, "x123456", VALID, "X123456"),
    (CRN, "X12345", INVALID, None),
    (CRN, "XX12345", INVALID, None),
]


def check(kind: IdentifierKind, raw: str | None) -> Identifier:
    return canonical(kind, raw, today=TODAY)


@pytest.mark.parametrize(("kind", "raw", "status", "expected"), CASES)
def test_what_a_number_is(
    kind: IdentifierKind, raw: str | None, status: IdentifierStatus, expected: str | None
) -> None:
    found = check(kind, raw)
    assert (found.status, found.canonical, found.raw) == (status, expected, raw)


@pytest.mark.parametrize("kind", IdentifierKind)
def test_a_column_gives_the_same_answers(kind: IdentifierKind) -> None:
    cases = [case for case in CASES if case[0] is kind]
    column = canonical_column(kind, pa.array([raw for _, raw, _, _ in cases], pa.string()), today=TODAY)
    assert column.status.to_pylist() == [status.value for _, _, status, _ in cases]
    assert column.canonical.to_pylist() == [expected for _, _, _, expected in cases]


@pytest.mark.parametrize(
    ("kind", "raw", "flags"),
    [
        (PNC, "1978/9912345Z", set()),
        (PNC, "11/9923456G", {IdentifierFlag.EXPANDED}),
        (PNC, "2011-9923456g", {IdentifierFlag.CLEANED}),
        (PNC, "1911/9923456G", {IdentifierFlag.CENTURY}),
        (PNC, "197834U", {IdentifierFlag.SPLIT, IdentifierFlag.CHECK_LETTER}),
        (PNC, "2011/9923456", {IdentifierFlag.NO_CHECK_LETTER}),
        (PNC, "2012/9923456G", {IdentifierFlag.CHECK_LETTER}),
        (PNC, "1923[1234567A", {IdentifierFlag.SHAPE}),
        (CRO, "SF95/12N", {IdentifierFlag.SF_UNPADDED}),
        (CRO, "SF95/12Z", {IdentifierFlag.SF_PADDED}),
        (CRO, "SF64/99001J", {IdentifierFlag.SF_SERIAL_ALONE}),
        (CRO, "SF83/98765R", set()),
        (CRO, "SF05/482703J", {IdentifierFlag.SF_YEAR}),
    ],
)
def test_what_is_said_of_a_number(kind: IdentifierKind, raw: str, flags: set[IdentifierFlag]) -> None:
    assert check(kind, raw).flags == flags


def test_letter_o_for_zero_is_suggested_and_never_taken() -> None:
    found = check(PRISON, "AO234BC")
    assert (found.status, found.canonical, found.suggestion) == (INVALID, None, "A0234BC")
    assert check(PNC, "2O11/9923456G").suggestion == "2011/9923456G"
    assert check(PNC, "2O12/9923456G").suggestion is None  # would not pass its check either


@pytest.mark.parametrize(("letter", "reading"), [("L", "2000/0000034L"), ("Q", "2020/0000034Q")])
def test_readings_of_an_ambiguous_number_are_those_that_pass_their_check(letter: str, reading: str) -> None:
    """200000034 may be 2000/00034 (34 mod 23 is 11, L) or 20/0000034 (200000034 mod 23 is 15, Q): said, not taken."""
    found = check(PNC, f"200000034{letter}")
    assert (found.status, found.canonical, found.readings) == (AMBIGUOUS, None, (reading,))


@pytest.mark.parametrize(
    ("today", "expected"), [(dt.date(2010, 12, 31), "1911/9923456G"), (dt.date(2011, 1, 1), "2011/9923456G")]
)
def test_the_century_follows_this_year(today: dt.date, expected: str) -> None:
    assert canonical(PNC, "11/9923456G", today=today).canonical == expected

"""Dates in files as INPUTS 13 to 19 have them."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from counterfoil.records.dates import (
    DateFlag,
    DateForm,
    DateOrder,
    DateRole,
    ParsedDate,
    count_flags,
    count_forms,
    date_of_serial,
    find_order,
    parse_dates,
)

TODAY = dt.date(2026, 1, 31)
BIRTH, EVENT = DateRole.BIRTH, DateRole.EVENT


def parse(*texts: str | None, role: DateRole = BIRTH, order: DateOrder | None = None) -> list[ParsedDate]:
    return parse_dates(texts, today=TODAY, role=role, order=order)


def value(text: str, role: DateRole = BIRTH) -> str | None:
    found = parse(text, role=role)[0].value
    return found.isoformat() if found else None


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1990-06-14", DateForm.ISO),
        ("1990/06/14", DateForm.ISO),
        ("14/06/1990", DateForm.SLASHES),
        ("14/6/1990", DateForm.SLASHES),
        ("14.06.1990", DateForm.DOTS),
        ("14-06-1990", DateForm.DASHES),
        ("14 06 1990", DateForm.BLANKS),
        ("14 June 1990", DateForm.MONTH_NAME),
        ("14th Jun 1990", DateForm.MONTH_NAME),
        ("14-Jun-1990", DateForm.MONTH_NAME),
        ("14JUN1990", DateForm.MONTH_NAME),
        ("June 14, 1990", DateForm.MONTH_NAME),
        ("Thursday 14th of June 1990", DateForm.MONTH_NAME),
        ("19900614", DateForm.COMPACT),
        ("14061990", DateForm.COMPACT),
        ("33038", DateForm.SERIAL),
        ("33038.0", DateForm.SERIAL),
        ("1990-06-14 00:00:00", DateForm.ISO),
        ("1990-06-14T09:30:00", DateForm.ISO),
        ("14/06/1990 9:30 AM", DateForm.SLASHES),
        (" 14/06/1990\u00a0", DateForm.SLASHES),
    ],
)
def test_every_form_reads_the_same_day(text: str, form: DateForm) -> None:
    found = parse(text)[0]
    assert (found.value, found.form) == (dt.date(1990, 6, 14), form)


@pytest.mark.parametrize("text", ["", " ", None, "-", "N/A", "unknown", "TBC", "dd/mm/yyyy"])
def test_blank(text: str | None) -> None:
    assert parse(text) == [ParsedDate(None, DateForm.BLANK)]


@pytest.mark.parametrize(
    "text", ["yesterday", "June 1990", "1.23E+11", "14/06", "14/06/990", "1/2/3/4", "14 Juin 1990"]
)
def test_unreadable_is_never_guessed(text: str) -> None:
    assert parse(text) == [ParsedDate(None, DateForm.UNREADABLE)]


@pytest.mark.parametrize("text", ["31/02/1990", "00/00/0000", "12/81/1990", "29 February 1900", "1990-02-30", "60"])
def test_impossible_days_are_missing_and_said(text: str) -> None:
    found = parse(text)[0]
    assert found.value is None
    assert DateFlag.IMPOSSIBLE in found.flags


@pytest.mark.parametrize("text", ["01/01/1900", "1970-01-01", "11/11/1111", "11 Nov 1911"])
def test_standins_are_missing(text: str) -> None:
    found = parse(text)[0]
    assert found.value is None
    assert DateFlag.STAND_IN in found.flags


def test_the_first_of_january_is_kept_and_flagged() -> None:
    assert parse("01/01/1985") == [
        ParsedDate(dt.date(1985, 1, 1), DateForm.SLASHES, frozenset({DateFlag.FIRST_OF_JANUARY}))
    ]


@pytest.mark.parametrize(
    ("serial", "day"),
    [
        (1, "1900-01-01"),
        (59, "1900-02-28"),
        (60, None),
        (61, "1900-03-01"),
        (29221, "1980-01-01"),
        (0, None),
        (-1, None),
    ],
)
def test_serials_of_the_1900_system(serial: int, day: str | None) -> None:
    assert date_of_serial(serial) == (dt.date.fromisoformat(day) if day else None)


def test_the_1904_system_is_1462_days_out() -> None:
    day = date_of_serial(29221 - 1462, uses_1904=True)
    assert day == date_of_serial(29221) == dt.date(1980, 1, 1)
    read = parse_dates(["27760"], today=TODAY, role=BIRTH, uses_1904=True)[0]
    assert read.value == dt.date(1980, 1, 2)


@pytest.mark.parametrize("text", ["1980", "5", "61", "44000"])
def test_a_number_that_gives_no_plausible_birth_is_no_date(text: str) -> None:
    """44000 is 18 June 2020: too young. 1980 is a year, not 2 June 1905."""
    found = parse(text)[0]
    assert found.value is None
    assert found.form is DateForm.SERIAL


@pytest.mark.parametrize(
    ("text", "role", "expected"),
    [
        ("14/06/90", BIRTH, "1990-06-14"),
        ("14/06/31", BIRTH, "1931-06-14"),  # 2031 is to come
        ("31/01/16", BIRTH, "2016-01-31"),  # ten today
        ("01/02/16", BIRTH, None),  # nine, or a hundred and nine
        ("14/06/20", BIRTH, None),  # five, or a hundred and five: ask
        ("14/06/20", EVENT, "2020-06-14"),
        ("14-Jun-90", BIRTH, "1990-06-14"),
        ("29/02/00", BIRTH, "2000-02-29"),
    ],
)
def test_two_digit_years(text: str, role: DateRole, expected: str | None) -> None:
    assert value(text, role) == expected
    found = parse(text, role=role)[0]
    assert DateFlag.TWO_DIGIT_YEAR in found.flags
    assert (DateFlag.CENTURY_UNKNOWN in found.flags) == (expected is None)


def test_a_birth_is_not_to_come_and_an_event_may_be() -> None:
    assert parse("2030-05-05")[0] == ParsedDate(None, DateForm.ISO, frozenset({DateFlag.FUTURE}))
    event = parse("2030-05-05", role=EVENT)[0]
    assert event == ParsedDate(dt.date(2030, 5, 5), DateForm.ISO, frozenset({DateFlag.FUTURE}))
    assert DateFlag.IMPLAUSIBLE in parse("1850-05-05")[0].flags


DAY_FIRST, MONTH_FIRST = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST


@pytest.mark.parametrize(
    ("texts", "proven"),
    [
        (["05/06/1994", "07/08/1990"], set()),
        (["05/06/1994", "25/06/1994"], {DAY_FIRST}),
        (["05/06/1994", "05/13/1994"], {MONTH_FIRST}),
        (["25/06/1994", "05/13/1994"], {DAY_FIRST, MONTH_FIRST}),
        (["31/02/1994", "05/81/1994"], set()),  # no day in either order proves nothing
        (["1994-05-13", "13 May 1994", "05/05/1994"], set()),  # nothing to prove
    ],
)
def test_what_a_column_proves(texts: list[str], proven: set[DateOrder]) -> None:
    assert find_order(texts).proven == proven


@pytest.mark.parametrize(
    ("texts", "first", "flags"),
    [
        (["05/06/1994"], "1994-06-05", {DateFlag.AMBIGUOUS_ORDER}),
        (["05/06/1994", "25/06/1994"], "1994-06-05", set()),
        (["05/06/1994", "05/13/1994"], "1994-05-06", {DateFlag.MONTH_FIRST}),
        (["05/06/1994", "25/06/1994", "05/13/1994"], "1994-06-05", {DateFlag.AMBIGUOUS_ORDER, DateFlag.MIXED_ORDER}),
        (["05/05/1994"], "1994-05-05", set()),  # the same either way
    ],
)
def test_the_order_is_decided_for_the_column(texts: list[str], first: str, flags: set[DateFlag]) -> None:
    found = parse(*texts)[0]
    assert found.value == dt.date.fromisoformat(first)
    assert found.flags == flags


def test_a_confirmed_order_is_used() -> None:
    found = parse("05/06/1994", order=MONTH_FIRST)[0]
    assert found.value == dt.date(1994, 5, 6)
    assert found.flags == {DateFlag.MONTH_FIRST}


def test_the_mix_of_forms_and_flags_is_counted() -> None:
    parsed = parse("14 June 1990", "14th Jun 1990", "21.01.1990", "1990-06-14", "", "05/06/1994")
    forms = {DateForm.MONTH_NAME: 2, DateForm.DOTS: 1, DateForm.ISO: 1, DateForm.BLANK: 1, DateForm.SLASHES: 1}
    assert count_forms(parsed) == Counter(forms)
    assert count_flags(parsed) == Counter()  # 21.01 proves the order for all

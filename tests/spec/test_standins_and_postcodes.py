"""Stand-in dates found by frequency; postcodes by pattern."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from counterfoil.records.postcodes import Postcode, is_no_address, read_postcode
from counterfoil.records.standins import LEAST_COUNT, OVER_NEIGHBOURS, find_standins


def births(per_day: int, *, extra: dict[str, int]) -> pa.Array:
    """`per_day` people for each day of 1980 to 1982, and more on some days."""
    days = [dt.date(1980, 1, 1) + dt.timedelta(days=day) for day in range(3 * 365) for _ in range(per_day)]
    more = [dt.date.fromisoformat(day) for day, count in extra.items() for _ in range(count)]
    return pa.array([*days, *more, None], pa.date32())


@pytest.mark.parametrize(
    ("per_day", "extra", "found"),
    [
        (5, {}, set()),
        (5, {"1981-07-04": 100}, {"1981-07-04"}),
        (5, {"1981-07-04": 20}, set()),  # five times the neighbours is chance or a maternity ward
        (5, {"1981-07-04": 100, "1981-07-05": 100}, {"1981-07-04", "1981-07-05"}),
        (5, {"1981-01-01": 500}, set()),  # 1 January is kept
        (0, {"1981-07-04": LEAST_COUNT}, {"1981-07-04"}),
        (0, {"1981-07-04": LEAST_COUNT - 1}, set()),
    ],
)
def test_standins_are_found_by_frequency(per_day: int, extra: dict[str, int], found: set[str]) -> None:
    assert {day.isoformat() for day in find_standins(births(per_day, extra=extra))} == found


def test_the_threshold_is_a_multiple_of_the_days_around() -> None:
    at = int(OVER_NEIGHBOURS * 5) - 5
    assert not find_standins(births(5, extra={"1981-07-04": at}))
    assert find_standins(births(5, extra={"1981-07-04": at + 1})) == {dt.date(1981, 7, 4)}


def test_no_dates_hold_no_standins() -> None:
    assert find_standins(pa.array([], pa.date32())) == frozenset()
    assert find_standins(pa.chunked_array([pa.nulls(3, pa.date32())])) == frozenset()


@pytest.mark.parametrize(
    ("raw", "code", "outcode"),
    [
        ("M1 1AE", "M11AE", "M1"),
        ("b33 8th", "B338TH", "B33"),
        ("CR26XH", "CR26XH", "CR2"),
        (" DN55  1PT ", "DN551PT", "DN55"),
        ("W1A 1HQ", "W1A1HQ", "W1A"),
        ("EC1A 1BB", "EC1A1BB", "EC1A"),
        ("GIR 0AA", "GIR0AA", "GIR"),
        ("SW1A-2AA", "SW1A2AA", "SW1A"),
    ],
)
def test_postcodes(raw: str, code: str, outcode: str) -> None:
    assert read_postcode(raw) == Postcode(code, outcode)


@pytest.mark.parametrize("raw", ["", None, "UNKNOWN", "M1", "11 1AE", "M1 AE1", "QQ1 1AA", "M111 1AE", "M1 1A"])
def test_what_is_no_postcode(raw: str | None) -> None:
    assert read_postcode(raw) is None


@pytest.mark.parametrize("raw", ["ZZ99 3VZ", "zz993wz", "NF1 1NF", "NFA"])
def test_no_fixed_abode_is_missing(raw: str) -> None:
    assert is_no_address(raw)
    assert read_postcode(raw) is None

"""Identifying numbers, each given once, with right check letters: PNC, CRO, prison number, CRN."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.population.strings import decode, digits, glue
from counterfoil.records.identifiers import CHECK_LETTERS, CRO_SERIAL_DIGITS, PNC_SERIAL_DIGITS

Integers = npt.NDArray[np.int64]

_LETTERS = "ABCDEFGHJKLMNPQRTUVWXY"
_PRISON_SPACE = len(_LETTERS) ** 3 * 10_000
_CRN_SPACE = len(_LETTERS) * 1_000_000


def serials(rng: np.random.Generator, year: Integers, digits_wide: int) -> Integers:
    """A serial for each number, no two alike within a year and none 0, spread over the range in no order."""
    result = np.empty(len(year), np.int64)
    top = 10**digits_wide - 1
    for value in np.unique(year):
        who = np.flatnonzero(year == value)
        step = top // len(who)
        result[who] = 1 + rng.permutation(len(who)) * step + rng.integers(0, step, len(who))
    return result


def pnc_ids(year: Integers, serial: Integers) -> pa.Array:
    """PNC numbers in their long form, "2004/0012345K"."""
    letters = check_letters(year % 100 * 10**PNC_SERIAL_DIGITS + serial)
    return glue(digits(year, 4), "/", digits(serial, PNC_SERIAL_DIGITS), letters)


def short_pnc_ids(year: Integers, serial: Integers) -> pa.Array:
    """The short form, "4/12345K" with a year of two digits: "04/12345K"."""
    letters = check_letters(year % 100 * 10**PNC_SERIAL_DIGITS + serial)
    return glue(digits(year % 100, 2), "/", digits(serial), letters)


def cro_numbers(year: Integers, serial: Integers) -> pa.Array:
    """CRO numbers, "012345/04K"."""
    letters = check_letters(year % 100 * 10**CRO_SERIAL_DIGITS + serial)
    return glue(digits(serial, CRO_SERIAL_DIGITS), "/", digits(year % 100, 2), letters)


def check_letters(numbers: Integers) -> pa.Array:
    """The check letter of each number."""
    return decode(numbers % len(CHECK_LETTERS), list(CHECK_LETTERS))


def prison_numbers(rng: np.random.Generator, size: int) -> pa.Array:
    """Distinct prison numbers, "A1234BC"."""
    number = _distinct(rng, size, _PRISON_SPACE)
    letters = list(_LETTERS)
    base = len(letters)
    front, rest = number % base, number // base
    middle, rest = rest % 10_000, rest // 10_000
    return glue(decode(front, letters), digits(middle, 4), decode(rest % base, letters), decode(rest // base, letters))


def crns(rng: np.random.Generator, size: int) -> pa.Array:
    """Distinct probation case reference numbers, "X123456"."""
    number = _distinct(rng, size, _CRN_SPACE)
    return glue(decode(number // 1_000_000, list(_LETTERS)), digits(number % 1_000_000, 6))


def one_digit_wrong(rng: np.random.Generator, numbers: pa.Array) -> pa.Array:
    """Each number with its sixth character replaced by another digit, as a slip makes."""
    digit = digits(rng.integers(0, 10, len(numbers)))
    return glue(pc.utf8_slice_codeunits(numbers, 0, 5), digit, pc.utf8_slice_codeunits(numbers, 6))


def _distinct(rng: np.random.Generator, size: int, space: int) -> Integers:
    """Distinct numbers below `space` in no order: a walk with a step that shares no factor with it."""
    step = int(rng.integers(space // 3, space // 2))
    while np.gcd(step, space) != 1:
        step += 1
    return (int(rng.integers(0, space)) + np.arange(size, dtype=np.int64) * step) % space

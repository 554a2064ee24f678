"""Dates as they arrive in files, read by known forms and never by guessing (INPUTS 13 to 19).

`parse_dates` reads a column of text. The order of day and month is decided for the whole column: a value that can only
be one order proves it; without proof day comes first, and every row that could be either is flagged. What cannot be
read is None, and the caller keeps the raw text.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from counterfoil.records.standins import is_standin

MIN_BIRTH_AGE = 10  # completed years; the age of criminal responsibility in England and Wales
MAX_BIRTH_AGE = 100  # for a year of two digits and for a serial number
OLDEST_AGE = 120  # a written-out birth year further back is no birth date
FIRST_EVENT_YEAR = 1900
FIRST_SERIAL_EVENT_YEAR = 1990
SERIAL_EVENT_YEARS_AHEAD = 2

EPOCH_1900 = dt.date(1899, 12, 30)  # of serials from 61; Excel counts a 29 February 1900 that never was
EPOCH_1904 = dt.date(1904, 1, 1)
SERIAL_THAT_IS_NO_DAY = 60  # that 29 February
MAX_SERIAL_DIGITS = 5

_MONTHS = "JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER"
_DAYS = "MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY"


def _numbered(full_names: str) -> dict[str, int]:
    """Each name, in full and cut to three and four letters (SEPT, THUR), with its number from 1."""
    names = enumerate(full_names.split(), start=1)
    return {name: number for number, full in names for name in (full, full[:3], full[:4])}


MONTHS = _numbered(_MONTHS)
_WEEKDAYS = frozenset(_numbered(_DAYS))
_ORDINALS = ("ST", "ND", "RD", "TH")
_BLANKS = frozenset({"", "-", "--", "?", "N/A", "#N/A", "NA", "N/K", "NK", "NONE", "NULL", "UNKNOWN", "NOT KNOWN"}) | {
    *("NOT ENTERED", "TBC", "TBA", "XXX", "DD/MM/YYYY"),
}


class DateRole(Enum):
    """What a date is of; decides two-digit years and what is plausible."""

    BIRTH = "birth"
    EVENT = "event"


class DateForm(Enum):
    """How a cell wrote its date."""

    BLANK = "blank"
    ISO = "2012-06-14"
    SLASHES = "14/06/2012"
    DOTS = "14.06.2012"
    DASHES = "14-06-2012"
    BLANKS = "14 06 2012"
    MONTH_NAME = "14 June 2012"
    COMPACT = "20120614"
    SERIAL = "spreadsheet serial number"
    UNREADABLE = "unreadable"


class DateFlag(Enum):
    """What a reader should know about a date."""

    AMBIGUOUS_ORDER = "day and month could be either way round"
    MONTH_FIRST = "read with the month first"
    MIXED_ORDER = "the column proves both orders"
    TWO_DIGIT_YEAR = "two-digit year"
    CENTURY_UNKNOWN = "no century gives a plausible age: ask"
    SERIAL = "a spreadsheet's serial number: ask whether the file uses the 1904 system"
    IMPOSSIBLE = "no such day in the calendar"
    IMPLAUSIBLE = "not a plausible date of its kind"
    FUTURE = "after today"
    STAND_IN = "stands for an unknown date"
    FIRST_OF_JANUARY = "1 January"


class DateOrder(Enum):
    """Which of two numbers comes first."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """A read cell. `value` is None when it is blank, unreadable, impossible, implausible or a stand-in."""

    value: dt.date | None
    form: DateForm
    flags: frozenset[DateFlag] = frozenset()


@dataclass(frozen=True, slots=True)
class ColumnOrder:
    """What a column proves about day and month: nothing (then day first), one order, or both."""

    proven: frozenset[DateOrder]

    @property
    def assumed(self) -> DateOrder:
        """The order to use where a value could be either."""
        return DateOrder.MONTH_FIRST if self.proven == {DateOrder.MONTH_FIRST} else DateOrder.DAY_FIRST


@dataclass(frozen=True, slots=True)
class _Written:
    """The parts of a written date. `month` is None until the column's order says which of `numbers` it is."""

    form: DateForm
    numbers: tuple[int, ...]  # day and month as written, or the day alone beside a named month
    month: int | None
    year: int
    short_year: bool


@dataclass(frozen=True, slots=True)
class _Context:
    today: dt.date
    role: DateRole
    uses_1904: bool
    order: ColumnOrder


def parse_dates(
    texts: Sequence[str | None],
    *,
    today: dt.date,
    role: DateRole,
    uses_1904: bool = False,
    order: DateOrder | None = None,
) -> list[ParsedDate]:
    """Read a column of text, one answer a cell. `order` is what a person has confirmed, in place of what is proven."""
    column = ColumnOrder(frozenset({order})) if order else find_order(texts)
    context = _Context(today, role, uses_1904, column)
    read = {text: _read(text, context) for text in dict.fromkeys(texts)}
    return [read[text] for text in texts]


def find_order(texts: Iterable[str | None]) -> ColumnOrder:
    """What the values of a column prove about the order of day and month."""
    proofs = {_proof(written) for text in set(texts) if (written := _written(_clean(text))) is not None}
    return ColumnOrder(frozenset(proof for proof in proofs if proof is not None))


def count_forms(parsed: Iterable[ParsedDate]) -> Counter[DateForm]:
    """How many cells were written in each form."""
    return Counter(cell.form for cell in parsed)


def count_flags(parsed: Iterable[ParsedDate]) -> Counter[DateFlag]:
    """How many cells carry each flag."""
    return Counter(flag for cell in parsed for flag in cell.flags)


def judge_date(
    value: dt.date, *, today: dt.date, role: DateRole, form: DateForm = DateForm.ISO, flags: Iterable[DateFlag] = ()
) -> ParsedDate:
    """Whether a day of the calendar can be what it is said to be. Stand-ins and the implausible become None."""
    held = set(flags)
    lost = _doubt(value, today, role)
    if lost is None and value > today:
        held.add(DateFlag.FUTURE)
    if lost is not None:
        held.add(lost)
    if (value.month, value.day) == (1, 1):
        held.add(DateFlag.FIRST_OF_JANUARY)
    return ParsedDate(None if lost else value, form, frozenset(held))


def _doubt(value: dt.date, today: dt.date, role: DateRole) -> DateFlag | None:
    if is_standin(value):
        return DateFlag.STAND_IN
    if role is DateRole.EVENT:
        return DateFlag.IMPLAUSIBLE if value.year < FIRST_EVENT_YEAR else None
    if value > today:
        return DateFlag.FUTURE
    return DateFlag.IMPLAUSIBLE if age(value, today) > OLDEST_AGE else None


def age(birth: dt.date, today: dt.date) -> int:
    """Completed years."""
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def date_of_serial(serial: int, *, uses_1904: bool = False) -> dt.date | None:
    """The day of a spreadsheet's serial number. None for 60 in the 1900 system, which is no day, and out of range."""
    if serial < (0 if uses_1904 else 1) or (serial == SERIAL_THAT_IS_NO_DAY and not uses_1904):
        return None
    before_leap_day = serial < SERIAL_THAT_IS_NO_DAY and not uses_1904
    epoch = EPOCH_1904 if uses_1904 else EPOCH_1900
    try:
        return epoch + dt.timedelta(days=serial + before_leap_day)
    except OverflowError:
        return None


def _clean(text: str | None) -> str:
    """Upper case, one blank between words, no time of day."""
    words = (text or "").upper().replace("\u00a0", " ").strip("'\"` ").split()
    while words and ((":" in words[-1] and "T" not in words[-1]) or words[-1] in ("AM", "PM")):
        words.pop()
    joined = " ".join(words)
    head, mark, tail = joined.partition("T")
    return head if mark and ":" in tail and head[-1:].isdigit() else joined


def _read(text: str | None, context: _Context) -> ParsedDate:
    cleaned = _clean(text)
    if cleaned in _BLANKS:
        return ParsedDate(None, DateForm.BLANK)
    whole = cleaned.split(".")[0] if _is_number(cleaned) else ""
    if whole and len(whole) <= MAX_SERIAL_DIGITS:
        return _read_serial(int(whole), context)
    written = _written(cleaned)
    return ParsedDate(None, DateForm.UNREADABLE) if written is None else _read_written(written, context)


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit() and text[0] != "."


def _read_serial(serial: int, context: _Context) -> ParsedDate:
    value = date_of_serial(serial, uses_1904=context.uses_1904)
    if value is None:
        return ParsedDate(None, DateForm.SERIAL, frozenset({DateFlag.SERIAL, DateFlag.IMPOSSIBLE}))
    if not _is_plausible_serial(value, context):
        return ParsedDate(None, DateForm.SERIAL, frozenset({DateFlag.SERIAL, DateFlag.IMPLAUSIBLE}))
    return judge_date(value, today=context.today, role=context.role, form=DateForm.SERIAL, flags={DateFlag.SERIAL})


def _is_plausible_serial(value: dt.date, context: _Context) -> bool:
    """A bare number may be anything: it is a date only where the day it would give is likely."""
    if context.role is DateRole.BIRTH:
        return value <= context.today and MIN_BIRTH_AGE <= age(value, context.today) <= MAX_BIRTH_AGE
    return FIRST_SERIAL_EVENT_YEAR <= value.year <= context.today.year + SERIAL_EVENT_YEARS_AHEAD


_SEPARATED = {"/": DateForm.SLASHES, ".": DateForm.DOTS, "-": DateForm.DASHES, " ": DateForm.BLANKS}


def _written(text: str) -> _Written | None:
    """The parts of a date written in one of the known forms, or None."""
    if len(text) == 8 and text.isascii() and text.isdigit():
        return _compact(text)
    for separator, form in _SEPARATED.items():
        parts = [part.strip() for part in text.split(separator)]
        if len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts):
            return _three_numbers(parts, form)
    return _named_month(text)


def _compact(text: str) -> _Written | None:
    """YYYYMMDD or DDMMYYYY; no eight digits can be both, since 19 and 20 are no months."""
    for year, month, day in ((text[:4], text[4:6], text[6:]), (text[4:], text[2:4], text[:2])):
        if year[:2] in ("19", "20") and int(month) <= 12:
            return _Written(DateForm.COMPACT, (int(day),), int(month), int(year), short_year=False)
    return None


def _three_numbers(parts: list[str], form: DateForm) -> _Written | None:
    first, second, third = parts
    if len(first) == 4 and max(len(second), len(third)) <= 2:
        return _Written(DateForm.ISO, (int(third),), int(second), int(first), short_year=False)
    if max(len(first), len(second)) <= 2 and len(third) in (2, 4):
        return _Written(form, (int(first), int(second)), None, int(third), short_year=len(third) == 2)
    return None


def _named_month(text: str) -> _Written | None:
    """14 June 2012, 14th Jun 2012, June 14, 2012, 14-Jun-12, Thursday 14th of June 2012, 14JUN2012."""
    spaced = "".join(f" {c} " if c in "/.-," else c for c in text)
    words = [word for run in spaced.split() for word in _runs(run) if word not in "/.-,"]
    words = [word for word in words if word not in _WEEKDAYS and word != "OF"]
    numbers = [word for word in words if word.isdigit()]
    months = [MONTHS[word] for word in words if word in MONTHS]
    if len(months) != 1 or len(numbers) != 2 or len(words) - len(_ordinals(words)) != 3:
        return None
    day, year = numbers if len(numbers[0]) <= 2 else reversed(numbers)
    if len(day) > 2 or len(year) not in (2, 4):
        return None
    return _Written(DateForm.MONTH_NAME, (int(day),), months[0], int(year), short_year=len(year) == 2)


def _ordinals(words: list[str]) -> list[str]:
    return [word for before, word in pairwise(words) if word in _ORDINALS and before.isdigit()]


def _runs(word: str) -> list[str]:
    """Cut a word where digits meet letters: 14TH is 14 and TH."""
    runs = [word[:1]]
    for before, character in pairwise(word):
        if before.isdigit() == character.isdigit():
            runs[-1] += character
        else:
            runs.append(character)
    return runs


def _day_and_month(written: _Written, order: DateOrder) -> tuple[int, int]:
    if written.month is not None:
        return written.numbers[0], written.month
    first, second = written.numbers
    return (first, second) if order is DateOrder.DAY_FIRST else (second, first)


def _calendar(year: int, day_and_month: tuple[int, int]) -> dt.date | None:
    day, month = day_and_month
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _readings(written: _Written) -> frozenset[DateOrder]:
    """The orders in which the numbers are a day. A two-digit year may be any: 2000 has every day."""
    year = 2000 if written.short_year else written.year
    return frozenset(order for order in DateOrder if _calendar(year, _day_and_month(written, order)))


def _proof(written: _Written) -> DateOrder | None:
    """The one order in which a date can be read; None when it could be either or no order matters."""
    readings = _readings(written)
    return next(iter(readings)) if written.month is None and len(readings) == 1 else None


def _read_written(written: _Written, context: _Context) -> ParsedDate:
    order, flags = _choose_order(written, context.order)
    day_and_month = _day_and_month(written, order)
    year = _full_year(written, day_and_month, context)
    if written.short_year:
        flags.add(DateFlag.TWO_DIGIT_YEAR)
    if not _readings(written) or (year and not _calendar(year, day_and_month)):
        return ParsedDate(None, written.form, frozenset(flags | {DateFlag.IMPOSSIBLE}))
    if year is None:
        return ParsedDate(None, written.form, frozenset(flags | {DateFlag.CENTURY_UNKNOWN}))
    value = dt.date(year, day_and_month[1], day_and_month[0])
    return judge_date(value, today=context.today, role=context.role, form=written.form, flags=flags)


def _choose_order(written: _Written, column: ColumnOrder) -> tuple[DateOrder, set[DateFlag]]:
    if written.month is not None:
        return DateOrder.DAY_FIRST, set()
    mixed = len(column.proven) == len(DateOrder)
    order = column.assumed
    if mixed:
        order = _proof(written) or order
    flags = {DateFlag.MIXED_ORDER} if mixed else set()
    if order is DateOrder.MONTH_FIRST:
        flags.add(DateFlag.MONTH_FIRST)
    matters = len(_readings(written)) == len(DateOrder) and written.numbers[0] != written.numbers[1]
    if matters and len(column.proven) != 1:
        flags.add(DateFlag.AMBIGUOUS_ORDER)
    return order, flags


def _full_year(written: _Written, day_and_month: tuple[int, int], context: _Context) -> int | None:
    """The year in full. Events are 20YY; a birth is in the century that makes an age of 10 to 100, else unknown."""
    if not written.short_year:
        return written.year
    if context.role is DateRole.EVENT:
        return 2000 + written.year
    for year in (2000 + written.year, 1900 + written.year):
        born = _calendar(year, day_and_month)
        if born and born <= context.today and MIN_BIRTH_AGE <= age(born, context.today) <= MAX_BIRTH_AGE:
            return year
    return None

"""One delivered column against its schema: typed values, and which cells were mended or cannot be had.

All work is on whole columns; text is looked at once for each distinct value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import Column, ColumnClass
from counterfoil.errors import Fault
from counterfoil.records.dates import FIRST_EVENT_YEAR, DateFlag, DateForm, DateRole, ParsedDate, parse_dates
from counterfoil.records.identifier_columns import canonical_column
from counterfoil.records.identifiers import IdentifierKind, IdentifierStatus
from counterfoil.records.postcodes import is_no_address, read_postcode
from counterfoil.records.receipt import Reason
from counterfoil.records.standins import KNOWN_STANDINS

RAW_SUFFIX = "_raw"  # text of an identifying date that was not in ISO form, beside what it was read as
_WORDS_FOR_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


@dataclass(frozen=True, slots=True)
class Cells:
    """A checked column. `values` is null where a cell is `lost` or was empty; masks are booleans without nulls."""

    values: pa.Array
    lost: Mapping[Reason, pa.Array]
    mended: Mapping[Reason, pa.Array]
    raw: pa.Array | None = None  # see RAW_SUFFIX


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What checks need beside a column: code lists, the delivery's date (nothing happened after it) and today."""

    codes: Mapping[str, Mapping[str, str]]
    delivery: dt.date
    today: dt.date


def check_cells(column: Column, values: pa.ChunkedArray, context: CheckContext) -> Cells:
    """Check one column by its type. Identifying text is kept exactly as it came."""
    array = values.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no rows: combine_chunks gives no array
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return _CHECKS[_known_type(column)](column, array, context)


def is_identifying(column: Column) -> bool:
    """Whether a column is a person's own and nothing else: text is kept as it came, a date is a date of birth."""
    return column.classes == {ColumnClass.IDENTIFIER}


def _known_type(column: Column) -> str:
    if column.type not in _CHECKS:
        raise Fault(f"The schema gives {column.name} the type {column.type!r}, which is none of {', '.join(_CHECKS)}.")
    return column.type


def _as_text(values: pa.Array) -> pa.Array:
    return values.cast(pa.string())


def _trimmed(values: pa.Array) -> pa.Array:
    """Text without blanks around it, null when nothing is left."""
    text = pc.utf8_trim_whitespace(_as_text(values))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _each_distinct(values: pa.Array, answer: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    encoded = values.dictionary_encode()
    return pa.array([answer(value) for value in encoded.dictionary.to_pylist()], kind).take(encoded.indices)


def _mask(values: pa.Array) -> pa.Array:
    return pc.fill_null(values, False)


def _nowhere(values: pa.Array) -> pa.Array:
    return pa.repeat(False, len(values))


def _is_lost(before: pa.Array, after: pa.Array) -> pa.Array:
    return pc.and_(pc.is_valid(before), pc.is_null(after))


def _differs(before: pa.Array, after: pa.Array) -> pa.Array:
    return _mask(pc.not_equal(before, after))


def _strings(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    del context
    text = _as_text(values)
    if is_identifying(column):
        return Cells(text, {}, {})
    trimmed = _trimmed(text)
    return Cells(trimmed, {}, {Reason.SPELLING: _differs(text, trimmed)})


def _codes(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    """A code as its list spells it. `NAME_also` in the domain's codes gives other spellings of a list's codes."""
    name = column.codes or ""
    if name not in context.codes:
        raise Fault(f"The schema gives {column.name} the code list {name!r}, which the domain's codes do not hold.")
    text = _as_text(values)
    spellings = {code.upper(): code for code in context.codes[name]}
    spellings |= {other.upper(): code for other, code in context.codes.get(f"{name}_also", {}).items()}
    found = _each_distinct(text, lambda raw: spellings.get(raw.strip().upper()), pa.string())
    lost = _is_lost(_trimmed(text), found)
    return Cells(found, {Reason.CODE: lost}, {Reason.SPELLING: _differs(text, found)})


def _booleans(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    del column, context
    if pa.types.is_boolean(values.type):
        return Cells(values, {}, {})
    text = _trimmed(values)
    found = _each_distinct(text, lambda raw: _WORDS_FOR_BOOLEANS.get(raw.lower()), pa.bool_())
    return Cells(found, {Reason.TYPE: _is_lost(text, found)}, {})


def _integers(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    del context
    if pa.types.is_integer(values.type):
        found, lost = values.cast(pa.int64()), _nowhere(values)
    else:
        text = _trimmed(values)
        found = _each_distinct(text, _whole_number, pa.int64())
        lost = _is_lost(text, found)
    low = _nowhere(found) if column.minimum is None else _mask(pc.less(found, column.minimum))
    high = _nowhere(found) if column.maximum is None else _mask(pc.greater(found, column.maximum))
    outside = pc.or_(low, high)
    kept = pc.if_else(outside, pa.scalar(None, pa.int64()), found)
    return Cells(kept, {Reason.TYPE: lost, Reason.RANGE: outside}, {})


def _decimals(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    del context
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        found, lost = values.cast(pa.float64()), _nowhere(values)
    else:
        text = _trimmed(values)
        found = _each_distinct(text, _decimal, pa.float64())
        lost = _is_lost(text, found)
    low = _nowhere(found) if column.minimum is None else _mask(pc.less(found, column.minimum))
    high = _nowhere(found) if column.maximum is None else _mask(pc.greater(found, column.maximum))
    outside = pc.or_(pc.or_(low, high), _mask(pc.invert(pc.is_finite(found))))
    kept = pc.if_else(outside, pa.scalar(None, pa.float64()), found)
    return Cells(kept, {Reason.TYPE: lost, Reason.RANGE: outside}, {})


def _decimal(raw: str) -> float | None:
    try:
        return float(raw)
    except ValueError:
        return None


def _whole_number(raw: str) -> int | None:
    head, dot, tail = raw.partition(".")
    if dot and tail.strip("0"):
        return None
    try:
        number = int(head)
    except ValueError:
        return None
    return number if -(2**63) <= number < 2**63 else None


def _dates(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    """A day. What happened lies from 1900 to the delivery; what is planned may lie later.

    An identifying date is a birth: a stand-in stays as it came and is missing only for comparison.
    """
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        read = _DaysRead.of_days(values.cast(pa.date32(), safe=False))
    else:
        read = _DaysRead.of_text(_trimmed(values), column, context.today)
    mended = {Reason.SPELLING: read.respelt, Reason.DAY_ORDER: read.order_assumed}
    if is_identifying(column):
        implausible = _mask(pc.greater(read.days, pa.scalar(context.today, pa.date32())))
        unknown = pc.or_(read.unknown, implausible)
        return Cells(read.days, {Reason.TYPE: read.unreadable}, {**mended, Reason.UNKNOWN_DATE: unknown}, read.raw)
    first, last = (pa.scalar(day, pa.date32()) for day in (dt.date(FIRST_EVENT_YEAR, 1, 1), context.delivery))
    late = _nowhere(read.days) if column.future else pc.greater(read.days, last)
    outside = _mask(pc.or_(pc.less(read.days, first), late))
    kept = pc.if_else(pc.or_(outside, read.unknown), pa.scalar(None, pa.date32()), read.days)
    lost = {Reason.TYPE: read.unreadable, Reason.UNKNOWN_DATE: read.unknown, Reason.RANGE: outside}
    return Cells(kept, lost, mended)


@dataclass(frozen=True, slots=True)
class _DaysRead:
    """Days, and masks of what is to be said of them. `raw` is the text where it was not a day in ISO form."""

    days: pa.Array
    unreadable: pa.Array
    unknown: pa.Array  # stands for an unknown date, or is not plausible
    respelt: pa.Array
    order_assumed: pa.Array
    raw: pa.Array

    @classmethod
    def of_days(cls, days: pa.Array) -> _DaysRead:
        nowhere = _nowhere(days)
        unknown = pc.is_in(days, value_set=pa.array(sorted(KNOWN_STANDINS), pa.date32()))
        return cls(days, nowhere, unknown, nowhere, nowhere, pa.nulls(len(days), pa.string()))

    @classmethod
    def of_text(cls, text: pa.Array, column: Column, today: dt.date) -> _DaysRead:
        encoded = text.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        role = DateRole.BIRTH if is_identifying(column) else DateRole.EVENT
        parsed = parse_dates(distinct, today=today, role=role)

        def mask(answers: Iterable[bool]) -> pa.Array:
            return _mask(pa.array(answers, pa.bool_()).take(encoded.indices))

        days = pa.array([cell.value for cell in parsed], pa.date32()).take(encoded.indices)
        unknown = mask(bool(cell.flags & _UNKNOWN) and cell.value is None for cell in parsed)
        in_iso = mask(cell.form in (DateForm.ISO, DateForm.BLANK) for cell in parsed)
        known = pc.is_valid(days)
        return cls(
            days=days,
            unreadable=mask(_is_unreadable(cell) for cell in parsed),
            unknown=unknown,
            respelt=pc.and_not(known, in_iso),
            order_assumed=mask(DateFlag.AMBIGUOUS_ORDER in cell.flags for cell in parsed),
            raw=pc.if_else(pc.and_(known, in_iso), pa.scalar(None, pa.string()), text),
        )


_UNKNOWN = frozenset({DateFlag.STAND_IN, DateFlag.FUTURE, DateFlag.IMPLAUSIBLE})


def _is_unreadable(cell: ParsedDate) -> bool:
    return cell.value is None and cell.form is not DateForm.BLANK and not cell.flags & _UNKNOWN


def _identifiers(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    """The number as it came. Only its canonical spelling, where it passes its check, is ever compared."""
    text = _as_text(values)
    checked = canonical_column(IdentifierKind(column.type), text, today=context.today)
    failing = pa.array([IdentifierStatus.INVALID.value, IdentifierStatus.AMBIGUOUS.value])
    mended = {
        Reason.CHECK: _mask(pc.is_in(checked.status, value_set=failing)),
        Reason.CANONICAL: _differs(text, checked.canonical),
    }
    return Cells(text, {}, mended)


def _postcodes(column: Column, values: pa.Array, context: CheckContext) -> Cells:
    del column, context
    text = _as_text(values)
    failing = _each_distinct(_trimmed(text), lambda raw: not read_postcode(raw) and not is_no_address(raw), pa.bool_())
    return Cells(text, {}, {Reason.CHECK: _mask(failing)})


_CHECKS: Mapping[str, Callable[[Column, pa.Array, CheckContext], Cells]] = {
    "string": _strings,
    "code": _codes,
    "boolean": _booleans,
    "integer": _integers,
    "decimal": _decimals,
    "date": _dates,
    "postcode": _postcodes,
    **{kind.value: _identifiers for kind in IdentifierKind},
}

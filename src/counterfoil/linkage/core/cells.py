"""Arrow's values as the core holds them: numbers as float64, and texts that are equal when the values are."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.core.layout import Bytes, Floats, Ints, Kind, Longs
from counterfoil.linkage.core.sql import NotExpressible

Column: TypeAlias = Any  # an Arrow array, chunked or not
_RECORDS = "the records"
_COLON, _NOTHING = pa.scalar(":", pa.large_string()), pa.scalar("", pa.large_string())


def as_numbers(values: Column) -> Floats:
    """Numbers as float64: dates as days since 1970, times as seconds, booleans as 0 and 1, nulls as NaN.

    What is no number though not null is greater than all in DuckDB, as infinity is here. NotExpressible for values that
    are none of these.
    """
    whole = combined(values)
    kind = whole.type
    try:
        if pa.types.is_date(kind):
            whole = whole.cast(pa.date32()).cast(pa.int32())
        elif pa.types.is_timestamp(kind):
            whole = pc.divide(whole.cast(pa.timestamp("us", kind.tz)).cast(pa.int64()).cast(pa.float64()), 1e6)
        elif pa.types.is_boolean(kind):
            whole = whole.cast(pa.int8())
        elif not is_numeric(kind):
            raise NotExpressible(_RECORDS, f"values of the type {kind}, compared by size")
        numbers: Floats = whole.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise NotExpressible(_RECORDS, "numbers or times too long for double precision, compared by size") from error
    return _without_nan(whole, numbers) if pa.types.is_floating(kind) else numbers


def _without_nan(whole: pa.Array, numbers: Floats) -> Floats:
    if not has_nan(whole):
        return numbers
    if np.isposinf(numbers).any():
        raise NotExpressible(_RECORDS, "both infinity and what is no number in one column, compared by size")
    return np.where(pc.is_nan(whole).fill_null(False).to_numpy(zero_copy_only=False), np.inf, numbers)


def has_nan(values: Column) -> bool:
    """Whether a value is no number, though not null."""
    return pa.types.is_floating(values.type) and bool(pc.any(pc.is_nan(values)).as_py())


def is_numeric(kind: pa.DataType) -> bool:
    """Whether values are numbers, or nothing but nulls."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists of any kind."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def kind_of(of: pa.DataType, kind: Kind) -> str:
    """What values have to share to be compared as they are; "" is like any."""
    if kind is Kind.TEXTS:
        return kind_of(of.value_type, Kind.TEXT) if is_list(of) else str(of)
    if pa.types.is_null(of):
        return ""
    if pa.types.is_boolean(of) or pa.types.is_integer(of):
        return "whole numbers" if kind is Kind.TEXT else "numbers"
    if pa.types.is_floating(of):
        return "floating numbers" if kind is Kind.TEXT else "numbers"
    if is_numeric(of) and kind is Kind.NUMBER:
        return "numbers"
    if pa.types.is_string(of) or pa.types.is_large_string(of):
        return "texts"
    if pa.types.is_timestamp(of):
        return "times"
    return str(of)


def as_text(values: Column) -> pa.Array:
    """Values as text that is equal when they are, as DuckDB has it: zero of either sign is one value, and so is NaN."""
    whole = combined(values)
    kind = whole.type
    if pa.types.is_null(kind):
        return pa.nulls(len(whole), pa.large_string())
    if is_list(kind):
        return _text_of_lists(whole)
    if pa.types.is_struct(kind):
        return _text_of_structs(whole)
    if pa.types.is_boolean(kind):
        whole = whole.cast(pa.int8())
    if pa.types.is_floating(kind):
        whole = plain_floats(whole.cast(pa.float64()))
    try:
        return whole.cast(pa.large_string(), safe=False)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise NotExpressible(_RECORDS, f"values of the type {kind}, compared as texts") from error


def _text_of_lists(lists: pa.Array) -> pa.Array:
    """Each element after its length, so that no other list has the same text."""
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    elements = _told(as_text(lists.flatten()))
    whole = pa.LargeListArray.from_arrays(offsets, elements, mask=pc.is_null(lists))
    return pc.binary_join(whole, _NOTHING)


def _text_of_structs(structs: pa.Array) -> pa.Array:
    parts = [_told(as_text(structs.field(i))) for i in range(structs.type.num_fields)]
    joined = pc.binary_join_element_wise(*parts, _NOTHING)
    return pc.if_else(structs.is_valid(), joined, pa.scalar(None, pa.large_string()))


def _told(texts: pa.Array) -> pa.Array:
    lengths = pc.binary_length(texts).cast(pa.large_string())
    return pc.binary_join_element_wise(lengths, texts, _COLON).fill_null("n")


def plain_floats(values: pa.Array) -> pa.Array:
    """With one zero and one NaN."""
    if not len(values):
        return values
    numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
    plain = np.where(np.isnan(numbers), numbers.dtype.type(np.nan), numbers + numbers.dtype.type(0))
    mask = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
    return pa.array(plain, values.type, mask=mask, from_pandas=False)


def dictionary(column: Column) -> tuple[Ints, pa.Array]:
    """For each value its number (0 for none), and the values, the null first."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type):
        return _nested_dictionary(combined(column))
    if pa.types.is_floating(column.type):
        column = plain_floats(combined(column))
    codes, values = _encoded(column)
    return codes, pa.concat_arrays([pa.nulls(1, values.type), values])


def _nested_dictionary(whole: pa.Array) -> tuple[Ints, pa.Array]:
    """Arrow has no dictionary of lists: one of their texts."""
    codes, texts = _encoded(as_text(whole))
    first = np.zeros(len(texts) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    values = whole.take(pa.array(first[1:]))
    return codes, pa.concat_arrays([pa.nulls(1, values.type), values])


def _encoded(column: Column) -> tuple[Ints, pa.Array]:
    encoded = combined(combined(column).dictionary_encode())
    codes = pc.add(encoded.indices, 1).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int32)
    return codes, encoded.dictionary


def combined(column: Column) -> pa.Array:
    """As one array."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole


def text_buffers(texts: pa.Array) -> tuple[Bytes, Longs]:
    """The bytes of texts, one after the other, and where each begins (one more than there are)."""
    whole = texts.cast(pa.large_string())
    _, offsets, data = whole.buffers()
    count = len(whole)
    if count == 0:
        return np.zeros(1, np.uint8), np.zeros(1, np.int64)
    start = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + count + 1]
    base = int(start[0])
    size = int(start[-1]) - base
    text = np.frombuffer(data, np.uint8)[base : base + size] if size else np.zeros(1, np.uint8)
    return np.ascontiguousarray(text), np.ascontiguousarray(start - base)


def give_back() -> None:
    """Let the system have the memory that Arrow keeps for its next array: it may be as much as the table."""
    pa.default_memory_pool().release_unused()

"""Whole columns of identifying numbers: each distinct value is checked once, canonical ones all together."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.records.identifiers import CHECK_LETTERS, IdentifierKind, IdentifierStatus, canonical

_CANONICAL_SHAPE = {
    IdentifierKind.PNC: r"^(?:19|20)[0-9]{2}/[0-9]{7}[A-Z]$",
    IdentifierKind.CRO: r"^[0-9]{6}/[0-9]{2}[A-Z]$",
    IdentifierKind.PRISON_NUMBER: r"^[A-Z][0-9]{4}[A-Z]{2}$",
    IdentifierKind.CRN: r"^[A-Z][0-9]{6}$",
}
# Where the digits of the checked number stand in the canonical spelling, most significant first; the letter is last.
_CHECKED_DIGITS = {
    IdentifierKind.PNC: (2, 3, 5, 6, 7, 8, 9, 10, 11),
    IdentifierKind.CRO: (7, 8, 0, 1, 2, 3, 4, 5),
}
_SERIAL_DIGITS = {IdentifierKind.PNC: 7, IdentifierKind.CRO: 6}
_LETTERS = np.frombuffer(CHECK_LETTERS.encode(), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class IdentifierColumn:
    """A checked column: `canonical` (string, null unless valid) and `status` (string, a value of IdentifierStatus)."""

    canonical: pa.Array
    status: pa.Array


def canonical_column(kind: IdentifierKind, values: pa.Array | pa.ChunkedArray, *, today: dt.date) -> IdentifierColumn:
    """Check a column of strings; the same answers as `canonical` row by row."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    encoded = values.cast(pa.string()).dictionary_encode()
    distinct = _distinct(kind, encoded.dictionary, today)
    status = pc.fill_null(distinct.status.take(encoded.indices), IdentifierStatus.MISSING.value)
    return IdentifierColumn(distinct.canonical.take(encoded.indices), status)


def _distinct(kind: IdentifierKind, values: pa.Array, today: dt.date) -> IdentifierColumn:
    sound = _already_canonical(kind, values)
    others = pc.indices_nonzero(pc.invert(sound)).to_numpy(zero_copy_only=False)
    answers = [canonical(kind, text, today=today) for text in values.take(pa.array(others)).to_pylist()]
    slow = pa.array([answer.canonical for answer in answers], pa.string())
    slow_status = pa.array([answer.status.value for answer in answers], pa.string())
    return IdentifierColumn(
        pc.replace_with_mask(values, pc.invert(sound), slow),
        pc.replace_with_mask(pa.repeat(IdentifierStatus.VALID.value, len(values)), pc.invert(sound), slow_status),
    )


def _already_canonical(kind: IdentifierKind, values: pa.Array) -> pa.Array:
    """True where a value is in canonical spelling and passes its check: nothing to do for it."""
    shaped = pc.match_substring_regex(values, _CANONICAL_SHAPE[kind])
    if kind not in _CHECKED_DIGITS or not len(values):
        return shaped
    sound = np.zeros(len(values), dtype=bool)
    at = pc.indices_nonzero(shaped).to_numpy(zero_copy_only=False)
    if at.size:
        sound[at] = _passes(kind, _characters(values.take(pa.array(at))))
    return pa.array(sound)


def _characters(values: pa.Array) -> npt.NDArray[np.uint8]:
    """ASCII strings of one length as a table of bytes, (rows, length)."""
    width = len(values[0].as_py())
    fixed = values.cast(pa.binary()).cast(pa.binary(width))
    return np.frombuffer(fixed.buffers()[1], dtype=np.uint8, count=len(fixed) * width).reshape(-1, width)


def _passes(kind: IdentifierKind, characters: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    positions = _CHECKED_DIGITS[kind]
    digits = characters[:, positions].astype(np.int64) - ord("0")
    numbers = digits @ (10 ** np.arange(len(positions) - 1, -1, -1, dtype=np.int64))
    serials = numbers % 10 ** _SERIAL_DIGITS[kind]
    passes: npt.NDArray[np.bool_] = (_LETTERS[numbers % _LETTERS.size] == characters[:, -1]) & (serials > 0)
    return passes

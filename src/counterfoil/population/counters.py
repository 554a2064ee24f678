"""Random draws that belong to a row and a name: the same row draws the same, in whatever part it is made.

A table of millions of rows is written a part at a time without keeping its draws. The generator is SplitMix64 (Steele,
Lea and Flood 2014), counted by the row.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.population.draws import Floats, Integers

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_MANTISSA = 53


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of one stream. `what` names the draw; rows are whole numbers that are not negative."""

    key: int

    def bits(self, rows: npt.NDArray[np.integer], what: str) -> npt.NDArray[np.uint64]:
        """64 random bits a row. Two rows never have the same ones."""
        salt = np.uint64(zlib.crc32(what.encode()) * 0x9E3779B97F4A7C15 % 2**64) ^ np.uint64(self.key)
        with np.errstate(over="ignore"):
            mixed = (rows.astype(np.uint64) + np.uint64(1)) * _GOLDEN + salt
            mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
            mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)

    def uniform(self, rows: npt.NDArray[np.integer], what: str) -> Floats:
        """At least 0, less than 1."""
        return np.asarray((self.bits(rows, what) >> np.uint64(64 - _MANTISSA)) * 2.0**-_MANTISSA, np.float64)

    def normal(self, rows: npt.NDArray[np.integer], what: str) -> Floats:
        """Unit normal (Box and Muller)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(rows, what)))
        return np.asarray(radius * np.cos(2.0 * np.pi * self.uniform(rows, f"{what}'")), np.float64)

    def whole(self, rows: npt.NDArray[np.integer], what: str, low: int, high: int) -> Integers:
        """At least `low`, less than `high`."""
        return np.asarray(low + np.floor(self.uniform(rows, what) * (high - low)), np.int64)

    def pick(self, rows: npt.NDArray[np.integer], what: str, weights: Sequence[float]) -> Integers:
        """A position with probability proportional to `weights`."""
        edges = np.cumsum(np.asarray(weights, np.float64))
        place = np.searchsorted(edges, self.uniform(rows, what) * edges[-1], side="right")
        return np.asarray(np.minimum(place, len(edges) - 1), np.int64)

    def hashed(self, rows: npt.NDArray[np.integer], what: str) -> pa.Array:
        """A text of 16 hexadecimal digits a row, as the sources' hashed keys look; two rows never have the same."""
        octets = self.bits(rows, what).astype(">u8").view(np.uint8).reshape(-1, 8)
        text = np.empty((len(octets), 16), np.uint8)
        text[:, 0::2], text[:, 1::2] = _HEX[octets >> 4], _HEX[octets & 15]
        flat = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(text), [None, pa.py_buffer(text.tobytes())])
        return flat.cast(pa.binary()).cast(pa.string())


def stream(rng: np.random.Generator) -> Draws:
    """Draws of a stream that another generator starts."""
    return Draws(int(rng.integers(0, 2**63)))


def text_numbers(texts: pa.Array, width: int) -> Integers:
    """A whole number for each ASCII text of one width up to 8 characters, equal for equal texts; none may be null."""
    fixed = texts.cast(pa.binary()).cast(pa.binary(width))
    start = fixed.offset * width
    raw = np.frombuffer(fixed.buffers()[1], np.uint8)[start : start + len(fixed) * width].reshape(-1, width)
    return np.asarray(raw.astype(np.int64) @ (128 ** np.arange(width, dtype=np.int64)), np.int64)

"""The characters of texts, and which of them two have in common. DuckDB counts characters (code points), not bytes.

Texts lie in one array of UTF-8 bytes; each is given by where it starts and how many bytes it has. Texts of up to 64
ASCII characters take the fast way; others are decoded first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from counterfoil.linkage.core.compiling import compiled, compiled_lean
from counterfoil.linkage.core.layout import Bytes

Characters = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]
SHORT = 64  # bytes that fit one machine word of flags


@compiled_lean
def is_ascii(text: Bytes, start: int, length: int) -> bool:
    """Whether all bytes are characters of their own."""
    found = np.uint8(0)
    for at in range(start, start + length):
        found |= text[at]
    return bool(found < 128)


@compiled_lean
def are_short(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> bool:
    """Whether both texts may go the fast way."""
    return a_length <= SHORT and b_length <= SHORT and is_ascii(text, a, a_length) and is_ascii(text, b, b_length)


@compiled
def decoded(text: Bytes, start: int, length: int) -> npt.NDArray[np.uint32]:
    """The code points of valid UTF-8."""
    out = np.empty(length, dtype=np.uint32)
    count, at = 0, start
    while at < start + length:
        byte = np.uint32(text[at])
        if byte < 0x80:
            more, code = 0, byte
        elif byte < 0xE0:
            more, code = 1, byte & np.uint32(0x1F)
        elif byte < 0xF0:
            more, code = 2, byte & np.uint32(0x0F)
        else:
            more, code = 3, byte & np.uint32(0x07)
        for k in range(more):
            code = (code << np.uint32(6)) | (np.uint32(text[at + 1 + k]) & np.uint32(0x3F))
        out[count] = code
        count += 1
        at += more + 1
    return out[:count]


@compiled
def last_in(characters: Characters, wanted: int, upto: int) -> int:
    """Where `wanted` comes last before `upto`, counted from one; 0 when nowhere."""
    for at in range(upto, 0, -1):
        if characters[at - 1] == wanted:
            return at
    return 0


@compiled
def _jaccard_of(a: Characters, b: Characters) -> float:
    shared, first_a, first_b = 0, 0, 0
    for i in range(a.size):
        if last_in(a, a[i], i) == 0:
            first_a += 1
            if last_in(b, a[i], b.size):
                shared += 1
    for j in range(b.size):
        if last_in(b, b[j], j) == 0:
            first_b += 1
    return shared / (first_a + first_b - shared)


@compiled
def jaccard(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    """Shared characters among all characters of both; NaN when either is empty, where DuckDB stops with an error."""
    if a_length == 0 or b_length == 0:
        return np.nan
    return _jaccard_of(decoded(text, a, a_length), decoded(text, b, b_length))

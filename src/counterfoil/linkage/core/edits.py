"""How many edits make one text of another: Levenshtein's distance and Damerau's, in characters, as DuckDB counts."""

from __future__ import annotations

import numpy as np

from counterfoil.linkage.core.characters import SHORT, Characters, decoded, is_ascii, last_in
from counterfoil.linkage.core.compiling import compiled, compiled_lean
from counterfoil.linkage.core.layout import Bytes


@compiled
def _levenshtein_of(a: Characters, b: Characters, most: int) -> int:
    """The distance, or any number above `most` when it is greater."""
    low, a_high, b_high = 0, a.size, b.size
    while low < a_high and low < b_high and a[low] == b[low]:
        low += 1
    while a_high > low and b_high > low and a[a_high - 1] == b[b_high - 1]:
        a_high -= 1
        b_high -= 1
    a_length, b_length = a_high - low, b_high - low
    if a_length == 0 or b_length == 0:
        return max(a_length, b_length)
    if abs(a_length - b_length) > most:
        return most + 1
    if most == 1:
        return 1 if a_length == 1 and b_length == 1 else 2
    row = np.arange(b_length + 1)
    for i in range(a_length):
        diagonal = row[0]
        row[0] = i + 1
        least = i + 1
        for j in range(b_length):
            cost = diagonal + (0 if a[low + i] == b[low + j] else 1)
            diagonal = row[j + 1]
            row[j + 1] = min(cost, diagonal + 1, row[j] + 1)
            least = min(least, row[j + 1])
        if least > most:
            return most + 1
    return int(row[b_length])


@compiled_lean
def levenshtein_within(text: Bytes, a: int, a_length: int, b: int, b_length: int, most: int) -> int:
    """The Levenshtein distance in characters, or any number above `most` when it is greater.

    What the texts have in common at both ends is passed over; most pairs are decided by what is left.
    """
    low, a_high, b_high = 0, a_length, b_length
    while low < a_high and low < b_high and text[a + low] == text[b + low]:
        low += 1
    while a_high > low and b_high > low and text[a + a_high - 1] == text[b + b_high - 1]:
        a_high -= 1
        b_high -= 1
    if not (is_ascii(text, a + low, a_high - low) and is_ascii(text, b + low, b_high - low)):
        return _levenshtein_wide(text, a, a_length, b, b_length, most)
    a_left, b_left = a_high - low, b_high - low
    if a_left == 0 or b_left == 0:
        return max(a_left, b_left)
    if abs(a_left - b_left) > most:
        return most + 1
    if most == 1:
        return 1 if a_left == 1 and b_left == 1 else 2
    if a_left > SHORT:
        return _levenshtein_wide(text, a, a_length, b, b_length, most)
    return _levenshtein_bits(text, a + low, a_left, b + low, b_left)


@compiled_lean
def _levenshtein_bits(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> int:
    """The distance of two texts of bytes, the first of at most 64, a column of the table at a time as bits (Myers)."""
    one = np.uint64(1)
    plus, minus = ~np.uint64(0), np.uint64(0)
    last = one << np.uint64(a_length - 1)
    distance = a_length
    for j in range(b_length):
        equal = np.uint64(0)
        for i in range(a_length):
            if text[a + i] == text[b + j]:
                equal |= one << np.uint64(i)
        vertical = equal | minus
        horizontal = (((equal & plus) + plus) ^ plus) | equal
        up = minus | ~(horizontal | plus)
        down = plus & horizontal
        if up & last:
            distance += 1
        if down & last:
            distance -= 1
        up = (up << one) | one
        down = down << one
        plus = down | ~(vertical | up)
        minus = up & vertical
    return distance


@compiled
def _levenshtein_wide(text: Bytes, a: int, a_length: int, b: int, b_length: int, most: int) -> int:
    return _levenshtein_of(decoded(text, a, a_length), decoded(text, b, b_length), most)


@compiled_lean
def levenshtein(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> int:
    """The Levenshtein distance in characters."""
    return levenshtein_within(text, a, a_length, b, b_length, a_length + b_length)


@compiled
def _are_turned(a: Characters, b: Characters) -> bool:
    return a.size == 2 and b.size == 2 and a[0] == b[1] and a[1] == b[0]


@compiled
def _damerau_of(a: Characters, b: Characters, most: int) -> int:
    """The unrestricted distance (Lowrance and Wagner): neighbours transposed may be edited in between.

    Any number above `most` when the distance is greater.
    """
    low, a_high, b_high = 0, a.size, b.size
    while low < a_high and low < b_high and a[low] == b[low]:
        low += 1
    while a_high > low and b_high > low and a[a_high - 1] == b[b_high - 1]:
        a_high -= 1
        b_high -= 1
    a, b = a[low:a_high], b[low:b_high]
    if a.size == 0 or b.size == 0 or abs(a.size - b.size) > most:
        return max(a.size, b.size, abs(a.size - b.size))
    if most == 1:  # one edit of what differs at both ends
        return 1 if (a.size == 1 and b.size == 1) or _are_turned(a, b) else 2
    grid = np.empty((a.size + 1, b.size + 1), dtype=np.int64)
    grid[:, 0] = np.arange(a.size + 1)
    grid[0, :] = np.arange(b.size + 1)
    for i in range(1, a.size + 1):
        b_before = 0
        for j in range(1, b.size + 1):
            same = a[i - 1] == b[j - 1]
            least = min(grid[i - 1, j] + 1, grid[i, j - 1] + 1, grid[i - 1, j - 1] + (0 if same else 1))
            if b_before:
                a_before = last_in(a, b[j - 1], i - 1)
                if a_before:
                    edits = (i - a_before - 1) + 1 + (j - b_before - 1)
                    least = min(least, grid[a_before - 1, b_before - 1] + edits)
            grid[i, j] = least
            if same:
                b_before = j
    return int(grid[a.size, b.size])


@compiled
def damerau_within(text: Bytes, a: int, a_length: int, b: int, b_length: int, most: int) -> int:
    """The unrestricted Damerau-Levenshtein distance in characters, or any number above `most` when it is greater."""
    if is_ascii(text, a, a_length) and is_ascii(text, b, b_length):
        return _damerau_of(text[a : a + a_length], text[b : b + b_length], most)
    return _damerau_of(decoded(text, a, a_length), decoded(text, b, b_length), most)


@compiled
def damerau_levenshtein(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> int:
    """The unrestricted Damerau-Levenshtein distance in characters."""
    return damerau_within(text, a, a_length, b, b_length, a_length + b_length)

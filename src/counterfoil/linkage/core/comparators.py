"""How alike two texts are, with DuckDB's own results: it counts characters (code points), not bytes.

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
WORD = 8  # bytes of a machine word
PREFIX = 4  # characters that Winkler's bonus counts
BONUS = 0.1
BONUS_FROM = 0.7
SLACK = 1e-9  # by which a bound exceeds any rounding


@compiled_lean
def is_ascii(text: Bytes, start: int, length: int) -> bool:
    """Whether all bytes are characters of their own."""
    found = np.uint8(0)
    for at in range(start, start + length):
        found |= text[at]
    return bool(found < 128)


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


@compiled_lean
def _similarity(matched: int, transposed: int, a_length: int, b_length: int) -> float:
    found = matched / a_length
    found += matched / b_length
    found += (matched - transposed) / matched
    return found / 3.0


@compiled_lean
def _jaro_word(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    """Jaro similarity of two texts of one to eight ASCII characters, eight of them compared at once.

    The second text is one word, a byte a character. With the high bit of no character set, subtracting from 0x80 leaves
    the high bit just where two bytes are equal.
    """
    high, each = np.uint64(0x8080808080808080), np.uint64(0x0101010101010101)
    every = ~np.uint64(0)
    word = np.uint64(0)
    for j in range(b_length):
        word |= np.uint64(text[b + j]) << np.uint64(8 * j)
    window = max(max(a_length, b_length) // 2 - 1, 0)
    free, in_a = high, np.uint64(0)
    matched = 0
    for i in range(a_length):
        first, last = max(i - window, 0), min(i + window + 1, b_length)
        if first >= last:
            break
        near = (every << np.uint64(8 * first)) & (every >> np.uint64(64 - 8 * last))
        same = (high - (word ^ (np.uint64(text[a + i]) * each))) & near & free
        if same:
            free ^= same & (~same + np.uint64(1))
            in_a |= np.uint64(1) << np.uint64(i)
            matched += 1
    if matched == 0:
        return 0.0
    transposed = 0
    taken = free ^ high
    for i in range(a_length):
        if (in_a >> np.uint64(i)) & np.uint64(1):
            next_ = taken & (~taken + np.uint64(1))
            taken ^= next_
            if not (high - (word ^ (np.uint64(text[a + i]) * each))) & next_:
                transposed += 1
    return _similarity(matched, transposed // 2, a_length, b_length)


@compiled_lean
def jaro_short(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    if a_length == 0 or b_length == 0:
        return 0.0
    if max(a_length, b_length) <= WORD:
        return _jaro_word(text, a, a_length, b, b_length)
    window = max(max(a_length, b_length) // 2 - 1, 0)
    one = np.uint64(1)
    in_a = np.uint64(0)
    in_b = np.uint64(0)
    matched = 0
    for i in range(a_length):
        wanted = text[a + i]
        for j in range(max(i - window, 0), min(i + window + 1, b_length)):
            if text[b + j] == wanted and not (in_b >> np.uint64(j)) & one:
                in_b |= one << np.uint64(j)
                in_a |= one << np.uint64(i)
                matched += 1
                break
    if matched == 0:
        return 0.0
    transposed, j = 0, 0
    for i in range(a_length):
        if (in_a >> np.uint64(i)) & one:
            while not (in_b >> np.uint64(j)) & one:
                j += 1
            if text[a + i] != text[b + j]:
                transposed += 1
            j += 1
    return _similarity(matched, transposed // 2, a_length, b_length)


@compiled
def _jaro_long(a: Characters, b: Characters) -> float:
    if a.size == 0 or b.size == 0:
        return 0.0
    window = max(max(a.size, b.size) // 2 - 1, 0)
    in_a = np.zeros(a.size, dtype=np.bool_)
    in_b = np.zeros(b.size, dtype=np.bool_)
    matched = 0
    for i in range(a.size):
        for j in range(max(i - window, 0), min(i + window + 1, b.size)):
            if not in_b[j] and a[i] == b[j]:
                in_a[i] = in_b[j] = True
                matched += 1
                break
    if matched == 0:
        return 0.0
    transposed, j = 0, 0
    for i in range(a.size):
        if in_a[i]:
            while not in_b[j]:
                j += 1
            if a[i] != b[j]:
                transposed += 1
            j += 1
    return _similarity(matched, transposed // 2, a.size, b.size)


@compiled_lean
def _is_short(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> bool:
    return a_length <= SHORT and b_length <= SHORT and is_ascii(text, a, a_length) and is_ascii(text, b, b_length)


@compiled_lean
def jaro(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    """Jaro similarity, 0 to 1; 0 when either is empty."""
    if _is_short(text, a, a_length, b, b_length):
        return jaro_short(text, a, a_length, b, b_length)
    return _jaro_wide(text, a, a_length, b, b_length)


@compiled
def _jaro_wide(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    return _jaro_long(decoded(text, a, a_length), decoded(text, b, b_length))


@compiled_lean
def _with_bonus(found: float, same: int) -> float:
    """found + (same * BONUS) * (1 - found), rounded once, as DuckDB's fused multiplication and addition does."""
    one, other = same * BONUS, 1.0 - found
    product = one * other
    split = one * 134217729.0  # 2 ** 27 + 1: halves of a product that are exact
    one_high = split - (split - one)
    split = other * 134217729.0
    other_high = split - (split - other)
    one_low, other_low = one - one_high, other - other_high
    lost = ((one_high * other_high - product) + one_high * other_low + one_low * other_high) + one_low * other_low
    total = found + product
    rest = total - found
    return total + (((found - (total - rest)) + (product - rest)) + lost)


@compiled_lean
def with_prefix(found: float, text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    if found <= BONUS_FROM:
        return found
    same = 0
    while same < min(PREFIX, a_length, b_length) and text[a + same] == text[b + same]:
        same += 1
    return _with_bonus(found, same)


@compiled_lean
def jaro_winkler(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    """Jaro-Winkler similarity, 0 to 1; 0 when either is empty."""
    if _is_short(text, a, a_length, b, b_length):
        return with_prefix(jaro_short(text, a, a_length, b, b_length), text, a, a_length, b, b_length)
    return _jaro_winkler_wide(text, a, a_length, b, b_length)


@compiled
def _jaro_winkler_wide(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    one, other = decoded(text, a, a_length), decoded(text, b, b_length)
    found = _jaro_long(one, other)
    if found <= BONUS_FROM:
        return found
    same = 0
    while same < min(PREFIX, one.size, other.size) and one[same] == other[same]:
        same += 1
    return _with_bonus(found, same)


@compiled_lean
def ones(word: np.uint64) -> int:
    """How many bits are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled_lean
def jaro_winkler_bound(
    text: Bytes, a: int, a_length: int, a_letters: np.uint64, b: int, b_length: int, b_letters: np.uint64
) -> float:
    """At least the Jaro-Winkler (so the Jaro) similarity, from the letters that occur; 2 where characters are wide."""
    if not _is_short(text, a, a_length, b, b_length):
        return 2.0
    return bound_of_letters(text, a, a_length, a_letters, b, b_length, b_letters)


@compiled_lean
def bound_of_letters(
    text: Bytes, a: int, a_length: int, a_letters: np.uint64, b: int, b_length: int, b_letters: np.uint64
) -> float:
    """The same for texts of ASCII."""
    most = min(a_length - ones(a_letters & ~b_letters), b_length - ones(b_letters & ~a_letters))
    if most <= 0:
        return 0.0
    found = (most / a_length + most / b_length + 1.0) / 3.0
    return with_prefix(found, text, a, a_length, b, b_length) + SLACK


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
def _last_in(characters: Characters, wanted: int, upto: int) -> int:
    """Where `wanted` comes last before `upto`, counted from one; 0 when nowhere."""
    for at in range(upto, 0, -1):
        if characters[at - 1] == wanted:
            return at
    return 0


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
                a_before = _last_in(a, b[j - 1], i - 1)
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


@compiled
def _jaccard_of(a: Characters, b: Characters) -> float:
    shared, first_a, first_b = 0, 0, 0
    for i in range(a.size):
        if _last_in(a, a[i], i) == 0:
            first_a += 1
            if _last_in(b, a[i], b.size):
                shared += 1
    for j in range(b.size):
        if _last_in(b, b[j], j) == 0:
            first_b += 1
    return shared / (first_a + first_b - shared)


@compiled
def jaccard(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    """Shared characters among all characters of both; NaN when either is empty, where DuckDB stops with an error."""
    if a_length == 0 or b_length == 0:
        return np.nan
    return _jaccard_of(decoded(text, a, a_length), decoded(text, b, b_length))


__all__ = [
    "damerau_levenshtein",
    "damerau_within",
    "jaccard",
    "jaro",
    "jaro_winkler",
    "jaro_winkler_bound",
    "levenshtein",
    "levenshtein_within",
]

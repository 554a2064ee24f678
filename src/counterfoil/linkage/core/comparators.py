"""How alike two texts are by Jaro and Winkler, with DuckDB's own results to the last bit; and bounds that cost less."""

from __future__ import annotations

import numpy as np

from counterfoil.linkage.core.characters import Characters, are_short, decoded
from counterfoil.linkage.core.compiling import compiled, compiled_lean
from counterfoil.linkage.core.layout import Bytes

WORD = 8  # bytes of a machine word
PREFIX = 4  # characters that Winkler's bonus counts
BONUS = 0.1
BONUS_FROM = 0.7
SLACK = 1e-9  # by which a bound exceeds any rounding


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
def jaro(text: Bytes, a: int, a_length: int, b: int, b_length: int) -> float:
    """Jaro similarity, 0 to 1; 0 when either is empty."""
    if are_short(text, a, a_length, b, b_length):
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
    if are_short(text, a, a_length, b, b_length):
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
    if not are_short(text, a, a_length, b, b_length):
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

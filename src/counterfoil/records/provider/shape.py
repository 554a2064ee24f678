"""The shape of a value, which is all that a message may show of it."""

from __future__ import annotations

import string

LONGEST_SHAPE = 24
_KEPT = frozenset(string.punctuation + " ")


def shape(value: str) -> str:
    """Letters as A or a, figures as 9, ASCII punctuation and blanks as they are, anything else as ?.

    "Smith 1" is "Aaaaa 9". Longer than 24 characters it is cut, with an ellipsis.
    """
    drawn = "".join(_stand_in(character) for character in value[: LONGEST_SHAPE + 1])
    return drawn if len(drawn) <= LONGEST_SHAPE else drawn[:LONGEST_SHAPE] + "…"


def _stand_in(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character if character in _KEPT else "?"

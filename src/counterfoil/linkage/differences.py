"""Where two spellings of one identifier differ, character by character, for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

_ALIKE = 0.5  # share of letters in common below which two values are marked as a whole: other names, not slips


class Standing(Enum):
    """How the two values of a field stand to each other. The signs say it without colour."""

    SAME = "="
    DIFFERENT = "#"
    ONE_MISSING = "-"
    BOTH_MISSING = " "


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters, and whether the other side lacks it."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Two values in pieces, joined again they are the values."""

    standing: Standing
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]


def compare(left: str, right: str) -> Difference:
    """Pieces of both values; empty is missing. Capital or small does not matter."""
    if not left or not right:
        standing = Standing.ONE_MISSING if left or right else Standing.BOTH_MISSING
        return Difference(standing, _whole(left), _whole(right))
    if _folded(left) == _folded(right):
        return Difference(Standing.SAME, _whole(left), _whole(right))
    matcher = SequenceMatcher(None, _folded(left), _folded(right), autojunk=False)
    if matcher.ratio() < _ALIKE:
        return Difference(Standing.DIFFERENT, (Piece(left, True),), (Piece(right, True),))
    blocks = matcher.get_opcodes()
    ours = tuple(Piece(left[a:b], kind != "equal") for kind, a, b, _, _ in blocks if a < b)
    theirs = tuple(Piece(right[c:d], kind != "equal") for kind, _, _, c, d in blocks if c < d)
    return Difference(Standing.DIFFERENT, ours, theirs)


def _folded(text: str) -> str:
    """Capitals, letter by letter, so that places stay what they are."""
    return "".join(capital if len(capital := letter.upper()) == 1 else letter for letter in text)


def bracketed(pieces: tuple[Piece, ...]) -> str:
    """The value with what differs in brackets: for screens that know only characters, and for screen readers."""
    return "".join(f"[{piece.text}]" if piece.differs else piece.text for piece in pieces)


def _whole(text: str) -> tuple[Piece, ...]:
    return (Piece(text, False),) if text else ()

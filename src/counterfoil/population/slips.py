"""Slips that people and machines make in names and dates."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from counterfoil.population.calendar import Days, from_parts, parts
from counterfoil.population.strings import Ids, StringPool
from counterfoil.population.tables import familiar_forms

_VARIANTS = 24  # different ways in which one slip changes one name


class Slip(IntEnum):
    """A way in which a written name goes wrong."""

    TYPO = 0
    TRANSPOSED = 1
    OPTICAL = 2
    PHONETIC = 3


SLIP_WEIGHTS = np.array([0.42, 0.16, 0.10, 0.32])

_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "qsz", "s": "adw", "d": "sfe", "f": "dgr", "g": "fht", "h": "gjy", "j": "hku", "k": "jli",
    "l": "ko", "z": "xa", "x": "zcs", "c": "xvd", "v": "cbf", "b": "vng", "n": "bmh", "m": "nj",
}  # fmt: skip
_SINGLE_LETTERS = str.maketrans("łŁıøØđĐ", "lLioOdD")  # letters that are not a letter and a mark
_LOOK_ALIKE = (
    ("m", "rn"),
    ("rn", "m"),
    ("l", "i"),
    ("o", "0"),
    ("cl", "d"),
    ("h", "b"),
    ("v", "u"),
    ("e", "c"),
    ("g", "q"),
)
_SOUND_ALIKE = (
    ("ph", "f"), ("f", "ph"), ("ck", "k"), ("c", "k"), ("k", "c"), ("y", "i"), ("i", "y"), ("ie", "ei"), ("ei", "ie"),
    ("ll", "l"), ("l", "ll"), ("tt", "t"), ("nn", "n"), ("n", "nn"), ("ss", "s"), ("s", "z"), ("z", "s"), ("ou", "u"),
    ("oo", "u"), ("ee", "ea"), ("ea", "ee"), ("a", "e"), ("e", "a"), ("aa", "a"), ("th", "t"), ("kh", "k"), ("w", "v"),
    ("ae", "ay"), ("ai", "ay"), ("ey", "y"), ("son", "sen"), ("mc", "mac"), ("mac", "mc"), ("rr", "r"), ("dd", "d"),
)  # fmt: skip


def slipped(rng: np.random.Generator, pool: StringPool, names: Ids) -> Ids:
    """Each name with one slip in it. The same name can go wrong in some two dozen ways of each kind."""
    kind = np.searchsorted(np.cumsum(SLIP_WEIGHTS), rng.random(len(names)), side="right").clip(0, len(Slip) - 1)
    way = (kind * _VARIANTS + rng.integers(0, _VARIANTS, len(names))).astype(np.int32)
    return pool.combine(names, way, _slip)


def familiar(rng: np.random.Generator, pool: StringPool, forenames: Ids) -> Ids:
    """Each forename by a familiar or variant form, itself where it has none."""
    forms = familiar_forms()

    def change(name: str, way: int) -> str:
        known = forms.get(name)
        return known[way % len(known)] if known else name

    return pool.combine(forenames, rng.integers(0, 12, len(forenames)).astype(np.int32), change)


def plain_letters(text: str) -> str:
    """Without diacritics, as an old police system keeps names."""
    special = text.translate(_SINGLE_LETTERS)
    return "".join(c for c in unicodedata.normalize("NFKD", special) if not unicodedata.combining(c))


def swap_day_and_month(days: Days) -> Days:
    """05/06 for 06/05, where that is a date."""
    year, month, of_month = parts(days)
    can = of_month <= 12
    return from_parts(year, np.where(can, of_month, month), np.where(can, month, of_month))


def first_of_january(days: Days) -> Days:
    """1 January of the same year."""
    year, month, _ = parts(days)
    one = np.ones_like(month)
    return from_parts(year, one, one)


def mistyped_date(rng: np.random.Generator, days: Days) -> Days:
    """One digit wrong: of the day, of the month or of the year."""
    year, month, of_month = parts(days)
    which = rng.integers(0, 4, len(days))
    slip = rng.choice([-1, 1], len(days))
    other_day = np.where(which == 0, (of_month - 1 + slip) % 28 + 1, np.minimum(of_month, 28))
    other_month = np.where(which == 1, (month - 1 + slip) % 12 + 1, month)
    other_year = year + np.select([which == 2, which == 3], [slip, slip * 10], 0)
    return from_parts(other_year, other_month, np.where(which >= 1, np.minimum(of_month, 28), other_day))


def _slip(name: str, way: int) -> str:
    if len(name) < 3:
        return name
    rng = np.random.default_rng([way, len(name), *name.encode()])
    changed = _SLIPS[Slip(way // _VARIANTS)](name.lower(), rng)
    return _cased_like(name, changed)


def _typo(name: str, rng: np.random.Generator) -> str:
    place, what = int(rng.integers(1, len(name))), int(rng.integers(0, 3))
    letter = name[place]
    near = _NEIGHBOURS.get(letter, "e")
    other = near[int(rng.integers(0, len(near)))]
    if what == 0:
        return name[:place] + name[place + 1 :]
    return name[:place] + other + name[place + (what == 1) :]


def _transposed(name: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(1, len(name) - 1))
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def _replaced(pairs: tuple[tuple[str, str], ...]) -> Callable[[str, np.random.Generator], str]:
    def change(name: str, rng: np.random.Generator) -> str:
        fitting = [(old, new) for old, new in pairs if old in name]
        if not fitting:
            return _typo(name, rng)
        old, new = fitting[int(rng.integers(0, len(fitting)))]
        return name.replace(old, new, 1)

    return change


_SLIPS: dict[Slip, Callable[[str, np.random.Generator], str]] = {
    Slip.TYPO: _typo,
    Slip.TRANSPOSED: _transposed,
    Slip.OPTICAL: _replaced(_LOOK_ALIKE),
    Slip.PHONETIC: _replaced(_SOUND_ALIKE),
}


def _cased_like(model: str, text: str) -> str:
    if model.isupper():
        return text.upper()
    starts = {i for i in range(len(text)) if i == 0 or text[i - 1] in " -'"}
    return "".join(c.upper() if i in starts else c for i, c in enumerate(text))


def holds_mark(pool: StringPool, ids: Ids, marks: str) -> npt.NDArray[np.bool_]:
    """Which names hold one of some marks (hyphen, apostrophe, blank)."""
    distinct, place = np.unique(ids, return_inverse=True)
    holds = np.array([any(m in pool.text(int(i)) for m in marks) for i in distinct], np.bool_)
    return holds[place]

"""Names for comparison: one spelling of what is the same name, never a replacement of what was given.

`standard` is what two spellings share: upper case, without marks, apostrophes, hyphens, blanks and titles, so that
O'Brien, O Brien and obrien are one, as are Smith-Jones and Smith Jones. `parts` keeps the words apart, so that either
half of a double name can be compared. A word is never cut by a fixed rule: "de la Cruz" is one part because its
particles lean on what follows, and a hyphen or blank between names parts them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Letters that Unicode does not take apart into a base letter and a mark.
_FOLDED = str.maketrans(
    {
        "ẞ": "SS", "Ø": "O", "Æ": "AE", "Œ": "OE", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "Ħ": "H", "Ŋ": "N",
        "Ŧ": "T", "Ɖ": "D", "Ə": "E",
    }
)  # fmt: skip
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘‛`´ʼʻʹʽ′＇", None))
_JOINERS = str.maketrans(dict.fromkeys("-‐‑‒–—−_/", "-"))
_ASCII = {  # the same rules for plain letters, in one step
    code: None if chr(code) in "'`" else "-" if chr(code) in "-_/" else chr(code) if chr(code).isalpha() else " "
    for code in range(128)
}
# Marks of Latin, Greek and Cyrillic letters; Hebrew and Arabic vowel points. Signs that Indic scripts spell with stay.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_TAGS = re.compile(r"(?:MIG_ERROR_|NO_SHOW_|DUPLICATE_)+")  # left by migrations of a live criminal-record system
_TITLES = _set_of("MR MRS MS MISS MX DR SIR DAME REV REVD PROF")
_SUFFIXES = _set_of("JR JNR SNR SR II III IV ESQ")
# Words that lean on the word after them. BEN is a forename too and D an initial, so they lean only inside a surname.
_FORENAME_PARTICLES = _set_of("DE DA LA")
_FULL_PARTICLES = _set_of(
    "MC MAC O ST SAINT DE DEL DELA DELLA DI DA DOS DU DES VAN VON DER DEN TER TEN BIN IBN BINT AL EL UL"
)
_SURNAME_PARTICLES = _FULL_PARTICLES | _set_of("D BEN LA LE LO LOS LAS ABU BU AIT")
_SHORT_FORMS = {"SAINT": "ST"}

# Words that stand for "no name", compared after standardising. NA is left out: it is a surname.
_PLACEHOLDERS = _set_of("""UNKNOWN UNK NOTKNOWN NK NOTENTERED NOTSTATED NOTGIVEN NOTRECORDED NOTAVAILABLE
    NOTAPPLICABLE NOTPROVIDED NOTSUPPLIED NONAME NONAMEGIVEN NONE NULL TBC TBA TOBECONFIRMED TEST TESTTEST DUMMY
    ANON ANONYMOUS REDACTED WITHHELD REFUSED MISSING NFA NFN NOFORENAME NOSURNAME DONOTUSE""")
_RAW_PLACEHOLDERS = frozenset({"N/A", "#N/A", "N/K", "N.A.", "#REF!", "#VALUE!", "#NAME?", "?"})
_FILLER = re.compile(r"X{2,}|(?:TEST)+")
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
TRADING_AS = r"(?i)\s(?:t/as?|trading as)\b"  # what follows is a firm's name, not a person's
_FIRM = re.compile(rf"{TRADING_AS}.*$")
_SAYS_ALIAS = r"(?:a\.k\.a\b\.?|aka\b|also known as\b|known as\b|alias\b|née?\b|nee\b)\s*:?\s*"
_ALIAS_AFTER = re.compile(rf"(?i)(?<=\S)[\s,;]+{_SAYS_ALIAS}")  # something stands before: Nee and Akash are names
_ALIAS_FIRST = re.compile(rf"(?i)^\s*{_SAYS_ALIAS}")


class NameField(Enum):
    """Where a name stood. Particles differ: Ben is a forename, ben leans on a surname."""

    FORENAME = "forename"
    SURNAME = "surname"
    FULL = "full"


_PARTICLES = {
    NameField.FORENAME: _FORENAME_PARTICLES,
    NameField.SURNAME: _SURNAME_PARTICLES,
    NameField.FULL: _FULL_PARTICLES,
}


@dataclass(frozen=True, slots=True)
class StandardName:
    """One name field, standardised. All empty when it was missing or a placeholder."""

    standard: str | None = None
    parts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()  # names in brackets or after "aka" in the same field, standardised


@dataclass(frozen=True, slots=True)
class SplitName:
    """A name given in one cell, as raw text. `forenames` is None when there is one word only."""

    forenames: str | None
    surname: str | None
    aliases: tuple[str, ...] = ()


MISSING_NAME = StandardName()


def standardise_name(raw: str | None, field: NameField) -> StandardName:
    """Standardise one name field. Titles go, particles join what follows, placeholders are missing."""
    if is_placeholder(raw):
        return MISSING_NAME
    main, aliases = split_aliases(raw or "")
    words = _words(main, field)
    standard = "".join(words)
    if not standard or standard in _PLACEHOLDERS or _FILLER.fullmatch(standard):
        return MISSING_NAME
    parts = tuple(part for word in words for part in word.split("-"))
    names = (standardise_full_name(alias) for alias in aliases)
    return StandardName(standard.replace("-", ""), parts, tuple(name for name in names if name))


def standardise_full_name(raw: str | None) -> str | None:
    """A whole name ("FORENAME SURNAME") in comparable spelling: words apart by one blank, each folded."""
    if is_placeholder(raw):
        return None
    words = [word.replace("-", "") for word in _words(raw or "", NameField.FULL)]
    empty = _is_filler("".join(words)) or all(_is_filler(word) for word in words)
    return None if empty else " ".join(words)


def is_placeholder(raw: str | None) -> bool:
    """Whether a cell says that there is no name: empty, a dash, Unknown, N/A, TBC, Test Test, XXX, NOT ENTERED …"""
    text = (raw or "").strip().upper()
    if text.replace(" ", "") in _RAW_PLACEHOLDERS:
        return True
    letters = "".join(c for c in text if c.isalpha())
    return not letters or letters in _PLACEHOLDERS or _FILLER.fullmatch(letters) is not None


def split_aliases(raw: str) -> tuple[str, tuple[str, ...]]:
    """Take "(aka Jon)", "aka Jon", "a.k.a. Jon", "alias Jon", "(Jon)" out of a name: what is left, and each alias.

    What follows "t/a" or "trading as" is dropped: it names a firm.
    """
    main, *after = _ALIAS_AFTER.split(_FIRM.sub("", _BRACKETS.sub(" ", raw)))
    cleaned = (_ALIAS_FIRST.sub("", alias).strip(" ,;\"'") for alias in [*_BRACKETS.findall(raw), *after])
    return main.strip(" ,"), tuple(alias for alias in cleaned if not is_placeholder(alias))


def split_full_name(raw: str | None) -> SplitName:
    """Split a cell that holds a whole name: "SMITH, John (aka Jon)", "John Smith", "Mr John van der Berg".

    With a comma the surname comes first. Without one the last word and the particles that lean on it are the surname,
    which is a guess: compare parts as sets.
    """
    if is_placeholder(raw):
        return SplitName(None, None)
    main, aliases = split_aliases(raw or "")
    if "," in main:
        surname, forenames = (side.strip() for side in main.split(",", 1))
        return SplitName(forenames or None, surname or None, aliases)
    words = _without_titles(main.split())
    start = len(words) - 1
    while start > 1 and _bare(words[start - 1]) in _SURNAME_PARTICLES:
        start -= 1
    return SplitName(" ".join(words[:start]) or None, " ".join(words[start:]) or None, aliases)


def split_alias_list(raw: str | None) -> tuple[str, ...]:
    """The standardised names of a cell that lists aliases: "JON SMITH; JACK SMITH". Sorted, each once."""
    names = (standardise_full_name(alias) for alias in (raw or "").split(";"))
    return tuple(sorted({name for name in names if name}))


def _is_filler(word: str) -> bool:
    return word in _PLACEHOLDERS or _FILLER.fullmatch(word) is not None


def _bare(word: str) -> str:
    return word.upper().rstrip(".").translate(_APOSTROPHES)


def fold(raw: str) -> str:
    """Upper case without marks and apostrophes; hyphens all of one kind; anything else that is no letter is a blank.

    Letters of every script are kept.
    """
    text = _TAGS.sub("", raw.upper())
    if text.isascii():
        return text.translate(_ASCII)
    text = text.translate(_APOSTROPHES).translate(_JOINERS)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_FOLDED)).upper().translate(_FOLDED)
        text = "".join(c for c in text if not _MARKS.match(c) and unicodedata.category(c) != "Cf")
    return "".join(c if _is_of_a_word(c) else " " for c in text)


def _is_of_a_word(character: str) -> bool:
    """A letter, a hyphen, or a vowel sign of a script that writes them beside the letter (Devanagari, Thai)."""
    return character.isalpha() or character == "-" or unicodedata.category(character).startswith("M")


def _words(raw: str, field: NameField) -> list[str]:
    """Folded words, titles dropped, particles joined to what follows; a hyphen between names stays inside its word."""
    words = [word for word in (piece.strip("-") for piece in fold(raw).split()) if word]
    words = _without_titles(words)
    while len(words) > 1 and words[-1] in _SUFFIXES and field is not NameField.FORENAME:
        words.pop()
    return _join_particles(words, field)


def _without_titles(words: list[str]) -> list[str]:
    kept = list(words)
    while len(kept) > 1 and _bare(kept[0]) in _TITLES:
        kept.pop(0)
    return kept


def _join_particles(words: list[str], field: NameField) -> list[str]:
    """Join each particle to what follows. The first word of a full name is a forename and leans on nothing."""
    particles = _PARTICLES[field]
    words = ["-".join(_join(word.split("-"), particles)) for word in words]
    if field is NameField.FULL:
        return [*words[:1], *_join(words[1:], particles)]
    return _join(words, particles)


def _join(words: list[str], particles: frozenset[str]) -> list[str]:
    joined: list[str] = []
    leaning = ""
    for word in filter(None, words[:-1]):
        if word in particles:
            leaning += _SHORT_FORMS.get(word, word)
        else:
            joined.append(leaning + word)
            leaning = ""
    return [*joined, leaning + word] if (word := "".join(words[-1:])) else joined

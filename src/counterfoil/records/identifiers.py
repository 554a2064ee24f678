"""Identifying numbers of the justice system: cleaned, checked by their letter, in one canonical spelling.

Rules from the CJSE Data Standards Catalogue 4.3 and two independent codes of the Ministry of Justice. The check letter
of a PNC or CRO number is the number mod 23, as an index into `CHECK_LETTERS`. A number that fails is kept raw and never
compared; nothing is ever guessed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"  # 0 is Z; I, O and S are never used
PNC_SERIAL_DIGITS = 7
CRO_SERIAL_DIGITS = 6
SF_SERIAL_DIGITS = 5  # the written standard pads an SF serial to five
SF_YEARS = range(39, 96)  # the years in which the written standard knows SF numbers
SF_SERIAL_ALONE_UNTIL = 64  # before 1965 the written standard checks the serial alone

_SEPARATORS = str.maketrans(dict.fromkeys("\\-_.:|‐‑‒–—−", "/"))
_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PNC = re.compile(r"(?:(?P<century>[0-9]{2})?(?P<year>[0-9]{2}))/(?P<serial>[0-9]{1,7})(?P<letter>[A-Z])")
_PNC_JOINED = re.compile(r"(?P<digits>[0-9]{3,11})(?P<letter>[A-Z])")
_CRO = re.compile(r"(?P<serial>[0-9]{1,6})/?(?P<year>[0-9]{2})(?P<letter>[A-Z])")
_SF = re.compile(r"SF/?(?P<year>[0-9]{2})/?(?P<serial>[0-9]{1,6})(?P<letter>[A-Z])")
_PRISON_NUMBER = re.compile(r"[A-Z][0-9]{4}[A-Z]{2}")
_CRN = re.compile(r"[A-Z][0-9]{6}")
_NOTHING = frozenset({"NA", "N/A", "#N/A", "NONE", "NULL", "NK", "N/K", "UNKNOWN", "NOTKNOWN", "TBC", "XXX"})
_CENTURIES = frozenset({"19", "20"})


class IdentifierKind(Enum):
    """The numbers we know. Values are the `type` of a column in a source schema."""

    PNC = "pnc"
    CRO = "cro"
    PRISON_NUMBER = "prison_number"
    CRN = "crn"


class IdentifierStatus(Enum):
    """What a raw value turned out to be. Only a VALID one has a canonical spelling and is compared."""

    VALID = "valid"
    AMBIGUOUS = "ambiguous"  # written without a slash, and may be read as two different numbers
    INVALID = "invalid"
    MISSING = "missing"


class IdentifierFlag(Enum):
    """What a reader should know about a value."""

    CLEANED = "cleaned"  # case, spaces or separator were put right
    EXPANDED = "expanded"  # short form: century or leading zeros added
    CENTURY = "century"  # another century than the two-digit year gives: compare with the date of birth
    SPLIT = "split"  # no slash, and two places where it may stand
    PLACEHOLDER = "placeholder"  # an all-zero serial or a word for "unknown"
    SHAPE = "shape"  # not the shape of this number
    NO_CHECK_LETTER = "no check letter"
    CHECK_LETTER = "check letter"  # the letter does not follow from the digits
    SF_PADDED = "SF padded rule"  # letter follows from year and serial padded to five (written standard)
    SF_UNPADDED = "SF unpadded rule"  # letter follows from year and serial as written (Ministry of Justice code)
    SF_SERIAL_ALONE = "SF serial alone"  # letter follows from the serial alone (written standard, before 1965)
    SF_YEAR = "SF year"  # outside 39 to 95


@dataclass(frozen=True, slots=True)
class Identifier:
    """One checked number. `raw` is kept as given. `suggestion` is a valid number one look-alike away, for a person to
    confirm; it is never taken by itself. `readings` are the valid readings of an ambiguous one."""

    raw: str | None
    status: IdentifierStatus
    canonical: str | None = None
    flags: frozenset[IdentifierFlag] = frozenset()
    suggestion: str | None = None
    readings: tuple[str, ...] = ()


def canonical(kind: IdentifierKind, raw: str | None, *, today: dt.date) -> Identifier:
    """Check one number. `today` decides the century of a two-digit PNC year (`full_year`)."""
    text = _clean(raw)
    if text in _NOTHING or not text.strip("/"):
        flags = {IdentifierFlag.PLACEHOLDER} if text else set()
        return Identifier(raw, IdentifierStatus.MISSING, flags=frozenset(flags))
    found = replace(_READERS[kind](text, today), raw=raw)
    if found.status is IdentifierStatus.INVALID:
        return replace(found, suggestion=_suggest(kind, text, today))
    if found.status is IdentifierStatus.VALID and text != raw:
        return replace(found, flags=found.flags | {IdentifierFlag.CLEANED})
    return found


def check_letter(number: int) -> str:
    """The check letter of a number: its remainder mod 23 as a letter."""
    return CHECK_LETTERS[number % len(CHECK_LETTERS)]


def full_year(two_digits: int, today: dt.date) -> int:
    """The year that a PNC number's YY means: up to the current YY 20YY, above it 19YY (hmpps-person-record)."""
    return (2000 if two_digits <= today.year % 100 else 1900) + two_digits


def _clean(raw: str | None) -> str:
    """Upper case, no blanks or invisible characters, every separator a slash."""
    if raw is None:
        return ""
    text = unicodedata.normalize("NFKC", raw).upper()
    visible = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    return visible.strip("'\"`").translate(_SEPARATORS)


def _suggest(kind: IdentifierKind, text: str, today: dt.date) -> str | None:
    """The valid number that putting digits for look-alike letters gives, where that is the only thing wrong."""
    fixed_letters = {IdentifierKind.PNC: (0, 1), IdentifierKind.CRO: (2 if text.startswith("SF") else 0, 1)}
    head, tail = fixed_letters.get(kind, (1, 2 if kind is IdentifierKind.PRISON_NUMBER else 0))
    end = len(text) - tail
    changed = text[:head] + text[head:end].translate(_LOOK_ALIKES) + text[end:]
    return _READERS[kind](changed, today).canonical if changed != text else None


def _invalid(flag: IdentifierFlag) -> Identifier:
    return Identifier(None, IdentifierStatus.INVALID, flags=frozenset({flag}))


def _shapeless(text: str) -> Identifier:
    return _invalid(IdentifierFlag.NO_CHECK_LETTER if text[-1:].isdigit() else IdentifierFlag.SHAPE)


def _pnc(text: str, today: dt.date) -> Identifier:
    if shape := _PNC.fullmatch(text):
        return _pnc_parts(shape["century"], shape["year"], shape["serial"], shape["letter"], today=today)
    if shape := _PNC_JOINED.fullmatch(text):
        return _pnc_joined(shape["digits"], shape["letter"], today)
    return _shapeless(text)


def _pnc_parts(century: str | None, year: str, serial: str, letter: str, *, today: dt.date) -> Identifier:
    if not int(serial):
        return Identifier(None, IdentifierStatus.MISSING, flags=frozenset({IdentifierFlag.PLACEHOLDER}))
    if century is not None and century not in _CENTURIES:
        return _invalid(IdentifierFlag.SHAPE)
    padded = serial.zfill(PNC_SERIAL_DIGITS)
    if letter != check_letter(int(year + padded)):
        return _invalid(IdentifierFlag.CHECK_LETTER)
    expected = str(full_year(int(year), today))
    flags = set()
    if century is None or padded != serial:
        flags.add(IdentifierFlag.EXPANDED)
    if century not in (None, expected[:2]):
        flags.add(IdentifierFlag.CENTURY)
    number = f"{century or expected[:2]}{year}/{padded}{letter}"
    return Identifier(None, IdentifierStatus.VALID, number, frozenset(flags))


def _pnc_joined(digits: str, letter: str, today: dt.date) -> Identifier:
    """A PNC number without its slash. Eleven digits and a letter read one way; fewer may read two ways (197834U)."""
    splits = []
    if len(digits) - 2 <= PNC_SERIAL_DIGITS:
        splits.append(f"{digits[:2]}/{digits[2:]}{letter}")
    if len(digits) > 4 and digits[:2] in _CENTURIES:
        splits.append(f"{digits[:4]}/{digits[4:]}{letter}")
    readings = [_pnc(split, today) for split in splits]
    if not readings:
        return _invalid(IdentifierFlag.SHAPE)
    if len(readings) == 1:
        return readings[0]
    valid = tuple(reading.canonical for reading in readings if reading.canonical)
    flags = {IdentifierFlag.SPLIT} | (set() if valid else {IdentifierFlag.CHECK_LETTER})
    return Identifier(None, IdentifierStatus.AMBIGUOUS, flags=frozenset(flags), readings=valid)


def _cro(text: str, _today: dt.date) -> Identifier:
    if text.startswith("SF"):
        return _sf(text)
    shape = _CRO.fullmatch(text)
    if not shape:
        return _shapeless(text)
    if not int(shape["serial"]):
        return Identifier(None, IdentifierStatus.MISSING, flags=frozenset({IdentifierFlag.PLACEHOLDER}))
    padded = shape["serial"].zfill(CRO_SERIAL_DIGITS)
    if shape["letter"] != check_letter(int(shape["year"] + padded)):
        return _invalid(IdentifierFlag.CHECK_LETTER)
    number = f"{padded}/{shape['year']}{shape['letter']}"
    short = {IdentifierFlag.EXPANDED} if padded != shape["serial"] else set()
    return Identifier(None, IdentifierStatus.VALID, number, frozenset(short | _slash_added(text)))


def _sf(text: str) -> Identifier:
    """A CRO number of a file without fingerprints. Its canonical serial has no leading zeros, under every rule."""
    shape = _SF.fullmatch(text)
    if not shape:
        return _shapeless(text)
    year, serial = shape["year"], str(int(shape["serial"]))
    if serial == "0":
        return Identifier(None, IdentifierStatus.MISSING, flags=frozenset({IdentifierFlag.PLACEHOLDER}))
    rules = _sf_rules(year, serial)
    held = frozenset(rule for rule, number in rules.items() if check_letter(number) == shape["letter"])
    if not held:
        return _invalid(IdentifierFlag.CHECK_LETTER)
    flags = set() if len(held) == len(rules) else set(held)
    if int(year) not in SF_YEARS:
        flags.add(IdentifierFlag.SF_YEAR)
    number = f"SF{year}/{serial}{shape['letter']}"
    return Identifier(None, IdentifierStatus.VALID, number, frozenset(flags | _slash_added(text)))


def _sf_rules(year: str, serial: str) -> Mapping[IdentifierFlag, int]:
    """The number that each rule checks. Rules differ for short serials and before 1965; any of them is accepted."""
    rules = {
        IdentifierFlag.SF_PADDED: int(year + serial.zfill(SF_SERIAL_DIGITS)),
        IdentifierFlag.SF_UNPADDED: int(year + serial),
    }
    if SF_YEARS.start <= int(year) <= SF_SERIAL_ALONE_UNTIL:
        rules[IdentifierFlag.SF_SERIAL_ALONE] = int(serial)
    return rules


def _slash_added(text: str) -> set[IdentifierFlag]:
    return set() if text.count("/") == 1 else {IdentifierFlag.CLEANED}


def _prison_number(text: str, _today: dt.date) -> Identifier:
    return _by_shape(_PRISON_NUMBER, text.replace("/", ""))


def _crn(text: str, _today: dt.date) -> Identifier:
    return _by_shape(_CRN, text.replace("/", ""))


def _by_shape(shape: re.Pattern[str], text: str) -> Identifier:
    if shape.fullmatch(text):
        return Identifier(None, IdentifierStatus.VALID, text)
    return _invalid(IdentifierFlag.SHAPE)


_READERS: Mapping[IdentifierKind, Callable[[str, dt.date], Identifier]] = {
    IdentifierKind.PNC: _pnc,
    IdentifierKind.CRO: _cro,
    IdentifierKind.PRISON_NUMBER: _prison_number,
    IdentifierKind.CRN: _crn,
}

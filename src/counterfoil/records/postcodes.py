"""UK postcodes: pattern, outward code, and the codes that stand for no address."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Area of one or two letters, district, sector, unit. A unit with a letter that Royal Mail does not use is let through:
# it is a typing error that a comparison can still use.
_POSTCODE = re.compile(r"(GIR|[A-PR-UWYZ](?:[0-9][0-9A-HJKPSTUW]?|[A-HK-Y][0-9][0-9ABEHMNPRVWXY]?))([0-9][A-Z]{2})")
_NO_ADDRESS_OUTCODES = frozenset({"ZZ99", "NF1", "XX99", "ZZ1", "XX1"})
_NO_ADDRESS = frozenset({"NFA", "AA11AA", "A11AA"})


@dataclass(frozen=True, slots=True)
class Postcode:
    """A valid postcode without its blank, and its outward code."""

    code: str  # "AB12CD"
    outcode: str  # "AB1"


def read_postcode(raw: str | None) -> Postcode | None:
    """The postcode of a cell, or None: empty, not the pattern, or a code for no fixed abode (ZZ99…, NF1 1NF)."""
    text = "".join(c for c in (raw or "").upper() if c.isalnum() and c.isascii())
    shape = _POSTCODE.fullmatch(text)
    return None if shape is None or is_no_address(raw) else Postcode(text, shape[1])


def is_no_address(raw: str | None) -> bool:
    """Whether a cell holds a code that stands for no address: ZZ99 3VZ, NF1 1NF and their kind."""
    text = "".join(c for c in (raw or "").upper() if c.isalnum() and c.isascii())
    return text in _NO_ADDRESS or text[:-3] in _NO_ADDRESS_OUTCODES

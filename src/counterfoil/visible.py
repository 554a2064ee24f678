"""Characters that would act instead of being read: shown by their number, the same way in every file of a report.

A mark that turns the direction of writing can make a page say something else than its bytes (DISCLOSURE A6); a control
character cannot stand in the XML of a spreadsheet at all.
"""

from __future__ import annotations

from collections.abc import Mapping

_CONTROL = (*range(0x00, 0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))  # not tab, line feed, return
_DIRECTION = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))  # Unicode 15, annex 9
_NO_CHARACTER = (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
SHOWN: Mapping[int, str] = {code: f"[U+{code:04X}]" for code in (*_CONTROL, *_DIRECTION, *_NO_CHARACTER)}


def visible(text: str) -> str:
    """The text with every such character written as [U+202E]. Markup stays markup."""
    return text.translate(SHOWN)


def finalise(value: object) -> object:
    """What a template prints, made visible."""
    return visible(value) if isinstance(value, str) else value

"""The columns a provider may send, as a domain's `provider.toml` says: headings, types, words, choices."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from counterfoil.domains.schema import folder, read_toml
from counterfoil.errors import Fault


class Language(Enum):
    """Languages that the template and the columns' meanings are in."""

    ENGLISH = "en"
    WELSH = "cy"


class ColumnType(Enum):
    """How a cell of a column is read."""

    TEXT = "text"
    NAME = "name"
    NAMES = "names"
    DATE = "date"
    SEX = "sex"
    YES_NO = "yes_no"
    GROUP = "group"
    PNC = "pnc"
    CRO = "cro"
    PRISON_NUMBER = "prison_number"
    CRN = "crn"
    POSTCODE = "postcode"


@dataclass(frozen=True, slots=True)
class ProviderColumn:
    """One column of the template, or one that is read though the template does not ask for it."""

    name: str
    type: ColumnType
    label: Mapping[Language, str]
    meaning: Mapping[Language, str]
    examples: tuple[str, ...]
    headings: frozenset[str]  # keys of `heading_key`
    choices: Mapping[Language, tuple[str, ...]]
    required: bool = False
    one_of: str = ""  # at least one column of each such group is needed
    identifier: bool = False
    birth: bool = False
    in_template: bool = True


@dataclass(frozen=True, slots=True)
class ProviderColumns:
    """Every column by name, and the words that tell a sensitive or a swapped column."""

    columns: Mapping[str, ProviderColumn]
    by_heading: Mapping[str, str]
    sensitive_words: tuple[str, ...]  # keys of `heading_key`
    common_forenames: frozenset[str]
    words: Mapping[ColumnType, Mapping[str, str]]  # for SEX, YES_NO and GROUP: key of a cell's text -> what it means


def heading_key(text: str) -> str:
    """A heading without case, marks, blanks and punctuation: "D.O.B. " and "dob" are one."""
    folded = (text if text.isascii() else unicodedata.normalize("NFKD", text)).casefold()
    return "".join(c for c in folded if c.isalnum())


@cache
def load_columns(domain: str = "justice") -> ProviderColumns:
    """Read the domain's `provider.toml`; a heading that two columns claim is a fault of ours."""
    raw = read_toml(folder(domain) / "provider.toml")
    columns = {name: _column(name, value) for name, value in raw["columns"].items()}
    by_heading: dict[str, str] = {}
    for column in columns.values():
        for key in sorted(column.headings):
            if by_heading.setdefault(key, column.name) != column.name:
                raise Fault(f"provider.toml gives the heading {key!r} to both {by_heading[key]} and {column.name}.")
    return ProviderColumns(
        columns=columns,
        by_heading=by_heading,
        sensitive_words=tuple(heading_key(word) for word in raw["sensitive_words"]),
        common_forenames=frozenset(raw["common_forenames"]),
        words={ColumnType(name): _meanings(lists) for name, lists in raw["words"].items()},
    )


def _meanings(lists: Mapping[str, list[str]]) -> dict[str, str]:
    return {heading_key(word): meaning for meaning, words in lists.items() for word in words}


def _column(name: str, raw: Mapping[str, Any]) -> ProviderColumn:
    label = {Language(key): text for key, text in raw["label"].items()}
    headings = [name.replace("_", " "), *label.values(), *raw["headings"]]
    return ProviderColumn(
        name=name,
        type=ColumnType(raw["type"]),
        label=label,
        meaning={Language(key): text for key, text in raw["meaning"].items()},
        examples=tuple(raw["examples"]),
        headings=frozenset(heading_key(heading) for heading in headings),
        choices={Language(key): tuple(words) for key, words in raw.get("choices", {}).items()},
        required=raw.get("required", False),
        one_of=raw.get("one_of", ""),
        identifier=raw.get("identifier", False),
        birth=raw.get("birth", False),
        in_template=raw.get("in_template", True),
    )

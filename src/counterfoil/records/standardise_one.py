"""One person in comparable spelling: what `standardise_people` makes of a table of one, without the table.

A search asks for one person at a time, and the table's forty Arrow arrays take longer than the work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from counterfoil.records.dates import OLDEST_AGE
from counterfoil.records.identifiers import IdentifierKind, canonical
from counterfoil.records.names import NameField, StandardName, split_alias_list, standardise_name
from counterfoil.records.postcodes import read_postcode
from counterfoil.records.standardise import PersonColumn, aliases_inside, long_parts, sex_of, telling_parts
from counterfoil.records.standins import KNOWN_STANDINS

_NUMBERS = {
    "pnc_std": (IdentifierKind.PNC, PersonColumn.PNC_ID),
    "cro_std": (IdentifierKind.CRO, PersonColumn.CRO),
    "prison_number_std": (IdentifierKind.PRISON_NUMBER, PersonColumn.PRISON_NUMBER),
    "crn_std": (IdentifierKind.CRN, PersonColumn.CRN),
}


def standardise_person(person: Mapping[PersonColumn, Any], *, today: dt.date) -> dict[str, Any]:
    """The values of STANDARD_COLUMNS, None where missing. A column that is not given is missing.

    The birth date is a date and the rest are texts; no date is a stand-in but the known ones.
    """
    birth, postcode = _birth(person.get(PersonColumn.DATE_OF_BIRTH), today), person.get(PersonColumn.POSTCODE)
    place, sex = None if postcode is None else read_postcode(postcode), person.get(PersonColumn.SEX)
    numbers = {
        name: None if (raw := person.get(column)) is None else canonical(kind, raw, today=today).canonical
        for name, (kind, column) in _NUMBERS.items()
    }
    return {
        **_names(person),
        "dob": birth,
        "dob_is_1jan": None if birth is None else (birth.month, birth.day) == (1, 1),
        "sex_std": None if sex is None else sex_of(sex),
        "postcode_std": place.code if place else None,
        "outcode": place.outcode if place else None,
        **numbers,
    }


def _birth(birth: dt.date | None, today: dt.date) -> dt.date | None:
    if birth is None or birth in KNOWN_STANDINS:
        return None
    return birth if dt.date(today.year - OLDEST_AGE, 1, 1) <= birth <= today else None


def _names(person: Mapping[PersonColumn, Any]) -> dict[str, Any]:
    first, second = (
        standardise_name(person.get(column), NameField.FORENAME)
        for column in (PersonColumn.FORENAME1, PersonColumn.FORENAME2)
    )
    last = standardise_name(person.get(PersonColumn.SURNAME), NameField.SURNAME)
    kept = {*(telling_parts(first) or ()), *(long_parts(second) or ()), *last.parts}
    return {
        "forename1_std": first.standard,
        "forename_parts": [*first.parts, *second.parts] or None,
        "surname_std": last.standard,
        "surname_parts": list(last.parts) or None,
        "full_parts_sorted": " ".join(sorted(kept)) or None,
        "alias_names": _aliases(person.get(PersonColumn.ALIASES), first, last),
    }


def _aliases(listed: str | None, first: StandardName, last: StandardName) -> list[str] | None:
    names = list(split_alias_list(listed))
    if first.aliases or last.aliases:
        return sorted({*names, *aliases_inside(first, last)})
    return names or None

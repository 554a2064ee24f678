"""A table of people with its identifiers in comparable spelling (METHODS 1, Standardise). Raw values are kept beside.

Every value is worked out once for each distinct value of its column, so that a million records take seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.domains import SourceSchema
from counterfoil.records.dates import OLDEST_AGE
from counterfoil.records.identifier_columns import canonical_column
from counterfoil.records.identifiers import IdentifierKind
from counterfoil.records.names import MISSING_NAME, NameField, StandardName, split_alias_list, standardise_name
from counterfoil.records.postcodes import read_postcode
from counterfoil.records.standins import KNOWN_STANDINS, find_standins
from counterfoil.warehouse import query

STRINGS = pa.list_(pa.string())
STANDARD_COLUMNS: Mapping[str, pa.DataType] = {
    "forename1_std": pa.string(),
    "forename_parts": STRINGS,
    "surname_std": pa.string(),
    "surname_parts": STRINGS,
    "full_parts_sorted": pa.string(),
    "alias_names": STRINGS,
    "dob": pa.date32(),
    "dob_is_1jan": pa.bool_(),
    "sex_std": pa.string(),
    "postcode_std": pa.string(),
    "outcode": pa.string(),
    "pnc_std": pa.string(),
    "cro_std": pa.string(),
    "prison_number_std": pa.string(),
    "crn_std": pa.string(),
}
_IDENTIFIERS = {
    "pnc_std": IdentifierKind.PNC,
    "cro_std": IdentifierKind.CRO,
    "prison_number_std": IdentifierKind.PRISON_NUMBER,
    "crn_std": IdentifierKind.CRN,
}
_SEXES = {"1": "1", "M": "1", "MALE": "1", "2": "2", "F": "2", "FEMALE": "2"}  # all else is not known


class PersonColumn(Enum):
    """Raw columns of people that we know how to standardise; a source or a provider's file has some of them."""

    FORENAME1 = "forename1"
    FORENAME2 = "forename2"
    SURNAME = "surname"
    ALIASES = "aliases"  # "FORENAME SURNAME; FORENAME SURNAME"
    DATE_OF_BIRTH = "date_of_birth"  # date32
    SEX = "sex"
    POSTCODE = "postcode"
    PNC_ID = "pnc_id"
    CRO = "cro"
    PRISON_NUMBER = "prison_number"
    CRN = "crn"


def standardise_people(
    people: pa.Table,
    schema: SourceSchema | None = None,
    *,
    source: str | None = None,
    today: dt.date,
    standins: frozenset[dt.date] | None = None,
) -> pa.Table:
    """`people` with `source` and the columns of STANDARD_COLUMNS beside its raw ones. Null is missing.

    Raw columns are those of PersonColumn; an absent one counts as all missing. `date_of_birth` is date32. `standins`
    are dates to take as missing besides the known ones; by default those that the column gives away by frequency.
    """
    table = people
    standard = standard_columns(people, today=today, standins=standins)
    name = source or (schema.name if schema else "")
    table = table.append_column("source", pa.repeat(pa.scalar(name, pa.string()), people.num_rows))
    for column, values in standard.items():
        table = table.append_column(pa.field(column, STANDARD_COLUMNS[column]), values)
    return table


def standard_columns(
    people: pa.Table, *, today: dt.date, standins: frozenset[dt.date] | None = None
) -> dict[str, pa.Array]:
    """The columns of STANDARD_COLUMNS, in their order, for the rows of `people`."""
    columns = _name_columns(people)
    columns |= _date_columns(_raw(people, PersonColumn.DATE_OF_BIRTH, pa.date32()), today, standins)
    columns["sex_std"] = _each_distinct(_text(people, PersonColumn.SEX), sex_of, pa.string())
    postcodes = _text(people, PersonColumn.POSTCODE)
    columns["postcode_std"] = _each_distinct(postcodes, _postcode, pa.string())
    columns["outcode"] = _each_distinct(postcodes, _outcode, pa.string())
    raw_names = {
        IdentifierKind.PNC: PersonColumn.PNC_ID,
        IdentifierKind.CRO: PersonColumn.CRO,
        IdentifierKind.PRISON_NUMBER: PersonColumn.PRISON_NUMBER,
        IdentifierKind.CRN: PersonColumn.CRN,
    }
    for name, kind in _IDENTIFIERS.items():
        columns[name] = canonical_column(kind, _text(people, raw_names[kind]), today=today).canonical
    return {name: columns[name] for name in STANDARD_COLUMNS}


def _raw(people: pa.Table, column: PersonColumn, kind: pa.DataType) -> pa.Array:
    if column.value not in people.column_names:
        return pa.nulls(people.num_rows, kind)
    values = people.column(column.value)
    return (values if values.type == kind else values.cast(kind)).combine_chunks()


def _text(people: pa.Table, column: PersonColumn) -> pa.Array:
    return _raw(people, column, pa.string())


def _each_distinct(values: pa.Array, answer: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """`answer` for every non-null value, worked out once for each distinct one."""
    encoded = values.dictionary_encode()
    answers = pa.array([answer(value) for value in encoded.dictionary.to_pylist()], kind)
    return answers.take(encoded.indices)


def sex_of(raw: str) -> str | None:
    """1, 2, or None for all that is not known to be one of them."""
    return _SEXES.get(raw.strip().upper())


def _postcode(raw: str) -> str | None:
    found = read_postcode(raw)
    return found.code if found else None


def _outcode(raw: str) -> str | None:
    found = read_postcode(raw)
    return found.outcode if found else None


def _date_columns(births: pa.Array, today: dt.date, standins: frozenset[dt.date] | None) -> dict[str, pa.Array]:
    """Birth dates without stand-ins, the future and ages over OLDEST_AGE; 1 January is kept and marked."""
    unknown = KNOWN_STANDINS | (find_standins(births) if standins is None else standins)
    oldest = dt.date(today.year - OLDEST_AGE, 1, 1)
    possible = pc.and_(pc.greater_equal(births, oldest), pc.less_equal(births, today))
    stands_for_nothing = pc.is_in(births, value_set=pa.array(sorted(unknown), pa.date32()))
    known = pc.if_else(pc.and_not(possible, stands_for_nothing), births, pa.scalar(None, pa.date32()))
    first_of_january = pc.and_(pc.equal(pc.month(known), 1), pc.equal(pc.day(known), 1))
    return {"dob": known, "dob_is_1jan": first_of_january}


_JOIN_PARTS = """
SELECT list_concat(first_parts, second_parts) AS forename_parts,
       array_to_string(list_sort(list_distinct(list_concat(first_kept, second_kept, surname_parts))), ' ') AS full_parts
FROM names
ORDER BY row
"""


_FEW = 16  # people for whom opening a database takes longer than the work


def _joined_few(names: pa.Table) -> pa.Table:
    """`_JOIN_PARTS` of a few people, as a search asks for one."""
    joined: list[list[str] | None] = []
    full: list[str | None] = []
    for row in names.to_pylist():
        given = [row["first_parts"], row["second_parts"]]
        joined.append(None if given == [None, None] else [part for parts in given for part in parts or ()])
        kept = [row["first_kept"], row["second_kept"], row["surname_parts"]]
        full.append(
            None if kept == [None, None, None] else " ".join(sorted({part for parts in kept for part in parts or ()}))
        )
    return pa.table({"forename_parts": pa.array(joined, STRINGS), "full_parts": pa.array(full, pa.string())})


def _name_columns(people: pa.Table) -> dict[str, pa.Array]:
    forename = _NameColumn.read(people, PersonColumn.FORENAME1, NameField.FORENAME)
    forename2 = _NameColumn.read(people, PersonColumn.FORENAME2, NameField.FORENAME)
    surname = _NameColumn.read(people, PersonColumn.SURNAME, NameField.SURNAME)
    names = pa.table(
        {
            "row": pa.array(range(people.num_rows), pa.int64()),
            "first_parts": forename.column(_parts, STRINGS),
            "first_kept": forename.column(telling_parts, STRINGS),
            "second_parts": forename2.column(_parts, STRINGS),
            "second_kept": forename2.column(long_parts, STRINGS),
            "surname_parts": surname.column(_parts, STRINGS),
        }
    )
    joined = _joined_few(names) if names.num_rows <= _FEW else query(_JOIN_PARTS, {"names": names})
    full_parts = joined["full_parts"].combine_chunks()
    return {
        "forename1_std": forename.column(_standard, pa.string()),
        "forename_parts": _null_when_empty(joined["forename_parts"].combine_chunks()),
        "surname_std": surname.column(_standard, pa.string()),
        "surname_parts": names["surname_parts"].combine_chunks(),
        "full_parts_sorted": pc.if_else(pc.equal(full_parts, ""), pa.scalar(None, pa.string()), full_parts),
        "alias_names": _alias_names(_text(people, PersonColumn.ALIASES), forename, surname),
    }


@dataclass(frozen=True, slots=True)
class _NameColumn:
    """A column of names, each distinct one standardised once. `rows` points into `distinct`, null where missing."""

    rows: pa.Array
    distinct: tuple[StandardName, ...]

    @classmethod
    def read(cls, people: pa.Table, column: PersonColumn, field: NameField) -> _NameColumn:
        encoded = _text(people, column).dictionary_encode()
        names = tuple(standardise_name(raw, field) for raw in encoded.dictionary.to_pylist())
        return cls(encoded.indices, names)

    def column(self, answer: Callable[[StandardName], Any], kind: pa.DataType) -> pa.Array:
        return pa.array([answer(name) for name in self.distinct], kind).take(self.rows)

    def name(self, row: int) -> StandardName:
        at = self.rows[row].as_py()
        return MISSING_NAME if at is None else self.distinct[at]


def _standard(name: StandardName) -> str | None:
    return name.standard


def _parts(name: StandardName) -> list[str] | None:
    return list(name.parts) or None


def long_parts(name: StandardName) -> list[str] | None:
    """Without initials: a middle initial is no part of a name that another record would hold."""
    return [part for part in name.parts if len(part) > 1] or None


def telling_parts(name: StandardName) -> list[str] | None:
    """Without initials, unless the forename is one."""
    return long_parts(name) or _parts(name)


def _null_when_empty(lists: pa.Array) -> pa.Array:
    empty = pc.equal(pc.list_value_length(lists), 0)
    return pc.if_else(pc.fill_null(empty, True), pa.scalar(None, lists.type), lists).cast(STRINGS)


def _alias_names(aliases: pa.Array, forename: _NameColumn, surname: _NameColumn) -> pa.Array:
    """Listed aliases, and those written inside a name field: "Elizabeth (Liz)" Smith is also LIZ SMITH."""
    listed = _each_distinct(aliases, lambda raw: list(split_alias_list(raw)) or None, STRINGS)
    inside = pc.or_(*(pc.fill_null(names.column(_holds_alias, pa.bool_()), False) for names in (forename, surname)))
    at = np.flatnonzero(inside.to_numpy(zero_copy_only=False))
    if not at.size:
        return listed
    mended = [
        sorted({*(listed[row].as_py() or ()), *aliases_inside(forename.name(row), surname.name(row))})
        for row in at.tolist()
    ]
    places = np.arange(len(listed))
    places[at] = len(listed) + np.arange(at.size)
    return pa.concat_arrays([listed, pa.array(mended, STRINGS)]).take(pa.array(places))


def _holds_alias(name: StandardName) -> bool:
    return bool(name.aliases)


def aliases_inside(first: StandardName, last: StandardName) -> list[str]:
    """Aliases inside a field as whole names: a lone forename gets the surname, a lone surname the forename."""
    whole = [alias if " " in alias else f"{alias} {last.standard or ''}".strip() for alias in first.aliases]
    return whole + [alias if " " in alias else f"{first.standard or ''} {alias}".strip() for alias in last.aliases]

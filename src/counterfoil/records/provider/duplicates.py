"""Rows that are one person, as far as a provider's own file can tell. Nothing is dropped: linkage decides."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from counterfoil.records.names import NameField, standardise_name
from counterfoil.records.provider.findings import Finding, finding
from counterfoil.records.provider.rules import Code


@dataclass(frozen=True, slots=True)
class Person:
    """What tells people apart within one file. Numbers are canonical, by column name."""

    row: int
    forename: str | None
    surname: str | None
    born: dt.date | None
    numbers: tuple[tuple[str, str], ...]
    whole_row: tuple[str, ...]  # every cell as it stood


@dataclass(frozen=True, slots=True)
class SamePeople:
    """For each row, the first row of its person; and findings."""

    first_rows: list[int]
    findings: list[Finding]


def find_same_people(people: Sequence[Person]) -> SamePeople:
    """Group rows that share a number, or folded name and date of birth.

    A number shared by people with another name and another date of birth does not make them one: it is a mistake in
    the number, and is said.
    """
    names = _name_keys(people)
    leaders = list(range(len(people)))
    shared: set[int] = set()
    for group in _groups([person.numbers for person in people]):
        for position in group[1:]:
            if _differ(people[group[0]], people[position], names[group[0]], names[position]):
                shared |= {group[0], position}
            else:
                _join(leaders, group[0], position)
    keys = [
        ((name, person.born),) if all(name) and person.born else () for name, person in zip(names, people, strict=True)
    ]
    for group in _groups(keys):
        for position in group[1:]:
            _join(leaders, group[0], position)
    firsts = [_leader(leaders, position) for position in range(len(people))]
    return SamePeople([people[first].row for first in firsts], _findings(people, firsts, shared))


def _name_keys(people: Sequence[Person]) -> list[tuple[str, str]]:
    """Each person's folded names; each distinct name is folded once."""
    distinct = dict.fromkeys((person.forename, person.surname) for person in people)
    keys = {names: _name_key(*names) for names in distinct}
    return [keys[(person.forename, person.surname)] for person in people]


def _name_key(forename: str | None, surname: str | None) -> tuple[str, str]:
    first = standardise_name(forename, NameField.FORENAME).standard
    last = standardise_name(surname, NameField.SURNAME).standard
    return (first or "", last or "")


def _differ(one: Person, other: Person, name: tuple[str, str], other_name: tuple[str, str]) -> bool:
    """Whether both name parts and the date of birth all disagree."""
    if not (one.born and other.born) or one.born == other.born:
        return False
    return all(a and b and a != b for a, b in zip(name, other_name, strict=True))


def _groups(keys: Sequence[Sequence[Hashable]]) -> list[list[int]]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for position, several in enumerate(keys):
        for key in several:
            found[key].append(position)
    return [group for group in found.values() if len(group) > 1]


def _leader(leaders: list[int], position: int) -> int:
    while leaders[position] != position:
        leaders[position] = leaders[leaders[position]]
        position = leaders[position]
    return position


def _join(leaders: list[int], one: int, other: int) -> None:
    first, second = sorted((_leader(leaders, one), _leader(leaders, other)))
    leaders[second] = first


def _findings(people: Sequence[Person], firsts: Sequence[int], shared: set[int]) -> list[Finding]:
    exact: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, person in enumerate(people):
        exact[person.whole_row].append(position)
    twice = {position for group in exact.values() if len(group) > 1 for position in group}
    members: dict[int, list[int]] = defaultdict(list)
    for position, first in enumerate(firsts):
        members[first].append(position)
    near = {p for group in members.values() if len({people[p].whole_row for p in group}) > 1 for p in group}
    codes = ((Code.SAME_ROW_TWICE, twice), (Code.SAME_PERSON_TWICE, near), (Code.ID_SHARED, shared))
    return [finding(code, (people[p].row for p in found)) for code, found in codes if found]

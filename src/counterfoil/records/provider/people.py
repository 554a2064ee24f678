"""Names of the rows: two columns or one cell, aliases, and whether the two columns were swapped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from counterfoil.records.names import SplitName, split_aliases, split_full_name
from counterfoil.records.provider.columns import heading_key
from counterfoil.records.provider.fields import LEAST_FOR_SHARES, Notes, ReadColumn
from counterfoil.records.provider.findings import Finding, finding
from counterfoil.records.provider.rules import Code

_SWAP_SHARE = 0.25  # of the surnames are common forenames; true lists have some 5% (Thomas, James, Scott)
_SWAP_RATIO = 2.0  # and that is at least twice the share among the forenames


@dataclass(frozen=True, slots=True)
class PersonNames:
    """One row's names, read. Aliases are whole names, "Jon Smith; J Brown" once joined."""

    forename: str | None
    surname: str | None
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamesRead:
    """Names of every row with a person, and findings."""

    names: list[PersonNames]
    findings: list[Finding]


def read_names(rows: Sequence[int], columns: dict[str, ReadColumn], title: str) -> NamesRead:
    """Put names together from the columns there are: forename1, surname, full_name, aliases (each tidied)."""
    notes = Notes(title)
    names = []
    for position, row in enumerate(rows):
        cell = {name: _text(column, position) for name, column in columns.items()}
        names.append(_person(cell, row, notes))
    return NamesRead(names, notes.findings())


def _text(column: ReadColumn, position: int) -> str | None:
    value = column.values[position]
    return value if isinstance(value, str) else None


def _person(cell: dict[str, str | None], row: int, notes: Notes) -> PersonNames:
    whole = cell.get("full_name") or _whole_in_one(cell)
    split = _split(whole, row, notes) if whole else _separate(cell)
    aliases = [_whole_alias(alias, split.surname) for alias in split.aliases]
    if aliases:
        notes.add(Code.ALIAS_TAKEN, row)
    given = [alias.strip() for alias in (cell.get("aliases") or "").split(";")]
    kept = tuple(dict.fromkeys(alias for alias in [*given, *aliases] if alias))
    if not split.forenames or not split.surname:
        notes.add(Code.NAME_MISSING, row)
    for name in (split.forenames, split.surname):
        if name and any(c.isdigit() for c in name):
            notes.add(Code.NAME_WITH_FIGURES, row, name)
    return PersonNames(split.forenames, split.surname, kept)


def _whole_in_one(cell: dict[str, str | None]) -> str | None:
    """The whole name when a surname's or forename's cell holds both, by a comma, and the other is empty."""
    forename, surname = cell.get("forename1"), cell.get("surname")
    if forename and surname:
        return None
    only = surname or forename
    return only if only and "," in only else None


def _split(whole: str, row: int, notes: Notes) -> SplitName:
    split = split_full_name(whole)
    if split.forenames and split.surname:
        notes.add(Code.NAME_SPLIT if "," in whole else Code.NAME_GUESSED, row, whole)
    return split


def _separate(cell: dict[str, str | None]) -> SplitName:
    forename, forename_aliases = split_aliases(cell.get("forename1") or "")
    surname, surname_aliases = split_aliases(cell.get("surname") or "")
    renamed = tuple(f"{forename} {alias}" if " " not in alias else alias for alias in surname_aliases)
    return SplitName(forename or None, surname or None, (*forename_aliases, *renamed))


def _whole_alias(alias: str, surname: str | None) -> str:
    """An alias as a whole name: one word is another forename beside the same surname."""
    return f"{alias} {surname}" if surname and " " not in alias.strip() else alias.strip()


def find_swapped(names: Sequence[PersonNames], common: Collection[str], title: str) -> list[Finding]:
    """Whether surnames look like forenames, and forenames do not."""
    pairs = [(name.forename, name.surname) for name in names if name.forename and name.surname]
    if len(pairs) < LEAST_FOR_SHARES:
        return []
    forenames = sum(heading_key(forename) in common for forename, _ in pairs) / len(pairs)
    surnames = sum(heading_key(surname) in common for _, surname in pairs) / len(pairs)
    if surnames < _SWAP_SHARE or surnames < _SWAP_RATIO * forenames:
        return []
    return [finding(Code.SWAPPED_NAMES, column=title)]

"""What became of every delivered row: kept, mended or refused, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from counterfoil.errors import Fault

LEAST_SHOWN = 10  # a smaller count is not said outside the lab's files
_ROUNDED_TO = 10  # and others are said in tens, so that it cannot be had by taking away


class Reason(Enum):
    """Why a row was mended or refused. Required values that fail refuse their row; others are left out of it."""

    REQUIRED = "a required value is missing"
    TYPE = "not a value of its type"
    CODE = "not in its list of codes"
    RANGE = "out of range"
    DUPLICATE = "its key was seen in an earlier row"
    PARENT = "no such parent"
    SPELLING = "blanks, letter case or another spelling of the value put right"
    CANONICAL = "brought to its canonical spelling for comparison"
    DAY_ORDER = "day and month could be either way round, read day first"
    UNKNOWN_DATE = "a date that stands for an unknown one or is not plausible"
    CHECK = "fails its check: kept as it came, never compared"
    HELD = "its key is held with other content"


@dataclass(frozen=True, slots=True)
class TableReceipt:
    """Counts of one table's rows; `rows` = `kept` + `mended` + `refused` + `held`.

    The keys of `mended_by` and `refused_by` are "column: reason". A row counts under its first reason, so each adds up.
    """

    table: str
    rows: int
    kept: int
    mended: int
    refused: int
    mended_by: Mapping[str, int]
    refused_by: Mapping[str, int]
    organisations: int = 0  # of the kept and the mended: companies, which are no people and are never linked as such
    held: int = 0  # the extract that they were added to had them already, word for word
    corrected: int = 0  # of the kept and the mended: they took the place of a row with the same key


@dataclass(frozen=True, slots=True)
class Part:
    """A delivery that an extract is made of, with what became of its rows."""

    delivery: str
    key: str
    files: Mapping[str, str]
    tables: tuple[TableReceipt, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one delivery. `key` is of everything that decides the result: files, schema, dates, rules.

    `added_to`: the deliveries that were there before, oldest first; none where the delivery was whole. The extract's
    rows are, over all of them and this one, those kept and mended less those that corrected another.
    """

    source: str
    delivery: str
    key: str
    files: Mapping[str, str]  # table -> SHA-256 of the delivered file
    tables: tuple[TableReceipt, ...]
    added_to: tuple[Part, ...] = ()
    repeated: bool = field(default=False, compare=False)  # nothing was done: this delivery had been loaded

    def to_json(self) -> dict[str, Any]:
        """As kept beside the extract."""
        value = asdict(self)
        del value["repeated"]
        return value | {"tables": list(value["tables"]), "added_to": list(value["added_to"])}

    def parts(self) -> tuple[Part, ...]:
        """Every delivery that the extract is made of, oldest first."""
        return (*self.added_to, Part(self.delivery, self.key, self.files, self.tables))

    def lines(self) -> list[str]:
        """Sentences that may be shown: counts in tens, small ones not at all."""
        if self.repeated:
            return [f"{self.source} of {self.delivery} was loaded before from the same files: nothing to do."]
        lines = [line for table in self.tables for line in _lines(self.source, table, is_added=bool(self.added_to))]
        if self.added_to:
            days = ", ".join(part.delivery for part in self.parts())
            lines.append(f"The extract of {self.source} is made of {len(self.parts())} deliveries: {days}.")
        return lines


def read_receipt(path: Path, *, repeated: bool = False) -> Receipt:
    """A receipt that was kept; Fault when it cannot be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        tables = _tables(value.pop("tables"))
        parts = tuple(Part(**{**part, "tables": _tables(part["tables"])}) for part in value.pop("added_to", []))
        return Receipt(**value, tables=tables, added_to=parts, repeated=repeated)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Fault(f"The receipt {path.name} of a delivery cannot be read. Load the delivery again.") from error


def _tables(raw: Sequence[Mapping[str, Any]]) -> tuple[TableReceipt, ...]:
    return tuple(TableReceipt(**table) for table in raw)


def _lines(source: str, table: TableReceipt, *, is_added: bool) -> list[str]:
    held = f", {_count(table.held)} held already" if is_added else ""
    total = (
        f"{source} {table.table}: {_count(table.rows)} rows in: {_count(table.kept)} kept as they came, "
        f"{_count(table.mended)} mended, {_count(table.refused)} refused{held}."
    )
    apart = [f"  organisations, kept apart from people: {_count(table.organisations)}."] if table.organisations else []
    apart += [f"  corrections of rows that were held: {_count(table.corrected)}."] if table.corrected else []
    parts = (("mended", table.mended_by), ("refused", table.refused_by))
    return [total, *apart] + [
        f"  {what}: {reason} ({_count(count)})"
        for what, counts in parts
        for reason, count in sorted(counts.items(), key=lambda item: (-_tens(item[1]), item[0]))
    ]


def _count(count: int) -> str:
    if count == 0:
        return "none"
    return f"fewer than {LEAST_SHOWN}" if count < LEAST_SHOWN else f"about {_tens(count):,}"


def _tens(count: int) -> int:
    """To the nearest ten, halves up."""
    return (count + _ROUNDED_TO // 2) // _ROUNDED_TO * _ROUNDED_TO

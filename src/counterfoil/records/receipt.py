"""What became of every delivered row: kept, mended or refused, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class TableReceipt:
    """Counts of one table's rows; `rows` = `kept` + `mended` + `refused`.

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


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one delivery. `key` is of everything that decides the result: files, schema, dates, rules."""

    source: str
    delivery: str
    key: str
    files: Mapping[str, str]  # table -> SHA-256 of the delivered file
    tables: tuple[TableReceipt, ...]
    repeated: bool = field(default=False, compare=False)  # nothing was done: this delivery had been loaded

    def to_json(self) -> dict[str, Any]:
        """As kept beside the extract."""
        value = asdict(self) | {"tables": [asdict(table) for table in self.tables]}
        del value["repeated"]
        return value

    def lines(self) -> list[str]:
        """Sentences that may be shown: counts in tens, small ones not at all."""
        if self.repeated:
            return [f"{self.source} of {self.delivery} was loaded before from the same files: nothing to do."]
        return [line for table in self.tables for line in _lines(self.source, table)]


def read_receipt(path: Path, *, repeated: bool = False) -> Receipt:
    """A receipt that was kept; Fault when it cannot be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        tables = tuple(TableReceipt(**table) for table in value.pop("tables"))
        return Receipt(**value, tables=tables, repeated=repeated)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Fault(f"The receipt {path.name} of a delivery cannot be read. Load the delivery again.") from error


def _lines(source: str, table: TableReceipt) -> list[str]:
    total = (
        f"{source} {table.table}: {_count(table.rows)} rows in: {_count(table.kept)} kept as they came, "
        f"{_count(table.mended)} mended, {_count(table.refused)} refused."
    )
    apart = [f"  organisations, kept apart from people: {_count(table.organisations)}."] if table.organisations else []
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

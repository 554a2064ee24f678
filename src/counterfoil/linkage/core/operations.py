"""Operations of single comparisons laid out as one `Program`: what follows what, and what is worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from counterfoil.linkage.core import interpret as run
from counterfoil.linkage.core.layout import Input, Program


@dataclass(slots=True)
class Label:
    """A place that an operation goes on to: an operation of this comparison, or a level as -(level + 1)."""

    at: int | None = None


@dataclass(slots=True)
class Row:
    operation: int
    a: int = -1
    b: int = -1
    compare: int = -1
    number: float | None = None
    limit: float | None = None
    key: str = ""  # what is computed, when it is worth keeping
    on_true: Label = field(default_factory=Label)
    on_false: Label = field(default_factory=Label)
    stack: list[Row] = field(default_factory=list)  # of a VALUE


@dataclass(slots=True)
class Compiled:
    """One comparison: its inputs and its operations, still apart from those of others."""

    inputs: list[Input]
    rows: list[Row]
    first: list[int]
    null_level: int
    absent_input: int


@dataclass(slots=True)
class _Table:
    rows: list[list[int]] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def number(self, value: float | None) -> int:
        if value is None:
            return run.NO_LIMIT
        for at, known in enumerate(self.numbers):
            if known == value or (known != known and value != value):
                return at
        self.numbers.append(value)
        return len(self.numbers) - 1

    def add(self, compiled: Compiled) -> None:
        """The rows of one comparison, and behind them what their values are made of."""
        base, behind = len(self.rows), len(self.rows) + len(compiled.rows)
        slots, limits = _slots(compiled.rows), _limits(compiled.rows)
        stacks: list[Row] = []
        starts: dict[str, tuple[int, int]] = {}
        for row in compiled.rows:
            a, b = row.a, row.b
            if row.operation == run.VALUE:
                if row.key not in starts or not row.key:
                    starts[row.key] = (behind + len(stacks), behind + len(stacks) + len(row.stack))
                    stacks += row.stack
                a, b = starts[row.key]
            limit = self.number(limits.get(row.key))
            targets = [_resolved(label, base) for label in (row.on_true, row.on_false)]
            slot = slots.get(row.key, run.NO_SLOT)
            self.rows.append([row.operation, a, b, row.compare, self.number(row.number), limit, slot, *targets])
        for row in stacks:
            number = self.number(row.number)
            self.rows.append([row.operation, row.a, -1, row.compare, number, run.NO_LIMIT, run.NO_SLOT, -1, -1])


def _resolved(label: Label, base: int) -> int:
    if label.at is None:
        raise ValueError("A condition was left without an end.")
    return label.at if label.at < 0 else label.at + base


def _slots(rows: Sequence[Row]) -> dict[str, int]:
    """Which values are kept: those that are asked for more than once."""
    keys = [row.key for row in rows if row.key]
    repeated = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    return {key: slot for slot, key in enumerate(repeated[: run.SLOTS])}


def _limits(rows: Sequence[Row]) -> dict[str, float]:
    """Of a similarity the lowest, of a distance the highest number that it is compared with."""
    found: dict[str, float] = {}
    for row in rows:
        if row.number is None or row.number != row.number:
            continue
        if row.operation in (run.JARO_WINKLER, run.JARO):
            found[row.key] = min(found.get(row.key, row.number), row.number)
        elif row.operation in (run.LEVENSHTEIN, run.DAMERAU):
            found[row.key] = max(found.get(row.key, row.number), row.number, 0.0)
    return found


def program_of(comparisons: Sequence[Compiled]) -> Program:
    """The program of all comparisons."""
    table = _Table()
    most = max(len(each.first) for each in comparisons)
    first = np.zeros((len(comparisons), most + 1), np.int64)
    for c, each in enumerate(comparisons):
        base, end = len(table.rows), len(table.rows) + len(each.rows)
        table.add(each)
        first[c] = [base + at for at in each.first] + [end] * (most + 1 - len(each.first))
    return Program(
        operations=np.array(table.rows, np.int32),
        numbers=np.array(table.numbers or [0.0], np.float64),
        first=first,
        levels=np.array([len(each.first) for each in comparisons], np.int64),
        width=np.array([len(each.inputs) for each in comparisons], np.int64),
        absent_level=np.array([each.null_level for each in comparisons], np.int64),
        absent_input=np.array([each.absent_input for each in comparisons], np.int64),
    )

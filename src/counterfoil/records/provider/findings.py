"""What is said of a provider's file: findings by row number and shape, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from counterfoil.records.provider.rules import RULES, Code, Level

SHOWN_RANGES = 20  # on the screen; --json holds all


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `rows` are those of the file, from 1; `column` is ours or a letter; `shape` shows no value."""

    level: Level
    code: Code
    rows: tuple[int, ...] = ()
    column: str = ""
    shape: str = ""

    @property
    def says(self) -> str:
        """What was found."""
        return RULES[self.code].says

    @property
    def advice(self) -> str:
        """What to do."""
        return RULES[self.code].advice

    def to_json(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "level": self.level.value,
            "code": self.code.value,
            "rows": list(self.rows),
            "column": self.column,
            "shape": self.shape,
            "says": self.says,
            "advice": self.advice,
        }


def finding(code: Code, rows: Iterable[int] = (), *, column: str = "", shape: str = "") -> Finding:
    """A finding at the level its rule gives."""
    return Finding(RULES[code].level, code, tuple(sorted(set(rows))), column, shape)


def ranges(rows: Sequence[int]) -> list[str]:
    """Row numbers with runs drawn together: 2, 3, 4, 9 is "2 to 4", "9"."""
    runs: list[list[int]] = []
    for row in sorted(set(rows)):
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    return [str(first) if first == last else f"{first} to {last}" for first, last in runs]


def say_rows(rows: Sequence[int]) -> str:
    """Row numbers for a sentence, at most 20 ranges of them."""
    parts = ranges(rows)
    word = "row" if len(set(rows)) == 1 else "rows"
    shown = ", ".join(parts[:SHOWN_RANGES])
    more = f" and more (all {len(set(rows))} in --json)" if len(parts) > SHOWN_RANGES else ""
    return f"{word} {shown}{more}"


def render(findings: Sequence[Finding]) -> str:
    """The findings as text: by level, then by column, each with rows, shape and what to do."""
    blocks = []
    for level in Level:
        chosen = sorted((f for f in findings if f.level is level), key=lambda f: (f.column, f.code.value, f.rows))
        if chosen:
            lines = [level.value.capitalize(), *(line for one in chosen for line in _lines(one))]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _lines(found: Finding) -> list[str]:
    where = f"{found.column}: " if found.column else ""
    seen = f" It looks like: {found.shape}" if found.shape else ""
    rows = f" ({say_rows(found.rows)})" if found.rows else ""
    lines = [f"  {where}{found.says}{rows}{seen}"]
    return [*lines, f"    What to do: {found.advice}"] if found.advice else lines

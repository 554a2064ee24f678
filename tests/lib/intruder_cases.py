"""Publications in shorthand, so that a test of the intruder audit reads as what is printed.

all = 8                  an exact count of people          r in all = 21         of an outcome
all ~ 10 by 5            rounded; "from 10": smaller ones are suppressed
no = [c]                 withheld; "[c]!": a size that must stay vague
r in all over all = 0.35 a rate or a mean, as printed      after in all - before in all = 15   a sum
all from 20 to 24        bounds                            all, r in all among 64 20; 65 20    possibilities
interval: all = 8        with a label of its own; else what stands before the sign is the label
weighted c = 0.300       a weighted rate                   r in all over 60 against c = -16.7  points beside it
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from counterfoil.disclosure.intruder import (
    PEOPLE,
    AddsUp,
    Between,
    Counts,
    CountTable,
    Difference,
    Exact,
    OneOf,
    Outcome,
    Piece,
    Publication,
    Rounded,
    Share,
    Statement,
    Truth,
    Weighted,
    Withheld,
    publish_table,
    truth_of,
)
from counterfoil.disclosure.settings import DEFAULT_SETTINGS

Side = tuple[Piece, ...]


def side_of(text: str) -> Side:
    """ "a in X - b in Y" as pieces."""
    found = re.findall(r"([+-]?)\s*([^+-]+)", text)
    return tuple(_piece(words.strip(), -1 if sign == "-" else 1) for sign, words in found)


def _piece(words: str, times: int) -> Piece:
    outcome, inside, population = words.rpartition(" in ")
    return Piece(population, outcome if inside else PEOPLE, times)


def statement_of(text: str) -> Statement:
    """One line of the shorthand."""
    label, colon, rest = text.partition(": ")
    return replace(_statement_of(rest), label=label) if colon else _statement_of(text)


def _statement_of(text: str) -> Statement:
    if match := re.fullmatch(r"weighted (\w+) = (\S+)", text):
        return Weighted(text.partition(" = ")[0], match[1], match[2])
    if match := re.fullmatch(r"((.+) over (\d+) against (\w+)) = (\S+)", text):
        return Difference(match[1], side_of(match[2]), int(match[3]), match[4], match[5])
    if match := re.fullmatch(r"(.+) among (.+)", text):
        points = tuple(tuple(map(int, point.split())) for point in match[2].split(";"))
        return OneOf(match[1], tuple(map(side_of, match[1].split(","))), points)
    if match := re.fullmatch(r"(.+) ~ (\d+) by (\d+)(?: from (\d+))?", text):
        return Rounded(match[1], side_of(match[1]), int(match[2]), int(match[3]), int(match[4] or 0))
    if match := re.fullmatch(r"(.+) from (\d+) to (\d+)", text):
        return Between(match[1], side_of(match[1]), int(match[2]), int(match[3]))
    if match := re.fullmatch(r"((.+) over (.+)) = (\S+)", text):
        return Share(match[1], side_of(match[2]), side_of(match[3]), match[4])
    label, _, shown = text.partition(" = ")
    if shown.startswith("[c]"):
        return Withheld(label, side_of(label), vague=shown.endswith("!"))
    return Exact(label, side_of(label), int(shown))


def publications_of(case: Mapping[str, Any]) -> tuple[list[Publication], Truth]:
    """A case of the golden file: either a table, with "c" after what is hidden, or what each publication says."""
    if "table" in case:
        return table_of(case["table"], case.get("base"))
    outcomes = tuple(
        Outcome(name, Counts(words.split()[0]), ([*words.split(" behind "), None])[1])
        for name, words in case.get("outcomes", {}).items()
    )
    sums = tuple(AddsUp(whole, tuple((part, 1) for part in parts)) for whole, parts in case.get("sums", {}).items())
    populations = {name: tuple(atoms.split()) for name, atoms in case["populations"].items()}
    made = [
        Publication(name, populations, tuple(map(statement_of, says)), outcomes, sums)
        for name, says in case["says"].items()
    ]
    truth = {
        (atom, "" if what == "people" else what): n for atom, has in case["truth"].items() for what, n in has.items()
    }
    return made, Truth(truth)


def table_of(rows: Sequence[Sequence[int | str]], base: int | None = None) -> tuple[list[Publication], Truth]:
    """A table with all its totals. "3c" is a 3 that is hidden."""
    cells = {(f"row {i}", f"column {j}"): str(cell) for i, row in enumerate(rows, 1) for j, cell in enumerate(row, 1)}
    table = CountTable("table", {place: int(cell.rstrip("c")) for place, cell in cells.items()}, base=base)
    hidden = [place for place, cell in cells.items() if cell.endswith("c")]
    return [publish_table(table, hidden, DEFAULT_SETTINGS)], truth_of(table)

"""Tables of the group, as statements: what a person is like is counted as an outcome is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from counterfoil.disclosure.audited.made import ANALYSED, CELL, Made
from counterfoil.disclosure.beside import BoolArray
from counterfoil.disclosure.intruder import PEOPLE, AddsUp, Exact, Known, Line, Piece, Withheld
from counterfoil.disclosure.shown_beside import ProtectedTable


def say_table(made: Made, table: ProtectedTable, kinds: Mapping[str, BoolArray]) -> None:
    """Every line of a table of the group. What a person is like is counted as an outcome is: once or not."""
    outcomes = {}
    for kind, members in kinds.items():
        outcomes[kind] = made.kind(f"{table.name}: {kind}", members)
    made.sums.append(AddsUp(PEOPLE, tuple((named, 1) for named in outcomes.values()), (ANALYSED,)))
    made.known += _known_of(made, kinds, outcomes)
    for cell in table.cells:
        of = tuple(Piece(ANALYSED, outcomes[kind]) for kind in cell.kinds)
        hides = (CELL, cell.place)
        if cell.people.value is None:
            made.say(Withheld(cell.place, of), hides)
        else:
            made.say(Exact(cell.place, of, int(cell.people.value)), hides)
    made.lines.append(Line(table.name, tuple(cell.place for cell in table.cells)))


def _known_of(made: Made, kinds: Mapping[str, BoolArray], outcomes: Mapping[str, str]) -> Iterator[Known]:
    """Sub-analyses that some of the kinds make up: whoever is in one is of these kinds, and nobody else analysed is."""
    analysed = made.people.analysed
    parts = [there for there in made.people.parts.values() if not np.array_equal(there, analysed)]
    for name in (name for name, there in made.members.items() if any(np.array_equal(there, one) for one in parts)):
        inside = {kind: members & made.members[name] for kind, members in kinds.items()}
        whole = {kind for kind, part in inside.items() if np.array_equal(part, kinds[kind] & analysed)}
        none = {kind for kind, part in inside.items() if not part.any()}
        if whole | none != set(kinds):
            continue
        within, outside = sorted(whole - none), sorted(none - whole)
        yield from (Known(name, outcomes[kind], have=False) for kind in outside)
        yield from (Known(ANALYSED, outcomes[kind], have=False, without=name) for kind in within)
        if len(within) == 1:
            yield Known(name, outcomes[within[0]], have=True)
        if len(outside) == 1:
            yield Known(ANALYSED, outcomes[outside[0]], have=True, without=name)

"""What the intruder audit asks `protect` to hide besides what the rules hide already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Asked = tuple[str, str]  # kind, name: ("measure", "reoffending_rate")


@dataclass(frozen=True, slots=True)
class More:
    """`size`: of the group analysed. `measures` by name; `parts` and `ways` by place. `curves`, `balance`: all of them.

    `cells` of tables of the group, each as `ProtectedCell.place` has it. `terms` of the balance table, by name.
    `control`: the check against an outcome of before.
    """

    size: bool = False
    measures: frozenset[str] = frozenset()
    parts: frozenset[int] = frozenset()
    ways: frozenset[int] = frozenset()
    cells: frozenset[str] = frozenset()
    curves: bool = False
    balance: bool = False
    terms: frozenset[str] = frozenset()
    control: bool = False

    def with_these(self, asked: Iterable[Asked]) -> More:
        """These as well."""
        every = {*self.every(), *asked}
        kinds = {kind for kind, _ in every}
        return More(
            size="size" in kinds,
            measures=frozenset(name for kind, name in every if kind == "measure"),
            parts=frozenset(int(name) for kind, name in every if kind == "part"),
            ways=frozenset(int(name) for kind, name in every if kind == "way"),
            cells=frozenset(name for kind, name in every if kind == "cell"),
            curves="curves" in kinds,
            balance="balance" in kinds,
            terms=frozenset(name for kind, name in every if kind == "term"),
            control="control" in kinds,
        )

    def every(self) -> tuple[Asked, ...]:
        """All of it, in a fixed order."""
        size = (("size", ""),) if self.size else ()
        whole = (("curves", self.curves), ("balance", self.balance), ("control", self.control))
        beside = [(name, "") for name, asked in whole if asked]
        parts = tuple(("part", str(place)) for place in sorted(self.parts))
        ways = tuple(("way", str(place)) for place in sorted(self.ways))
        cells = tuple(("cell", place) for place in sorted(self.cells))
        terms = tuple(("term", name) for name in sorted(self.terms))
        return (*size, *(("measure", name) for name in sorted(self.measures)), *parts, *ways, *cells, *terms, *beside)


NOTHING_MORE = More()

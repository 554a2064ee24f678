"""An intruder who reads the kept text of publications and tries every world: nothing of the product is used here.

A world gives each atom a number of people and a number with each outcome. Worlds grow count by count. Every published
number is worked out in every world by rounding forwards, as whoever prints it would, as soon as all its counts are
there, and the worlds that would have printed something else are out.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.int64]
Column = tuple[str, str]  # atom, outcome; "" is people

MOST = 400_000  # worlds at once; beyond it the intruder gives up
PLUS = ("exact", "rounded")  # kinds that bound what they count from above


class Intruder:
    """All worlds in which `texts` (kept publications) would have been printed as they are."""

    def __init__(self, texts: Sequence[str]) -> None:
        held = [json.loads(text) for text in texts]
        self.populations: dict[str, list[str]] = {}
        self.statements: list[dict[str, Any]] = []
        self.outcomes: dict[str, str] = {}
        self.behind: dict[str, str] = {}
        self.sums: list[dict[str, Any]] = []
        self.known: list[dict[str, Any]] = []
        for one in held:
            self.populations |= one["populations"]
            self.statements += one["statements"]
            self.outcomes |= {outcome["name"]: outcome["counts"] for outcome in one["outcomes"]}
            self.behind |= {outcome["name"]: outcome["behind"] for outcome in one["outcomes"] if outcome["behind"]}
            self.sums += one["sums"]
            self.known += one["known"]
        atoms = sorted({atom for members in self.populations.values() for atom in members})
        self.columns: list[Column] = [(atom, "") for atom in atoms]
        self.columns += [(atom, what) for atom in atoms for what in self.outcomes]
        self.place = {column: i for i, column in enumerate(self.columns)}
        self.spans: dict[tuple[tuple[Column, int], ...], tuple[int, int]] = {}
        self.worlds: list[Values] = []  # an array a column, one value a world
        self.count = 1
        self._enumerate()

    def span(self, of: Mapping[Column, int]) -> tuple[int, int]:
        """The smallest and the largest that a sum is in any world."""
        key = tuple(sorted((column, times) for column, times in of.items() if times))
        if key not in self.spans:
            values = self._total(dict(key))
            self.spans[key] = (int(values.min()), int(values.max()))
        return self.spans[key]

    def secrets(self) -> Iterator[dict[Column, int]]:
        """What there is to find out: each atom, each population and each without each other, with and without an
        outcome. What is known before anything is printed is no secret: that no man is in a group of women."""
        seen = set()
        for one in (*self._atoms(), *self.differences()):
            key = tuple(sorted(one.items()))
            if key not in seen:
                seen.add(key)
                yield one

    def _atoms(self) -> Iterator[dict[Column, int]]:
        spoken = {atom for name in self._spoken() for atom in self.populations[name]}
        for atom in sorted(spoken):
            yield from (told for one in self._counts([atom]) if (told := self._told(one)))

    def differences(self) -> list[dict[Column, int]]:
        """Every population of which something is said, and each without each other."""
        spoken = self._spoken()
        found: list[dict[Column, int]] = []
        for first, second in itertools.product(spoken, [None, *spoken]):
            atoms = [a for a in self.populations[first] if second is None or a not in self.populations[second]]
            found += self._counts(atoms)
        return [told for one in found if (told := self._told(one))]

    def _counts(self, atoms: Sequence[str]) -> Iterator[dict[Column, int]]:
        for what in ("", *self.outcomes):
            yield {(atom, what): 1 for atom in atoms}
            if self.outcomes.get(what) == "once":
                yield {(atom, what): -1 for atom in atoms} | {(atom, ""): 1 for atom in atoms}

    def _spoken(self) -> list[str]:
        return sorted({piece["population"] for one in self.statements for piece in _pieces(one)})

    def _told(self, of: Mapping[Column, int]) -> dict[Column, int]:
        found: dict[Column, int] = {}
        for (atom, what), times in of.items():
            have = [one["have"] for one in self.known if what == one["outcome"] and self._is_known(one, atom)]
            if False not in have:
                column = (atom, "") if have else (atom, what)
                found[column] = found.get(column, 0) + times
        return {column: times for column, times in found.items() if times}

    def _is_known(self, one: Mapping[str, Any], atom: str) -> bool:
        apart = bool(one["without"]) and atom in self.populations[one["without"]]
        return atom in self.populations[one["population"]] and not apart

    def _enumerate(self) -> None:
        waiting = list(self.statements)
        for atom, what in self.columns:
            self._add(atom, what)
            self._holds_anyway(atom, what)
            ready = [one for one in waiting if self._is_there(one)]
            waiting = [one for one in waiting if not self._is_there(one)]
            for one in ready:
                self._keep(self._prints(one))

    def _add(self, atom: str, what: str) -> None:
        """Every value that a count can have, in every world so far: as few as what bounds it from above allows."""
        most = np.full(self.count, self._most(atom, what), np.int64)
        if self.outcomes.get(what) == "once":
            most = np.minimum(most, self.worlds[self.place[atom, ""]])
        for one in self.statements:
            if one["kind"] in PLUS and all(piece["times"] > 0 for piece in one["of"]):
                times = self._spread(one["of"]).get((atom, what), 0)
                if times:
                    most = np.minimum(most, (_limit(one) - self._sum(one["of"])) // times)
        values = np.maximum(most + 1, 0)
        total = int(values.sum())
        if total > MOST:
            raise OverflowError
        self.worlds = [np.repeat(column, values) for column in self.worlds]
        self.worlds.append(np.arange(total) - np.repeat(np.cumsum(values) - values, values))
        self.count = total

    def _keep(self, these: npt.NDArray[np.bool_]) -> None:
        if not these.all():
            self.worlds = [column[these] for column in self.worlds]
            self.count = int(these.sum())

    def _holds_anyway(self, atom: str, what: str) -> None:
        """In one atom: whoever has an event is behind it, and parts add up, as soon as all of them are there."""

        def column(name: str) -> Any:
            place = self.place[atom, name]
            return self.worlds[place] if place < len(self.worlds) else None

        for name, behind in self.behind.items():
            if what in (name, behind) and column(name) is not None and column(behind) is not None:
                self._keep(column(name) >= column(behind))
        for one in self.sums:
            if one["within"] and not any(atom in self.populations[name] for name in one["within"]):
                continue
            parts = [(column(part), sign) for part, sign in one["parts"]]
            if column(one["whole"]) is not None and all(found is not None for found, _ in parts):
                self._keep(column(one["whole"]) == sum(found * sign for found, sign in parts))
        for one in self.known:
            if what == one["outcome"] and self._is_known(one, atom):
                self._keep(column(what) == (column("") if one["have"] else 0))

    def _most(self, atom: str, what: str) -> int:
        """The largest that a count can be: some published count that holds it bounds it."""
        bounds = [
            _limit(one)
            for one in self.statements
            if one["kind"] in PLUS and all(piece["times"] > 0 for piece in one["of"])
            if any(
                atom in self.populations[p["population"]] and p["outcome"] in ("", what)
                for p in one["of"]
                if p["outcome"] == what or self.outcomes.get(what) == "once"
            )
        ]
        if not bounds:
            raise OverflowError
        return int(min(bounds))

    def _spread(self, pieces: Sequence[Mapping[str, Any]]) -> dict[Column, int]:
        found: dict[Column, int] = {}
        for piece in pieces:
            for atom in self.populations[piece["population"]]:
                column = (atom, piece["outcome"])
                found[column] = found.get(column, 0) + piece["times"]
        return found

    def _sum(self, pieces: Sequence[Mapping[str, Any]]) -> Values:
        """Of the counts that are there."""
        return self._total(self._spread(pieces))

    def _total(self, of: Mapping[Column, int]) -> Values:
        found = np.zeros(self.count, np.int64)
        for column, times in of.items():
            if self.place[column] < len(self.worlds):
                found += times * self.worlds[self.place[column]]
        return found

    def _is_there(self, one: Mapping[str, Any]) -> bool:
        return all(self.place[column] < len(self.worlds) for column in self._spread(_pieces(one)))

    def _prints(self, one: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
        if one["kind"] == "withheld":
            return np.ones(self.count, np.bool_)
        if one["kind"] == "one of":
            sums = [self._sum(of) for of in one["of"]]
            points = [[found == said for found, said in zip(sums, point, strict=True)] for point in one["points"]]
            return np.asarray(np.any([np.all(each, axis=0) for each in points], axis=0), np.bool_)
        return np.asarray(self._shows(one, self._sum(one["of"])), np.bool_)

    def _shows(self, one: Mapping[str, Any], found: Values) -> Any:
        if one["kind"] == "exact":
            return found == one["value"]
        if one["kind"] == "rounded":  # to the nearest multiple of the base, halves up
            nearest = (2 * found + one["base"]) // (2 * one["base"]) * one["base"]
            return (found >= one["least"]) & (nearest == one["value"])
        if one["kind"] == "between":
            return (found >= one["low"]) & (found <= one["high"])
        if one["kind"] != "share":
            raise ValueError(one["kind"])
        over = self._sum(one["over"])
        scale = 10 ** len(one["shown"].partition(".")[2])
        printed = (2 * scale * found + over) // np.maximum(2 * over, 1)
        return (over > 0) & (printed == int(one["shown"].replace(".", "")))


def _pieces(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = [of if isinstance(of, list) else [of] for of in one["of"]]
    return [piece for of in lists for piece in of] + list(one.get("over", []))


def _limit(one: Mapping[str, Any]) -> int:
    return int(one["value"]) + (int(one["base"]) if one["kind"] == "rounded" else 0)

"""An intruder who reads the kept text of publications and tries every world: nothing of the product is used here.

A world gives each atom a number of people and a number with the outcome. Every published number is worked out in every
world by rounding forwards, as whoever prints it would, and the worlds that would have printed something else are out.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Worlds = npt.NDArray[np.int64]
Column = tuple[str, str]  # atom, outcome; "" is people

MOST = 100_000  # worlds at once; beyond it the intruder gives up


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
        self.columns = [(atom, what) for atom in atoms for what in ("", *self.outcomes)]
        self.worlds = self._enumerate()
        for one in self.statements:
            self.worlds = self.worlds[self._prints(one)]

    def span(self, of: Mapping[Column, int]) -> tuple[int, int]:
        """The smallest and the largest that a sum is in any world."""
        weights = np.array([of.get(column, 0) for column in self.columns])
        values = self.worlds @ weights
        return int(values.min()), int(values.max())

    def differences(self) -> list[dict[Column, int]]:
        """Every population of which something is said, and each without each other: people, with and without.

        What is known before anything is printed is no secret: that no man is in a group of women.
        """
        pieces = [
            piece for one in self.statements for of in one["of"] for piece in (of if isinstance(of, list) else [of])
        ]
        spoken = sorted({piece["population"] for piece in pieces})
        found = []
        for first, second in itertools.product(spoken, [None, *spoken]):
            atoms = [a for a in self.populations[first] if second is None or a not in self.populations[second]]
            for what in ("", *self.outcomes):
                found.append({(atom, what): 1 for atom in atoms})
                if self.outcomes.get(what) == "once":
                    found.append({(atom, what): -1 for atom in atoms} | {(atom, ""): 1 for atom in atoms})
        return [told for one in found if (told := self._told(one))]

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

    def _enumerate(self) -> Worlds:
        worlds = np.zeros((1, 0), np.int64)
        for atom, what in self.columns:
            most = self._most(atom, what)
            values = np.arange(most + 1)
            worlds = np.column_stack([np.repeat(worlds, most + 1, axis=0), np.tile(values, len(worlds))])
            if self.outcomes.get(what) == "once":
                people = self.columns.index((atom, ""))
                worlds = worlds[worlds[:, -1] <= worlds[:, people]]
            worlds = self._holds_anyway(worlds, atom, what)
            for one in self.statements:
                if one["kind"] in ("exact", "rounded") and all(piece["times"] > 0 for piece in one["of"]):
                    limit = one["value"] + (one["base"] if one["kind"] == "rounded" else 0)
                    worlds = worlds[self._sum(one["of"], worlds) <= limit]
            if len(worlds) > MOST:
                raise OverflowError
        return worlds

    def _holds_anyway(self, worlds: Worlds, atom: str, what: str) -> Worlds:
        """In one atom: whoever has an event is behind it, and parts add up, as soon as all of them are there."""

        def column(name: str) -> Any:
            place = self.columns.index((atom, name))
            return worlds[:, place] if place < worlds.shape[1] else None

        for name, behind in self.behind.items():
            if what in (name, behind) and column(name) is not None and column(behind) is not None:
                worlds = worlds[column(name) >= column(behind)]
        for one in self.sums:
            if one["within"] and not any(atom in self.populations[name] for name in one["within"]):
                continue
            parts = [(column(part), sign) for part, sign in one["parts"]]
            whole = column(one["whole"])
            if whole is not None and all(found is not None for found, _ in parts):
                worlds = worlds[whole == sum(found * sign for found, sign in parts)]
        for one in self.known:
            if what == one["outcome"] and self._is_known(one, atom):
                worlds = worlds[column(what) == (column("") if one["have"] else 0)]
        return worlds

    def _most(self, atom: str, what: str) -> int:
        """The largest that a count can be: some published count that holds it bounds it."""
        bounds = [
            one["value"] + (one["base"] if one["kind"] == "rounded" else 0)
            for one in self.statements
            if one["kind"] in ("exact", "rounded") and all(piece["times"] > 0 for piece in one["of"])
            if any(
                atom in self.populations[p["population"]] and p["outcome"] in ("", what)
                for p in one["of"]
                if p["outcome"] == what or self.outcomes.get(what) == "once"
            )
        ]
        if not bounds:
            raise OverflowError
        return int(min(bounds))

    def _sum(self, pieces: Sequence[Mapping[str, Any]], worlds: Worlds) -> Worlds:
        found = np.zeros(len(worlds), np.int64)
        for piece in pieces:
            for atom in self.populations[piece["population"]]:
                place = self.columns.index((atom, piece["outcome"]))
                if place < worlds.shape[1]:
                    found += piece["times"] * worlds[:, place]
        return found

    def _prints(self, one: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
        every = np.ones(len(self.worlds), np.bool_)
        if one["kind"] == "withheld":
            return every
        if one["kind"] == "one of":
            sums = np.column_stack([self._sum(of, self.worlds) for of in one["of"]])
            return np.array([list(row) in one["points"] for row in sums.tolist()], np.bool_)
        return np.asarray(self._shows(one, self._sum(one["of"], self.worlds)), np.bool_)

    def _shows(self, one: Mapping[str, Any], found: Worlds) -> Any:
        if one["kind"] == "exact":
            return found == one["value"]
        if one["kind"] == "rounded":  # to the nearest multiple of the base, halves up
            nearest = (2 * found + one["base"]) // (2 * one["base"]) * one["base"]
            return (found >= one["least"]) & (nearest == one["value"])
        if one["kind"] == "between":
            return (found >= one["low"]) & (found <= one["high"])
        if one["kind"] != "share":
            raise ValueError(one["kind"])
        over = self._sum(one["over"], self.worlds)
        scale = 10 ** len(one["shown"].partition(".")[2])
        printed = (2 * scale * found + over) // np.maximum(2 * over, 1)
        return (over > 0) & (printed == int(one["shown"].replace(".", "")))

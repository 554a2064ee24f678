"""Find one person among the people of a lab: for clerical review and for requests of the person concerned.

An entry is decided as one of a cohort is (METHODS 1); who might be meant is told beside it. Holds names: for the linker
alone. Nothing is logged here; whoever shows an answer logs that it was asked, before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.errors import Refused
from counterfoil.lab.make import OpenLab
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage.blocking import RuleCount, check_blocks
from counterfoil.linkage.cohort import LOWEST_WEIGHT, LinkStatus
from counterfoil.linkage.core.room import Reach
from counterfoil.linkage.core.searcher import ROW, Searcher
from counterfoil.linkage.kept import Kept
from counterfoil.linkage.prepare import STANDARD_COLUMNS, classed, prepared_view
from counterfoil.linkage.review.access import check_linker
from counterfoil.linkage.spine import Spine, read_spine, resources
from counterfoil.records.standardise import STANDARD_COLUMNS as STANDARD_TYPES
from counterfoil.records.standardise import PersonColumn
from counterfoil.records.standardise_one import standardise_person

LEAST_WEIGHT = 0.0  # bits: people who are as likely as not and more are told
MOST_PEOPLE = 20
MODEL = "model"
_ENTRY = "entry"
_TEXT = pa.string()
_ENTERED = pa.schema([(name, STANDARD_TYPES.get(name, _TEXT)) for name in (*STANDARD_COLUMNS, "forename_class")])


class Outcome(Enum):
    """What a search came to."""

    FOUND = "found"
    NO_ONE = "no one found"
    TOO_LITTLE = "too little to go on"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What is known of the person, as it was written down. The names are those of a delivery's columns."""

    forename1: str | None = None
    forename2: str | None = None
    surname: str | None = None
    aliases: str | None = None  # "FORENAME SURNAME; FORENAME SURNAME"
    date_of_birth: dt.date | None = None
    sex: str | None = None
    postcode: str | None = None
    pnc_id: str | None = None
    cro: str | None = None
    prison_number: str | None = None
    crn: str | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """Which kinds are given."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) is not None)


# The standardised column that is missing when a kind of identifier could not be used.
_STANDARD: Mapping[str, str] = {
    "forename1": "forename1_std",
    "forename2": "forename_parts",
    "surname": "surname_std",
    "aliases": "alias_names",
    "date_of_birth": "dob",
    "sex": "sex_std",
    "postcode": "postcode_std",
    "pnc_id": "pnc_std",
    "cro": "cro_std",
    "prison_number": "prison_number_std",
    "crn": "crn_std",
}


@dataclass(frozen=True, slots=True)
class RecordFound:
    """One record of a person. `match_weight` in bits, prior included; None when no blocking rule brought it."""

    source: str
    record_id: str
    match_weight: float | None
    values: Mapping[str, Any]  # its standardised identifiers


@dataclass(frozen=True, slots=True)
class PersonFound:
    """A person who may be meant. `match_weight`: the most that one of their records weighs.

    `evidence`: "pnc", "prison_number" (a number that birth date or surname confirms) or "model". `status`: whether a
    cohort's entry of these identifiers would be linked to them.
    """

    person_id: str
    match_weight: float
    evidence: str
    status: LinkStatus
    records: tuple[RecordFound, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Who may be meant, the likeliest first. `status`: how a cohort's entry of these identifiers would end.

    `unused`: kinds of identifier that were given and could not be read (a number whose check letter is wrong).
    """

    outcome: Outcome
    status: LinkStatus
    people: tuple[PersonFound, ...]
    unused: tuple[str, ...]


class PeopleSearch:
    """The people of a lab's newest spine, opened once and asked many times; its calls wait for each other."""

    def __init__(self, spine: Spine, kept: Kept, *, threshold: float, today: dt.date) -> None:
        self.spine, self._kept, self._threshold, self._today = spine, kept, threshold, today
        self._loose = spine.people(["cluster_loose"])["cluster_loose"].to_numpy()  # of each record
        view = prepared_view(spine.specification, kept.hot, ROW)
        self._searcher = Searcher(
            kept.index, kept.model, view=view.sql, given=_ENTERED, tables=view.tables, parts=view.parts
        )
        rules = spine.specification.rules
        self._rule_of = {
            rule.left[0]: i for i, rule in enumerate(rules) if rule.left == rule.right and len(rule.left) == 1
        }

    @classmethod
    def open(cls, lab: OpenLab, progress: Progress = silent) -> PeopleSearch:
        """The newest spine's people. Refused for all but the linker, and for a model that only Splink can score."""
        check_linker(lab.paths)
        spine = read_spine(lab)
        kept = spine.kept(resources=resources(lab), progress=progress)
        if kept is None:
            raise Refused(
                "One person cannot be searched for: the lab's model says what only Splink can score. Link the person "
                "as a cohort of one, or use a model that our own engine can express.",
                rule="search",
            )
        return cls(spine, kept, threshold=lab.settings.thresholds.cohort, today=lab.settings.date())

    def find(self, known: Identifiers, *, least: float = LEAST_WEIGHT, most: int = MOST_PEOPLE) -> Answer:
        """Who may be meant: at most `most` people of weight `least` (bits) and more."""
        raw = {PersonColumn(each.name): getattr(known, each.name) for each in fields(known)}
        standard = standardise_person(raw, today=self._today)
        unused = tuple(kind for kind in known.given if not standard[_STANDARD[kind]])
        return self._find({"source": _ENTRY, "record_id": _ENTRY, **standard}, least, most, unused)

    def find_standard(self, entry: pa.Table, *, least: float = LEAST_WEIGHT, most: int = MOST_PEOPLE) -> Answer:
        """The same for one standardised record."""
        return self._find(entry.select(STANDARD_COLUMNS).to_pylist()[0], least, most, ())

    def _find(self, entry: Mapping[str, Any], least: float, most: int, unused: tuple[str, ...]) -> Answer:
        limit = self.spine.specification.guards.max_block
        prepared = classed(entry, self.spine.specification)
        weights, brought = self._searcher.find_one(prepared, threshold=LOWEST_WEIGHT, most=limit)
        rules = self.spine.specification.rules
        counts = [RuleCount(rule.name, each.pairs, each.largest) for rule, each in zip(rules, brought, strict=True)]
        check_blocks(counts, max_block=limit)
        if weights is None or not any(each.asked for each in brought):
            return Answer(Outcome.TOO_LITTLE, LinkStatus.NOT_FOUND, (), unused)
        people = self._people(self._best(weights), self._by_number(entry, brought), weights, least, most)
        status = next(
            (person.status for person in people if person.status is not LinkStatus.NOT_FOUND), LinkStatus.NOT_FOUND
        )
        return Answer(Outcome.FOUND if people else Outcome.NO_ONE, status, people, unused)

    def _best(self, weights: Mapping[int, float]) -> dict[int, float]:
        """Person number -> the most that any of their records weighs; the likeliest first, then by person_id."""
        best: dict[int, float] = {}
        for record, weight in weights.items():
            person = int(self._kept.person_of[record])
            best[person] = max(weight, best.get(person, weight))
        names = dict(zip(best, self._kept.persons.take(pa.array(list(best), pa.int64())).to_pylist(), strict=True))
        return dict(sorted(best.items(), key=lambda each: (-each[1], names[each[0]])))

    def _by_number(self, row: Mapping[str, Any], brought: Sequence[Reach]) -> tuple[int, str] | None:
        """The one person who holds a number of the entry that a birth date or surname confirms, and which number."""
        rules = self.spine.specification.cohort
        for number in rules.numbers:
            if row[number.column] is None:
                continue
            rule = self._rule_of.get(number.column)
            records = self._with(number.column, row) if rule is None else self._kept.reached(brought, rule)
            held = self._kept.shown.select(rules.confirm).take(pa.array(records)).to_pylist()
            confirmed = [
                any(known[column] is not None and known[column] == row[column] for column in rules.confirm)
                for known in held
            ]
            people = set(self._kept.person_of[records[np.array(confirmed, dtype=np.bool_)]].tolist())
            if len(people) == 1:
                return people.pop(), number.evidence
        return None

    def _with(self, column: str, row: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The records that hold a number for which there is no blocking rule."""
        same = pa.compute.fill_null(pa.compute.equal(self._kept.shown[column], row[column]), False)
        return np.flatnonzero(same.to_numpy()).astype(np.int64)

    def _people(
        self,
        best: Mapping[int, float],
        certain: tuple[int, str] | None,
        weights: Mapping[int, float],
        least: float,
        most: int,
    ) -> tuple[PersonFound, ...]:
        """People as they are told: the certain one first."""
        status = self._statuses(best, certain)
        told = [person for person, weight in best.items() if weight >= least or person in status]
        if certain is not None:
            told = [certain[0], *(person for person in told if person != certain[0])]
        return tuple(
            PersonFound(
                person_id=self._kept.persons[person].as_py(),
                match_weight=best.get(person, LOWEST_WEIGHT),
                evidence=certain[1] if certain is not None and person == certain[0] else MODEL,
                status=status.get(person, LinkStatus.NOT_FOUND),
                records=self._records(person, weights),
            )
            for person in told[:most]
        )

    def _statuses(self, best: Mapping[int, float], certain: tuple[int, str] | None) -> dict[int, LinkStatus]:
        """Who is linked, or who are ambiguous; the rule of a cohort's entry (METHODS 1).

        All are linked where they are clusters of one person: those that the spine joins at loose.
        """
        if certain is not None:
            return {certain[0]: LinkStatus.LINKED}
        ranked = list(best.items())
        if not ranked or ranked[0][1] < self._threshold:
            return {}
        within = self.spine.specification.cohort.ambiguous_within
        close = [person for person, weight in ranked if ranked[0][1] - weight < within]
        loose = {int(self._loose[self._kept.records_of(person)[0]]) for person in close}
        if len(loose) > 1:
            return dict.fromkeys(close, LinkStatus.AMBIGUOUS)
        return {person: LinkStatus.LINKED for person in close if best[person] >= self._threshold}

    def _records(self, person: int, weights: Mapping[int, float]) -> tuple[RecordFound, ...]:
        """All records of a person, those that weigh most first."""
        rows = self._kept.records_of(person).tolist()
        values = self._kept.shown.take(pa.array(rows)).to_pylist()
        found = [
            RecordFound(value.pop("source"), value.pop("record_id"), weights.get(row), value)
            for row, value in zip(rows, values, strict=True)
        ]
        return tuple(sorted(found, key=lambda each: (each.match_weight is None, -(each.match_weight or 0.0))))

"""Laws that every linkage keeps, and small made-up records with known people to test them on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.population import generate
from counterfoil.records.standardise import standardise_people
from counterfoil.warehouse import query, read_table

TODAY = dt.date(2026, 1, 31)

_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_ONSETS = ["B", "BR", "C", "D", "F", "G", "H", "J", "K", "L", "M", "N", "P", "R", "S", "ST", "T", "TH", "W"]
_VOWELS = ["A", "E", "I", "O", "U", "AI", "EE", "OO"]
_CODAS = ["N", "R", "L", "S", "T", "D", "CK", "LL", "TON", "SON", "LEY", "MAN"]
_FIRST_DAY = dt.date(1950, 1, 1)

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("record_id", pa.string()),
        ("forename1_std", pa.string()),
        ("forename_parts", pa.list_(pa.string())),
        ("surname_std", pa.string()),
        ("surname_parts", pa.list_(pa.string())),
        ("full_parts_sorted", pa.string()),
        ("alias_names", pa.list_(pa.string())),
        ("dob", pa.date32()),
        ("dob_is_1jan", pa.bool_()),
        ("sex_std", pa.string()),
        ("postcode_std", pa.string()),
        ("outcode", pa.string()),
        ("pnc_std", pa.string()),
        ("cro_std", pa.string()),
        ("prison_number_std", pa.string()),
        ("crn_std", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Made:
    """Standardised records, and who they are: `truth` has source, record_id, person_id, sex."""

    records: pa.Table
    truth: pa.Table


def assert_sound_links(people: pa.Table, records: pa.Table) -> None:
    """Laws of every spine: a record is one person's; strict is within medium within loose; keys are 128 bits."""
    given = Counter(zip(records["source"].to_pylist(), records["record_id"].to_pylist(), strict=True))
    kept = Counter(zip(people["source"].to_pylist(), people["record_id"].to_pylist(), strict=True))
    assert given == kept
    assert max(kept.values(), default=1) == 1
    for finer, coarser in (("cluster_strict", "cluster_medium"), ("cluster_medium", "cluster_loose")):
        coarse_of: dict[int, int] = {}
        for fine, coarse in zip(people[finer].to_pylist(), people[coarser].to_pylist(), strict=True):
            assert coarse_of.setdefault(fine, coarse) == coarse
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in people["person_id"].to_pylist())


def assert_sound_cohort(links: pa.Table, entries: pa.Table, people: pa.Table) -> None:
    """Laws of every linked cohort: one row an entry, in order; a person where linked alone, one of the spine's."""
    assert links["row"].to_pylist() == list(range(entries.num_rows))
    assert links["record_id"].to_pylist() == entries["record_id"].to_pylist()
    known = set(people["person_id"].to_pylist())
    for row in links.to_pylist():
        is_linked = row["link_status"] == "linked"
        assert all((row[name] is not None) == is_linked for name in ("person_id", "link_probability", "evidence"))
        assert not is_linked or (row["person_id"] in known and 0 <= row["link_probability"] <= 1)
        assert set(row["also"]) <= (known if is_linked else set()) - {row["person_id"]}


def assert_sound_crosswalk(crosswalk: pa.Table, old_keys: set[str], new_keys: set[str]) -> None:
    """Every old key maps, every new key is reached, and only a retired key goes nowhere."""
    rows = crosswalk.to_pylist()
    assert {row["old_person_id"] for row in rows if row["old_person_id"]} == old_keys
    assert {row["person_id"] for row in rows if row["person_id"]} == new_keys
    assert all((row["person_id"] is None) == (row["status"] == "retired") for row in rows)
    assert all((row["old_person_id"] is None) == (row["status"] == "new") for row in rows)


def record(**given: Any) -> dict[str, Any]:
    """One standardised record; what is not given follows from the names and date, or is missing."""
    forename, surname, dob = given.get("forename1_std"), given.get("surname_std"), given.get("dob")
    parts = {"forename_parts": [forename] if forename else [], "surname_parts": [surname] if surname else []}
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names) | {"alias_names": []} | parts | given
    names = sorted({*row["forename_parts"], *row["surname_parts"]})
    row["full_parts_sorted"] = " ".join(names) or None
    row["dob_is_1jan"] = dob is not None and (dob.month, dob.day) == (1, 1)
    postcode = row["postcode_std"]
    row["outcode"] = postcode[:-3] if postcode else None
    return row


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Records as the table that linkage reads."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


class _Maker:
    """Draws people and their records. Rates of error are those that public linkage test sets use, not a claim."""

    def __init__(self, people: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.surnames, self.forenames = self._names(4000), self._names(400)
        self.postcodes = [self._postcode() for _ in range(max(200, people))]

    def _names(self, count: int) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < count:
            syllables = (_ONSETS, _VOWELS, _ONSETS, _VOWELS, _CODAS)
            found["".join(self._pick(values) for values in syllables)] = None
        return list(found)

    def _pick(self, values: Sequence[str]) -> str:
        return values[int(self.random.integers(len(values)))]

    def _common(self, values: Sequence[str]) -> str:
        """Few values are common, most are rare."""
        return values[int(len(values) * self.random.random() ** 3)]

    def _postcode(self) -> str:
        r = self.random
        area, unit = (self._pick(_LETTERS) + self._pick(_LETTERS) for _ in range(2))
        return f"{area}{r.integers(1, 40)}{r.integers(10)}{unit}"

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def person(self, number: int) -> dict[str, Any]:
        day = _FIRST_DAY + dt.timedelta(days=int(self.random.integers(20000)))
        letters = f"{_LETTERS[number % 23]}{_LETTERS[number // 23 % 23]}"
        return {
            "forename1_std": self._common(self.forenames),
            "surname_std": self._common(self.surnames),
            "dob": day.replace(month=1, day=1) if self.chance(0.02) else day,
            "sex_std": "1" if self.chance(0.8) else "2",
            "postcode_std": self._pick(self.postcodes),
            "pnc_std": f"{1970 + number % 50}/{number:07d}{_LETTERS[number % 23]}",
            "prison_number_std": f"A{number % 10000:04d}{letters}",
        }

    def copy(self, person: dict[str, Any]) -> dict[str, Any]:
        """The person as one source happened to write them down."""
        row = dict(person)
        for column in ("forename1_std", "surname_std"):
            if self.chance(0.05):
                row[column] = self._typo(row[column])
        if self.chance(0.02):
            row["forename1_std"], row["surname_std"] = row["surname_std"], row["forename1_std"]
        if self.chance(0.04):
            row["dob"] = self._wrong_day(row["dob"])
        if self.chance(0.4):
            row["postcode_std"] = self._pick(self.postcodes) if self.chance(0.7) else None
        if self.chance(0.35):
            row["pnc_std"] = None
        return row

    def _typo(self, name: str) -> str:
        at = int(self.random.integers(1, len(name)))
        return name[:at] + self._pick(_LETTERS) + name[at + 1 :]

    def _wrong_day(self, day: dt.date) -> dt.date:
        if day.day <= 12 and self.chance(0.5):
            return day.replace(month=day.day, day=day.month)
        return day.replace(day=1 + (day.day + 9) % 28)


def make_records(people: int, *, seed: int) -> Made:
    """Records of `people` people in three sources, as standardised as `records` would leave them."""
    maker = _Maker(people, seed)
    rows: list[dict[str, Any]] = []
    truth: list[tuple[str, str, str, str]] = []
    for number in range(people):
        person = maker.person(number)
        for source, share in (("pnc", 1.0), ("prison", 0.5), ("probation", 0.7)):
            copies = int(maker.chance(share)) + int(maker.chance(0.06))
            for _ in range(copies):
                row = maker.copy(person)
                if source == "pnc":
                    row["prison_number_std"] = None
                if source == "probation" and maker.chance(0.6):
                    row["prison_number_std"] = None
                name = f"{source[:2].upper()}{len(rows):07d}"
                rows.append(record(source=source, record_id=name, **row))
                truth.append((source, name, f"P{number:06d}", person["sex_std"]))
    order = maker.random.permutation(len(rows))
    columns = list(zip(*truth, strict=True))
    who = pa.table(dict(zip(("source", "record_id", "person_id", "sex"), map(list, columns), strict=True)))
    return Made(table_of([rows[i] for i in order]), who)


def draw_lab_records(folder: Path, people: int, *, seed: int) -> dict[str, pa.Table]:
    """People of the synthetic population as three sources hold them, standardised: {source: records}, and "truth".

    `truth` has source, record_id, person_id, sex and origin; "people" the true identities.
    """
    made = generate(folder / "made", people=people, seed=seed)
    tables = {
        source: standardise_people(read_table(made.sources / f"{source}_people.parquet"), source=source, today=TODAY)
        for source in ("pnc", "prison", "probation")
    }
    true = {
        "people": read_table(made.truth / "truth_people.parquet"),
        "r": read_table(made.truth / "truth_records.parquet"),
    }
    sql = "SELECT source, record_id, person_id, sex, origin FROM r JOIN people USING (person_id) ORDER BY 1, 2"
    return tables | {"truth": query(sql, true), "people": true["people"]}

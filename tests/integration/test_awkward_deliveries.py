"""A second delivery that splits, joins, corrects or takes away gives what linking all anew gives (METHODS 1).

One lab of some 500 people is linked once. Each test copies it, delivers, links the copy as a delivery and a copy of the
copy with `rebuild`. Beside the equality each says what must become of the people it is about, from the rules alone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.linkage import SpineResult, build_spine
from counterfoil.linkage.clusters import Guard
from counterfoil.linkage.crosswalk import trace_keys
from counterfoil.linkage.keys import Fate, NewKey
from counterfoil.linkage.overrides import Decision, Override, Record, add, override
from counterfoil.linkage.quality_report.judged import the_spine
from counterfoil.linkage.review.queue import doubtful_pairs
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import read_table, write_table
from lib.links import TODAY, assert_sound_crosswalk, assert_sound_links, make_records, record, table_of

FIRST, SECOND = "2026-01-01", "2026-01-08"
SOURCES = ("magistrates", "pnc", "prison", "probation")
TABLES = ("people.parquet", "links.parquet", "review.parquet", "weak_bridges.parquet", "crosswalk.parquet")
STAY = (dt.date(2020, 5, 1), dt.date(2020, 5, 31))
BORN = dt.date(1981, 3, 17)

Rows = list[dict[str, Any]]

pytestmark = pytest.mark.slow


def _person(source: str, record_id: str, forename: str, surname: str, **given: Any) -> dict[str, Any]:
    return record(source=source, record_id=record_id, forename1_std=forename, surname_std=surname, **given)


# The people whom the tests are about, as the first delivery has them. No two share a name.
KNOWN = [
    # joined by a prison number, and one has no birth date: a third record with another birth date comes nearer
    _person("pnc", "births-1", "ZEBEDEE", "QUORNDON", dob=BORN, prison_number_std="A7001ZZ", postcode_std="ZA11AA"),
    _person("probation", "births-2", "ZEBEDEE", "QUORNDON", prison_number_std="A7001ZZ", pnc_std="1999/7000001A",
            cro_std="7001/99A", crn_std="Z700001", postcode_std="ZB22BB"),
    # in prison, and defendant in a court
    _person("prison", "day-1", "OSWIN", "THRIPLOW", dob=BORN, pnc_std="1999/7000002B", postcode_std="ZC11AA"),
    _person("magistrates", "day-2", "OSWIN", "THRIPLOW", dob=BORN, pnc_std="1999/7000002B", postcode_std="ZC11AA"),
    # two people so far: before and after she married
    _person("pnc", "bridge-1", "PHILOMENA", "WIGGINTON", dob=BORN, pnc_std="1999/7000003C", postcode_std="ZD11AA"),
    _person("prison", "bridge-2", "PHILOMENA", "YAXHAM", dob=BORN, prison_number_std="A7003ZZ", postcode_std="ZE99BB"),
    # one of two twins
    _person("pnc", "twin-1", "ERASMUS", "VELLACOTT", dob=BORN, pnc_std="1999/7000004D", postcode_std="ZF11AA"),
    _person("probation", "twin-2", "ERASMUS", "VELLACOTT", dob=BORN, pnc_std="1999/7000004D", postcode_std="ZF11AA"),
    # a chain that its middle holds together: first and last share nothing but a birth date and a forename
    _person("pnc", "chain-1", "LEOPOLD", "UFFCULME", dob=BORN, pnc_std="1999/7000005E", postcode_std="ZG11AA"),
    _person("probation", "chain-2", "LEOPOLD", "UFFCULME", dob=BORN, pnc_std="1999/7000005E",
            prison_number_std="A7005ZZ", postcode_std="ZG11AA"),
    _person("prison", "chain-3", "LEOPOLD", "JESMOND", dob=BORN, prison_number_std="A7005ZZ", postcode_std="ZH99BB"),
    # whose record was written down under another's name and number
    _person("pnc", "right-1", "BALTHAZAR", "NETTLECOMBE", dob=BORN, pnc_std="1999/7000006F", postcode_std="ZJ11AA"),
    _person("probation", "right-2", "CORNELIUS", "HATHERSAGE", dob=BORN, pnc_std="1999/7000007G",
            postcode_std="ZK11AA"),
    _person("pnc", "right-3", "CORNELIUS", "HATHERSAGE", dob=BORN, pnc_std="1999/7000007G", postcode_std="ZK11AA"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lab:
    """The lab that was linked once, and its spine."""

    lab: OpenLab
    rows: Rows
    first: SpineResult


@dataclass(frozen=True, slots=True)
class Linked:
    """The same second delivery, linked as a delivery and all anew."""

    added: Spine
    how: frozenset[str]
    before: Spine

    def person(self, record_id: str) -> str:
        """Whose a record is now."""
        return _persons(self.added)[record_id]

    def was(self, record_id: str) -> str:
        """Whose it was."""
        return _persons(self.before)[record_id]

    def fate(self, key: str) -> set[str]:
        """What the crosswalk says of an old key."""
        rows = read_table(self.added.folder / "crosswalk.parquet").to_pylist()
        return {row["status"] for row in rows if row["old_person_id"] == key}

    def guarded(self, one: str, other: str) -> set[str]:
        """The guards that spoke against a pair."""
        rows = self._doubted()
        return {row["guard"] for row in rows if {row["record_id_l"], row["record_id_r"]} == {one, other}}

    def guards_of(self, record_id: str) -> set[str]:
        """The guards that spoke against any pair with a record."""
        return {row["guard"] for row in self._doubted() if record_id in (row["record_id_l"], row["record_id_r"])}

    def _doubted(self) -> Rows:
        rows: Rows = read_table(self.added.folder / "review.parquet").to_pylist()
        return rows


def _persons(spine: Spine) -> Mapping[str, str]:
    people = spine.people(["record_id", "person_id"])
    return dict(zip(people["record_id"].to_pylist(), people["person_id"].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    rows = [*make_records(500, seed=8).records.to_pylist(), *KNOWN]
    lab = make_lab(tmp_path_factory.mktemp("awkward") / "lab", today=TODAY)
    _deliver(lab, rows, FIRST)
    return Lab(lab, rows, build_spine(lab, new_key=_keys(0)))


def _deliver(lab: OpenLab, rows: Rows, date: str, *, heard: dt.date = dt.date(2021, 1, 1)) -> None:
    """Whole extracts of each source, and the link evidence of the two who are in prison and in court."""
    for source in SOURCES:
        own = [row for row in rows if row["source"] == source]
        write_table(table_of(own), lab.paths.linker_extract(source, date) / "identifiers.parquet")
    stay = {"record_id": ["day-1"], "custody_start_date": [STAY[0]], "custody_end_date": [STAY[1]]}
    hearing = {
        "record_id": ["day-2"], "first_hearing_date": [heard], "attendance": ["in_person"], "remand_status": ["bail"],
    }  # fmt: skip
    write_table(pa.table(stay), lab.paths.linker_extract("prison", date) / "nomis.parquet")
    write_table(pa.table(hearing), lab.paths.linker_extract("magistrates", date) / "case_summary.parquet")


def _keys(first: int) -> NewKey:
    numbers = itertools.count(first)
    return lambda: f"{next(numbers):032x}"


def _copy(lab: OpenLab, folder: Path) -> OpenLab:
    shutil.copytree(lab.paths.root, folder)
    return open_lab(folder)


def _link_both(made: Lab, lab: OpenLab, rows: Rows, folder: Path) -> Linked:
    """Link what `lab`, a copy, was delivered, both ways; whatever a spine says must be the same, row by row."""
    other = _copy(lab, folder / "anew")
    added, rebuilt = build_spine(lab, new_key=_keys(9000)), build_spine(other, rebuild=True, new_key=_keys(9000))
    assert _how(rebuilt) == {"all"}
    for name in TABLES:
        assert read_table(added.spine.folder / name).equals(read_table(rebuilt.spine.folder / name)), name
    assert doubtful_pairs(the_spine(added.spine)) == doubtful_pairs(the_spine(rebuilt.spine))
    for number in ("people", "products", "guards", "records"):
        assert added.quality.get(number) == rebuilt.quality.get(number), number
    assert_sound_links(added.spine.people(), table_of(rows))
    before, now = (set(_persons(each.spine).values()) for each in (made.first, added))
    assert_sound_crosswalk(read_table(added.spine.folder / "crosswalk.parquet"), before, now)
    for each in (lab, other):
        traced = trace_keys(each.paths, sorted(before), since=made.first.spine.version)
        assert set(traced["old_person_id"].to_pylist()) == before
    return Linked(added.spine, frozenset(_how(added)), made.first.spine)


def _how(result: SpineResult) -> set[str]:
    return {str(stage["how"]) for name, stage in result.quality["stages"].items() if name != "records"}


def _second(made: Lab, folder: Path, *new: dict[str, Any]) -> Linked:
    """The first delivery again, and new records."""
    lab, rows = _copy(made.lab, folder / "lab"), [*made.rows, *new]
    _deliver(lab, rows, SECOND)
    linked = _link_both(made, lab, rows, folder)
    assert linked.how <= {"fresh", "kept"}
    return linked


def test_the_first_people_are_as_the_cases_need_them(made: Lab) -> None:
    person = _persons(made.first.spine)
    together = [("births-1", "births-2"), ("day-1", "day-2"), ("twin-1", "twin-2"), ("right-2", "right-3"),
                ("chain-1", "chain-2"), ("chain-2", "chain-3")]  # fmt: skip
    assert all(person[one] == person[other] for one, other in together)
    assert person["bridge-1"] != person["bridge-2"]
    assert person["right-1"] != person["right-2"]


def test_a_record_that_parts_two_by_their_births(made: Lab, tmp_path: Path) -> None:
    """The new record comes nearer to the one without a birth date, and brings a birth date that no slip explains."""
    new = _person("pnc", "births-3", "ZEBEDEE", "QUORNDON", dob=dt.date(1957, 10, 29), pnc_std="1999/7000001A",
                  cro_std="7001/99A", crn_std="Z700001", postcode_std="ZB22BB")  # fmt: skip
    linked = _second(made, tmp_path, new)
    assert linked.person("births-2") == linked.person("births-3") != linked.person("births-1")
    assert linked.fate(linked.was("births-1")) == {Fate.SPLIT.value}
    assert linked.guarded("births-1", "births-2") == {Guard.BIRTHS.value}


def test_a_hearing_that_parts_two_who_cannot_be_in_both_places(made: Lab, tmp_path: Path) -> None:
    """No record of a person is new; the court's table of hearings says where the defendant was."""
    lab = _copy(made.lab, tmp_path / "lab")
    _deliver(lab, made.rows, SECOND, heard=dt.date(2020, 5, 10))
    linked = _link_both(made, lab, made.rows, tmp_path)
    assert linked.how == {"kept"}
    assert linked.person("day-1") != linked.person("day-2")
    assert linked.fate(linked.was("day-1")) == {Fate.SPLIT.value}
    assert Guard.SAME_DAY.value in linked.guarded("day-1", "day-2")


def test_a_record_that_joins_two_people(made: Lab, tmp_path: Path) -> None:
    new = _person("probation", "bridge-3", "PHILOMENA", "YAXHAM", dob=BORN, pnc_std="1999/7000003C",
                  prison_number_std="A7003ZZ", postcode_std="ZD11AA")  # fmt: skip
    linked = _second(made, tmp_path, new)
    assert linked.person("bridge-1") == linked.person("bridge-2") == linked.person("bridge-3")
    fates = [linked.fate(linked.was(name)) for name in ("bridge-1", "bridge-2")]
    assert sorted(fates, key=sorted) == [{Fate.KEPT.value}, {Fate.MERGED.value}]


def test_overrides_between_two_deliveries(made: Lab, tmp_path: Path) -> None:
    """One joins two people and one parts one, while records come of both."""
    lab = _copy(made.lab, tmp_path / "lab")
    add(
        lab.paths,
        _ruled(Record("pnc", "bridge-1"), Record("prison", "bridge-2"), Decision.MUST_LINK),
        _ruled(Record("pnc", "twin-1"), Record("probation", "twin-2"), Decision.MUST_NOT_LINK),
    )
    copies = [{**row, "record_id": f"{row['record_id']}-again"} for row in KNOWN if row["record_id"] in
              ("bridge-1", "twin-2")]  # fmt: skip
    rows = [*made.rows, *copies]
    _deliver(lab, rows, SECOND)
    linked = _link_both(made, lab, rows, tmp_path)
    assert linked.how <= {"fresh", "kept"}
    assert linked.person("bridge-1") == linked.person("bridge-2") == linked.person("bridge-1-again")
    assert linked.person("twin-1") != linked.person("twin-2")
    assert linked.fate(linked.was("twin-1")) == {Fate.SPLIT.value}


def _ruled(one: Record, other: Record, decision: Decision) -> Override:
    return override(one, other, decision, who="R. Viewer", why="seen on paper")


def test_the_second_of_two_twins(made: Lab, tmp_path: Path) -> None:
    """Same surname, birth date and address, another forename; and one without forename that has a number of each."""
    home = {"dob": BORN, "postcode_std": "ZF11AA"}
    nameless = record(source="prison", record_id="twin-5", surname_std="VELLACOTT", pnc_std="1999/7000004D",
                      prison_number_std="A7008ZZ", **home)  # fmt: skip
    linked = _second(
        made, tmp_path,
        _person("pnc", "twin-3", "GWENDOLEN", "VELLACOTT", prison_number_std="A7008ZZ", **home),
        _person("prison", "twin-4", "GWENDOLEN", "VELLACOTT", prison_number_std="A7008ZZ", **home),
        nameless,
    )  # fmt: skip
    assert linked.person("twin-3") == linked.person("twin-4") != linked.person("twin-1")
    assert linked.person("twin-1") == linked.was("twin-1") == linked.person("twin-2")
    assert Guard.TWINS.value in linked.guards_of("twin-5")


def test_records_that_are_not_delivered_any_more(made: Lab, tmp_path: Path) -> None:
    """The middle of a chain, all of one person, and a twentieth of the others."""
    gone = {"chain-2", "right-1"}
    random = np.random.default_rng(4).random(len(made.rows))
    known = {row["record_id"] for row in KNOWN}
    rows = [
        row for row, drawn in zip(made.rows, random.tolist(), strict=True)
        if row["record_id"] not in gone and (row["record_id"] in known or drawn > 0.05)
    ]  # fmt: skip
    lab = _copy(made.lab, tmp_path / "lab")
    _deliver(lab, rows, SECOND)
    linked = _link_both(made, lab, rows, tmp_path)
    assert linked.person("chain-1") != linked.person("chain-3")
    assert linked.fate(linked.was("chain-1")) == {Fate.SPLIT.value}
    assert linked.fate(linked.was("right-1")) == {Fate.RETIRED.value}


def test_records_that_are_corrected(made: Lab, tmp_path: Path) -> None:
    """One was written down under another's name and number: it leaves that person and comes to its own."""
    own = next(row for row in KNOWN if row["record_id"] == "right-1")
    rows = [
        {**own, "source": row["source"], "record_id": row["record_id"]} if row["record_id"] == "right-2" else row
        for row in made.rows
    ]
    lab = _copy(made.lab, tmp_path / "lab")
    _deliver(lab, rows, SECOND)
    linked = _link_both(made, lab, rows, tmp_path)
    assert linked.how <= {"fresh", "kept"}
    assert linked.person("right-2") == linked.person("right-1") != linked.person("right-3")


def test_a_delivery_of_nothing_new(made: Lab, tmp_path: Path) -> None:
    """The same extracts of a later day are no new spine; the same records in another order move nobody."""
    lab = _copy(made.lab, tmp_path / "lab")
    _deliver(lab, made.rows, SECOND)
    again = build_spine(lab)
    assert not again.made
    assert again.spine.version == made.first.spine.version
    shuffled = [made.rows[at] for at in np.random.default_rng(6).permutation(len(made.rows)).tolist()]
    _deliver(lab, shuffled, "2026-01-15")
    linked = _link_both(made, lab, shuffled, tmp_path)
    assert _persons(linked.added) == _persons(made.first.spine)
    assert _fresh(linked.added) == 0


def test_a_delivery_of_duplicates_alone(made: Lab, tmp_path: Path) -> None:
    """Every fifth record once more under another name: nobody is new, nobody is gone."""
    copies = [{**row, "record_id": f"{row['record_id']}-again"} for row in made.rows[::5]]
    linked = _second(made, tmp_path, *copies)
    assert _fresh(linked.added) == len(copies)
    assert all(linked.person(f"{row['record_id']}-again") == linked.person(row["record_id"]) for row in _whole(copies))


def _whole(copies: Sequence[dict[str, Any]]) -> Rows:
    """The originals of the copies that hold both names and a birth date: nothing speaks against those."""
    needed = ("forename1_std", "surname_std", "dob", "pnc_std")
    return [
        {**row, "record_id": row["record_id"].removesuffix("-again")} for row in copies if all(map(row.get, needed))
    ]


def _fresh(spine: Spine) -> int:
    """Records that were new or changed, over the stages that hold each source once."""
    stages = spine.quality()["stages"]
    return sum(int(stage["fresh"]) for name, stage in stages.items() if name.startswith("dedupe-"))

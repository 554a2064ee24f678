"""Laws of the register: what may not change it, and a slow second reading of the rules that must agree with it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from counterfoil.cohort.register import Machine, RegisterInputs, RegisterPaths, build_cohort_register
from counterfoil.outcomes.register import build_outcomes
from lib.random_extracts import Extracts, random_extracts

PEOPLE = 300
SEED = 20_261


def register_of(inputs: RegisterInputs, folder: Path, threads: int = 2) -> RegisterPaths:
    paths = RegisterPaths(folder)
    build_cohort_register(inputs, paths, machine=Machine(threads))
    build_outcomes(inputs, paths, machine=Machine(threads))
    return paths


@pytest.fixture(scope="module")
def extracts() -> Extracts:
    return random_extracts(PEOPLE, SEED)


@pytest.fixture(scope="module")
def register(extracts: Extracts, tmp_path_factory: pytest.TempPathFactory) -> RegisterPaths:
    folder = tmp_path_factory.mktemp("register")
    return register_of(extracts.write(folder / "extracts"), folder / "register")


def bytes_of(paths: RegisterPaths) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(paths.folder.iterdir())}


def test_one_thread_or_two_give_the_same_bytes(extracts: Extracts, register: RegisterPaths, tmp_path: Path) -> None:
    again = register_of(extracts.write(tmp_path / "extracts"), tmp_path / "register", threads=1)
    assert bytes_of(again) == bytes_of(register)


def test_order_of_the_rows_changes_nothing(extracts: Extracts, register: RegisterPaths, tmp_path: Path) -> None:
    again = register_of(extracts.shuffled(3).write(tmp_path / "extracts"), tmp_path / "register")
    assert bytes_of(again) == bytes_of(register)


def test_the_secret_behind_the_keys_changes_nothing_else(
    extracts: Extracts, register: RegisterPaths, tmp_path: Path
) -> None:
    again = register_of(extracts.with_other_keys(3).write(tmp_path / "extracts"), tmp_path / "register")
    ours, theirs = bytes_of(register), bytes_of(again)
    assert {name for name in ours if ours[name] != theirs[name]} == {"index_events.parquet", "custody.parquet"}
    for one, other in ((register.index_events, again.index_events), (register.custody, again.custody)):
        ours_now, theirs_now = (pq.read_table(path).drop_columns(["register_key"]) for path in (one, other))
        assert ours_now.equals(theirs_now)


def test_a_second_copy_of_every_record_changes_nothing(
    extracts: Extracts, register: RegisterPaths, tmp_path: Path
) -> None:
    again = register_of(doubled(extracts).write(tmp_path / "extracts"), tmp_path / "register")
    ours, theirs = bytes_of(register), bytes_of(again)
    assert [name for name in ours if ours[name] != theirs[name]] == []


def doubled(extracts: Extracts) -> Extracts:
    """Each record and row twice, the copies named after the originals and later in the order of names."""

    def copy_of(table: pa.Table) -> pa.Table:
        names = [n for n in table.column_names if n.endswith(("_id", "_hash"))]
        renamed = table
        for name in names:
            values = pa.array([f"Z{value}" for value in table[name].to_pylist()])
            renamed = renamed.set_column(table.column_names.index(name), name, values)
        return pa.concat_tables([table, renamed])

    return replace(extracts, tables={k: copy_of(t) for k, t in extracts.tables.items()}, keys=copy_of(extracts.keys))


CUT = dt.date(2013, 5, 1)


def test_what_happens_on_or_after_the_index_date_changes_no_covariate(
    extracts: Extracts, register: RegisterPaths, tmp_path: Path
) -> None:
    """Everything of CUT and later is taken away; whoever was released by then stays so. Earlier events stay."""
    again = register_of(until(extracts, CUT).write(tmp_path / "extracts"), tmp_path / "register")
    ours, theirs = (known_by(paths, CUT) for paths in (register, again))
    assert len(ours) > PEOPLE
    assert theirs == ours
    assert known_by(register, dt.date(2030, 1, 1)) != known_by(again, dt.date(2030, 1, 1))


def until(extracts: Extracts, day: dt.date) -> Extracts:
    """What the sources held before a day: nothing sentenced, proved, received or supervised from then on, no end of a
    stay that was still to come."""
    dated = {
        "offences": "proven_date",
        "disposals": "disposal_date",
        "nomis": "custody_start_date",
        "flatfile": "disposal_date",
    }
    tables = {k: t.filter(pc.less(t[dated[k[1]]], day)) if k[1] in dated else t for k, t in extracts.tables.items()}
    stays = tables["prison", "nomis"]
    to_come = pc.fill_null(pc.greater_equal(stays["custody_end_date"], day), False)
    for name in ("custody_end_date", "release_type"):
        column = pc.if_else(to_come, pa.scalar(None, stays[name].type), stays[name])
        stays = stays.set_column(stays.column_names.index(name), name, column)
    return replace(extracts, tables={**tables, ("prison", "nomis"): stays})


def known_by(paths: RegisterPaths, day: dt.date) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The covariates of each index event before a day, by person, kind and date."""
    rows = {row["index_event_id"]: row for row in pq.read_table(paths.covariates).to_pylist()}
    return {
        (event["register_key"], event["kind"], event["index_date"]): {
            name: value for name, value in rows[event["index_event_id"]].items() if name != "index_event_id"
        }
        for event in pq.read_table(paths.index_events).to_pylist()
        if event["index_date"] < day
    }


# A slow second reading, person by person, for people with one PNC record.


def by_person(extracts: Extracts, source: str, name: str) -> dict[str, list[dict[str, Any]]]:
    owner = {row["record_id"]: row["register_key"] for row in extracts.keys.to_pylist() if row["source"] == source}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in extracts.tables[source, name].to_pylist():
        rows[owner[row["record_id"]]].append(row)
    return rows


def months_after(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def test_outcomes_agree_with_a_slow_reading(extracts: Extracts, register: RegisterPaths) -> None:
    facts, offences = by_person(extracts, "pnc", "facts"), by_person(extracts, "pnc", "offences")
    data_end = max(row["proven_date"] for rows in offences.values() for row in rows)
    events = {row["index_event_id"]: row for row in pq.read_table(register.index_events).to_pylist()}
    checked = 0
    for row in pq.read_table(register.outcomes).to_pylist():
        event = events[row["index_event_id"]]
        if len(facts[event["register_key"]]) > 1:
            continue
        day = event["index_date"]
        covered = months_after(day, 18) <= data_end
        days = [
            (o["offence_date"] - day).days
            for o in offences[event["register_key"]]
            if day <= o["offence_date"] < months_after(day, 12)
            and o["proven_date"] < months_after(day, 18)
            and max(o["offence_date"], o["proven_date"]) > day
            and o["recordable"]
            and not o["breach"]
        ]
        expected = (1 if days else 0, len(days), min(days, default=None)) if covered else (None, None, None)
        found = (row["reoffending_rate"], row["reoffending_frequency"], row["days_to_first_reoffence"])
        assert (row["covered"], found) == (covered, expected)
        checked += 1
    assert checked > PEOPLE


def test_history_agrees_with_a_slow_reading(extracts: Extracts, register: RegisterPaths) -> None:
    facts = by_person(extracts, "pnc", "facts")
    offences, disposals = by_person(extracts, "pnc", "offences"), by_person(extracts, "pnc", "disposals")
    events = {row["index_event_id"]: row for row in pq.read_table(register.index_events).to_pylist()}
    checked = 0
    for row in pq.read_table(register.covariates).to_pylist():
        event = events[row["index_event_id"]]
        who = event["register_key"]
        if len(facts[who]) > 1 or event["kind"] == "release":
            continue
        day = event["index_date"]
        before = [o for o in offences[who] if o["proven_date"] < day and not o["breach"]]
        court_days = {d["disposal_date"] for d in disposals[who] if d["disposal_date"] < day}
        custody = {
            d["disposal_date"] for d in disposals[who] if d["disposal_date"] < day and d["disposal"] == "custody"
        }
        assert row["n_previous_offences"] == len(before)
        assert row["n_previous_violence"] == sum(o["offence_group"] == "violence" for o in before)
        assert row["n_previous_convictions"] + row["n_previous_cautions"] == len(court_days)
        assert row["n_previous_custody"] == len(custody)
        assert row["first_sanction"] is (not court_days)
        checked += 1
    assert checked > PEOPLE


def test_events_agree_with_a_slow_reading(extracts: Extracts, register: RegisterPaths) -> None:
    disposals, spells = by_person(extracts, "pnc", "disposals"), by_person(extracts, "prison", "nomis")
    expected = set()
    for who, rows in disposals.items():
        by_day = defaultdict(set)
        for row in rows:
            by_day[row["disposal_date"]].add(row["disposal"])
        for day, kinds in by_day.items():
            if "custody" in kinds:
                continue
            if kinds & {"community", "suspended"}:
                expected.add((who, "community", day))
            elif kinds == {"caution"}:
                expected.add((who, "caution", day))
            else:
                expected.add((who, "other_conviction", day))
    for who, rows in spells.items():
        expected |= {(who, "release", day) for day in slow_releases(rows)}
    found = {(r["register_key"], r["kind"], r["index_date"]) for r in pq.read_table(register.index_events).to_pylist()}
    assert found == expected


def slow_releases(spells: list[dict[str, Any]]) -> set[dt.date]:
    """Days on which nobody holds the person any more, left under sentence and alive."""
    last_start = max(s["custody_start_date"] for s in spells)
    usable = [s for s in spells if s["custody_end_date"] is not None or s["custody_start_date"] == last_start]
    days = set()
    for spell in usable:
        day = spell["custody_end_date"]
        if day is None or any(
            s["custody_start_date"] <= day and (s["custody_end_date"] is None or s["custody_end_date"] > day)
            for s in usable
        ):
            continue
        ends = [s for s in usable if s["custody_end_date"] == day]
        left = not any(s["release_type"] in ("died", "deported", "bailed") for s in ends)
        if left and any(s["legal_status"] == "sentenced" for s in ends):
            days.add(day)
    return days

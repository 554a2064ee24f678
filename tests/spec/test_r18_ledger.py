"""R13, R18: the ledger knows who is behind what became public, through merges and splits; a change of it shows."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from counterfoil.clearance import actions
from counterfoil.clearance.moves import State
from counterfoil.errors import Fault, Refused
from counterfoil.lab import log
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.lab.paths import MEMBERS, SAID
from counterfoil.lab.versions import next_version
from counterfoil.linkage.crosswalk import BEFORE
from counterfoil.linkage.ledger import (
    enter_members,
    find_merged,
    find_new_overlaps,
    find_overlap,
    keep_study_keys,
    names_given,
)
from counterfoil.study import ledger
from counterfoil.warehouse import write_table
from lib.clearance import REASON, RUN, bring, make_office

FIRST, SECOND = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
Places = list[tuple[str | None, str | None]]


@pytest.fixture
def lab(tmp_path: Path) -> OpenLab:
    """A lab with one spine and two reports: the first of ann, bob and cy, the second of cy and dee."""
    made = make_lab(tmp_path / "lab")
    spine(made, "2026-01-01-001", [(None, who) for who in ("ann", "bob", "cy", "dee", "eve")])
    report(made, FIRST, ["ann", "bob", "cy"])
    report(made, SECOND, ["cy", "dee"])
    return made


def spine(lab: OpenLab, version: str, crosswalk: Places, before: str = "") -> None:
    """A spine that is nothing but its crosswalk. `before`: the spine whose keys that leads on, where it says so."""
    folder = lab.paths.spine(version)
    folder.mkdir(parents=True)
    old, new = (pa.array([pair[side] for pair in crosswalk], pa.string()) for side in (0, 1))
    table = pa.table({"old_person_id": old, "person_id": new})
    write_table(table.replace_schema_metadata({BEFORE: before} if before else None), folder / "crosswalk.parquet")


def report(lab: OpenLab, run: str, people: list[str]) -> None:
    keys = list(range(len(people)))
    keep_study_keys(lab.paths, run, keys, people, "2026-01-01-001")
    enter_members(lab.paths, run, {"people analysed": keys})


def runs_of(lab: OpenLab, person: str) -> set[str]:
    """Runs that the ledger finds a person in."""
    found = find_overlap(lab.paths, [person], [FIRST, SECOND])
    return {run for run, _ in found.populations[found.of_person[person]]}


@pytest.mark.parametrize(
    ("person", "runs"), [("ann", {FIRST}), ("cy", {FIRST, SECOND}), ("dee", {SECOND}), ("eve", set[str]())]
)
def test_r18_an_atom_is_what_a_person_is_in(lab: OpenLab, person: str, runs: set[str]) -> None:
    assert runs_of(lab, person) == runs


def test_r18_people_of_the_same_reports_are_one_atom_and_nobody_is_atom_of_nothing_known(lab: OpenLab) -> None:
    found = find_overlap(lab.paths, ["ann", "bob", "cy", "eve"], [FIRST, SECOND])
    assert found.of_person["ann"] == found.of_person["bob"] != found.of_person["cy"]
    assert found.populations[found.of_person["eve"]] == ()


@pytest.mark.parametrize(
    ("people", "runs"), [(["ann"], (FIRST, SECOND)), (["dee"], (FIRST, SECOND)), (["eve"], ()), ([], ())]
)
def test_r13_a_report_is_held_that_only_shares_people_with_one_that_does(
    lab: OpenLab, people: list[str], runs: tuple[str, ...]
) -> None:
    """Of first = ann, bob and cy, and second = cy and dee, ann is in the first alone; the second says more of it."""
    assert find_overlap(lab.paths, people, [FIRST, SECOND]).runs == runs


def test_r13_a_report_that_hangs_together_with_none_of_them_is_left_out(lab: OpenLab) -> None:
    report(lab, "cccccccccccc", ["eve"])
    assert find_overlap(lab.paths, ["dee"], [FIRST, "cccccccccccc", SECOND]).runs == (FIRST, SECOND)


def test_a07_the_ledger_holds_no_person_key_and_no_key_that_the_analyst_has(lab: OpenLab) -> None:
    text = lab.paths.ledger_members(FIRST).read_text()
    assert not any(f'"{who}"' in text for who in ("ann", "bob", "cy"))
    assert lab.paths.ledger_members(FIRST).stat().st_mode & 0o077 == 0


def test_r18_a_person_is_found_after_a_merge(lab: OpenLab) -> None:
    """Bob's records are now Eve's: whoever lists Eve lists a person of the first report."""
    spine(lab, "2026-02-01-002", [("ann", "ann"), ("bob", "eve"), ("cy", "cy"), ("dee", "dee"), ("eve", "eve")])
    assert runs_of(lab, "eve") == {FIRST}
    assert find_merged(lab.paths, [FIRST, SECOND]) == ()  # nobody of one report became one with another of it


def test_r18_a_merge_of_two_people_of_one_report_is_a_finding(lab: OpenLab) -> None:
    spine(lab, "2026-02-01-002", [("ann", "ann"), ("bob", "ann"), ("cy", "cy"), ("dee", "dee")])
    assert find_merged(lab.paths, [FIRST, SECOND]) == (FIRST,)
    assert find_overlap(lab.paths, ["ann"], [FIRST]).merged == (FIRST,)


def test_r18_a_merge_across_reports_changes_their_overlap(lab: OpenLab) -> None:
    """Ann of the first and Dee of the second are one person: the two reports share one more."""
    spine(lab, "2026-02-01-002", [("ann", "ann"), ("bob", "bob"), ("cy", "cy"), ("dee", "ann")])
    assert find_new_overlaps(lab.paths, [FIRST, SECOND]) == ((FIRST, SECOND),)
    assert runs_of(lab, "ann") == {FIRST, SECOND}


def test_r18_a_split_person_may_be_either_and_is_a_finding(lab: OpenLab) -> None:
    spine(lab, "2026-02-01-002", [("ann", "ann"), ("ann", "fay"), ("bob", "bob"), ("cy", "cy"), ("dee", "dee")])
    assert runs_of(lab, "ann") == runs_of(lab, "fay") == {FIRST}
    assert find_merged(lab.paths, [FIRST, SECOND]) == (FIRST,)


def test_r18_keys_are_led_through_several_spines(lab: OpenLab) -> None:
    spine(lab, "2026-02-01-002", [("ann", "gus"), ("bob", "bob"), ("cy", "cy"), ("dee", "dee")])
    spine(lab, "2026-03-01-003", [("gus", "hal"), ("bob", "bob"), ("cy", None), ("dee", "dee")])
    assert runs_of(lab, "hal") == {FIRST}
    assert runs_of(lab, "gus") == set()


def entered(lab: OpenLab, run: str) -> None:
    facts = {"run": run, "release": "r", "cells": "c", "people": "p", "said": "s"}
    log.append(lab.paths, ledger.ENTERED, facts)


def test_r18_people_whose_spine_is_gone_are_not_taken_for_strangers(lab: OpenLab) -> None:
    """A spine made from nothing gives everybody another key: found would be nobody, and every list would pass."""
    shutil.rmtree(lab.paths.spine("2026-01-01-001"))
    spine(lab, "2026-02-01-001", [(None, who) for who in ("kim", "lou", "max", "nic")])
    for ask in (
        lambda: find_overlap(lab.paths, ["kim"], [FIRST, SECOND]),
        lambda: find_merged(lab.paths, [FIRST, SECOND]),
        lambda: find_new_overlaps(lab.paths, [FIRST, SECOND]),
    ):
        with pytest.raises(Fault, match=r"The spine 2026-01-01-001 is gone.*Restore"):
            ask()


def test_r18_a_spine_made_without_the_one_before_leads_nowhere(lab: OpenLab) -> None:
    """As when the one before was lost, and is restored beside it."""
    spine(lab, "2026-02-01-001", [(None, who) for who in ("kim", "lou", "max", "nic")])
    with pytest.raises(Fault, match="made without the one before"):
        find_overlap(lab.paths, ["kim"], [FIRST])


def test_r18_keys_are_not_led_past_a_spine_that_is_gone(lab: OpenLab) -> None:
    spine(lab, "2026-02-01-001", [("ann", "gus"), ("bob", "bob"), ("cy", "cy"), ("dee", "dee")])
    people: Places = [("gus", "hal"), ("bob", "bob"), ("cy", "cy"), ("dee", "dee")]
    spine(lab, "2026-03-01-001", people, before="2026-02-01-001")
    assert runs_of(lab, "hal") == {FIRST}
    shutil.rmtree(lab.paths.spine("2026-02-01-001"))
    with pytest.raises(Fault, match=r"The spine 2026-02-01-001 is gone"):
        runs_of(lab, "hal")


def test_r18_a_spine_made_from_nothing_has_a_name_that_nothing_goes_by(lab: OpenLab) -> None:
    assert set(names_given(lab.paths)) == {"2026-01-01-001"}
    folder = lab.paths.linker / "spine"
    shutil.rmtree(folder)
    day = dt.date(2026, 1, 1)
    assert next_version(folder, day, "abcdef0123", given=names_given(lab.paths)) == "2026-01-01-002-abcdef01"
    lab.paths.register_keys("2026-03-01-004-00000000").parent.mkdir(parents=True, exist_ok=True)
    lab.paths.register_keys("2026-03-01-004-00000000").touch()
    assert next_version(folder, day, "abcdef0123", given=names_given(lab.paths)) == "2026-03-01-005-abcdef01"


def test_r18_a_report_withdrawn_before_it_was_public_counts_no_more(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path), State.CLEARED)
    entered(office.lab, RUN)
    assert ledger.active_runs(office.lab) == (RUN,)
    actions.withdraw(office.lab, RUN, signer=office.signer("eve"), reason=REASON)
    assert ledger.active_runs(office.lab) == ()
    assert [one.run for one in ledger.entries(office.lab)] == [RUN]  # that it was there stays


def test_r18_what_was_public_counts_for_ever(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path), State.PUBLISHED)
    entered(office.lab, RUN)
    assert ledger.active_runs(office.lab) == (RUN,)


def test_r18_an_audit_that_did_not_hold_a_later_report_is_refused(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path), State.CLEARED)
    entered(office.lab, FIRST)
    with pytest.raises(Refused) as refused:
        ledger.enter(office.lab, RUN)
    assert (refused.value.rule, refused.value.exit_code) == ("R18", 3)


@pytest.mark.parametrize("state", [State.CLEARED, State.SCHEDULED])
def test_r18_a_cleared_report_that_was_never_entered_is_not_passed_over(tmp_path: Path, state: State) -> None:
    """The second approval was written and the entry was not: with another report in between, its audit is too old."""
    office = bring(make_office(tmp_path), state)
    entered(office.lab, FIRST)
    ledger.enter_cleared(office.lab)  # a run without numbers of people does not belong in the ledger
    for name in (SAID, MEMBERS):
        (office.lab.paths.run(RUN) / name).write_bytes(b"{}")
    with pytest.raises(Refused) as refused:
        ledger.enter_cleared(office.lab)
    assert refused.value.rule == "R18"
    entered(office.lab, RUN)
    ledger.enter_cleared(office.lab)  # it is there


def test_r18_what_entered_is_not_audited_anew_beside_what_came_later(tmp_path: Path) -> None:
    """A page of it is printed again, in another language or with the organisation's words: its numbers stay."""
    office = make_office(tmp_path)
    for run in (FIRST, RUN, SECOND):
        entered(office.lab, run)
    (office.lab.paths.run(RUN) / "audit.json").write_text(json.dumps({"ledger": [FIRST]}))
    assert ledger.beside(office.lab, RUN) == (FIRST,)
    assert ledger.beside(office.lab, "cccccccccccc") == (FIRST, RUN, SECOND)


def test_a04_a_ledger_of_which_a_file_is_gone_is_refused(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path), State.PUBLISHED)
    entered(office.lab, RUN)
    with pytest.raises(Refused) as refused:
        ledger.check(office.lab)
    assert (refused.value.rule, refused.value.exit_code) == ("ledger", 3)


def test_a04_a_broken_chain_is_refused(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path), State.PUBLISHED)
    entered(office.lab, RUN)
    lines = office.log.read_bytes().splitlines(keepends=True)
    office.log.write_bytes(b"".join([lines[0], *lines[2:]]))
    with pytest.raises(Refused) as refused:
        ledger.entries(office.lab)
    assert (refused.value.rule, refused.value.exit_code) == ("log", 3)


def test_a04_a_file_that_the_log_does_not_know_is_refused(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path), State.DRAFTED)
    office.lab.paths.ledger.mkdir(parents=True)
    (office.lab.paths.ledger / f"{SECOND}.json").write_text(json.dumps({}))
    with pytest.raises(Refused) as refused:
        ledger.check(office.lab)
    assert refused.value.rule == "ledger"

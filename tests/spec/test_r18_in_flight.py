"""R18: two reports that are analysed at once are named to whoever approves one of them; and `ledger why`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from counterfoil.clearance import Signer, actions
from counterfoil.clearance.moves import State
from counterfoil.clearance.people import Roster, check_may_see_counts
from counterfoil.cli import clear_words
from counterfoil.errors import Fault, Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.paths import MEMBERS, SAID
from counterfoil.study import ledger, pooled_people
from counterfoil.study.handover import HANDOVER
from counterfoil.study.ledger_why import why
from lib import pooled_runs, reports
from lib.clearance import STAFF
from lib.site import V1, V2, Press, press
from lib.small_lab import call_here, run_here


def submitted(lab: Press, run: str, people: list[str]) -> None:
    pooled_runs.add_run(lab.lab, run, reports.fewer(), people=people)
    for name in (SAID, MEMBERS):
        (lab.lab.paths.run(run) / name).write_bytes(b"kept by the roles")
    actions.submit(lab.lab, run, signer=lab.office.signer("amina"), team=[])


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Press:
    monkeypatch.setattr(pooled_people, "run_role", run_here)
    return press(tmp_path / "lab")


@pytest.mark.parametrize(("people", "named"), [(["ann", "dee"], (V2,)), (["dee", "eve"], ())])
def test_r18_reports_before_the_checkers_that_share_somebody_are_named(
    lab: Press, people: list[str], named: tuple[str, ...]
) -> None:
    submitted(lab, V1, ["ann", "bob"])
    submitted(lab, V2, people)
    assert ledger.find_in_flight(lab.lab, V1) == named


def test_r18_people_who_are_not_known_any_more_may_be_the_same(lab: Press) -> None:
    submitted(lab, V1, ["ann"])
    submitted(lab, V2, ["dee"])
    (lab.lab.paths.run(V2) / HANDOVER).unlink()
    assert ledger.find_in_flight(lab.lab, V1) == (V2,)


def test_r18_an_answer_that_cannot_be_had_is_no_answer(lab: Press) -> None:
    """A child that fails says neither that people are shared nor that they are not: the command stops."""
    submitted(lab, V1, ["ann"])
    submitted(lab, V2, ["dee"])
    (lab.lab.paths.run(V2) / HANDOVER).write_bytes(b"changed")
    with pytest.raises(Fault):
        ledger.find_in_flight(lab.lab, V1)


def test_r18_a_report_that_is_sent_back_is_not_in_flight(lab: Press) -> None:
    submitted(lab, V1, ["ann"])
    submitted(lab, V2, ["ann"])
    actions.send_back(lab.lab, V2, signer=lab.office.signer("ben"), reason="The headline goes too far.")
    assert ledger.find_in_flight(lab.lab, V1) == ()


@pytest.mark.parametrize("state", [State.CLEARED, State.SCHEDULED])
def test_r18_a_report_whose_clearance_was_stopped_before_it_was_entered_is_in_flight(lab: Press, state: State) -> None:
    submitted(lab, V1, ["ann"])
    pooled_runs.add_run(lab.lab, V2, reports.fewer(), people=["ann"])
    for name in (SAID, MEMBERS):
        (lab.lab.paths.run(V2) / name).write_bytes(b"kept by the roles")
    lab.clear(V2)
    if state is State.SCHEDULED:
        lab.plan(V2)
    assert lab.office.case(V2).state is state
    assert ledger.find_in_flight(lab.lab, V1) == (V2,)
    facts = {"run": V2, "release": "r", "cells": "c", "people": "p", "said": "s"}
    log.append(lab.lab.paths, ledger.ENTERED, facts)
    assert ledger.find_in_flight(lab.lab, V1) == ()


def test_r18_the_words_say_which_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    clear_words.say_in_flight((V2,))
    said = capsys.readouterr().err
    assert V2 in said
    assert "evaluate" in said


def audited(folder: Path, **result: Any) -> None:
    folder.mkdir(parents=True)
    attack = {"attack": "A reader can subtract and get 3."}
    found = {
        "repaired": [{"hidden": ["part 0", "curves"], "attacks": [attack]}],
        "targets": [{"target": "people in sub-analysis 1 and nothing else"}, {"target": "people in sub-analysis 10"}],
    }
    whole = {"measures": [], "attrition": [{"hidden": None}], **result}
    (folder / "result.json").write_text(json.dumps({"result": whole}))
    (folder / "audit.json").write_text(json.dumps(found))


def test_r13_why_speaks_of_sub_analyses_and_curves(lab: Press) -> None:
    parts = [{"name": "Women", "hidden": "R13"}, {"name": "Men", "hidden": None}]
    audited(
        lab.lab.paths.run(V1),
        sub_analyses=parts,
        survival={"hidden": "R13"},
        trust={"negative_control": {"hidden": None}},
    )
    assert why(lab.lab, V1, "check")["by_the_audit"] is False
    women = why(lab.lab, V1, "Women")
    assert (women["by_the_audit"], women["attacks"]) == (True, ["A reader can subtract and get 3."])
    assert [one["target"] for one in women["targets"]] == ["people in sub-analysis 1 and nothing else"]
    assert why(lab.lab, V1, "Men")["by_the_audit"] is False
    assert why(lab.lab, V1, "curves")["by_the_audit"] is True
    with pytest.raises(UsageError, match="size, Women, Men, check, curves"):
        why(lab.lab, V1, "Children")


@pytest.mark.parametrize("person", sorted(STAFF))
def test_a04_true_counts_are_told_to_analysts_and_checkers_alone(lab: Press, person: str) -> None:
    roster, asks = actions.read_record(lab.lab).roster, lab.office.signer(person)
    assert set(roster.members) == set(STAFF)
    if {"analyst", "checker"} & set(STAFF[person][0]):
        check_may_see_counts(roster, asks)
        return
    with pytest.raises(Refused, match="only an analyst or a checker") as refused:
        check_may_see_counts(roster, asks)
    assert refused.value.exit_code == 3


def test_a04_true_counts_are_not_told_by_a_name_alone(lab: Press, capfd: pytest.CaptureFixture[str]) -> None:
    """Nobody said who asks; somebody else's key; a name that nobody in force has; and a lab without people."""
    roster = actions.read_record(lab.lab).roster
    with pytest.raises(Refused, match="--as and --key"):
        check_may_see_counts(roster, None)
    with pytest.raises(Refused, match="not the key of ben"):
        check_may_see_counts(roster, Signer("ben", lab.office.keys["dan"]))
    with pytest.raises(Refused, match="Nobody in force"):
        check_may_see_counts(roster, Signer("zoe", lab.office.keys["dan"]))
    check_may_see_counts(Roster(), None)
    audited(lab.lab.paths.run(V1), sub_analyses=[{"name": "Women", "hidden": "R13"}])
    said = call_here(capfd, "ledger", lab.lab.paths.root, "why", V1, "Women")
    assert said.code == 3
    assert "get 3" not in said.out + said.err

"""DISCLOSURE A1: how requests ended is counted from the log; one that is withdrawn stays counted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.requests import lines_of
from counterfoil.errors import Fault, UsageError
from counterfoil.lab import log
from counterfoil.lab.files import write_json
from counterfoil.lab.log import EVALUATED, REQUESTED, WITHDRAWN
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.lab.paths import RESULT
from counterfoil.provenance import sha256_of_bytes
from counterfoil.study.evaluate import evaluate_lab
from counterfoil.study.plan import parse_plan
from counterfoil.study.request_counts import Ending, lab_counts, requests_in
from counterfoil.study.requests import Reason, note_request, request_of, withdraw

TODAY = dt.date(2025, 3, 1)


@pytest.fixture
def lab(tmp_path: Path) -> OpenLab:
    make_lab(tmp_path / "lab", name="A lab", today=TODAY)
    return open_lab(tmp_path / "lab")


def _asked(request: str, run: str, organisation: str, on: str) -> dict[str, Any]:
    facts = {"request": request, "run": run, "plan": "p", "list": "l", "organisation": organisation, "on": on}
    return {"event": REQUESTED, "facts": facts}


def _finish(lab: OpenLab, provider: str, run: str, verdict: str | None) -> str:
    """One request through the log, with its result where it has one."""
    plan = parse_plan({"title": "Reading", "provider": provider}, "plan")
    note_request(lab, plan, run * 8, run)
    if verdict is not None:
        write_json(lab.paths.run(run) / RESULT, {"result": {"verdict": verdict}, "files": {}})
        log.append(lab.paths, EVALUATED, {"request": request_of(plan, run * 8), "run": run, "plan": "p"})
    return run


def test_a01_every_request_is_counted_once_by_how_it_ended(lab: OpenLab) -> None:
    """Two organisations; six requests that ended in five ways, one of them not finished."""
    verdicts = ("fewer", "not_enough_evidence", "not_enough_evidence", "not_suitable", "refused", None)
    for number, verdict in enumerate(verdicts):
        _finish(lab, "The Trust" if number else "Another", f"run{number}", verdict)
    (year,) = lab_counts(lab)
    assert (year.year, year.requests, year.organisations) == (2025, 6, 2)
    assert dict(year.endings) == {
        Ending.FEWER: 1,
        Ending.NOT_ENOUGH_EVIDENCE: 2,
        Ending.NOT_SUITABLE: 1,
        Ending.REFUSED: 1,
        Ending.NOT_FINISHED: 1,
    }
    assert sum(year.to_json()["endings"].values()) == year.requests
    said = list(lines_of([year]))
    assert "  not enough evidence: 2" in said
    assert not any("withdrawn" in line for line in said)


def test_a01_a_request_that_is_withdrawn_after_the_analysis_started_stays_in_the_counts(lab: OpenLab) -> None:
    run = _finish(lab, "The Trust", "run1", "more")
    assert withdraw(lab, run, Reason.PROVIDER) is True
    assert withdraw(lab, run, Reason.LIST) is False  # once
    (year,) = lab_counts(lab)
    assert (year.requests, dict(year.endings)) == (1, {Ending.WITHDRAWN: 1})
    (entry,) = [event["facts"] for event in log.read(lab.paths) if event["event"] == WITHDRAWN]
    assert (entry["run"], entry["reason"], entry["on"]) == ("run1", "provider", "2025-03-01")


def test_a01_where_no_list_was_taken_there_is_nothing_to_withdraw(lab: OpenLab) -> None:
    with pytest.raises(UsageError, match="no request for the run run9"):
        withdraw(lab, "run9", Reason.PROVIDER)
    assert not [event for event in log.read(lab.paths) if event["event"] == WITHDRAWN]
    assert lab_counts(lab) == []


def test_a01_a_second_run_of_a_request_is_the_same_request_and_its_last_result_speaks() -> None:
    events = [
        _asked("r", "old", "a", "2024-12-31"),
        {"event": EVALUATED, "facts": {"request": "r", "run": "old", "plan": "p"}},
        {"event": EVALUATED, "facts": {"request": "r", "run": "new", "plan": "p"}},
        {"event": EVALUATED, "facts": {"run": "elsewhere", "plan": "p"}},  # of an earlier version: names no request
        {"event": "linked", "facts": {"spine": "s"}},
    ]
    (request,) = requests_in(events)
    assert (request.year, request.runs) == (2024, ("old", "new"))
    assert request.ending({"old": "hidden", "new": "fewer"}) is Ending.FEWER
    assert request.ending({"old": "hidden"}) is Ending.HIDDEN


def test_a01_a_request_that_was_withdrawn_is_not_evaluated_under_the_same_name(
    lab: OpenLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very list and plan are told from a new request before anything is opened."""
    (tmp_path / "list.csv").write_text("Surname\nX\n", "utf-8")
    (tmp_path / "plan.toml").write_text('title = "Reading"\nprovider = "The Trust"\n', "utf-8")
    plan = parse_plan({"title": "Reading", "provider": "The Trust"}, "plan")
    monkeypatch.setattr("counterfoil.study.evaluate._checked_plan", lambda *_: plan)  # this lab holds no register
    note_request(lab, plan, sha256_of_bytes((tmp_path / "list.csv").read_bytes()), "run1")
    withdraw(lab, "run1", Reason.AGREEMENT)
    with pytest.raises(UsageError, match="was withdrawn"):
        evaluate_lab(lab.paths.root, tmp_path / "list.csv", tmp_path / "plan.toml")


def test_a01_counts_are_not_taken_from_a_log_that_was_changed(lab: OpenLab) -> None:
    _finish(lab, "The Trust", "run1", "more")
    file = lab.paths.root / "log"
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([lines[0].replace("at", "At", 1), *lines[1:]]) + "\n", "utf-8")
    with pytest.raises(Fault, match="log was changed"):
        lab_counts(lab)

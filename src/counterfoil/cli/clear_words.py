"""What `clear` prints: facts of a report for programs, sentences for people; short names of staff and hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from counterfoil.clearance import actions
from counterfoil.clearance.moves import Move, State, moves_from
from counterfoil.clearance.record import Case, ReleaseException
from counterfoil.clearance.release import read_release
from counterfoil.clearance.texts import read_texts
from counterfoil.cli.screen import errors, say
from counterfoil.errors import CounterfoilError
from counterfoil.lab.log import Entry
from counterfoil.lab.make import OpenLab

NAMED = 12  # characters by which an exception is named


def facts_of(lab: OpenLab, case: Case, *, to: str = "") -> dict[str, Any]:
    """A report as JSON. `release` is the hash of its bytes now, `submitted` of those that are being cleared.

    `to` is who reads it. While a second answer is awaited, only whoever gave the first is shown that there is one.
    """
    case = _blind(case, to)
    try:
        release = read_release(lab.paths, case.run)
        now, files = release.digest, dict(release.hashes)
    except CounterfoilError:
        now, files = None, {}
    today = lab.settings.date().isoformat()
    return {
        "run": case.run,
        "state": case.state.value,
        "changed": actions.is_changed(lab, case),
        "release": now,
        "submitted": case.release or None,
        "files": files,
        "author": case.author or None,
        "team": sorted(case.team),
        "approvals": list(case.approvals),
        "date": case.date or None,
        "exceptions": [exception_facts(each, today) for each in case.exceptions],
        "moves": [move.value for move in moves_from(case.state)],
        "history": [history_facts(lab, entry) for entry in case.history],
    }


def _blind(case: Case, to: str) -> Case:
    """The report as it stood before a first approval, for everybody but whoever gave it."""
    if case.state is not State.APPROVED_ONCE or to in case.approvals:
        return case
    (by,) = case.approvals
    last = max(n for n, entry in enumerate(case.history) if entry.facts["move"] == Move.SUBMIT.value)
    kept = tuple(e for n, e in enumerate(case.history) if n <= last or e.facts["by"] != by)
    return replace(case, state=State.SUBMITTED, approvals=(), history=kept)


def exception_facts(each: ReleaseException, today: str) -> dict[str, Any]:
    """An exception as JSON."""
    return {
        "exception": each.entry[:NAMED],
        "rule": each.rule,
        "release": each.release,
        "asked_by": each.asked_by,
        "allowed_by": each.allowed_by or None,
        "until": each.until,
        "expired": each.until < today,
    }


def history_facts(lab: OpenLab, entry: Entry) -> dict[str, Any]:
    """One move as JSON, with what was said about it."""
    facts = entry.facts
    said = dict(read_texts(lab.paths, facts["text"])) if facts.get("text") else {}
    return {"at": entry.at, "move": facts["move"], "by": facts["by"] or None, **said}


def all_exceptions(lab: OpenLab) -> list[dict[str, Any]]:
    """Every exception of every report, oldest first."""
    today = lab.settings.date().isoformat()
    found = []
    for case in actions.read_record(lab).cases.values():
        asked = {entry.name: entry for entry in case.history}
        for each in case.exceptions:
            entry = asked[each.entry]
            texts = read_texts(lab.paths, each.text)
            used = each.entry in case.in_use
            found.append(
                {
                    "run": case.run,
                    "asked_on": entry.facts["on"],
                    "in_use": used,
                    **exception_facts(each, today),
                    **texts,
                }
            )
    return sorted(found, key=lambda each: (each["asked_on"], each["exception"]))


def say_in_flight(runs: Sequence[str]) -> None:
    """R18: other reports that are before the checkers and share people. On standard error, where JSON is asked for."""
    for run in runs:
        errors.print(
            f"Run {run} shares people with this one and is before the checkers too, so neither was audited beside the "
            "other. Agree which of the two goes first and leave the other until that one is cleared; then run its "
            "evaluate command again: where nothing of it changes, its approvals stand."
        )


def say_case(found: Mapping[str, Any]) -> None:
    """One report, for a person."""
    say(f"Run {found['run']}: {found['state']}.")
    if found["changed"]:
        say("Its bytes are NOT those that were submitted: every approval is void. It must be submitted again.")
    say(f"Hash of its bytes: {found['release'] or 'the files are not there'}")
    for name, digest in found["files"].items():
        say(f"  {digest[:NAMED]}  {name}")
    if found["author"]:
        say(f"Author: {found['author']}. Team: {', '.join(found['team']) or 'nobody else'}.")
    say(
        f"Approved by: {', '.join(found['approvals']) or 'nobody'}. Published on: {found['date'] or 'no day is fixed'}."
    )
    for each in found["exceptions"]:
        say(f"Exception {each['exception']} from {each['rule']} until {each['until']}: {_standing(each)}.")
    for each in found["history"]:
        reason = f" ({each['reason']})" if "reason" in each else ""
        say(f"  {each['at']}  {each['move']}, {each['by'] or 'noticed by the lab'}{reason}")
    say(f"Now it can be: {', '.join(found['moves']) or 'left as it is'}.")


def say_report(lab: OpenLab, run: str) -> None:
    """What the report itself says first, and where it is, before somebody confirms that they have read it."""
    say(f"The report: {lab.paths.run(run)}")
    said = json.loads(read_release(lab.paths, run).files.get("report.json", b"{}"))
    for sentence in (said.get("headline"), *said.get("caveats", ())):
        if sentence:
            say(f"  {sentence}")


def say_list(found: Sequence[Mapping[str, Any]]) -> None:
    """Every report, one a line."""
    for each in found:
        say(f"{each['run']}  {each['state']}{'  (changed: approvals are void)' if each['changed'] else ''}")
    if not found:
        say("No report is there. counterfoil evaluate makes one.")


def say_people(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Who is in force."""
    say("In force now:")
    for short, each in found.items():
        say(f"  {short}: {each['name']}; {', '.join(each['roles']) or 'no role'}; grade {each['grade']}")


def say_exceptions(found: Sequence[Mapping[str, Any]]) -> None:
    """The transparency table, one exception a paragraph."""
    for each in found:
        say(f"{each['asked_on']}  run {each['run']}, {each['rule']}, {each['cell']}: {_standing(each)}.")
        say(f"  Reason: {each['reason']}")
        say(f"  Risk: {each['risk']}")
    if not found:
        say("No exception was asked for.")


def _standing(each: Mapping[str, Any]) -> str:
    asked = f"asked by {each['asked_by']}"
    ended = ", expired" if each["expired"] else ""
    return f"{asked}, allowed by {each['allowed_by']}{ended}" if each["allowed_by"] else f"{asked}, not allowed{ended}"

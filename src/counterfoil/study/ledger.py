"""The ledger: everything that became public, so that no later report gives it away beside its own numbers (R13, R18).

`public/ledger/RUN.json` says what was published, cell by cell, and of which bytes. `linker/ledger/RUN.json` says who is
behind it, as keyed hashes that only the linker can make. The lab's log holds the hash of both, and of what the analyst
keeps of the report; so the log's chain is the ledger's chain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.clearance.actions import read_record
from counterfoil.clearance.audit import AUDIT
from counterfoil.clearance.moves import Move, State
from counterfoil.clearance.release import read_release
from counterfoil.errors import Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.files import atomic_write
from counterfoil.lab.heads import checked_entries
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import MEMBERS, RESULT, SAID, LabPaths
from counterfoil.provenance import sha256_of_file
from counterfoil.study.pooled_people import may_share
from counterfoil.study.roles import ProcessRole, run_role

ENTERED = "ledger"  # the log's event
VERSION = 1


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One report that became public, or is about to: hashes of its bytes, its cells, its people, and what it says."""

    run: str
    release: str
    cells: str
    people: str
    said: str

    def facts(self) -> dict[str, str]:
        """As the log holds it."""
        return {name: getattr(self, name) for name in ("run", "release", "cells", "people", "said")}


def entries(lab: OpenLab) -> tuple[LedgerEntry, ...]:
    """All that was ever entered, oldest first. Refused (rule `log`) where the chain does not hold."""
    found = (entry.facts for entry in checked_entries(lab.paths) if entry.event == ENTERED)
    try:
        return tuple(LedgerEntry(**{k: str(v) for k, v in facts.items()}) for facts in found)
    except TypeError as error:
        raise Refused("An entry of the ledger in the lab's log is damaged.", rule="log") from error


def active_runs(lab: OpenLab) -> tuple[str, ...]:
    """Runs whose numbers a reader has or will have. One that was withdrawn before it was published counts no more."""
    found = entries(lab)
    if not found:
        return ()
    cases = read_record(lab).cases
    return tuple(
        one.run
        for one in found
        if one.run not in cases or not _never_left(cases[one.run].state, cases[one.run].history)
    )


def beside(lab: OpenLab, run: str) -> tuple[str, ...]:
    """The runs that this one is audited beside: all that are in the ledger; of one that is in it, those of its entry.

    What a report said when it entered is never audited anew: it would be another report than the one that was entered.
    """
    there = active_runs(lab)
    if run not in (one.run for one in entries(lab)):
        return tuple(other for other in there if other != run)
    return tuple(other for other in _audited_beside(lab.paths, run) if other != run)


def _never_left(state: State, history: Sequence[log.Entry]) -> bool:
    """Withdrawn, and never public before."""
    left = any(entry.facts.get("move") == Move.PUBLISH.value for entry in history)
    return state is State.WITHDRAWN and not left


def enter(lab: OpenLab, run: str) -> LedgerEntry:
    """Enter a report, as its bytes are now; for clearance and publication. A second time gives the first entry.

    Refused (R18) where another report came into the ledger after this one was audited; UsageError where there is no
    such run, or it has no numbers of its own.
    """
    for one in entries(lab):
        if one.run == run:
            if one.release != read_release(lab.paths, run).digest:
                raise Refused("The ledger holds this report with other bytes. A published report is never changed.",
                              rule="R29")  # fmt: skip
            return one
    check_current(lab, run)
    folder, release = lab.paths.run(run), read_release(lab.paths, run)
    if not (folder / SAID).is_file() or not (folder / MEMBERS).is_file():
        raise UsageError("This run has no result with numbers of people of this lab, so nothing of it is entered.")
    cells = lab.paths.ledger / f"{run}.json"
    text = json.dumps(_cells(folder, run, release.digest), ensure_ascii=False, indent=1) + "\n"
    atomic_write(cells, text.encode())
    people = run_role(ProcessRole.LINKER, "ledger_enter", {"lab": str(lab.paths.root), "run": run})["people"]
    made = LedgerEntry(run, release.digest, sha256_of_file(cells), people, sha256_of_file(folder / SAID))
    log.append(lab.paths, ENTERED, made.facts())
    return made


def enter_cleared(lab: OpenLab) -> None:
    """Enter what was cleared and is not there, since the command that cleared it was stopped before. As `enter`."""
    known = {one.run for one in entries(lab)}
    for run in _cleared(lab):
        if run not in known and has_numbers(lab, run):
            enter(lab, run)


def _cleared(lab: OpenLab) -> tuple[str, ...]:
    """Runs that are cleared and not public yet: they enter, or a command that was entering them was stopped."""
    cases = read_record(lab).cases.values()
    return tuple(case.run for case in cases if case.state in (State.CLEARED, State.SCHEDULED))


def has_numbers(lab: OpenLab, run: str) -> bool:
    """Whether a run is of people of this lab and prints a result, so that it belongs in the ledger."""
    folder = lab.paths.run(run)
    return (folder / SAID).is_file() and (folder / MEMBERS).is_file()


def is_current(lab: OpenLab, run: str) -> bool:
    """Whether a run was audited beside everything that is in the ledger now. One that is in it is past that."""
    there = active_runs(lab)
    return run in there or not set(there) - set(_audited_beside(lab.paths, run))


def check_current(lab: OpenLab, run: str) -> None:
    """Refused where it was not."""
    if not is_current(lab, run):
        raise Refused(
            "Another report became public after this one was audited, so the audit does not hold beside it. Run the "
            "same evaluate command again: where nothing of the report changes, its approvals stand.",
            rule="R18",
        )


def find_in_flight(lab: OpenLab, run: str) -> tuple[str, ...]:
    """Reports before the checkers, as this one is, of which some people are in this one too (R18).

    Neither was audited beside the other. Where the people of one are not known any more they may be the same.
    """
    return tuple(other for other in in_flight(lab, run) if may_share(lab, run, other))


def in_flight(lab: OpenLab, run: str) -> tuple[str, ...]:
    """Reports with numbers that are before the checkers and not in the ledger, but this one.

    So is one that was cleared by a command that was stopped before it entered it.
    """
    before = (State.SUBMITTED, State.APPROVED_ONCE, State.CLEARED, State.SCHEDULED)
    there = {*(one.run for one in entries(lab)), run}
    record = read_record(lab)
    cases = [other for other in record.cases if record.case(other).state in before and other not in there]
    return tuple(other for other in cases if has_numbers(lab, other))


def _audited_beside(paths: LabPaths, run: str) -> Sequence[str]:
    try:
        held = json.loads((paths.run(run) / AUDIT).read_bytes())
        return [str(one) for one in held.get("ledger", [])]
    except (FileNotFoundError, ValueError):
        return []


def _cells(folder: Path, run: str, release: str) -> Mapping[str, Any]:
    result = json.loads((folder / RESULT).read_bytes())["result"]
    kept = {name: value for name, value in result.items() if name not in ("run", "report")}
    return {"version": VERSION, "run": run, "release": release, "cells": dict(_flat(kept, ""))}


def _flat(value: Any, name: str) -> Iterator[tuple[str, float | int]]:
    """Every number of the report's JSON, by where it stands: `measures.0.treated.value`."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _flat(each, f"{name}.{place}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value


@dataclass(frozen=True, slots=True)
class Checked:
    """A ledger that holds. `merged`, `overlaps`: findings, where people who were two are one, or one is two."""

    entries: tuple[LedgerEntry, ...]
    merged: tuple[str, ...]
    overlaps: tuple[tuple[str, str], ...]


def check(lab: OpenLab) -> Checked:
    """Refused where the log's chain is broken, or a file of the ledger is not as it was entered."""
    found = entries(lab)
    asked = {"lab": str(lab.paths.root), "runs": [one.run for one in found]}
    told = run_role(ProcessRole.LINKER, "ledger_check", asked)
    for one in found:
        _check_file(lab.paths.ledger / f"{one.run}.json", one.cells, one.run, "what it published")
        _check_file(lab.paths.run(one.run) / SAID, one.said, one.run, "what it says")
        if told["people"].get(one.run) != one.people:
            raise _broken(one.run, "the people behind it")
    known = {f"{run}.json" for run in (*(one.run for one in found), *_cleared(lab))}  # one may be on its way in
    if stray := [file.name for file in sorted(lab.paths.ledger.glob("*.json")) if file.name not in known]:
        raise Refused(f"The ledger has {len(stray)} file that the lab's log knows nothing of.", rule="ledger")
    return Checked(found, tuple(told["merged"]), tuple((a, b) for a, b in told["overlaps"]))


def _check_file(file: Path, digest: str, run: str, what: str) -> None:
    if not file.is_file() or sha256_of_file(file) != digest:
        raise _broken(run, what)


def _broken(run: str, what: str) -> Refused:
    return Refused(
        f"The ledger is broken: of the report {run}, {what} is missing or not as it was entered. Restore it from the "
        "lab's backup; until then nothing can be audited beside it.",
        rule="ledger",
    )


def earlier_said(lab: OpenLab, run: str, runs: Sequence[str]) -> dict[str, bytes]:
    """What earlier reports said, as they were entered. Refused where one is missing or changed."""
    held = {one.run: one for one in entries(lab)}
    found = {}
    for each in runs:
        if each == run:
            continue
        file = lab.paths.run(each) / SAID
        _check_file(file, held[each].said, each, "what it says")
        found[each] = file.read_bytes()
    return found

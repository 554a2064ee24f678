"""What people do with a report. Each action is one line of the log: checked, signed, written; nobody writes in between.

A killed action leaves the old state or the new one, since there is nothing but that line; a text that it gave may be
left behind, which nothing refers to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from counterfoil.clearance.audit import AuditResult, Finding, find_exceptable, read_audit
from counterfoil.clearance.moves import Move, Need, State, rule_for
from counterfoil.clearance.people import PEOPLE, Roster, Signer, check_declared, declared, next_roster
from counterfoil.clearance.record import CLEARANCE, Case, Record, check_holds, check_unchanged, replay, step
from counterfoil.clearance.release import Release, check_made, read_release
from counterfoil.clearance.statements import hash_of, statements_for
from counterfoil.clearance.texts import keep_texts, read_texts
from counterfoil.errors import Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.heads import checked_entries
from counterfoil.lab.log import Entry
from counterfoil.lab.make import OpenLab
from counterfoil.provenance import canonical_json, sha256_of_bytes

_NOTICED = "changed"
_RESET = (
    "The report's bytes changed after it was submitted. Every approval of it is reset; look at it and submit it again."
)
_Say = Callable[[Record, Case, Release], Mapping[str, Any]]
_BOUND = frozenset({State.SUBMITTED, State.APPROVED_ONCE, State.CLEARED, State.SCHEDULED})


def read_record(lab: OpenLab) -> Record:
    """Where every report stands. Refused (rule `log`) when the log's chain or a move in it does not hold."""
    return replay(checked_entries(lab.paths))


def put_in_force(lab: OpenLab, *, signer: Signer) -> Roster:
    """Sign the people of `lab.toml` into the log. Refused unless an owner in force (the first time: in it) signs."""
    people = declared(lab.settings)
    if not people:
        raise UsageError("lab.toml declares nobody. Add a table such as [people.amina] for each person.")

    def make(there: Sequence[Entry]) -> tuple[str, Mapping[str, Any]]:
        record = replay(there)
        facts = {"people": people, "by": signer.person, "follows": record.roster.entry, "lab": record.lab}
        facts["signature"] = signer.key.sign(canonical_json(facts))
        next_roster(record.roster, facts, "", record.lab)
        return PEOPLE, facts

    checked_entries(lab.paths)
    log.append_after(lab.paths, make)
    return read_record(lab).roster


def submit(lab: OpenLab, run: str, *, signer: Signer, team: Sequence[str]) -> Case:
    """Submit a report for clearance, statements confirmed; `team`: who else worked on the request."""

    def say(_: Record, case: Case, release: Release) -> Mapping[str, Any]:
        audit = read_audit(lab.paths, release, required=lab.settings.clearance.audit_required)
        return {
            "team": sorted(set(team)),
            "audit": audit.sha256 if audit else "",
            "exceptions": _needed(case, audit, release, lab.settings.date().isoformat()),
            "statements": hash_of(statements_for(Move.SUBMIT, audited=audit is not None)),
        }

    return _act(lab, run, Move.SUBMIT, signer, say)


def note_view(lab: OpenLab, run: str, *, signer: Signer) -> Case:
    """Write into the log that a checker opens these bytes to decide about them (A4); once for each submission."""
    case = read_record(lab).case(run)
    if signer.person in viewers(case) and not is_changed(lab, case):
        return case
    return _act(lab, run, Move.VIEW, signer, lambda *_: {})


def viewers(case: Case) -> tuple[str, ...]:
    """Who opened the bytes that are being cleared, since they were submitted."""
    moves = [entry.facts for entry in case.history]
    last = max((n for n, facts in enumerate(moves) if facts["move"] == Move.SUBMIT.value), default=len(moves))
    seen = (facts["by"] for facts in moves[last:] if facts["move"] == Move.VIEW.value)
    return tuple(dict.fromkeys(seen))


def approve(lab: OpenLab, run: str, *, signer: Signer, release: str) -> Case:
    """Approve the bytes whose hash is `release` (12 characters or more of it), statements confirmed."""

    def say(_: Record, case: Case, found: Release) -> Mapping[str, Any]:
        if len(release) < 12 or not found.digest.startswith(release):
            raise Refused(
                "The hash given is not that of the report as it is now. Read it again: clear LAB show.", rule="R29"
            )
        return {"statements": hash_of(statements_for(Move.APPROVE, audited=case.audited))}

    return _act(lab, run, Move.APPROVE, signer, say)


def send_back(lab: OpenLab, run: str, *, signer: Signer, reason: str) -> Case:
    """Send a report back to its author."""
    return _act(lab, run, Move.SEND_BACK, signer, _with(lab, reason=reason))


def withdraw(lab: OpenLab, run: str, *, signer: Signer, reason: str) -> Case:
    """Withdraw a report for good; the log keeps that it was there (A1)."""
    return _act(lab, run, Move.WITHDRAW, signer, _with(lab, reason=reason))


def schedule(lab: OpenLab, run: str, *, signer: Signer, date: str, facts: Mapping[str, str] | None = None) -> Case:
    """Fix the day on which a cleared report is published; `facts`: what else the calendar says of it."""
    return _act(lab, run, Move.SCHEDULE, signer, lambda *_: {**(facts or {}), "date": date})


def reschedule(lab: OpenLab, run: str, *, signer: Signer, date: str, reason: str) -> Case:
    """Move that day."""
    said = _with(lab, reason=reason)
    return _act(lab, run, Move.RESCHEDULE, signer, lambda *given: {"date": date, **said(*given)})


def mark_published(lab: OpenLab, run: str, *, signer: Signer) -> Case:
    """Write into the log that the bytes of `cleared` are public. For `publication`, after they are."""
    return _act(lab, run, Move.PUBLISH, signer, lambda *_: {})


def mark_corrected(lab: OpenLab, run: str, *, signer: Signer, replaced_by: str, reason: str) -> Case:
    """Write into the log that a published report is replaced by another published one."""
    said = _with(lab, reason=reason)
    return _act(lab, run, Move.CORRECT, signer, lambda *given: {"replaced_by": replaced_by, **said(*given)})


def ask_exception(
    lab: OpenLab, run: str, *, signer: Signer, rule: str, cell: str, reason: str, risk: str, until: str
) -> Case:
    """Ask that a cell be published although the audit of these bytes found that `rule` does not hold (R28)."""

    def say(_: Record, __: Case, release: Release) -> Mapping[str, Any]:
        audit = read_audit(lab.paths, release, required=True)
        finding = find_exceptable(audit, rule, cell)
        text = keep_texts(lab.paths, cell=cell, reason=reason, risk=risk)
        return {"rule": rule, "cell": _cell(finding), "text": text, "until": until}

    return _act(lab, run, Move.ASK_EXCEPTION, signer, say)


def allow_exception(lab: OpenLab, run: str, exception: str, *, signer: Signer) -> Case:
    """Allow an exception that was asked for; somebody of a higher grade who did not work on the request."""
    return _act(lab, run, Move.ALLOW_EXCEPTION, signer, lambda *_: {"exception": exception})


def has_exception(case: Case, rule: str, cell: str, *, on: str) -> bool:
    """Whether an exception for a cell was allowed and has not ended on the day `on`, whatever bytes it is for.

    For a decision that is not about bytes: whether something may be worked out at all.
    """
    wanted = _cell(Finding(rule, cell, never=False))
    return any((e.rule, e.cell) == (rule, wanted) and e.allowed_by and e.until >= on for e in case.exceptions)


def is_audited(lab: OpenLab, run: str) -> bool:
    """Whether an intruder audit of the report as it is now is there."""
    return read_audit(lab.paths, read_release(lab.paths, run), required=False) is not None


def cleared(lab: OpenLab, run: str) -> Release:
    """The very bytes that were cleared, to be published now (R29).

    Refused unless the log's chain and every move and signature in it hold, two people approved these bytes, no
    exception in use has expired, and each file still has the hash that was approved. Write `files` as they are, then
    call `mark_published`; read nothing of the run again.
    """
    record = read_record(lab)
    check_declared(lab, record.roster)
    case = record.case(run)
    release = read_release(lab.paths, run)
    if case.state not in (State.CLEARED, State.SCHEDULED):
        raise Refused(f"The report is {case.state.told}; it is not cleared, so it cannot be published.", rule="R27")
    check_unchanged(case, release.digest)
    for exception in case.exceptions:
        if exception.entry in case.in_use:
            check_holds(exception, case.release, lab.settings.date().isoformat())
            read_texts(lab.paths, exception.text)
    return Release(run, release.digest, release.hashes, release.files, case.date)


def is_changed(lab: OpenLab, case: Case) -> bool:
    """Whether the bytes are others than those that were submitted and are being cleared."""
    return case.state in _BOUND and _digest(lab, case.run) != case.release


def _digest(lab: OpenLab, run: str) -> str:
    try:
        return read_release(lab.paths, run).digest
    except (Refused, UsageError):
        return "absent"  # a result that was removed or damaged is a change


def _act(lab: OpenLab, run: str, move: Move, signer: Signer, say: _Say) -> Case:
    """Check, sign and write one move. Bytes that changed meanwhile are written down first, and end it."""
    events: list[str] = []

    def make(there: Sequence[Entry]) -> tuple[str, Mapping[str, Any]]:
        record = replay(there)
        check_declared(lab, record.roster)
        case = record.case(run)
        on = lab.settings.date().isoformat()
        if is_changed(lab, case):
            events.append(_NOTICED)
            return CLEARANCE, _change(record, case, _digest(lab, run), on)
        release = read_release(lab.paths, run)
        if Need.MADE in rule_for(case.state, move).needs:
            check_made(lab.paths, release)
        facts: dict[str, Any] = {
            "run": run, "move": move.value, "by": signer.person, "release": release.digest, "on": on,
            "follows": case.last, "lab": record.lab, **say(record, case, release),
        }  # fmt: skip
        facts["signature"] = signer.key.sign(canonical_json(facts))
        step(record, facts)
        return CLEARANCE, facts

    checked_entries(lab.paths)  # a broken chain is refused, not a fault
    log.append_after(lab.paths, make)
    if events:
        raise Refused(_RESET, rule="R29")
    return read_record(lab).case(run)


def _change(record: Record, case: Case, digest: str, on: str) -> Mapping[str, Any]:
    facts = {"run": case.run, "move": Move.CHANGE.value, "by": "", "release": digest, "on": on, "follows": case.last}
    step(record, facts)
    return facts


def _with(lab: OpenLab, **texts: str) -> _Say:
    return lambda *_: {"text": keep_texts(lab.paths, **texts)}


def _needed(case: Case, audit: AuditResult | None, release: Release, on: str) -> list[str]:
    """The exceptions that excuse all that the audit found. Refused at a finding that none excuses."""
    used = []
    for finding in audit.findings if audit else ():
        standing = [
            e
            for e in case.exceptions
            if (e.rule, e.cell, e.release) == (finding.rule, _cell(finding), release.digest) and e.allowed_by
        ]
        if finding.never or not standing:
            raise Refused(
                f"The intruder audit found that {finding.rule} does not hold for a cell of this report, and no "
                "exception allows it. Hide or merge the cell, or ask for an exception.",
                rule=finding.rule,
            )
        newest = standing[-1]
        check_holds(newest, release.digest, on)
        used.append(newest.entry)
    return sorted(used)


def _cell(finding: Finding) -> str:
    return sha256_of_bytes(canonical_json({"rule": finding.rule, "cell": finding.cell}))[:16]

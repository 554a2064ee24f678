"""Where every report stands, worked out from the log by the rules, so that the log is the only place to forge.

Nothing else holds a state. `replay` takes each entry through the same checks as the command that wrote it, signature
included: an approval that somebody writes into the log by hand, however well it is chained, is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from counterfoil.clearance.moves import Move, Need, Rule, State, rule_for
from counterfoil.clearance.people import PEOPLE, Roster, check_signed, next_roster
from counterfoil.errors import Refused
from counterfoil.lab.log import EVALUATED, FIRST, REQUESTED, WITHDRAWN, Entry

CLEARANCE = "clearance"
PUBLIC = frozenset({State.PUBLISHED, State.CORRECTED})  # no withdrawal takes these back
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReleaseException:
    """An exception (R28), for these bytes alone. `allowed_by` is empty until somebody of higher grade allows it."""

    entry: str
    rule: str
    release: str
    text: str  # hash of cell, reason and risk
    cell: str  # hash of the cell's name
    asked_by: str
    until: str  # ISO date, the last day on which it holds
    allowed_by: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One report. `release` is the hash of the bytes that were submitted; `last` the report's newest log entry."""

    run: str
    state: State = State.DRAFTED
    release: str = ""
    author: str = ""
    team: frozenset[str] = frozenset()
    approvals: tuple[str, ...] = ()
    exceptions: tuple[ReleaseException, ...] = ()
    in_use: frozenset[str] = frozenset()  # exceptions that the submission rests on
    date: str = ""
    replaced_by: str = ""
    audited: bool = False
    last: str = FIRST
    history: tuple[Entry, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that the log says of clearance."""

    lab: str
    roster: Roster = field(default_factory=Roster)
    cases: Mapping[str, Case] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)  # run -> the list it is of
    workers: Mapping[str, frozenset[str]] = field(default_factory=dict)  # list -> who ever worked on it
    asked: Mapping[str, str] = field(default_factory=dict)  # run -> the request that it answers
    withdrawn: frozenset[str] = frozenset()  # requests, as `counterfoil withdraw` noted them (A1)

    def case(self, run: str) -> Case:
        """The report of a run; drafted until something was done with it, or withdrawn with its request."""
        case = self.cases.get(run, Case(run))
        if self.asked.get(run) not in self.withdrawn or case.state in PUBLIC:
            return case
        return replace(case, state=State.WITHDRAWN, approvals=(), date="", in_use=frozenset())

    def request(self, run: str) -> str:
        """What joins the runs of one request: their list, or the run itself where the log does not say."""
        return self.lists.get(run, run)

    def worked_on(self, run: str) -> frozenset[str]:
        """Everybody who submitted, or was named in the team of, any run of the same request, as first short names."""
        people = self.workers.get(self.request(run), frozenset())
        return frozenset(self.roster.human(person) for person in people)


def replay(there: Iterable[Entry]) -> Record:
    """The record after these entries. Refused (rule `log`) at one that the rules do not allow."""
    record: Record | None = None
    for entry in there:
        record = record or Record(entry.name)
        try:
            record = _after(record, entry)
        except (Refused, KeyError, ValueError, TypeError) as error:
            why = error.reason if isinstance(error, Refused) else "it is not complete"
            raise Refused(f"Line {entry.number} of the log is not allowed by the rules: {why}", rule="log") from error
    if record is None:
        raise Refused("The lab's log is empty: it was cut. Restore it from the lab's backup.", rule="log")
    return record


def _after(record: Record, entry: Entry) -> Record:
    if entry.event in {REQUESTED, EVALUATED} and "list" in entry.facts:  # a later run of a request is only evaluated
        run = entry.facts["run"]
        asked = {**record.asked, run: entry.facts.get("request", run)}
        return replace(record, lists={**record.lists, run: entry.facts["list"]}, asked=asked)
    if entry.event == WITHDRAWN:
        return replace(record, withdrawn=record.withdrawn | {entry.facts["request"]})
    if entry.event == PEOPLE:
        return replace(record, roster=next_roster(record.roster, entry.facts, entry.name, record.lab))
    if entry.event == CLEARANCE:
        return step(record, entry.facts, entry)
    return record


def step(record: Record, facts: Facts, entry: Entry | None = None) -> Record:
    """The record after one move; Refused, with the reason, when a rule says no. The same for a new move and an old."""
    case = record.case(facts["run"])
    move = Move(facts["move"])
    rule = rule_for(case.state, move)
    _check_person(record, rule, facts, case)
    for need in rule.needs:
        _check_need(need, record, case, facts)
    name = entry.name if entry else ""
    made = replace(_moved(case, rule, facts, name), last=name, history=(*case.history, *([entry] if entry else [])))
    workers = dict(record.workers)
    if move in (Move.SUBMIT, Move.ASK_EXCEPTION):
        request = record.request(case.run)
        workers[request] = workers.get(request, frozenset()) | {facts["by"], *facts.get("team", ())}
    return replace(record, cases={**record.cases, case.run: made}, workers=workers)


def _check_person(record: Record, rule: Rule, facts: Facts, case: Case) -> None:
    if facts["follows"] != case.last:
        raise Refused("A move was made from another state of the report than the one it has.", rule="log")
    if not rule.roles:
        return  # a change of bytes, which anybody may notice and which only takes approvals away
    member = record.roster.member(facts["by"])
    if not member.roles & rule.roles:
        allowed = " or ".join(sorted(role.value for role in rule.roles))
        raise Refused(f"To {rule.move.value} one must be {allowed}, and {facts['by']} is not.", rule="people")
    check_signed(facts, member.key, follows=case.last, lab=record.lab)


def _check_need(need: Need, record: Record, case: Case, facts: Facts) -> None:
    """What the log itself can show. Bytes, audits and texts are checked by whoever acts, and again at publication."""
    match need:
        case Need.BYTES:
            check_unchanged(case, str(facts["release"]))
        case Need.INDEPENDENT:
            _check_independent(record, case, facts)
        case Need.SECOND:
            _check_second(record, case, facts)
        case Need.UNEXPIRED:
            _check_exceptions(case, facts)
        case Need.EXPIRY:
            _check_day(facts["until"], facts["on"], "An exception must end on a day that is not yet past.", "R28")
        case Need.DATE:
            _check_day(facts["date"], facts["on"], "The release date is past. Give a date from today on.", "A10")
        case Need.DUE:
            _check_day(facts["on"], case.date, "The release date has not come.", "A10")
        case Need.HIGHER_GRADE:
            _check_grade(record, asked_exception(case, facts["exception"]), facts)
        case Need.REPLACEMENT:
            _check_replacement(record, case, facts)
        case Need.TEAM:
            for person in facts["team"]:
                record.roster.member(person)
        case Need.REASON | Need.RISK:
            _check_given(facts["text"])
        case Need.STATEMENTS:
            _check_given(facts["statements"])
        case Need.MADE | Need.AUDIT:  # pragma: no branch - there is no other need; mypy holds that
            _check_given(facts["release"])


def _check_given(hashed: str) -> None:
    if not hashed:
        raise Refused("Something that this move must hold is not given.", rule="clearance")


def check_unchanged(case: Case, digest: str) -> None:
    """Refused when the bytes are not those that were submitted."""
    if digest != case.release:
        raise Refused(
            "The report's bytes are not those that were submitted. Every approval of it is void; submit it again.",
            rule="R29",
        )


def _check_independent(record: Record, case: Case, facts: Facts) -> None:
    human = record.roster.human(facts["by"])
    if human in record.worked_on(case.run):
        raise Refused(
            "The author of a report, or somebody of the team for its request, cannot decide about it. Somebody else "
            "must (R27).",
            rule="R27",
        )


def _check_second(record: Record, case: Case, facts: Facts) -> None:
    if record.roster.human(facts["by"]) in {record.roster.human(person) for person in case.approvals}:
        raise Refused("This person has approved it already; the second approval is another person's (R27).", rule="R27")


def _check_exceptions(case: Case, facts: Facts) -> None:
    """Those that the submission rests on: allowed, for these bytes, not expired."""
    submitting = Move(facts["move"]) is Move.SUBMIT
    in_use = facts["exceptions"] if submitting else case.in_use
    release = facts["release"] if submitting else case.release
    for name in in_use:
        check_holds(asked_exception(case, name), release, facts["on"])


def check_holds(exception: ReleaseException, release: str, on: str) -> None:
    """Refused unless an exception is allowed, is for these bytes and has not ended on the day `on`."""
    if exception.release != release or not exception.allowed_by:
        raise Refused("An exception that this report needs is not allowed, or is for other bytes (R28).", rule="R28")
    if exception.until < on:
        raise Refused("An exception that this report needs has expired (R28). Withdraw it, or ask anew.", rule="R28")


def asked_exception(case: Case, name: str) -> ReleaseException:
    """The exception of this name (12 characters of its log entry are enough). Refused when there is none."""
    found = [each for each in case.exceptions if len(name) >= 12 and each.entry.startswith(name)]
    if len(found) != 1:
        raise Refused("No exception of that name was asked for. counterfoil clear LAB show RUN lists them.", rule="R28")
    return found[0]


def _check_grade(record: Record, exception: ReleaseException, facts: Facts) -> None:
    if exception.allowed_by:
        raise Refused("This exception is allowed already.", rule="R28")
    _check_day(exception.until, facts["on"], "This exception has expired before it was allowed.", "R28")
    if record.roster.member(facts["by"]).grade <= record.roster.member(exception.asked_by).grade:
        raise Refused("An exception is allowed by somebody of a higher grade than who asked (R28).", rule="R28")


def _check_replacement(record: Record, case: Case, facts: Facts) -> None:
    other = record.case(facts["replaced_by"])
    if other.run == case.run or other.state is not State.PUBLISHED:
        raise Refused("A report is corrected by another one that is published. Publish that first.", rule="clearance")


def _check_day(day: str, from_day: str, why: str, rule: str) -> None:
    if not day or day < from_day:
        raise Refused(why, rule=rule)


def _moved(case: Case, rule: Rule, facts: Facts, name: str) -> Case:
    made = replace(case, state=rule.to or case.state)
    if rule.resets:
        made = replace(made, approvals=(), date="", in_use=frozenset())
    match rule.move:
        case Move.SUBMIT:
            return replace(
                made,
                release=facts["release"],
                author=facts["by"],
                team=frozenset(facts["team"]),
                in_use=frozenset(facts["exceptions"]),
                audited=bool(facts["audit"]),
            )
        case Move.APPROVE:
            return replace(made, approvals=(*made.approvals, facts["by"]))
        case Move.ASK_EXCEPTION:
            asked = ReleaseException(
                name, facts["rule"], facts["release"], facts["text"], facts["cell"], facts["by"], facts["until"]
            )
            return replace(made, exceptions=(*made.exceptions, asked))
        case Move.ALLOW_EXCEPTION:
            allowed = asked_exception(case, facts["exception"])
            kept = (replace(e, allowed_by=facts["by"]) if e is allowed else e for e in made.exceptions)
            return replace(made, exceptions=tuple(kept))
        case Move.SCHEDULE | Move.RESCHEDULE:
            return replace(made, date=facts["date"])
        case Move.CORRECT:
            return replace(made, replaced_by=facts["replaced_by"])
        case Move.VIEW | Move.SEND_BACK | Move.CHANGE | Move.PUBLISH | Move.WITHDRAW:  # pragma: no branch - nor move
            return made

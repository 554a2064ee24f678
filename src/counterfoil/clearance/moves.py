"""What can become of a report, as one table: from which state, to which, who does it, what it needs, what it resets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from counterfoil.errors import Refused
from counterfoil.lab.settings import PersonRole


class State(Enum):
    """Where a report is on its way out of the lab."""

    DRAFTED = "drafted"
    SENT_BACK = "sent back"
    SUBMITTED = "submitted"
    APPROVED_ONCE = "approved once"
    CLEARED = "cleared"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"

    @property
    def told(self) -> str:
        """As it is told to whoever asks: nobody hears of a first approval before the second is given (R27)."""
        return State.SUBMITTED.value if self is State.APPROVED_ONCE else self.value


class Move(Enum):
    """What somebody does with a report."""

    ASK_EXCEPTION = "ask for an exception"
    ALLOW_EXCEPTION = "allow an exception"
    SUBMIT = "submit"
    VIEW = "view"
    APPROVE = "approve"
    SEND_BACK = "send back"
    CHANGE = "change"
    SCHEDULE = "schedule"
    RESCHEDULE = "reschedule"
    PUBLISH = "publish"
    CORRECT = "correct"
    WITHDRAW = "withdraw"


class Need(Enum):
    """What a move needs beside the right person, as the reference says it."""

    BYTES = "every byte of the report is as it was submitted (R29)"
    MADE = "every byte is as `evaluate` wrote it"
    AUDIT = (
        "an intruder audit of these bytes that passed, or exceptions for all that it found; it may be required (R13)"
    )
    STATEMENTS = "each statement is confirmed"
    TEAM = "everybody who worked on the request is named"
    INDEPENDENT = "a person who is neither its author nor of the team for this request (R27)"
    SECOND = "another person than the first approver (R27)"
    UNEXPIRED = "no exception in use has expired (R28)"
    REASON = "a reason"
    RISK = "a statement of the risk (R28)"
    EXPIRY = "a day on which the exception ends, not yet past (R28)"
    HIGHER_GRADE = "a higher grade than whoever asked (R28)"
    DATE = "a date that is not past (A10)"
    DUE = "the date has come (A10)"
    REPLACEMENT = "the published report that replaces it"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `to` is None where the report stays where it is; no roles: the machine does it when it sees it."""

    move: Move
    start: frozenset[State]
    to: State | None
    roles: frozenset[PersonRole]
    needs: tuple[Need, ...]
    resets: bool = False  # both approvals are void


_BEING_CLEARED = frozenset({State.SUBMITTED, State.APPROVED_ONCE, State.CLEARED, State.SCHEDULED})
_OPEN = frozenset({State.DRAFTED, State.SENT_BACK})
_ANALYST = frozenset({PersonRole.ANALYST})
_CHECKER = frozenset({PersonRole.CHECKER})
_PUBLISHER = frozenset({PersonRole.PUBLISHER})
_OWNER = frozenset({PersonRole.OWNER})

_APPROVAL = (Need.BYTES, Need.STATEMENTS, Need.INDEPENDENT, Need.UNEXPIRED)

TABLE: tuple[Rule, ...] = (
    Rule(Move.ASK_EXCEPTION, _OPEN, None, _ANALYST, (Need.MADE, Need.AUDIT, Need.REASON, Need.RISK, Need.EXPIRY)),
    Rule(Move.ALLOW_EXCEPTION, _OPEN, None, _CHECKER | _OWNER, (Need.INDEPENDENT, Need.HIGHER_GRADE)),
    Rule(Move.SUBMIT, _OPEN, State.SUBMITTED, _ANALYST,
         (Need.MADE, Need.AUDIT, Need.TEAM, Need.STATEMENTS, Need.UNEXPIRED), resets=True),
    Rule(Move.VIEW, _BEING_CLEARED, None, _CHECKER, (Need.BYTES,)),
    Rule(Move.APPROVE, frozenset({State.SUBMITTED}), State.APPROVED_ONCE, _CHECKER, _APPROVAL),
    Rule(Move.APPROVE, frozenset({State.APPROVED_ONCE}), State.CLEARED, _CHECKER, (*_APPROVAL, Need.SECOND)),
    Rule(Move.SEND_BACK, _BEING_CLEARED, State.SENT_BACK, _CHECKER, (Need.INDEPENDENT, Need.REASON), resets=True),
    Rule(Move.CHANGE, _BEING_CLEARED, State.DRAFTED, frozenset(), (), resets=True),
    Rule(Move.SCHEDULE, frozenset({State.CLEARED}), State.SCHEDULED, _PUBLISHER,
         (Need.BYTES, Need.DATE, Need.UNEXPIRED)),
    Rule(Move.RESCHEDULE, frozenset({State.SCHEDULED}), State.SCHEDULED, _OWNER,
         (Need.BYTES, Need.DATE, Need.REASON, Need.UNEXPIRED)),
    Rule(Move.PUBLISH, frozenset({State.SCHEDULED}), State.PUBLISHED, _PUBLISHER,
         (Need.BYTES, Need.DUE, Need.UNEXPIRED)),
    Rule(Move.CORRECT, frozenset({State.PUBLISHED}), State.CORRECTED, _PUBLISHER, (Need.REASON, Need.REPLACEMENT)),
    Rule(Move.WITHDRAW, _OPEN | _BEING_CLEARED, State.WITHDRAWN, _ANALYST | _OWNER, (Need.REASON,), resets=True),
)  # fmt: skip


def rule_for(state: State, move: Move) -> Rule:
    """The row for `move` from `state`. Refused where there is none."""
    for rule in TABLE:
        if rule.move is move and state in rule.start:
            return rule
    starts = sorted({start.value for rule in TABLE if rule.move is move for start in rule.start})
    raise Refused(
        f"The report is {state.told}; to {move.value} it must be {' or '.join(starts)}. "
        "`counterfoil clear LAB show RUN` says what can be done now.",
        rule="clearance",
    )


def moves_from(state: State) -> tuple[Move, ...]:
    """What people can do with a report in this state."""
    return tuple(dict.fromkeys(rule.move for rule in TABLE if state in rule.start and rule.roles))

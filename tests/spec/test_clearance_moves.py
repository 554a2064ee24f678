"""The table of moves against the rule, written by hand: every state, every move, every role (R27, R28, A4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from counterfoil.clearance import actions
from counterfoil.clearance.moves import Move, State, moves_from
from counterfoil.clearance.record import Case
from counterfoil.errors import Refused
from counterfoil.lab import log
from counterfoil.lab.settings import PersonRole
from lib.clearance import OTHER, REASON, RUN, TODAY, Office, add_run, bring, make_office, write_audit

A, C, P, W = PersonRole.ANALYST, PersonRole.CHECKER, PersonRole.PUBLISHER, PersonRole.OWNER
PERSON = {A: "amina", C: "cara", P: "dan", W: "eve"}  # cara has approved nothing yet where it matters
DRAFTED, BACK, SUBMITTED, ONCE = State.DRAFTED, State.SENT_BACK, State.SUBMITTED, State.APPROVED_ONCE
CLEARED, SET, PUBLISHED, GONE = State.CLEARED, State.SCHEDULED, State.PUBLISHED, State.WITHDRAWN

# The rule, by hand: (state, move) -> who may, and where the report is then. What is not here is refused.
RULE: Mapping[tuple[State, Move], tuple[set[PersonRole], State]] = {
    (DRAFTED, Move.ASK_EXCEPTION): ({A}, DRAFTED),
    (BACK, Move.ASK_EXCEPTION): ({A}, BACK),
    (DRAFTED, Move.ALLOW_EXCEPTION): ({C, W}, DRAFTED),
    (BACK, Move.ALLOW_EXCEPTION): ({C, W}, BACK),
    (DRAFTED, Move.SUBMIT): ({A}, SUBMITTED),
    (BACK, Move.SUBMIT): ({A}, SUBMITTED),
    **{(state, Move.VIEW): ({C}, state) for state in (SUBMITTED, ONCE, CLEARED, SET)},
    (SUBMITTED, Move.APPROVE): ({C}, ONCE),
    (ONCE, Move.APPROVE): ({C}, CLEARED),
    (SUBMITTED, Move.SEND_BACK): ({C}, BACK),
    (ONCE, Move.SEND_BACK): ({C}, BACK),
    (CLEARED, Move.SEND_BACK): ({C}, BACK),
    (SET, Move.SEND_BACK): ({C}, BACK),
    (CLEARED, Move.SCHEDULE): ({P}, SET),
    (SET, Move.RESCHEDULE): ({W}, SET),
    (SET, Move.PUBLISH): ({P}, PUBLISHED),
    (PUBLISHED, Move.CORRECT): ({P}, State.CORRECTED),
    (DRAFTED, Move.WITHDRAW): ({A, W}, GONE),
    (BACK, Move.WITHDRAW): ({A, W}, GONE),
    (SUBMITTED, Move.WITHDRAW): ({A, W}, GONE),
    (ONCE, Move.WITHDRAW): ({A, W}, GONE),
    (CLEARED, Move.WITHDRAW): ({A, W}, GONE),
    (SET, Move.WITHDRAW): ({A, W}, GONE),
}
RESETS = {SUBMITTED, ONCE, CLEARED, SET}  # where a byte that changes sends a report back to drafted
FINDING = {"rule": "R13", "cell": "table 1 row 2", "never": False}
UNTIL = "2026-12-31"


def attempt(office: Office, move: Move, person: str) -> Case:
    lab, sign = office.lab, office.signer(person)
    pending = [e.entry for e in office.case().exceptions if not e.allowed_by]
    doing: Mapping[Move, Callable[[], Case]] = {
        Move.ASK_EXCEPTION: lambda: ask(office, person),
        Move.ALLOW_EXCEPTION: lambda: actions.allow_exception(lab, RUN, pending[-1], signer=sign),
        Move.SUBMIT: lambda: actions.submit(lab, RUN, signer=sign, team=[]),
        Move.VIEW: lambda: actions.note_view(lab, RUN, signer=sign),
        Move.APPROVE: lambda: actions.approve(lab, RUN, signer=sign, release=office.digest()),
        Move.SEND_BACK: lambda: actions.send_back(lab, RUN, signer=sign, reason=REASON),
        Move.SCHEDULE: lambda: actions.schedule(lab, RUN, signer=sign, date="2026-08-03"),
        Move.RESCHEDULE: lambda: actions.reschedule(lab, RUN, signer=sign, date="2026-08-03", reason=REASON),
        Move.PUBLISH: lambda: actions.mark_published(lab, RUN, signer=sign),
        Move.CORRECT: lambda: actions.mark_corrected(lab, RUN, signer=sign, replaced_by=OTHER, reason=REASON),
        Move.WITHDRAW: lambda: actions.withdraw(lab, RUN, signer=sign, reason=REASON),
    }
    return doing[move]()


def ask(office: Office, person: str = "amina") -> Case:
    return actions.ask_exception(
        office.lab, RUN, signer=office.signer(person), rule="R13", cell="table 1 row 2", reason=REASON, risk="Low.",
        until=UNTIL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Mapping[State, Office]:
    """A lab for each state: another report is published, and one exception is allowed and one is not."""
    start = make_office(tmp_path_factory.mktemp("offices") / "start")
    add_run(start.lab, OTHER)
    bring(start, PUBLISHED, OTHER)
    write_audit(start, FINDING)
    actions.allow_exception(start.lab, RUN, ask(start).exceptions[0].entry, signer=start.signer("eve"))
    ask(start)
    made = {}
    for state in State:
        office = start.copied(start.lab.paths.root.parent / state.name.lower())
        bring(office, PUBLISHED if state is State.CORRECTED else state)
        if state is State.CORRECTED:
            attempt(office, Move.CORRECT, "dan")
        made[state] = office
    return made


@pytest.mark.parametrize("role", PersonRole, ids=lambda role: role.value)
@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_a04_every_move_from_every_state_by_every_role(
    offices: Mapping[State, Office], state: State, role: PersonRole, tmp_path: Path
) -> None:
    office = offices[state]
    assert office.case().state is state
    for move in set(Move) - {Move.CHANGE}:
        roles, after = RULE.get((state, move), (set(), state))
        if role in roles:
            fresh = office.copied(tmp_path / move.name)
            assert attempt(fresh, move, PERSON[role]).state is after, move
        else:
            before = office.log.read_bytes()
            with pytest.raises(Refused) as refused:
                attempt(office, move, PERSON[role])
            assert refused.value.exit_code == 3
            assert refused.value.rule in {"clearance", "people"}, move
            assert office.log.read_bytes() == before


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_what_people_are_told_they_can_do_is_the_rule(state: State) -> None:
    assert set(moves_from(state)) == {move for start, move in RULE if start is state}


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_r27_a_byte_that_changes_resets_every_approval(
    offices: Mapping[State, Office], state: State, tmp_path: Path
) -> None:
    office = offices[state].copied(tmp_path / "lab")
    (office.lab.paths.run(RUN) / "tables" / "measures.csv").write_bytes(b"measure,value\nrate,16\n")
    with pytest.raises(Refused):
        attempt(office, Move.APPROVE, "cara")
    if state not in RESETS:
        assert office.case().state is state
        return
    assert office.case().state is DRAFTED
    assert office.case().approvals == ()
    assert log.entries(office.lab.paths)[-1].facts["move"] == "change"


def test_sending_back_and_submitting_again_starts_approvals_anew(
    offices: Mapping[State, Office], tmp_path: Path
) -> None:
    office = offices[CLEARED].copied(tmp_path / "lab")
    assert office.case().approvals == ("ben", "cara")
    assert attempt(office, Move.SEND_BACK, "ben").approvals == ()
    assert attempt(office, Move.SUBMIT, "amina").approvals == ()


def test_a10_a_release_date_in_the_past_is_refused(offices: Mapping[State, Office], tmp_path: Path) -> None:
    office = offices[CLEARED].copied(tmp_path / "lab")
    past = (TODAY - dt.timedelta(days=1)).isoformat()
    with pytest.raises(Refused, match="The release date is past") as refused:
        actions.schedule(office.lab, RUN, signer=office.signer("dan"), date=past)
    assert refused.value.rule == "A10"
    assert actions.schedule(office.lab, RUN, signer=office.signer("dan"), date=TODAY.isoformat()).state is SET
    with pytest.raises(Refused, match="The release date is past"):
        actions.reschedule(office.lab, RUN, signer=office.signer("eve"), date=past, reason=REASON)


def test_a10_nothing_is_marked_published_before_its_day(offices: Mapping[State, Office], tmp_path: Path) -> None:
    office = offices[CLEARED].copied(tmp_path / "lab")
    actions.schedule(office.lab, RUN, signer=office.signer("dan"), date="2026-08-03")
    with pytest.raises(Refused, match="has not come"):
        actions.mark_published(office.lab, RUN, signer=office.signer("dan"))
    assert (
        actions.mark_published(office.on(dt.date(2026, 8, 3)).lab, RUN, signer=office.signer("dan")).state is PUBLISHED
    )


def test_a_report_is_not_corrected_by_itself_or_by_a_draft(offices: Mapping[State, Office], tmp_path: Path) -> None:
    office = offices[PUBLISHED].copied(tmp_path / "lab")
    for run in (RUN, "aaaaaaaaaaaa"):
        with pytest.raises(Refused, match="another one that is published"):
            actions.mark_corrected(office.lab, RUN, signer=office.signer("dan"), replaced_by=run, reason=REASON)

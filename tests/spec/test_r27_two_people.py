"""R27, R28, R29: two others approve the very bytes; exceptions; what is published is what was approved."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from counterfoil.clearance import actions
from counterfoil.clearance.moves import State
from counterfoil.clearance.people import Signer
from counterfoil.clearance.record import Case
from counterfoil.clearance.texts import LONGEST
from counterfoil.cli.clear_words import facts_of
from counterfoil.errors import Refused, UsageError
from counterfoil.lab import log
from counterfoil.lab.make import open_lab
from counterfoil.lab.signing import new_key
from counterfoil.study.request_counts import Ending, requests_in
from counterfoil.study.requests import Reason
from counterfoil.study.requests import withdraw as withdraw_request
from lib.clearance import FILES, OTHER, REASON, RUN, Office, add_run, bring, declare, make_office, write_audit

FINDING = {"rule": "R13", "cell": "table 1 row 2", "never": False}
UNTIL = "2026-07-31"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return make_office(tmp_path_factory.mktemp("office") / "lab")


@pytest.fixture
def office(made: Office, tmp_path: Path) -> Office:
    return made.copied(tmp_path / "lab")


def approve(office: Office, person: str, run: str = RUN) -> None:
    actions.approve(office.lab, run, signer=office.signer(person), release=office.digest(run))


def ask(office: Office, *, until: str = UNTIL, cell: str = "table 1 row 2", person: str = "amina") -> str:
    case = actions.ask_exception(
        office.lab, RUN, signer=office.signer(person), rule="R13", cell=cell, reason=REASON, risk="Low.", until=until
    )
    return case.exceptions[-1].entry


def test_r27_an_author_who_is_a_checker_too_cannot_approve(office: Office) -> None:
    actions.submit(office.lab, RUN, signer=office.signer("finn"), team=[])
    with pytest.raises(Refused, match="The author of a report") as refused:
        approve(office, "finn")
    assert (refused.value.rule, refused.value.exit_code) == ("R27", 3)
    assert office.case().approvals == ()


def test_r27_nor_can_somebody_of_the_team(office: Office) -> None:
    actions.submit(office.lab, RUN, signer=office.signer("amina"), team=["ben"])
    with pytest.raises(Refused, match="of the team"):
        approve(office, "ben")
    with pytest.raises(Refused, match="of the team"):
        actions.send_back(office.lab, RUN, signer=office.signer("ben"), reason=REASON)


def test_r27_nor_who_submitted_it_before_or_another_run_of_the_same_list(office: Office) -> None:
    add_run(office.lab, OTHER)
    for run in (RUN, OTHER):
        log.append(office.lab.paths, "requested", {"run": run, "list": "0f0f"})
    actions.submit(office.lab, OTHER, signer=office.signer("finn"), team=["cara"])
    actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])
    for person in ("finn", "cara"):
        with pytest.raises(Refused, match="of the team"):
            approve(office, person)


def test_r27_nor_who_worked_on_a_run_that_a_newer_version_made_anew(office: Office) -> None:
    """The same request evaluated again is not requested again: the log joins its runs by what was evaluated."""
    add_run(office.lab, OTHER)
    log.append(office.lab.paths, "requested", {"run": OTHER, "list": "0f0f"})
    for run in (OTHER, RUN):
        log.append(office.lab.paths, "evaluated", {"request": "r", "run": run, "plan": "p", "list": "0f0f"})
    actions.submit(office.lab, OTHER, signer=office.signer("finn"), team=[])
    actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])
    with pytest.raises(Refused, match="of the team"):
        approve(office, "finn")


def test_r27_one_person_does_not_approve_twice_even_under_a_new_name(office: Office) -> None:
    key = new_key()
    declare(office.lab, "ben-two", ("checker",), 4, key.public, replaces="ben")
    office = dataclasses.replace(office, lab=open_lab(office.lab.paths.root), keys={**office.keys, "ben-two": key})
    actions.put_in_force(office.lab, signer=office.signer("eve"))
    actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])
    approve(office, "ben")
    for person in ("ben", "ben-two"):
        with pytest.raises(Refused, match="approved it already"):
            approve(office, person)
    assert office.case().state is State.APPROVED_ONCE


def test_r27_nobody_approves_in_another_persons_name(office: Office) -> None:
    bring(office, State.SUBMITTED)
    with pytest.raises(Refused, match="not signed with the key of ben") as refused:
        actions.approve(office.lab, RUN, signer=Signer("ben", office.keys["cara"]), release=office.digest())
    assert refused.value.rule == "people"


def test_r27_somebody_unknown_is_refused_as_approver_and_in_a_team(office: Office) -> None:
    with pytest.raises(Refused, match="Nobody in force is called zoe"):
        actions.submit(office.lab, RUN, signer=office.signer("amina"), team=["zoe"])
    bring(office, State.SUBMITTED)
    with pytest.raises(Refused, match="Nobody in force is called zoe"):
        actions.approve(office.lab, RUN, signer=Signer("zoe", new_key()), release=office.digest())


@pytest.mark.parametrize("given", ["", "0" * 64, "short"])
def test_r29_an_approval_names_the_bytes_that_were_read(office: Office, given: str) -> None:
    bring(office, State.SUBMITTED)
    with pytest.raises(Refused, match="not that of the report as it is now"):
        actions.approve(office.lab, RUN, signer=office.signer("ben"), release=given)
    with pytest.raises(Refused, match="not that of the report as it is now"):
        actions.approve(office.lab, RUN, signer=office.signer("ben"), release=office.digest()[:11])
    actions.approve(office.lab, RUN, signer=office.signer("ben"), release=office.digest()[:12])


def test_r29_what_is_cleared_is_what_was_approved_byte_by_byte(office: Office) -> None:
    bring(office, State.CLEARED)
    release = actions.cleared(office.lab, RUN)
    assert release.digest == office.digest()
    assert release.files == FILES
    bring_date = actions.schedule(office.lab, RUN, signer=office.signer("dan"), date="2026-08-03").date
    assert actions.cleared(office.lab, RUN).date == bring_date == "2026-08-03"


@pytest.mark.parametrize(
    "state", [s for s in State if s not in (State.CLEARED, State.SCHEDULED)], ids=lambda s: s.value
)
def test_r29_an_uncleared_report_cannot_be_published(office: Office, state: State) -> None:
    bring(office, state)
    with pytest.raises(Refused, match="it is not cleared") as refused:
        actions.cleared(office.lab, RUN)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["changed", "removed", "a link elsewhere"])
def test_r29_any_file_that_changes_after_approval_stops_publication(office: Office, name: str, how: str) -> None:
    bring(office, State.CLEARED)
    file = office.lab.paths.run(RUN) / name
    data = file.read_bytes()
    file.unlink()
    if how == "changed":
        file.write_bytes(data + b" ")
    elif how == "a link elsewhere":
        elsewhere = office.lab.paths.root / "elsewhere"
        elsewhere.write_bytes(data)
        file.symlink_to(elsewhere)
    with pytest.raises(Refused, match="not those that were submitted") as refused:
        actions.cleared(office.lab, RUN)
    assert refused.value.rule == "R29"


def test_r29_a_file_more_is_a_change(office: Office) -> None:
    bring(office, State.CLEARED)
    result = office.lab.paths.run(RUN) / "result.json"
    said = json.loads(result.read_text())
    said["files"]["audit.html"] = "0" * 64
    result.write_text(json.dumps(said))
    with pytest.raises(Refused, match="not those that were submitted"):
        actions.cleared(office.lab, RUN)


@pytest.mark.parametrize("damage", ["not json", "[]", '{"files": {"../../../lab.toml": "0"}}'])
def test_r29_a_damaged_result_is_a_change(office: Office, damage: str) -> None:
    bring(office, State.SUBMITTED)
    (office.lab.paths.run(RUN) / "result.json").write_text(damage)
    with pytest.raises(Refused, match="approval of it is reset"):
        actions.approve(office.lab, RUN, signer=office.signer("ben"), release="0" * 64)
    with pytest.raises(Refused, match="result of this run"):
        actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])


def test_r29_a_report_changed_by_hand_cannot_be_submitted(office: Office) -> None:
    (office.lab.paths.run(RUN) / "report.html").write_bytes(b"<h1>16 in every 100</h1>")
    with pytest.raises(Refused, match="not as evaluate wrote them"):
        actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])


@pytest.mark.parametrize("run", ["aaaaaaaaaaaa", "../linker", "", "ABCDEFABCDEF"])
def test_a_run_that_is_not_there(office: Office, run: str) -> None:
    with pytest.raises(UsageError):
        actions.submit(office.lab, run, signer=office.signer("amina"), team=[])


def test_r13_an_audit_that_is_required_and_missing(office: Office) -> None:
    settings = office.lab.paths.settings
    settings.write_text(settings.read_text().replace("# audit_required = false", "audit_required = true"))
    with pytest.raises(Refused, match="No intruder audit") as refused:
        actions.submit(open_lab(settings.parent), RUN, signer=office.signer("amina"), team=[])
    assert refused.value.rule == "R13"
    write_audit(office)
    assert actions.submit(open_lab(settings.parent), RUN, signer=office.signer("amina"), team=[]).audited


def test_r13_an_audit_of_other_bytes_counts_for_nothing(office: Office) -> None:
    file = office.lab.paths.run(RUN) / "audit.json"
    file.write_text(json.dumps({"release": "0" * 64, "passed": True, "findings": []}))
    with pytest.raises(Refused, match="of other bytes"):
        actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])


@pytest.mark.parametrize("said", ["{", "[]", '{"release": 1}', '{"passed": true, "findings": []}'])
def test_r13_an_audit_that_cannot_be_read(office: Office, said: str) -> None:
    (office.lab.paths.run(RUN) / "audit.json").write_text(said)
    with pytest.raises(Refused, match="cannot be read"):
        actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])


@pytest.mark.parametrize(("passed", "findings"), [(False, []), (True, [FINDING]), ("yes", [])])
def test_r13_an_audit_that_contradicts_itself(office: Office, passed: object, findings: list[object]) -> None:
    said = {"release": office.digest(), "passed": passed, "findings": findings}
    (office.lab.paths.run(RUN) / "audit.json").write_text(json.dumps(said))
    with pytest.raises(Refused, match="contradicts itself"):
        actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])


def test_r28_a_finding_needs_an_exception_that_a_higher_grade_allowed(office: Office) -> None:
    write_audit(office, FINDING)

    def submit() -> Case:
        return actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])

    with pytest.raises(Refused, match="no exception allows it"):
        submit()
    asked = ask(office)
    with pytest.raises(Refused, match="no exception allows it"):
        submit()
    with pytest.raises(Refused, match="No exception of that name"):
        actions.allow_exception(office.lab, RUN, asked[:11], signer=office.signer("eve"))
    actions.allow_exception(office.lab, RUN, asked[:12], signer=office.signer("eve"))
    with pytest.raises(Refused, match="allowed already"):
        actions.allow_exception(office.lab, RUN, asked, signer=office.signer("cara"))
    assert submit().state is State.SUBMITTED
    approve(office, "ben")
    approve(office, "cara")
    assert actions.cleared(office.lab, RUN).files == FILES


def test_r28_the_same_grade_does_not_do(tmp_path: Path) -> None:
    staff = {"amina": (("analyst",), 4), "ben": (("checker",), 4), "gus": (("checker",), 3), "eve": (("owner",), 5)}
    office = make_office(tmp_path / "lab", staff)
    write_audit(office, FINDING)
    asked = ask(office)
    for person in ("ben", "gus"):
        with pytest.raises(Refused, match="of a higher grade") as refused:
            actions.allow_exception(office.lab, RUN, asked, signer=office.signer(person))
        assert refused.value.rule == "R28"
    assert (
        actions.allow_exception(office.lab, RUN, asked, signer=office.signer("eve")).exceptions[0].allowed_by == "eve"
    )


@pytest.mark.parametrize("never", [True, "false", None, 0])
def test_r28_counts_of_1_and_2_are_never_excepted(office: Office, never: object) -> None:
    """`never` is the audit's word for a count of 1 or 2; whatever is not a plain false counts as that."""
    write_audit(office, {**FINDING, "never": never})
    with pytest.raises(Refused, match="can never be excepted") as refused:
        ask(office)
    assert refused.value.rule == "R28"
    with pytest.raises(Refused, match="no exception allows it"):
        actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])


def test_r28_without_an_audit_or_for_another_cell_there_is_no_exception(office: Office) -> None:
    with pytest.raises(Refused, match="No intruder audit"):
        ask(office)
    write_audit(office, FINDING)
    with pytest.raises(Refused, match="found no such cell"):
        ask(office, cell="table 9")


def test_r28_an_exception_needs_its_words(office: Office) -> None:
    write_audit(office, FINDING)
    with pytest.raises(UsageError, match="needs reason"):
        actions.ask_exception(
            office.lab, RUN, signer=office.signer("amina"), rule="R13", cell="table 1 row 2", reason=" ", risk="Low.",
            until=UNTIL,
        )  # fmt: skip
    with pytest.raises(UsageError, match="longer than"):
        actions.withdraw(office.lab, RUN, signer=office.signer("amina"), reason="a" * (LONGEST + 1))


def test_r28_an_expired_exception_blocks_at_every_step(office: Office) -> None:
    with_one = office
    write_audit(with_one, FINDING)
    with pytest.raises(Refused, match="not yet past"):
        ask(with_one, until="2026-06-30")
    asked, pending = ask(with_one), ask(with_one)
    actions.allow_exception(with_one.lab, RUN, asked, signer=with_one.signer("eve"))
    late = dt.date(2026, 8, 1)
    first = with_one.on(late)
    with pytest.raises(Refused, match="has expired"):
        actions.submit(first.lab, RUN, signer=first.signer("amina"), team=[])
    with pytest.raises(Refused, match="expired before it was allowed"):
        actions.allow_exception(first.lab, RUN, pending, signer=first.signer("eve"))
    last_day = first.on(dt.date(2026, 7, 31))
    bring(last_day, State.APPROVED_ONCE)
    late_again = last_day.on(late)
    with pytest.raises(Refused, match="has expired") as refused:
        approve(late_again, "cara")
    assert refused.value.exit_code == 3
    in_time = late_again.on(dt.date(2026, 7, 31))
    approve(in_time, "cara")
    assert actions.cleared(in_time.lab, RUN).files == FILES
    after = in_time.on(late)
    with pytest.raises(Refused, match="has expired"):
        actions.cleared(after.lab, RUN)
    with pytest.raises(Refused, match="has expired"):
        actions.schedule(after.lab, RUN, signer=after.signer("dan"), date="2026-08-03")


def test_r28_the_reason_behind_an_exception_stays_as_it_was(office: Office) -> None:
    write_audit(office, FINDING)
    actions.allow_exception(office.lab, RUN, ask(office), signer=office.signer("eve"))
    bring(office, State.CLEARED)
    (text,) = office.lab.paths.clearance_texts.iterdir()
    text.write_bytes(text.read_bytes().replace(b"Low", b"Nil"))
    with pytest.raises(Refused, match="missing or was changed"):
        actions.cleared(office.lab, RUN)
    text.unlink()
    with pytest.raises(Refused, match="missing or was changed"):
        actions.cleared(office.lab, RUN)


def test_a11_no_word_of_a_reason_and_no_byte_of_a_report_is_in_the_log(office: Office) -> None:
    write_audit(office, {**FINDING, "cell": "Zyxwvut of 12 July"})
    actions.ask_exception(
        office.lab, RUN, signer=office.signer("amina"), rule="R13", cell="Zyxwvut of 12 July",
        reason="Zyxwvut asked", risk="Zyxwvut may read it", until=UNTIL,
    )  # fmt: skip
    actions.withdraw(office.lab, RUN, signer=office.signer("amina"), reason="Zyxwvut of 12 July is in it")
    said = office.log.read_bytes()
    assert b"Zyxwvut" not in said
    assert b"12 July" not in said
    assert b"A person" not in said
    assert all(file.stat().st_mode & 0o077 == 0 for file in office.lab.paths.clearance_texts.iterdir())


def note_asked(office: Office, request: str, *runs: str) -> None:
    for run in runs:
        facts = {"request": request, "run": run, "plan": "p", "list": "0f0f", "organisation": "o", "on": "2026-06-01"}
        log.append(office.lab.paths, "requested" if run == runs[0] else "evaluated", facts)


@pytest.mark.parametrize("state", [State.DRAFTED, State.SUBMITTED, State.APPROVED_ONCE, State.CLEARED, State.SCHEDULED])
def test_a01_a_withdrawn_request_is_neither_cleared_nor_published(office: Office, state: State) -> None:
    add_run(office.lab, OTHER)
    note_asked(office, "r", RUN, OTHER)
    bring(office, state)
    assert withdraw_request(office.lab, OTHER, Reason.AGREEMENT)
    assert (office.case().state, office.case(OTHER).state) == (State.WITHDRAWN, State.WITHDRAWN)
    assert office.case().approvals == ()
    acts = (
        lambda: actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[]),
        lambda: approve(office, "cara"),
        lambda: actions.schedule(office.lab, RUN, signer=office.signer("dan"), date="2026-08-03"),
        lambda: actions.mark_published(office.lab, RUN, signer=office.signer("dan")),
        lambda: actions.cleared(office.lab, RUN),
    )
    for act in acts:
        with pytest.raises(Refused, match="The report is withdrawn") as refused:
            act()
        assert refused.value.exit_code == 3


def test_a01_a_request_whose_report_is_published_is_corrected_and_not_withdrawn(office: Office) -> None:
    note_asked(office, "r", RUN)
    bring(office, State.PUBLISHED)
    with pytest.raises(Refused, match="is published, so the request cannot be withdrawn") as refused:
        withdraw_request(office.lab, RUN, Reason.PROVIDER)
    assert (refused.value.rule, refused.value.exit_code) == ("A1", 3)
    assert office.case().state is State.PUBLISHED


def test_a01_a_report_withdrawn_in_clearance_ends_its_request_unless_a_later_run_answers_it(office: Office) -> None:
    note_asked(office, "r", RUN)
    bring(office, State.WITHDRAWN)
    (request,) = requests_in(log.read(office.lab.paths))
    assert request.ending({RUN: "fewer"}) is Ending.WITHDRAWN
    log.append(office.lab.paths, "evaluated", {"request": "r", "run": OTHER, "plan": "p", "list": "0f0f"})
    (request,) = requests_in(log.read(office.lab.paths))
    assert request.ending({RUN: "fewer", OTHER: "more"}) is Ending.MORE


def test_a01_a_withdrawal_of_another_request_changes_nothing(office: Office) -> None:
    add_run(office.lab, OTHER)
    note_asked(office, "r", RUN)
    note_asked(office, "s", OTHER)
    bring(office, State.CLEARED)
    withdraw_request(office.lab, OTHER, Reason.LIST)
    assert actions.cleared(office.lab, RUN).files == FILES


def test_r29_a_pdf_asked_for_after_submission_makes_approvals_void(office: Office) -> None:
    """`evaluate --pdf` of a finished run adds a file, as here: what two people read is no longer all there is."""
    bring(office, State.CLEARED)
    folder = office.lab.paths.run(RUN)
    kept = json.loads((folder / "result.json").read_bytes())
    (folder / "report.pdf").write_bytes(b"%PDF-1.7")
    kept["files"]["report.pdf"] = hashlib.sha256(b"%PDF-1.7").hexdigest()
    (folder / "result.json").write_text(json.dumps(kept))
    with pytest.raises(Refused) as refused:
        actions.cleared(office.lab, RUN)
    assert refused.value.rule == "R29"
    with pytest.raises(Refused, match="Every approval of it is reset"):
        actions.schedule(office.lab, RUN, signer=office.signer("dan"), date="2026-08-03")
    assert (office.case().state, office.case().approvals) == (State.DRAFTED, ())
    again = actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])
    assert again.state is State.SUBMITTED


def test_a04_who_opens_a_report_to_decide_about_it_is_in_the_log_once_for_each_submission(office: Office) -> None:
    bring(office, State.SUBMITTED)
    for _ in range(2):
        actions.note_view(office.lab, RUN, signer=office.signer("ben"))
    views = [e for e in log.entries(office.lab.paths) if e.facts.get("move") == "view"]
    assert [(e.facts["by"], e.facts["release"]) for e in views] == [("ben", office.digest())]
    actions.send_back(office.lab, RUN, signer=office.signer("ben"), reason=REASON)
    bring_again = actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])
    assert actions.viewers(bring_again) == ()
    assert actions.viewers(actions.note_view(office.lab, RUN, signer=office.signer("ben"))) == ("ben",)
    with pytest.raises(Refused, match="not signed with the key of cara"):
        actions.note_view(office.lab, RUN, signer=Signer("cara", office.keys["ben"]))


def test_r27_nobody_is_shown_a_first_answer_before_the_second_is_given(office: Office) -> None:
    bring(office, State.SUBMITTED)
    before = facts_of(office.lab, office.case())
    actions.note_view(office.lab, RUN, signer=office.signer("ben"))
    approve(office, "ben")
    assert facts_of(office.lab, office.case(), to="cara") == before
    for refused in (
        lambda: actions.schedule(office.lab, RUN, signer=office.signer("cara"), date="2026-08-03"),
        lambda: actions.cleared(office.lab, RUN),
    ):
        with pytest.raises(Refused, match="The report is submitted; "):
            refused()
    own = facts_of(office.lab, office.case(), to="ben")
    assert (own["state"], own["approvals"]) == ("approved once", ["ben"])
    approve(office, "cara")
    after = facts_of(office.lab, office.case())
    assert (after["state"], after["approvals"]) == ("cleared", ["ben", "cara"])

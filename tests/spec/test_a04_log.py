"""A4: history that is edited shows, whoever edits it; nobody forges an approval with a text editor."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from counterfoil.clearance import actions
from counterfoil.clearance.moves import State
from counterfoil.clearance.people import Signer
from counterfoil.clearance.record import replay
from counterfoil.errors import Fault, FileNotTaken, Refused, UsageError
from counterfoil.lab import heads, log
from counterfoil.lab.make import make_lab, open_lab
from counterfoil.lab.signing import close_key, is_signed, key_from, new_key, open_key
from counterfoil.provenance import canonical_json
from lib.clearance import REASON, RUN, Office, bring, declare, make_office, write_audit

Lines = list[bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return bring(make_office(tmp_path_factory.mktemp("office") / "lab"), State.CLEARED)


@pytest.fixture
def office(made: Office, tmp_path: Path) -> Office:
    return made.copied(tmp_path / "lab")


def chained(lines: Lines) -> Lines:
    """The lines with their `before` made right, as a careful intruder would."""
    before, found = "0" * 64, []
    for line in lines:
        said = {**json.loads(line), "before": before}
        found.append(json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
        before = hashlib.sha256(found[-1]).hexdigest()
    return found


def rewrite(office: Office, change: Callable[[Lines], Lines]) -> None:
    lines = change(office.log.read_bytes().splitlines())
    office.log.write_bytes(b"".join(line + b"\n" for line in lines))


def edited(lines: Lines) -> Lines:
    return [lines[0], lines[1].replace(b'"eve"', b'"ben"', 1), *lines[2:]]


CHANGES: dict[str, Callable[[Lines], Lines]] = {
    "one line edited": edited,
    "one line dropped": lambda lines: [*lines[:2], *lines[3:]],
    "the first line dropped": lambda lines: lines[1:],
    "two lines changed places": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "one line twice": lambda lines: [*lines[:3], lines[2], *lines[3:]],
    "a line that is no JSON": lambda lines: [*lines[:2], b"{", *lines[3:]],
    "a line that is no entry": lambda lines: [*lines[:2], b"[]", *lines[3:]],
    "everything cut": lambda lines: lines[:0],
}


@pytest.mark.parametrize("how", CHANGES)
def test_a04_a_broken_chain_is_refused_by_verify_and_by_clearance(office: Office, how: str) -> None:
    heads.verify(office.lab.paths)
    rewrite(office, CHANGES[how])
    for look in (
        lambda: heads.verify(office.lab.paths),
        lambda: actions.read_record(office.lab),
        lambda: actions.cleared(office.lab, RUN),
        lambda: actions.withdraw(office.lab, RUN, signer=office.signer("amina"), reason=REASON),
    ):
        with pytest.raises(Refused) as refused:
            look()
        assert (refused.value.rule, refused.value.exit_code) == ("log", 3)


@pytest.mark.parametrize("how", [h for h in CHANGES if h not in ("a line that is no JSON", "a line that is no entry")])
def test_a04_a_chain_made_right_again_still_shows_by_its_signatures(office: Office, how: str) -> None:
    """The last case of all, everything cut, is an empty log; a cut tail is told by a signed head alone, below."""
    rewrite(office, lambda lines: chained(CHANGES[how](lines)))
    with pytest.raises(Refused) as refused:
        actions.read_record(office.lab)
    assert refused.value.rule == "log"


@pytest.mark.parametrize("drop", [1, 2, 3])
def test_a04_a_cut_tail_shows_beside_a_head_kept_elsewhere(office: Office, drop: int, tmp_path: Path) -> None:
    anchor = tmp_path / "elsewhere" / "head.json"
    heads.sign_head(office.lab.paths, out=anchor)
    log.append(office.lab.paths, "loaded", {})
    assert heads.verify(office.lab.paths, [anchor])  # lines after the anchor are no fault
    rewrite(office, lambda lines: lines[: -drop - 1])
    with pytest.raises(Refused, match="tail is cut") as refused:
        heads.verify(office.lab.paths)  # the head that lies in the lab says so
    assert refused.value.exit_code == 3
    for head in office.lab.paths.heads.iterdir():
        head.unlink()
    assert heads.verify(office.lab.paths)  # whoever cuts both is not seen from inside
    with pytest.raises(Refused, match="tail is cut"):
        heads.verify(office.lab.paths, [anchor])


def test_a04_a_log_written_anew_shows_beside_a_head_kept_elsewhere(office: Office, tmp_path: Path) -> None:
    anchor = tmp_path / "head.json"
    heads.sign_head(office.lab.paths, out=anchor)
    for head in office.lab.paths.heads.iterdir():
        head.unlink()
    rewrite(office, lambda lines: chained([*lines[:-1], lines[-1].replace(b'"at":"2', b'"at":"1')]))
    with pytest.raises(Refused, match="written anew"):
        heads.verify(office.lab.paths, [anchor])
    other = make_lab(tmp_path / "other")
    heads.sign_head(other.paths)
    with pytest.raises(Refused, match="of another log"):
        heads.verify(other.paths, [anchor])


def test_a04_a_head_that_was_altered_or_signed_by_another_key_vouches_for_nothing(
    office: Office, tmp_path: Path
) -> None:
    anchor = tmp_path / "head.json"
    heads.sign_head(office.lab.paths, out=anchor)
    said = json.loads(anchor.read_text())
    anchor.write_text(json.dumps({**said, "at": "2031-01-01T00:00:00+00:00"}))
    with pytest.raises(Refused, match="not signed by this"):
        heads.verify(office.lab.paths, [anchor])
    key, unsigned = new_key(), {k: v for k, v in said.items() if k != "signature"}
    forged = {**unsigned, "public": key.public}
    anchor.write_text(json.dumps({**forged, "signature": key.sign(canonical_json(forged))}))
    with pytest.raises(Refused, match="not signed by this"):
        heads.verify(office.lab.paths, [anchor])


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"lab": "0", "lines": 0, "head": "", "at": "", "public": "", "signature": ""}']
)
def test_a_file_that_is_no_head(office: Office, tmp_path: Path, text: str) -> None:
    (tmp_path / "head.json").write_text(text)
    with pytest.raises(FileNotTaken):
        heads.verify(office.lab.paths, [tmp_path / "head.json"])
    with pytest.raises(UsageError):
        heads.verify(office.lab.paths, [tmp_path / "absent.json"])


def test_a13_a_lost_log_key_is_said_and_never_replaced(office: Office) -> None:
    heads.sign_head(office.lab.paths)
    assert office.lab.paths.log_key.stat().st_mode & 0o077 == 0
    heads.sign_head(office.lab.paths)
    assert sum(entry.event == heads.KEY_MADE for entry in log.entries(office.lab.paths)) == 1
    office.lab.paths.log_key.unlink()
    with pytest.raises(Fault, match="is missing"):
        heads.sign_head(office.lab.paths)


def test_a13_a_log_key_whose_line_was_never_written_is_said_in_the_log(office: Office) -> None:
    """Killed between the key and its line."""
    office.lab.paths.log_key.write_bytes(new_key().raw())
    heads.sign_head(office.lab.paths)
    assert heads.verify(office.lab.paths)


def forge(office: Office, key: Any = None, **facts: Any) -> None:
    """A line that follows from the log, with or without a signature, by somebody who can write the file."""
    record = replay(log.entries(office.lab.paths))
    said = {
        "run": RUN, "move": "approve", "release": office.digest(), "on": "2026-07-01", "statements": "0" * 16,
        "follows": record.case(RUN).last, "lab": record.lab, **facts,
    }  # fmt: skip
    if key is not None:
        said["signature"] = key.sign(canonical_json(said))
    log.append(office.lab.paths, "clearance", said)


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = make_office(tmp_path_factory.mktemp("submitted") / "lab")
    actions.submit(office.lab, RUN, signer=office.signer("finn"), team=[])
    return office


FORGERIES: dict[str, tuple[str | None, dict[str, Any]]] = {
    "by its author, with the author's own key": ("finn", {"by": "finn"}),
    "without a signature": (None, {"by": "ben"}),
    "with another person's key": ("cara", {"by": "ben"}),
    "by nobody": (None, {"by": ""}),
    "of a move that there is not": ("ben", {"by": "ben", "move": "wave through"}),
    "of a move that the state does not allow": ("dan", {"by": "dan", "move": "publish"}),
    "for another lab": ("ben", {"by": "ben", "lab": "0" * 64}),
    "at another place": ("ben", {"by": "ben", "follows": "0" * 64}),
    "of other bytes": ("ben", {"by": "ben", "release": "0" * 64}),
    "without the statements": ("ben", {"by": "ben", "statements": ""}),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a04_an_approval_written_into_the_log_by_hand(submitted: Office, how: str, tmp_path: Path) -> None:
    office = submitted.copied(tmp_path / "lab")
    who, facts = FORGERIES[how]
    forge(office, office.keys[who] if who else None, **facts)
    heads.verify(office.lab.paths)  # the chain itself holds
    with pytest.raises(Refused, match="not allowed by the rules") as refused:
        actions.read_record(office.lab)
    assert refused.value.rule == "log"


def test_r28_a_submission_forged_upon_an_exception_that_nobody_allowed(tmp_path: Path) -> None:
    office = make_office(tmp_path / "lab")
    write_audit(office, {"rule": "R13", "cell": "table 1", "never": False})
    asked = actions.ask_exception(
        office.lab, RUN, signer=office.signer("amina"), rule="R13", cell="table 1", reason=REASON, risk="Low.",
        until="2026-12-31",
    ).exceptions[0]  # fmt: skip
    facts = {"move": "submit", "by": "amina", "team": [], "audit": "0" * 64, "exceptions": [asked.entry]}
    forge(office, office.keys["amina"], **facts)
    with pytest.raises(Refused, match="not allowed, or is for other bytes"):
        actions.read_record(office.lab)


def test_a04_an_old_approval_cannot_be_used_again(submitted: Office, tmp_path: Path) -> None:
    office = submitted.copied(tmp_path / "lab")
    actions.approve(office.lab, RUN, signer=office.signer("ben"), release=office.digest())
    approval = log.entries(office.lab.paths)[-1].facts
    actions.send_back(office.lab, RUN, signer=office.signer("cara"), reason=REASON)
    actions.submit(office.lab, RUN, signer=office.signer("finn"), team=[])
    log.append(office.lab.paths, "clearance", approval)
    with pytest.raises(Refused, match="from another state"):
        actions.read_record(office.lab)


def changed_staff(office: Office, old: str, new: str) -> Office:
    file = office.lab.paths.settings
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    return dataclasses.replace(office, lab=open_lab(file.parent))


def test_a04_people_are_in_force_only_once_an_owner_signed_them(office: Office) -> None:
    edited_staff = changed_staff(office, 'roles = ["analyst"]', 'roles = ["analyst", "owner"]')
    with pytest.raises(Refused, match="not those in force") as refused:
        actions.cleared(edited_staff.lab, RUN)
    assert refused.value.rule == "people"
    with pytest.raises(Refused, match="not those in force"):
        actions.withdraw(edited_staff.lab, RUN, signer=edited_staff.signer("amina"), reason=REASON)
    with pytest.raises(Refused, match="by an owner"):
        actions.put_in_force(edited_staff.lab, signer=edited_staff.signer("amina"))  # owner only by the edit
    with pytest.raises(Refused, match="not signed with the key of eve"):
        actions.put_in_force(edited_staff.lab, signer=Signer("eve", edited_staff.keys["amina"]))
    actions.put_in_force(edited_staff.lab, signer=edited_staff.signer("eve"))
    assert actions.cleared(edited_staff.lab, RUN).digest == office.digest()


def test_a04_no_owner_gives_somebody_elses_name_another_key_or_drops_a_person(office: Office) -> None:
    another = changed_staff(office, office.keys["ben"].public, new_key().public)
    with pytest.raises(Refused, match="The key of ben"):
        actions.put_in_force(another.lab, signer=another.signer("eve"))
    text = office.lab.paths.settings.read_text()
    office.lab.paths.settings.write_text(text[: text.index("[people.finn]")])
    with pytest.raises(Refused, match="missing from lab"):
        actions.put_in_force(open_lab(office.lab.paths.root), signer=office.signer("eve"))


def test_people_that_nobody_declared(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab")
    with pytest.raises(UsageError, match="declares nobody"):
        actions.put_in_force(lab, signer=Signer("eve", new_key()))


def test_two_people_with_one_key_and_replacements_in_a_circle_are_mistakes(tmp_path: Path) -> None:
    lab, key = make_lab(tmp_path / "lab"), new_key().public
    declare(lab, "ben", ("checker",), 4, key)
    declare(lab, "cara", ("checker",), 4, key)
    with pytest.raises(UsageError, match="the same key"):
        open_lab(lab.paths.root)
    lab = make_lab(tmp_path / "other")
    declare(lab, "ben", ("checker",), 4, key, replaces="cara")
    declare(lab, "cara", (), 4, new_key().public, replaces="ben")
    with pytest.raises(UsageError, match="replaces"):
        open_lab(lab.paths.root)


def test_a12_what_a_killed_process_half_wrote_is_passed_over_and_removed(office: Office) -> None:
    before = log.entries(office.lab.paths)
    with office.log.open("ab") as file:
        file.write(b'{"at":"2026-07-01T00:00:00+00:00","event":"clearance","facts":{"run":"0123')
    assert log.entries(office.lab.paths) == before
    assert office.case().state is State.CLEARED
    actions.withdraw(office.lab, RUN, signer=office.signer("amina"), reason=REASON)
    assert heads.verify(office.lab.paths)[:-1] == before


def test_a12_a_disk_that_fills_leaves_the_log_as_it_was(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before = office.log.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        log.append(office.lab.paths, "loaded", {})
    monkeypatch.undo()
    assert office.log.read_bytes() == before


def test_a_missing_log_is_said(office: Office) -> None:
    office.log.unlink()
    with pytest.raises(Fault, match="is missing"):
        log.entries(office.lab.paths)
    with pytest.raises(Refused, match="is missing"):
        heads.verify(office.lab.paths)
    with pytest.raises(Refused, match="is empty"):
        replay(())


def test_r27_many_approve_at_once_and_two_people_have(tmp_path: Path) -> None:
    office = bring(make_office(tmp_path / "lab"), State.SUBMITTED)
    digest = office.digest()

    def approve(person: str) -> bool:
        try:
            actions.approve(office.lab, RUN, signer=office.signer(person), release=digest)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(approve, ["ben", "cara"] * 4))
    assert sum(done) == 2
    assert office.case().state is State.CLEARED
    assert sorted(office.case().approvals) == ["ben", "cara"]
    assert heads.verify(office.lab.paths)


APPROVER = """
import sys
from pathlib import Path
from counterfoil.clearance import Signer, actions
from counterfoil.lab.make import open_lab
from counterfoil.lab.signing import key_from
lab, run, release, private = sys.argv[1:]
print("ready", flush=True)
actions.approve(open_lab(Path(lab)), run, signer=Signer("ben", key_from(bytes.fromhex(private))), release=release)
"""


@pytest.mark.slow
def test_a12_an_approval_that_is_killed_at_any_moment_is_there_or_is_not(tmp_path: Path) -> None:
    start = bring(make_office(tmp_path / "start"), State.SUBMITTED)
    for number, delay in enumerate((0.0, 0.005, 0.01, 0.02, 0.04, 0.08, 2.0)):
        office = start.copied(tmp_path / str(number))
        arguments = (str(office.lab.paths.root), RUN, office.digest(), office.keys["ben"].raw().hex())
        with subprocess.Popen([sys.executable, "-c", APPROVER, *arguments], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        assert office.case().state in (State.SUBMITTED, State.APPROVED_ONCE)
        if office.case().state is State.SUBMITTED:
            actions.approve(office.lab, RUN, signer=office.signer("ben"), release=office.digest())
        assert office.case().approvals == ("ben",)


def test_a13_a_key_file_opens_with_its_passphrase_alone() -> None:
    key = new_key()
    with pytest.raises(UsageError, match="too short"):
        close_key(key, "eleven char")
    closed = close_key(key, "a longer passphrase")
    assert key.raw() not in closed
    assert open_key(closed, "a longer passphrase") == key
    with pytest.raises(UsageError, match="does not open"):
        open_key(closed, "another passphrase")
    with pytest.raises(UsageError, match="no signing key"):
        key_from(b"short")


def test_a_signature_holds_for_its_message_and_key_alone() -> None:
    """RFC 8032, 7.1, test 2: secret key, public key, message and signature."""
    key = key_from(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    made = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    public = base64.b64encode(
        bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    ).decode()
    assert key.public == f"ed25519:{public}"
    assert base64.b64decode(key.sign(b"\x72")).hex() == made
    assert is_signed(key.public, key.sign(b"\x72"), b"\x72")
    assert not is_signed(key.public, key.sign(b"\x72"), b"\x73")
    assert not is_signed(new_key().public, key.sign(b"\x72"), b"\x72")
    assert not is_signed("ed25519:nonsense", "nonsense", b"\x72")
    assert repr(key.raw()) not in repr(key)

"""`clear` and `log` as people and scripts run them: through the real entry point, with key files and passphrases."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from counterfoil.clearance import actions
from counterfoil.lab.make import make_lab, open_lab
from lib.clearance import FILES, OTHER, REASON, RUN, TODAY, Office, add_run, make_office, write_audit
from lib.desk import Desk
from lib.small_lab import call_here

FINDING = {"rule": "R13", "cell": "table 1 row 2", "never": False}


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Desk:
    """People with key files made by the command, in force, and one finished run."""
    made = Desk(tmp_path, capfd)
    lab = make_lab(made.lab, today=TODAY)
    made.hire()
    add_run(lab, RUN)
    return made


@pytest.mark.slow
def test_a04_nothing_becomes_public_beside_a_broken_ledger(desk: Desk) -> None:
    ledger = open_lab(desk.lab).paths.ledger
    ledger.mkdir(parents=True)
    (ledger / "2026-01-01-001-aaaaaaaa.json").write_text("{}")
    refused = desk.publish("release", by="dan")
    assert (refused.code, len(refused.sentences), "ledger" in refused.err) == (3, 1, True)


def test_r27_two_people_clear_a_report_from_the_command_line(desk: Desk, tmp_path: Path) -> None:
    assert desk.clear("list", "--json").json()["reports"][0]["state"] == "drafted"
    assert "drafted" in desk.clear("list").out
    assert desk.clear("submit", RUN, "--team", "dan", "--yes", by="amina").code == 0
    own = desk.clear("approve", RUN, "--release", desk.digest(), "--yes", by="amina")
    assert (own.code, len(own.sentences)) == (3, 1)
    assert desk.clear("approve", RUN, "--release", desk.digest(), "--yes", by="ben").code == 0
    assert desk.clear("approve", RUN, "--release", desk.digest(), "--yes", by="ben").code == 3
    done = desk.clear("approve", RUN, "--release", desk.digest()[:12], "--yes", "--json", by="cara")
    assert (done.code, done.json()["state"], done.json()["approvals"]) == (0, "cleared", ["ben", "cara"])
    kind = ("--intervention", "employment", "--sector", "voluntary")
    assert desk.publish("plan", RUN, "--on", "2026-06-30", *kind, by="dan").code == 3
    assert desk.publish("plan", RUN, "--on", "2026-08-03", *kind, by="dan").code == 0
    assert desk.publish("plan", RUN, "--on", "2026-08-10", "--reason", "A holiday.", by="eve").code == 0
    shown = desk.clear("show", RUN)
    assert "2026-08-10" in shown.out
    assert "A holiday." in shown.out
    assert desk.clear("list", "--state", "cleared", "--json").json() == {"reports": []}
    assert actions.cleared(open_lab(desk.lab), RUN).files == FILES

    anchor = tmp_path / "elsewhere.json"
    assert desk.log("head", "--out", anchor).code == 0
    assert desk.log("head", "--json").json()["lines"] == len((desk.lab / "log").read_bytes().splitlines())
    verified = desk.log("verify", "--anchor", anchor, "--json")
    assert (verified.code, verified.json()["after_anchor"]) == (0, 0)
    assert "vouches" in desk.log("verify", "--anchor", anchor).out
    assert "would not show" in desk.log("verify").out
    by_ben = desk.log("show", "--by", "ben", "--run", RUN, "--event", "clearance", "--json").json()["lines"]
    assert [line["facts"]["move"] for line in by_ben] == ["view", "approve"]
    assert len(desk.log("show", "--last", "2").out.splitlines()) == 2
    assert desk.log("show", "--since", "2999-01-01").out == ""

    (desk.lab / "analyst" / "runs" / RUN / "report.html").write_bytes(b"<h1>16 in every 100</h1>")
    assert "approvals are void" in desk.clear("list").out
    assert "every approval is void" in desk.clear("show", RUN).out
    reset = desk.publish("plan", RUN, "--on", "2026-08-10", "--reason", "A holiday.", by="eve")
    assert (reset.code, "reset" in reset.err) == (3, True)
    assert desk.clear("show", RUN, "--json").json()["state"] == "drafted"

    log = desk.lab / "log"
    log.write_bytes(b"".join(line + b"\n" for line in log.read_bytes().splitlines()[:-3]))
    cut = desk.log("verify", "--anchor", anchor)
    assert (cut.code, "tail is cut" in cut.err) == (3, True)
    log.write_bytes(log.read_bytes().replace(b'"eve"', b'"amy"', 1))
    for command in (desk.log("verify"), desk.log("head"), desk.log("show"), desk.clear("list")):
        assert (command.code, len(command.sentences)) == (3, 1)


@pytest.mark.slow
def test_r28_an_exception_from_asking_to_the_yearly_table(desk: Desk, tmp_path: Path) -> None:
    office = Office(open_lab(desk.lab), {})
    assert "No exception" in desk.clear("exceptions").out
    write_audit(office, FINDING)
    asking = ("except", RUN, "--rule", "R13", "--cell", "table 1 row 2", "--reason", "A court has named the number.",
              "--risk", "None beyond that.", "--until", "2026-12-31")  # fmt: skip
    asked = desk.clear(*asking, "--json", by="amina").json()["exceptions"][0]
    assert asked["allowed_by"] is None
    assert desk.clear("submit", RUN, "--yes", by="amina").code == 3
    assert desk.clear("allow", RUN, asked["exception"], by="eve").code == 0
    assert desk.clear("submit", RUN, "--yes", by="amina").code == 0
    (row,) = desk.clear("exceptions", "--year", "2026", "--json").json()["exceptions"]
    assert (row["reason"], row["allowed_by"], row["in_use"]) == ("A court has named the number.", "eve", True)
    assert "A court has named" in desk.clear("exceptions").out
    assert desk.clear("exceptions", "--year", "2025", "--json").json() == {"exceptions": []}
    assert desk.clear("send-back", RUN, "--reason", REASON, by="ben").code == 0
    assert desk.clear("withdraw", RUN, "--reason", REASON, by="amina").code == 0
    assert "Exception" in desk.clear("show", RUN).out
    del tmp_path


@pytest.mark.slow
def test_a_person_reads_and_confirms_each_statement(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = desk.clear("submit", RUN, by="amina")
    assert (nobody.code, "Nobody is there" in nobody.err) == (2, True)
    answer(monkeypatch, "y\n" * 5)  # four statements, and that there was no audit
    said = desk.clear("submit", RUN, by="amina")
    assert (said.code, said.out.count("Confirm with y")) == (0, 5)
    answer(monkeypatch, "y\nn\n")
    stopped = desk.clear("approve", RUN, "--release", desk.digest(), by="ben")
    assert (stopped.code, stopped.out.count("Confirm with y")) == (2, 2)
    assert "Fewer reoffended." in stopped.out
    assert desk.clear("show", RUN, "--json").json()["approvals"] == []


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Somebody at a terminal who types `text`."""
    typed = io.StringIO(text)
    typed.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", typed)


def test_keys_and_passphrases_that_will_not_do(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, capfd)
    make_office(desk.lab)
    assert desk.clear("key", desk.lab / "ben.key").code == 2
    assert desk.clear("key", desk.passphrase).code == 2
    assert desk.clear("key", desk.key("ben")).code == 2  # nobody types a passphrase
    assert desk.clear("key", desk.key("ben"), "--passphrase-file", tmp_path / "absent").code == 2
    assert desk.clear("submit", RUN, "--yes", by="amina").code == 2  # no such key file
    desk.key("amina").write_bytes(b"not a key")
    wrong = desk.clear("submit", RUN, "--yes", by="amina")
    assert (wrong.code, "does not open" in wrong.err) == (2, True)
    answer(monkeypatch, "")
    typed = iter(["a long passphrase", "another passphrase"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    differ = desk.clear("key", desk.key("cara"))
    assert (differ.code, "differ" in differ.err, desk.key("cara").exists()) == (2, True, False)


def test_a_lab_without_runs_and_a_report_whose_files_are_gone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path, capfd)
    office = make_office(desk.lab)
    actions.submit(office.lab, RUN, signer=office.signer("amina"), team=[])
    (office.lab.paths.run(RUN) / "result.json").unlink()
    (shown,) = desk.clear("list", "--json").json()["reports"]
    assert (shown["release"], shown["changed"], shown["files"]) == (None, True, {})
    assert desk.clear("show", RUN).code == 2
    assert desk.clear("show", OTHER).code == 2
    assert json.loads((office.lab.paths.root / "log").read_bytes().splitlines()[-1])["event"] == "clearance"
    call_here(capfd, "new", tmp_path / "empty")
    assert "No report" in call_here(capfd, "clear", tmp_path / "empty", "list").out

"""A lab with people and a finished run, for tests of clearance. Keys are open: no test waits for a passphrase."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from counterfoil.clearance import Signer, actions
from counterfoil.clearance.moves import State
from counterfoil.clearance.record import Case
from counterfoil.lab.make import OpenLab, make_lab, open_lab
from counterfoil.lab.signing import SigningKey, new_key

TODAY = dt.date(2026, 7, 1)
RUN = "0123456789ab"
OTHER = "ba9876543210"
FILES: Mapping[str, bytes] = {
    "report.html": b"<h1>17 in every 100</h1>",
    "report.json": b'{"headline": "Fewer reoffended.", "caveats": ["Balance is amber."]}',
    "tables/measures.csv": b"measure,value\nrate,17\n",
}
# short name: roles, grade
STAFF: Mapping[str, tuple[tuple[str, ...], int]] = {
    "amina": (("analyst",), 3),
    "ben": (("checker",), 4),
    "cara": (("checker",), 4),
    "dan": (("publisher",), 4),
    "eve": (("owner",), 6),
    "finn": (("analyst", "checker"), 3),
}
REASON = "The wording of the headline goes too far."


@dataclass(frozen=True, slots=True)
class Office:
    """A lab and everybody's open key."""

    lab: OpenLab
    keys: Mapping[str, SigningKey]

    def signer(self, person: str) -> Signer:
        return Signer(person, self.keys[person])

    def case(self, run: str = RUN) -> Case:
        return actions.read_record(self.lab).case(run)

    def digest(self, run: str = RUN) -> str:
        return digest_of(self.lab.paths.run(run), run)

    @property
    def log(self) -> Path:
        return self.lab.paths.root / "log"

    def copied(self, folder: Path) -> Office:
        shutil.copytree(self.lab.paths.root, folder)
        return replace(self, lab=open_lab(folder))

    def on(self, day: dt.date) -> Office:
        """The same lab on another day."""
        file = self.lab.paths.settings
        file.write_text(file.read_text().replace(f"today = {self.lab.settings.today}", f"today = {day}"))
        return replace(self, lab=open_lab(self.lab.paths.root))


def digest_of(folder: Path, run: str) -> str:
    """The hash of a release as docs/how-to/clear-a-report.md says it, from the files on disk."""
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() if (folder / name).is_file() else "absent"
        for name in FILES
    }
    text = json.dumps({"files": hashes, "run": run}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def make_office(folder: Path, staff: Mapping[str, tuple[tuple[str, ...], int]] = STAFF) -> Office:
    """A new lab with these people in force and one finished run."""
    made = put_in_force(make_lab(folder, today=TODAY), staff)
    add_run(made.lab, RUN)
    return made


def put_in_force(lab: OpenLab, staff: Mapping[str, tuple[tuple[str, ...], int]] = STAFF) -> Office:
    """These people in force in a lab that has nobody yet."""
    keys = {person: new_key() for person in staff}
    for person, (roles, grade) in staff.items():
        declare(lab, person, roles, grade, keys[person].public)
    made = Office(open_lab(lab.paths.root), keys)
    actions.put_in_force(made.lab, signer=made.signer("eve"))
    return made


def declare(lab: OpenLab, person: str, roles: tuple[str, ...], grade: int, key: str, *, replaces: str = "") -> None:
    """A person's table at the end of lab.toml."""
    with lab.paths.settings.open("a") as file:
        file.write(f'\n[people.{person}]\nname = "A person"\nroles = {json.dumps(list(roles))}\ngrade = {grade}\n')
        file.write(f'key = "{key}"\n' + (f'replaces = "{replaces}"\n' if replaces else ""))


def add_run(lab: OpenLab, run: str) -> None:
    """What `evaluate` leaves: the report's files, and result.json that names them with their hashes."""
    folder = lab.paths.run(run)
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
    (folder / "result.json").write_text(json.dumps({"result": {"run": run}, "files": hashes}))


def write_audit(office: Office, *findings: Mapping[str, object], run: str = RUN) -> None:
    """An intruder audit of the report as it is."""
    said = {"release": office.digest(run), "passed": not findings, "findings": list(findings)}
    (office.lab.paths.run(run) / "audit.json").write_text(json.dumps(said))


def bring(office: Office, state: State, run: str = RUN) -> Office:
    """Take a report from drafted to `state`, by the people whose business it is."""
    lab, sign = office.lab, office.signer
    if state is State.DRAFTED:
        return office
    if state is State.WITHDRAWN:
        actions.withdraw(lab, run, signer=sign("amina"), reason=REASON)
        return office
    actions.submit(lab, run, signer=sign("amina"), team=[])
    if state is State.SENT_BACK:
        actions.send_back(lab, run, signer=sign("ben"), reason=REASON)
    if state in (State.SUBMITTED, State.SENT_BACK):
        return office
    actions.approve(lab, run, signer=sign("ben"), release=office.digest(run))
    if state is State.APPROVED_ONCE:
        return office
    actions.approve(lab, run, signer=sign("cara"), release=office.digest(run))
    if state is State.CLEARED:
        return office
    actions.schedule(lab, run, signer=sign("dan"), date=TODAY.isoformat())
    if state is State.SCHEDULED:
        return office
    actions.mark_published(lab, run, signer=sign("dan"))
    if state is State.CORRECTED:
        add_run(lab, OTHER)
        bring(office, State.PUBLISHED, OTHER)
        actions.mark_corrected(lab, run, signer=sign("dan"), replaced_by=OTHER, reason=REASON)
    return office

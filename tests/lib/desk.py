"""A desk from which tests clear and publish as people do: by the command, with key files and passphrases."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.lab.make import open_lab
from lib.clearance import RUN, declare
from lib.small_lab import Said, call_here

PASSPHRASE = "correct horse battery"
STAFF = (
    ("amina", "analyst", 3),
    ("ben", "checker", 4),
    ("cara", "checker", 4),
    ("dan", "publisher", 4),
    ("eve", "owner", 6),
)


class Desk:
    """A lab, key files of its people and the command."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capfd = folder, capfd
        self.lab = folder / "lab"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")

    def clear(self, *arguments: object, by: str = "") -> Said:
        return self._call("clear", *arguments, by=by)

    def publish(self, *arguments: object, by: str = "") -> Said:
        return self._call("publish", *arguments, by=by)

    def _call(self, verb: str, *arguments: object, by: str) -> Said:
        key = ("--as", by, "--key", self.key(by), "--passphrase-file", self.passphrase) if by else ()
        return call_here(self._capfd, verb, self.lab, *arguments, *key)

    def log(self, *arguments: object) -> Said:
        return call_here(self._capfd, "log", self.lab, *arguments)

    def key(self, person: str) -> Path:
        return self._folder / f"{person}.key"

    def digest(self, run: str = RUN) -> str:
        return str(self.clear("show", run, "--json").json()["release"])

    def hire(self) -> None:
        """People with key files made by the command, in force."""
        for person, role, grade in STAFF:
            said = self.clear("key", self.key(person), "--passphrase-file", self.passphrase, "--json")
            assert said.code == 0
            declare(open_lab(self.lab), person, (role,), grade, said.json()["key"])
        assert self.clear("people", by="eve").code == 0

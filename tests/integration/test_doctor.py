"""`doctor`: a lab that is well, and each thing that can be wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil.lab.paths import LabPaths
from lib.labs import MadeLab
from lib.small_lab import Said, call_here, copy_of

pytestmark = pytest.mark.slow  # they share a lab of 12,000 people
DONE, FINDINGS = 0, 1


@pytest.fixture
def paths(small_lab: MadeLab, tmp_path: Path) -> LabPaths:
    """A copy of the lab, to damage."""
    return copy_of(small_lab, tmp_path / "lab").lab.paths


def to_mend(said: Said) -> list[str]:
    """What doctor says to mend, without the advice."""
    assert said.code == FINDINGS
    return [line[6:].partition(":")[0] for line in said.out.splitlines() if line.startswith("MEND")]


def other_delivery(paths: LabPaths) -> None:
    """The names of one delivery beside the facts of another: a load that was killed between its two sides."""
    receipt = paths.latest_extracts(paths.linker)["pnc"] / "receipt.json"
    receipt.write_text(json.dumps(json.loads(receipt.read_bytes()) | {"key": "0123456789abcdef"}))


def one_side_alone(paths: LabPaths) -> None:
    """The newest delivery on the linker's side alone."""
    newest = paths.latest_extracts(paths.linker)["pnc"]
    later = newest.with_name("2022-04-01")
    later.mkdir()
    receipt = json.loads((newest / "receipt.json").read_bytes())
    (later / "receipt.json").write_text(json.dumps(receipt | {"key": "0123456789abcdef", "delivery": "2022-04-01"}))


def cut_receipt(paths: LabPaths) -> None:
    (paths.latest_extracts(paths.analyst)["prison"] / "receipt.json").write_text("{")


def leave_parts(paths: LabPaths) -> None:
    """What killed processes leave: a folder and a file under temporary names."""
    (paths.analyst / "register" / ".2022-03-01-002-aa.1a2b3c4d.part").mkdir()
    (paths.analyst / "register" / ".2022-03-01-002-aa.1a2b3c4d.part" / "index_events.parquet").write_bytes(b"half")
    (paths.linker / ".key.age.5e6f7a8b.part").write_bytes(b"half")


def open_to_others(paths: LabPaths) -> None:
    paths.linker.chmod(0o755)


def change_log(paths: LabPaths) -> None:
    log = paths.root / "log"
    log.write_bytes(log.read_bytes().replace(b"lab made", b"lab MADE"))


def change_key(paths: LabPaths) -> None:
    (paths.analyst / "key.age").write_bytes((paths.linker / "key.age").read_bytes())


WRONG: dict[str, tuple[Callable[[LabPaths], None], list[str]]] = {
    "sides of other deliveries": (other_delivery, ["both sides of pnc"]),
    "one side behind": (one_side_alone, ["both sides of pnc"]),
    "a receipt cut short": (cut_receipt, ["both sides of prison"]),
    "leftovers": (leave_parts, ["no leftovers"]),
    "open to others": (open_to_others, ["linker folder is private"]),
    "a changed log": (change_log, ["log"]),
    "a wrong key": (change_key, ["analyst key"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_and_nothing_else(what: str, paths: LabPaths, capfd: pytest.CaptureFixture[str]) -> None:
    damage, expected = WRONG[what]
    damage(paths)
    assert to_mend(call_here(capfd, "doctor", paths.root)) == expected


def test_a_lab_that_is_well(paths: LabPaths, capfd: pytest.CaptureFixture[str]) -> None:
    said = call_here(capfd, "doctor", paths.root, "--json")
    assert said.code == DONE
    findings = said.json()["findings"]
    assert all(finding["well"] and not finding["advice"] for finding in findings)
    assert {"settings", "linker key", "analyst key", "log", "spine", "register", "both sides of probation"} <= {
        finding["what"] for finding in findings
    }


def test_leftovers_are_harmless(paths: LabPaths, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing takes a temporary name for a version, and the advice removes it."""
    newest = (paths.latest_spine(), paths.latest_register(), paths.latest_extracts(paths.analyst))
    leave_parts(paths)
    (paths.linker / "spine" / ".2099-01-01-001-aa.1a2b3c4d.part").mkdir()
    assert (paths.latest_spine(), paths.latest_register(), paths.latest_extracts(paths.analyst)) == newest
    said = call_here(capfd, "doctor", paths.root)
    assert said.out.count("rm -r") == 3
    assert call_here(capfd, "register", paths.root).code == DONE


def test_a_damaged_encoded_table_is_named(paths: LabPaths, capfd: pytest.CaptureFixture[str]) -> None:
    """By its digest: the byte that is changed has the size it had."""
    spine = paths.latest_spine()
    assert spine is not None
    file = spine / "encoded" / "text.bin"
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    file.write_bytes(bytes(data))
    assert to_mend(call_here(capfd, "doctor", paths.root)) == ["encoded table of the spine"]

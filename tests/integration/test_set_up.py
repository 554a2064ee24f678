"""Set-up on machines that lack something: one sentence that says what to do; and it is redone, skipped, topped up.

The interpreters are stand-ins (a shell script that answers as a Python would), so that nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "cat", "chmod", "cksum", "cp", "dirname", "mkdir", "rm", "touch")  # what any POSIX machine has

STAND_IN = """\
#!/bin/sh
case "$*" in
*sys.version_info\\ \\<*) exit {too_old} ;;
*sys.version_info\\[:2\\]*) echo {version} ;;
"-c import venv, ensurepip") exit {no_venv} ;;
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
"-m pip --version") ;;
"-m counterfoil.cli.compiling") ;;
"-m pip install"*)
    echo "$*" >>pip.log
    touch .venv/bin/counterfoil
    chmod +x .venv/bin/counterfoil
    exit {no_network} ;;
*) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A copy of what set-up reads, and a PATH that holds nothing else than what a test puts there."""

    folder: Path

    @property
    def tools(self) -> Path:
        return self.folder / "tools"

    @property
    def installed(self) -> list[str]:
        log = self.folder / "pip.log"
        return log.read_text().splitlines() if log.is_file() else []

    def add_python(self, name: str, version: str, *, no_venv: bool = False, no_network: bool = False) -> Path:
        too_old = tuple(int(part) for part in version.split(".")) < (3, 11)
        path = self.tools / name
        path.write_text(
            STAND_IN.format(version=version, too_old=int(too_old), no_venv=int(no_venv), no_network=int(no_network))
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def set_up(self, level: str = "run", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.tools / "sh", "scripts/set_up.sh", level],
            cwd=self.folder,
            env={"PATH": str(self.tools), "HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("requirements", "scripts", "tools"):
        (tmp_path / name).mkdir()
    for name in ("scripts/set_up.sh", "pyproject.toml", "requirements/run.txt", "requirements/dev.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for tool in TOOLS:
        found = shutil.which(tool)
        if found is None:
            pytest.skip(f"needs {tool}")
        (tmp_path / "tools" / tool).symlink_to(found)
    return Machine(tmp_path)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


def test_no_python(machine: Machine) -> None:
    assert one_sentence(machine.set_up()) == (
        "Counterfoil needs Python 3.11 or later (found: none); install one, "
        "or run make again with PYTHON=/path/to/python3.11."
    )


def test_python_too_old(machine: Machine) -> None:
    machine.add_python("python3", "3.9")
    assert "needs Python 3.11 or later (found: 3.9)" in one_sentence(machine.set_up())


def test_chosen_python_too_old(machine: Machine) -> None:
    machine.add_python("python3.12", "3.12")
    chosen = machine.add_python("old", "3.10")
    sentence = one_sentence(machine.set_up(PYTHON=str(chosen)))
    assert sentence.startswith(f"PYTHON is '{chosen}' (3.10); Counterfoil needs Python 3.11 or later")


def test_no_venv_module(machine: Machine) -> None:
    machine.add_python("python3", "3.11", no_venv=True)
    assert "apt install python3.11-venv" in one_sentence(machine.set_up())
    assert not (machine.folder / ".venv").exists()


def test_no_network(machine: Machine) -> None:
    machine.add_python("python3", "3.11", no_network=True)
    done = machine.set_up()
    assert done.returncode == 1
    assert "needs the network this once" in done.stderr


def test_newest_python_is_taken_and_everything_is_pinned(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    machine.add_python("python3.13", "3.13")
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    assert "with Python 3.13" in done.stderr
    requirements, package = machine.installed
    assert "--no-deps --require-hashes --only-binary :all: -r requirements/run.txt" in requirements
    assert "--no-deps --no-build-isolation --no-index --editable ." in package


def test_a_second_set_up_does_nothing_until_requirements_change(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    machine.set_up("dev")
    once = machine.installed
    for level in ("dev", "run"):  # what tests need holds what the product needs
        assert machine.set_up(level).returncode == 0
    assert machine.installed == once
    with (machine.folder / "requirements" / "run.txt").open("a") as pins:
        pins.write("# changed\n")
    assert machine.set_up("dev").returncode == 0
    assert len(machine.installed) == 2 * len(once)


def test_the_product_alone_is_topped_up_for_the_tests(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    machine.set_up("run")
    (machine.folder / ".venv" / "kept").touch()
    assert machine.set_up("dev").returncode == 0
    assert "-r requirements/dev.txt" in machine.installed[-2]
    assert (machine.folder / ".venv" / "kept").exists()


def test_an_interrupted_set_up_is_made_anew(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    machine.set_up("run")
    environment = machine.folder / ".venv"
    ended = subprocess.Popen([machine.tools / "sh", "-c", "exit"])
    ended.wait()
    (environment / "counterfoil-busy").write_text(f"{ended.pid}\n")
    (environment / "counterfoil-ready").unlink()
    (environment / "half-written").touch()
    done = machine.set_up("run")
    assert done.returncode == 0
    assert "cut short" in done.stderr
    assert not (environment / "half-written").exists()
    assert not (environment / "counterfoil-busy").exists()


def test_two_set_ups_at_once_do_not_spoil_each_other(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    (machine.folder / ".venv").mkdir()
    (machine.folder / ".venv" / "counterfoil-busy").write_text(f"{os.getpid()}\n")
    assert "Another set-up is at work here" in one_sentence(machine.set_up())

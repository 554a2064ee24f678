"""The tutorial's commands, run in order in an empty folder, as a newcomer would.

Some have a process of their own, through a shell. The others are run by the same function inside this process: starting
Python a dozen times would take longer than most of what they do.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from counterfoil import cli

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-evaluation.md"
EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
IN_A_SHELL = frozenset({"counterfoil population", "counterfoil check", "counterfoil doctor"})


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the tutorial and the exit code it should end with."""

    line: str
    code: int

    @property
    def is_for_a_shell(self) -> bool:
        """Whether it is run as a newcomer's shell would."""
        words = self.line.split()
        return words[0] != "counterfoil" or " ".join(words[:2]) in IN_A_SHELL or "*" in self.line


def commands(text: str) -> list[Command]:
    """Each line in a fenced `sh` block; a line that ends in \\ goes on."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    found = []
    for line in filter(None, lines):
        code = EXIT_CODE.search(line)
        found.append(Command(EXIT_CODE.sub("", line), int(code.group(1)) if code else 0))
    return found


def run_in_a_shell(line: str, folder: Path) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_every_command_of_the_tutorial_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in commands(TUTORIAL.read_text("utf-8")):
        if command.is_for_a_shell:
            code, said = run_in_a_shell(command.line, tmp_path)
        else:
            monkeypatch.setattr(sys, "argv", shlex.split(command.line))
            code, said = cli.run(), "".join(capfd.readouterr())
        assert code == command.code, f"{command.line}\n{said}"
        assert "Traceback" not in said
    shutil.rmtree(tmp_path)

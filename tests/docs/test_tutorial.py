"""The tutorial's commands, run in order in an empty folder, as a newcomer would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-evaluation.md"
EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")


def commands(text: str) -> list[tuple[str, int]]:
    """(command, exit code it should end with) of each line in a fenced `sh` block; a line that ends in \\ goes on."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    found = []
    for line in filter(None, lines):
        code = EXIT_CODE.search(line)
        found.append((EXIT_CODE.sub("", line), int(code.group(1)) if code else 0))
    return found


@pytest.mark.slow
def test_every_command_of_the_tutorial_works(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    said = ""
    for command, code in commands(TUTORIAL.read_text("utf-8")):
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        said += done.stdout
    assert "Traceback" not in said
    shutil.rmtree(tmp_path)

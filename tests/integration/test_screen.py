"""What is printed while a command works, and what is its result."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

NOISY = """
import ctypes
from counterfoil.cli.screen import progress, say_json
with progress() as show:
    show("Working")
    ctypes.CDLL(None).puts(b"a line from a library in C")
say_json({"n": 1})
"""


def test_what_a_library_prints_is_no_part_of_a_result() -> None:
    """HiGHS prints from C, now and then, whatever it is told. Standard output is for the result alone."""
    done = subprocess.run([sys.executable, "-c", NOISY], check=True, capture_output=True, text=True)
    assert done.stdout == '{\n "n": 1\n}\n'
    assert done.stderr == "  Working\na line from a library in C\n"


POWER = ("power", "--people", "500", "--rate", "0.4", "--json")
DONE, NOT_TAKEN, FAULT = 0, 3, 4


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_command_works_where_a_standard_stream_is_closed(closed: str, tmp_path: Path) -> None:
    """As under some schedulers. A file that the command opens must not come to stand where the stream was."""
    page = tmp_path / "page.svg"
    command = shlex.join([sys.executable, "-m", "counterfoil", *POWER, "--out", str(page)])
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert page.read_text("utf-8").startswith("<svg")
    assert page.read_text("utf-8").endswith("</svg>")
    assert bool(done.stdout) is (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&- <&-"])
def test_a_command_that_shows_progress_works_where_a_standard_stream_is_closed(closed: str, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("a,b\n1,2\n")
    command = shlex.join([sys.executable, "-m", "counterfoil", "check", str(listed)])
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], check=False, capture_output=True, text=True)
    assert done.returncode == NOT_TAKEN
    assert "fault of its own" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_result_that_nobody_reads_is_not_complained_of_and_one_that_finds_no_room_is(unbuffered: str) -> None:
    """Whether Python writes line by line, or all at the end."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}

    def ask(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True, env=environment)

    command = shlex.join([sys.executable, "-m", "counterfoil", *POWER])
    unread = ask(f"{command} | true")
    assert unread.stderr == ""
    full = ask(f"{command} > /dev/full")
    assert full.returncode == FAULT
    assert full.stderr.startswith("counterfoil: The machine would not read or write a file: No space left")

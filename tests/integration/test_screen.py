"""What is printed while a command works, and what is its result."""

from __future__ import annotations

import subprocess
import sys

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

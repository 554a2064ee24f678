"""A process of ours ends with its own code, whatever native libraries would do at its end."""

from __future__ import annotations

import subprocess
import sys

import pytest

ABORTS = """
import ctypes, sys
library = ctypes.CDLL(None)
library.__cxa_atexit(library.abort, None, None)  # what a library's teardown comes to
"""
OUR_END = """
import atexit, concurrent.futures, threading, time
from counterfoil.ending import end
pool = concurrent.futures.ThreadPoolExecutor(2)  # nobody shuts it: Python itself ends its threads
pool.submit(len, "")
atexit.register(lambda: sys.stdout.write(" registered"))
threading.Thread(target=lambda: (time.sleep(0.2), sys.stdout.write("a thread"))).start()
end(3)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="registers a function with Linux's C library")


def ended(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)


def test_the_teardown_of_a_library_can_abort_a_process_that_is_done() -> None:
    assert ended(ABORTS).returncode == -6


def test_our_end_waits_for_threads_and_what_is_registered_and_keeps_its_code() -> None:
    done = ended(ABORTS + OUR_END)
    assert (done.returncode, done.stdout, done.stderr) == (3, "a thread registered", "")

"""How a process of ours ends."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def end(code: int) -> NoReturn:
    """End this process with `code`, when what was registered for its end is done and what it said is written.

    Native libraries are not torn down: threads of Arrow may still be there after a Parquet file was read, and then
    tearing down aborts a process that has done all it had to do (apache/arrow issue 34314; 1 in 12 short ones here).
    """
    threading._shutdown()  # type: ignore[attr-defined]  # what Python calls: pools are told to end, then all is waited for
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads it any more, or the disk is full, of which the command has complained
            stream.flush()
    os._exit(code)

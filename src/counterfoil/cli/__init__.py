"""The command line. Results go to standard output, progress and errors to standard error; never a name or a row."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from counterfoil.ending import end

INTERRUPTED = 130
STOPPED = "Stopped. Nothing half-done was kept; run the same command to go on."


def main() -> NoReturn:
    """The command `counterfoil`: run the command line and end the process with its code."""
    open_standard_streams()
    end(run())


def open_standard_streams() -> None:
    """Give this process the standard streams that whoever started it had closed; what is written there goes nowhere.

    Else the next file that is opened would be under their number, and what is printed would be written into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def run() -> int:
    """Run the command line and give its exit code.

    What it stands on is read here and not above, so that Ctrl-C is heard from the start.
    """
    try:
        from counterfoil.cli import commands

        return commands.run()
    except KeyboardInterrupt:
        sys.stderr.write(f"counterfoil: {STOPPED}\n")
        return INTERRUPTED


__all__ = ["INTERRUPTED", "STOPPED", "main", "run"]

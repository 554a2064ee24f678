"""The command line. Results go to standard output, progress and errors to standard error; never a name or a row."""

from __future__ import annotations

import sys
from typing import NoReturn

from counterfoil.ending import end

INTERRUPTED = 130
STOPPED = "Stopped. Nothing half-done was kept; run the same command to go on."


def main() -> NoReturn:
    """The command `counterfoil`: run the command line and end the process with its code."""
    end(run())


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

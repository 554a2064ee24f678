"""The command line. Results go to standard output, progress and errors to standard error; never a name or a row."""

from counterfoil.cli.main import main

__all__ = ["main"]

"""What can go wrong, as types: one base class, one exit code a cause.

A message says what was found, what was expected and what to do. It never holds a name, a row or a small count: logs
and screens are less protected than results.
"""

from __future__ import annotations

from collections.abc import Sequence


class CounterfoilError(Exception):
    """Base of every error that a person is shown. `problems` holds each sentence, so that all are shown at once."""

    exit_code = 4
    kind = "fault"

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems or ("Something went wrong and gave no reason.",)
        super().__init__("\n".join(self.problems))

    @classmethod
    def of(cls, problems: Sequence[str]) -> CounterfoilError:
        """The error that lists all `problems`."""
        return cls(*problems)


class UsageError(CounterfoilError):
    """What was asked for cannot be done: a FILE that is absent, a folder that is no lab, mistakes in a plan."""

    exit_code = 2
    kind = "usage"


class FileNotTaken(CounterfoilError):
    """A file that was found and cannot be taken: wrong type, encrypted, a missing column, a zip bomb."""

    exit_code = 3
    kind = "file not taken"


class Refused(CounterfoilError):
    """A rule said no. `rule` is its number ("R1") or name; the reason never gives the number behind it (R25).

    `about`: runs that a person must decide about first, for inside the lab.
    """

    exit_code = 3
    kind = "refused"

    def __init__(self, reason: str, *, rule: str, about: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rule = rule
        self.about = about


class Fault(CounterfoilError):
    """The lab itself is broken: a file that changed under us, a full disk, a child process that died."""

    exit_code = 4
    kind = "fault"

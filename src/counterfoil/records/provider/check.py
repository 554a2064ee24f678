"""What a provider can run before sending: needs no lab, stores nothing, and depends on nothing but the file (R12)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.lab.progress import Progress, silent
from counterfoil.records.provider.findings import Finding, render
from counterfoil.records.provider.rules import Level
from counterfoil.records.provider.submission import Submission, count_outcomes, read_submission

_NUMBERS = ("pnc_id", "prison_number")
# Shares are said in bands: exact ones help nobody, and a band is the same for files that differ in one person.
_BANDS = ((0.0, "none"), (0.25, "up to a quarter"), (0.5, "a quarter to a half"), (0.75, "a half to three quarters"),
          (0.999, "over three quarters"), (1.0, "all"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer to one file: what it holds, and everything to mend or to look at."""

    summary: tuple[str, ...]
    findings: tuple[Finding, ...]
    counts: dict[str, int]  # rows kept, mended, excluded by reason
    n_people: int

    @property
    def has_must_fix(self) -> bool:
        """Whether the file should not be sent as it is (exit code 1)."""
        return any(found.level is Level.MUST_FIX for found in self.findings)

    def lines(self) -> list[str]:
        """The answer as text: findings by level and column, rows by number, never a value."""
        return [*self.summary, *(["", *render(self.findings).splitlines()] if self.findings else [])]

    def to_json(self) -> dict[str, Any]:
        """Everything, with every row number."""
        return {
            "must_fix": self.has_must_fix,
            "summary": list(self.summary),
            "people": self.n_people,
            "rows": self.counts,
            "findings": [found.to_json() for found in self.findings],
        }


def check_file(path: Path, today: dt.date, *, progress: Progress = silent) -> CheckResult:
    """Read a provider's file and say what is wrong with it; UsageError and FileNotTaken as `read_submission`."""
    submission = read_submission(path, today, progress=progress)
    counts = count_outcomes(submission)
    return CheckResult(_summary(submission, counts), submission.findings, counts, submission.n_people)


def _summary(submission: Submission, counts: dict[str, int]) -> tuple[str, ...]:
    excluded = sum(count for key, count in counts.items() if key.startswith("excluded"))
    lines = [
        f"{submission.accounts.num_rows} rows below the headings: {counts.get('kept', 0)} kept as they are, "
        f"{counts.get('mended', 0)} kept with something changed or left out, {excluded} left out.",
        f"They are {submission.n_people} people, as far as the file can tell." if submission.n_people else "",
        _numbers(submission),
        "Must-fix findings are there: mend them before you send the file." if submission.must_fix
        else "Nothing must be fixed.",
    ]  # fmt: skip
    return tuple(line for line in lines if line)


def _numbers(submission: Submission) -> str:
    """How many rows carry a number by which a person is surely found, in a band, and what would help."""
    entries = submission.entries
    if not entries.num_rows:
        return ""
    columns = [entries[name].to_pylist() for name in _NUMBERS]
    share = sum(any(values) for values in zip(*columns, strict=True)) / entries.num_rows
    band = next(words for limit, words in _BANDS if share <= limit)
    advice = "" if share == 1.0 else " Add the number where you have it: it is the best help to find the right person."
    return f"Rows with a PNC or prison number that can be used: {band}.{advice}"

"""How requests ended, year by year: what a service publishes of itself, so that no unwelcome answer disappears.

Counted from the lab's log, which cannot be changed unseen, and from the results in the runs' folders. These are counts
of requests, not of people. Beside so few requests a count can tell what a report not yet published says, so it is for
inside the lab until they are all out (R12).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from counterfoil.disclosure import Verdict
from counterfoil.lab import log
from counterfoil.lab.log import EVALUATED, REQUESTED, WITHDRAWN
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import RESULT
from counterfoil.study.requests import reports_withdrawn


class Ending(Enum):
    """How a request ended: the verdict of its headline measure, or why there is none."""

    FEWER = Verdict.FEWER.value
    MORE = Verdict.MORE.value
    NOT_ENOUGH_EVIDENCE = Verdict.NOT_ENOUGH_EVIDENCE.value
    HIDDEN = Verdict.HIDDEN.value
    REFUSED = Verdict.REFUSED.value
    NOT_SUITABLE = Verdict.NOT_SUITABLE.value
    WITHDRAWN = "withdrawn"
    NOT_FINISHED = "not_finished"  # its list was taken, and nothing has come of it yet


@dataclass(frozen=True, slots=True)
class Request:
    """One request: a list with a plan."""

    key: str
    year: int  # of the lab's date when its list was taken
    organisation: str  # a hash
    runs: tuple[str, ...]  # oldest first; a newer version or spine makes another run of the same request
    withdrawn: bool

    def ending(self, results: Mapping[str, str]) -> Ending:
        """`results`: verdict by run. The last run that has one speaks; withdrawing does not hide that it was asked."""
        if self.withdrawn:
            return Ending.WITHDRAWN
        found = [results[run] for run in self.runs if run in results]
        return Ending(found[-1]) if found else Ending.NOT_FINISHED


@dataclass(frozen=True, slots=True)
class YearCount:
    """The requests of one year."""

    year: int
    requests: int
    organisations: int
    endings: Mapping[Ending, int]

    def to_json(self) -> dict[str, Any]:
        """As `requests --json` prints it; every ending has a number."""
        endings = {ending.value: self.endings.get(ending, 0) for ending in Ending}
        return {"year": self.year, "requests": self.requests, "organisations": self.organisations, "endings": endings}


def requests_in(events: Iterable[Mapping[str, Any]]) -> list[Request]:
    """Every request that the log's events tell of, oldest first. One whose last report was withdrawn is withdrawn."""
    events = list(events)
    gone = reports_withdrawn(events)
    asked: dict[str, Mapping[str, Any]] = {}
    runs: dict[str, list[str]] = {}
    withdrawn: set[str] = set()
    for event in events:
        facts = event["facts"]
        if event["event"] == REQUESTED:
            asked.setdefault(facts["request"], facts)
            runs.setdefault(facts["request"], []).append(facts["run"])
        elif event["event"] == EVALUATED and facts.get("request") in runs:
            runs[facts["request"]].append(facts["run"])
        elif event["event"] == WITHDRAWN:
            withdrawn.add(facts["request"])
    own = {key: tuple(dict.fromkeys(found)) for key, found in runs.items()}
    return [
        Request(key, int(facts["on"][:4]), facts["organisation"], own[key], key in withdrawn or own[key][-1] in gone)
        for key, facts in asked.items()
    ]


def count_endings(requests: Iterable[Request], results: Mapping[str, str]) -> list[YearCount]:
    """The table, a row a year that has any."""
    years: dict[int, list[Request]] = {}
    for request in requests:
        years.setdefault(request.year, []).append(request)
    return [
        YearCount(
            year,
            len(found),
            len({each.organisation for each in found}),
            Counter(each.ending(results) for each in found),
        )
        for year, found in sorted(years.items())
    ]


def lab_counts(lab: OpenLab) -> list[YearCount]:
    """The table of a lab. Fault where the log was changed."""
    requests = requests_in(log.read(lab.paths))
    verdicts = {run: verdict_of(lab.paths.run(run)) for request in requests for run in request.runs}
    return count_endings(requests, {run: verdict for run, verdict in verdicts.items() if verdict})


def verdict_of(folder: Path) -> str | None:
    """The verdict of a finished run, a refusal's too; None where the run is not finished."""
    try:
        return str(json.loads((folder / RESULT).read_bytes())["result"]["verdict"])
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return None

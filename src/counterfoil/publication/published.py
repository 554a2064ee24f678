"""Everything that is public, read back from the log and from the approved bytes under `public/published`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from counterfoil.clearance import Move, State
from counterfoil.clearance.record import Case, Record
from counterfoil.clearance.release import release_of
from counterfoil.clearance.texts import read_texts
from counterfoil.errors import Refused
from counterfoil.lab.make import OpenLab
from counterfoil.publication.clock import Instant, release_time
from counterfoil.publication.planning import Planned, check_public_reason, planned_of
from counterfoil.publication.pre_release import grants_of
from counterfoil.publication.releasing import files_under
from counterfoil.publication.results import Result, read_result

REPORT = "report.html"
ALIKE = "R18"  # a list of nearly the same people: it is decided before outcomes are opened, so before there is a report


@dataclass(frozen=True, slots=True)
class Correction:
    """A published report was replaced: by which, when it came into force, and why."""

    replaced_by: str
    on: str
    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """One public report. `version` counts from 1 along its corrections; `offices`: who saw it early, by office;
    `exceptions`: the rule of each exception that it rests on (R28)."""

    planned: Planned
    digest: str
    hashes: Mapping[str, str]
    result: Result
    version: int
    replaces: str
    correction: Correction | None
    offices: tuple[str, ...]
    exceptions: tuple[str, ...]
    files: Mapping[str, bytes] = field(repr=False, compare=False)

    @property
    def run(self) -> str:
        """The run, which is also its address."""
        return self.planned.run

    @property
    def date(self) -> str:
        """The day on which it became public."""
        return self.planned.date


def read_published(lab: OpenLab, record: Record, now: Instant) -> tuple[Published, ...]:
    """Every public report, the newest first; on one day by run. Refused (R29) at bytes that were not approved.

    One that the log calls published before its time (A10) is not public yet.
    """
    cases = [case for case in record.cases.values() if case.state in (State.PUBLISHED, State.CORRECTED)]
    cases = [case for case in cases if release_time(planned_of(case).date) <= now]
    replaces = {case.replaced_by: case.run for case in cases if case.replaced_by}
    found = [_read(lab, record, case, replaces) for case in cases]
    return tuple(sorted(sorted(found, key=lambda each: each.run), key=lambda each: each.date, reverse=True))


def _read(lab: OpenLab, record: Record, case: Case, replaces: Mapping[str, str]) -> Published:
    files = _files(lab, case)
    hashes = release_of(case.run, files).hashes
    seen = grants_of(lab, record, case.run)
    return Published(
        planned=planned_of(case),
        digest=case.release,
        hashes=hashes,
        result=read_result(files["report.json"]),
        version=_version(case.run, replaces),
        replaces=replaces.get(case.run, ""),
        correction=_correction(lab, record, case),
        offices=tuple(sorted(each.office for each in seen)),
        exceptions=_rests_on(case),
        files=files,
    )


def _rests_on(case: Case) -> tuple[str, ...]:
    """The rule of each thing that was excepted: for what was submitted, and for the run to be made at all (R18)."""
    excepted = {
        (e.rule, e.cell) for e in case.exceptions if e.entry in case.in_use or (e.rule == ALIKE and e.allowed_by)
    }
    return tuple(sorted(rule for rule, _ in excepted))


def _version(run: str, replaces: Mapping[str, str]) -> int:
    version = 1
    while run in replaces:
        run, version = replaces[run], version + 1
    return version


def _correction(lab: OpenLab, record: Record, case: Case) -> Correction | None:
    if case.state is not State.CORRECTED:
        return None
    facts = next(e.facts for e in reversed(case.history) if e.facts["move"] == Move.CORRECT.value)
    reason = read_texts(lab.paths, facts["text"])["reason"]
    check_public_reason(reason)
    return Correction(case.replaced_by, planned_of(record.case(case.replaced_by)).date, reason)


def _files(lab: OpenLab, case: Case) -> Mapping[str, bytes]:
    """The approved bytes as they lie under `public/published`."""
    files = files_under(lab.paths.published(case.run))
    if release_of(case.run, files).digest != case.release:
        raise Refused(
            "The bytes of a published report are missing, or are not those that were approved. Restore "
            "public/published from the lab's backup.",
            rule="R29",
        )
    return files

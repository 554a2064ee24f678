"""A report becomes public: its very bytes go under `public/published`, and the log says so, signed by a publisher.

Killed in between, the same command goes on: bytes that are there are not written again, and only what the log calls
published is ever in the site.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from counterfoil.clearance import Release, Signer, State, cleared, mark_corrected, mark_published, read_record
from counterfoil.clearance.record import Case, Record
from counterfoil.clearance.texts import read_texts
from counterfoil.errors import Refused
from counterfoil.lab import log
from counterfoil.lab.files import atomic_folder, remove_abandoned
from counterfoil.lab.heads import checked_entries
from counterfoil.lab.make import OpenLab
from counterfoil.lab.paths import LabPaths
from counterfoil.lab.settings import PersonRole
from counterfoil.publication.clock import Instant, release_time
from counterfoil.publication.planning import planned_of

APART = "apart"  # what the log calls that nobody is in two published runs
_WHOLE = ("report.html", "report.json")


def due(record: Record, now: Instant) -> tuple[str, ...]:
    """Runs whose time has come and which are not public yet; corrections last, then by day."""
    waiting = [planned_of(case) for case in record.cases.values() if case.state is State.SCHEDULED]
    come = [each for each in waiting if release_time(each.date) <= now]
    return tuple(each.run for each in sorted(come, key=lambda each: (bool(each.corrects), each.date, each.run)))


def release(lab: OpenLab, *, signer: Signer, now: Instant, run: str = "") -> tuple[str, ...]:
    """Make public what is due, or `run` alone, which must be; gives the runs. The site is built afterwards.

    Refused: a report whose time has not come (A10), that is not cleared (R27), whose bytes changed (R29), a signature
    that is not a publisher's, a log that does not hold.
    """
    record = read_record(lab)
    _check_publisher(record, signer)
    if run:
        _check_due(record.case(run), now)
    runs = (run,) if run else due(record, now)
    for each in runs:
        bytes_of = cleared(lab, each)
        _check_whole(bytes_of)
        put(lab.paths, bytes_of)
        mark_published(lab, each, signer=signer)
    _correct(lab, signer)
    return runs


def put(paths: LabPaths, made: Release) -> None:
    """Write approved bytes where published ones lie, whole or not at all."""
    folder = paths.published(made.run)
    if folder.is_dir() and all(
        (folder / n).is_file() and (folder / n).read_bytes() == d for n, d in made.files.items()
    ):
        return
    remove_abandoned([folder.parent])
    with atomic_folder(folder) as temporary:
        for name, data in made.files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(data)


def files_under(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its place in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def note_apart(lab: OpenLab, run: str, others: Sequence[str]) -> None:
    """Write into the log that nobody is both in `run` and in any of `others`, as the analyst found (R18)."""
    log.append(lab.paths, APART, {"run": run, "others": sorted(others)})


def apart_pairs(lab: OpenLab) -> frozenset[frozenset[str]]:
    """Pairs of runs that are known to share nobody."""
    noted = [entry.facts for entry in checked_entries(lab.paths) if entry.event == APART]
    return frozenset(frozenset((str(facts["run"]), str(other))) for facts in noted for other in facts["others"])


def _check_publisher(record: Record, signer: Signer) -> None:
    member = record.roster.member(signer.person)
    if PersonRole.PUBLISHER not in member.roles:
        raise Refused(f"To publish one must be publisher, and {signer.person} is not.", rule="people")
    if member.key != signer.key.public:
        raise Refused(f"This is not the key of {signer.person} that is in force. Use that person's own.", rule="people")


def _check_due(case: Case, now: Instant) -> None:
    if case.state is not State.SCHEDULED:
        raise Refused(
            f"The report is {case.state.value}; to publish it must be cleared and its day fixed: counterfoil publish "
            "LAB plan.",
            rule="R27",
        )
    if now < release_time(planned_of(case).date):
        raise Refused("The time of this report has not come: 9:30 in London on the day that was fixed.", rule="A10")


def _check_whole(made: Release) -> None:
    absent = [name for name in _WHOLE if name not in made.files]
    if absent:
        raise Refused(f"The approved report has no {' and no '.join(absent)}, which the site needs.", rule="R29")


def _correct(lab: OpenLab, signer: Signer) -> None:
    """Mark as corrected what a published report replaces."""
    record = read_record(lab)
    for case in record.cases.values():
        if case.state is not State.PUBLISHED:
            continue
        planned = planned_of(case)
        if planned.corrects and record.case(planned.corrects).state is State.PUBLISHED:
            reason = read_texts(lab.paths, planned.reason)["reason"]
            mark_corrected(lab, planned.corrects, signer=signer, replaced_by=case.run, reason=reason)

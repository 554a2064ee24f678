"""The linker's part of an evaluation: from an encrypted file to study keys, and an account of every row.

The handover that goes to the analyst holds study keys, register keys, link probabilities, atoms and the dates of the
service: no name, no number, no row. It is encrypted to the analyst. The account of every row stays with the linker.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import Fault, FileNotTaken, UsageError
from counterfoil.lab.files import PRIVATE, atomic_write, write_json
from counterfoil.lab.keys import Role, decrypt, encrypt, register_secret
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import LINK_QUALITY, LabPaths
from counterfoil.lab.progress import Progress
from counterfoil.linkage import Spine, cohort_quality, link_otherwise, read_spine
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.cohort import CohortLinks, find_links
from counterfoil.linkage.doubt import find_doubtful, find_unsteady, people_near
from counterfoil.linkage.entries import apply_rulings, entry_keys, ruled_apart
from counterfoil.linkage.kept import Kept
from counterfoil.linkage.overrides import COHORT, ENTRIES, read_overrides
from counterfoil.linkage.record_clusters import RecordClusters, read_clusters
from counterfoil.linkage.review import session
from counterfoil.linkage.search import Identifiers
from counterfoil.linkage.spine import resources
from counterfoil.provenance import sha256_of_bytes
from counterfoil.records.provider import Submission, read_submission
from counterfoil.records.standardise import standardise_people
from counterfoil.study.handing_over import LinkedEntries, hand_over
from counterfoil.study.handover import HANDOVER
from counterfoil.warehouse import query, write_table

ACCOUNT = "account.parquet"  # every row of a submission and what became of it


@dataclass(frozen=True, slots=True)
class Ready:
    """The people of the records, opened before there was a list."""

    spine: Spine
    kept: Kept | None
    clusters: RecordClusters


def get_ready(arguments: Mapping[str, Any], progress: Progress) -> Ready | None:
    """What the task `link_cohort` can do before it is asked. None where the lab is not linked; the task says so."""
    lab = open_lab(Path(arguments["lab"]))
    return _opened(lab, progress) if lab.paths.latest_spine() else None


def _opened(lab: OpenLab, progress: Progress) -> Ready:
    spine = read_spine(lab)
    return Ready(spine, spine.kept(resources=resources(lab), progress=progress), read_clusters(spine.folder))


def link_submission(
    arguments: Mapping[str, Any],
    progress: Progress,
    answer: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ready: Ready | None = None,
) -> dict[str, Any]:
    """Task `link_cohort` of the linker: read, link, hand over. Gives nothing that depends on who was found (R12).

    `answer` is told when the handover lies there: how the entries would have ended without any number, which lies
    beside the account of the rows (METHODS 1) for the linker alone, is found after that. `ready`: what `get_ready`
    gave; people who were linked anew since are opened again.
    """
    lab = open_lab(Path(arguments["lab"]))
    try:
        submission = _read(lab, arguments["submission"], progress)
    except FileNotTaken:
        _forget(lab.paths.submission(arguments["submission"]))
        raise
    progress("Finding each person in the records", 0.1)
    folder = lab.paths.submission(arguments["submission"])
    (folder / LINK_QUALITY).unlink(missing_ok=True)  # of an earlier spine: until it is made anew, this is not done
    if ready is None or ready.spine.folder != lab.paths.latest_spine():
        ready = _opened(lab, progress)
    standard = _standard(lab, _named(submission))
    found = _link(lab, submission, standard, ready)
    linked = found.entries
    _keep_account(lab.paths, arguments["submission"], submission, linked)
    handed = hand_over(lab, submission, found, ready.spine.version, arguments)
    sealed = encrypt(lab.paths, handed, to=Role.ANALYST)
    atomic_write(lab.paths.run(arguments["run"]) / HANDOVER, sealed, mode=PRIVATE)
    answer({})
    otherwise = link_otherwise(standard, ready.spine, **_by(lab, ready))
    write_json(folder / LINK_QUALITY, cohort_quality(linked, otherwise))
    return {}


def _read(lab: OpenLab, submission: str, progress: Progress) -> Submission:
    folder = lab.paths.submission(submission)
    about = json.loads((folder / "about.json").read_bytes())
    data = decrypt(lab.paths, (folder / "file.age").read_bytes(), by=Role.LINKER)
    if sha256_of_bytes(data) != about["sha256"]:
        raise Fault("The submission is not the file that was sent: its hash differs. Submit it again.")
    with _in_memory(data, about["suffix"]) as path:
        return read_submission(path, lab.settings.date(), domain=lab.settings.domain, progress=progress)


def submitted_person(lab: OpenLab, submission: str, row: int, progress: Progress) -> Identifiers:
    """What a row of a submission says of the person, as its cohort is linked by. UsageError when there is none."""
    entries = _entries(lab, submission, progress)
    entry = entries.filter(pc.equal(entries["row"], row))
    if not entry.num_rows:
        raise UsageError(
            "The submission has no such row, or the row was excluded. Its account.parquet lists every row and what "
            "became of it."
        )
    held = entry.to_pylist()[0]
    return Identifiers(**{each.name: held.get(each.name) for each in fields(Identifiers)})


def _entries(lab: OpenLab, submission: str, progress: Progress) -> pa.Table:
    if not submission.isalnum() or not (lab.paths.submission(submission) / "about.json").is_file():
        raise UsageError(
            "There is no such submission in the lab. The folders of linker/submissions are named by their submissions."
        )
    return _read(lab, submission, progress).entries


def submitted_entries(lab: OpenLab, submission: str, progress: Progress) -> pa.Table:
    """The entries of a submission, standardised, each under its key as record_id: for clerical review."""
    entries = _entries(lab, submission, progress)
    return _standard(lab, entries.append_column("record_id", entry_keys(entries, register_secret(lab.paths))))


def entries_summary(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `review_entries` of the linker: counts and agreement of the doubtful entries of a submission."""
    lab = open_lab(Path(arguments["lab"]))
    entries = submitted_entries(lab, arguments["submission"], progress)
    return dict(session.summary(session.open_entries(lab, entries, progress=progress)))


def _standard(lab: OpenLab, people: pa.Table) -> pa.Table:
    no_standins: frozenset[Any] = frozenset()  # a list is too short to find stand-in dates by frequency
    return standardise_people(people, source=COHORT, today=lab.settings.date(), standins=no_standins)


def _forget(folder: Path) -> None:
    """Remove a file that could not be taken. One that was taken before, by whatever version, has an account."""
    if not (folder / ACCOUNT).is_file():
        shutil.rmtree(folder)


@contextmanager
def _in_memory(data: bytes, suffix: str) -> Iterator[Path]:
    """A path to decrypted bytes, gone when the block ends.

    On Linux it is a link to a file in memory, and nothing touches the disk. Elsewhere it is a file in this process's
    own scratch folder, on the linker's side.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"submission{suffix}"
        if sys.platform != "linux":
            path.write_bytes(data)
            yield path
            return
        descriptor = os.memfd_create("submission", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(data)
            path.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")
            yield path
        finally:
            os.close(descriptor)


def _named(submission: Submission) -> pa.Table:
    """The entries, each with its row as record_id."""
    names = [str(row) for row in submission.entries["row"].to_pylist()]
    return submission.entries.append_column("record_id", pa.array(names, pa.string()))


def _by(lab: OpenLab, ready: Ready) -> dict[str, Any]:
    """What a list is linked with."""
    threshold = lab.settings.thresholds.cohort
    return {"resources": resources(lab), "threshold": threshold, "kept": ready.kept, "clusters": ready.clusters}


def _link(lab: OpenLab, submission: Submission, standard: pa.Table, ready: Ready) -> LinkedEntries:
    """How the entries end. `standard`: the same entries as they are compared."""
    return _ruled(lab, submission, ready, find_links(standard, ready.spine, **_by(lab, ready)))


def _ruled(lab: OpenLab, submission: Submission, ready: Ready, found: CohortLinks) -> LinkedEntries:
    """The entries with their links after what was ruled of them; and what of these is in doubt."""
    people = _named(submission)
    keys = entry_keys(submission.entries, register_secret(lab.paths))
    ruled, strict = read_overrides(lab.paths, scope=ENTRIES), ready.spine.thresholds[Strictness.STRICT]
    records = _records(ready, found, has_rulings=ruled.num_rows > 0)
    links = apply_rulings(found.links, keys, ruled, records, strict=strict)
    for name in ("person_id", "link_status", "match_weight", "link_probability", "evidence", "also"):
        people = people.append_column(name, links[name])
    doubtful = find_doubtful(found, links, ruled_apart(keys, ruled, records), records, strict=strict)
    return LinkedEntries(people, doubtful, find_unsteady(records, set(links["person_id"].drop_null().to_pylist())))


def _records(ready: Ready, found: CohortLinks, *, has_rulings: bool) -> pa.Table:
    """The spine's records by which doubt is told: of whom the entries may be, unless rulings may name others."""
    if has_rulings or ready.kept is None:
        return ready.spine.people()
    asked = pa.chunked_array([*found.candidates["person_id"].chunks, *found.links["person_id"].chunks], pa.string())
    return people_near(ready.kept, ready.clusters, pc.unique(asked.drop_null()))


def _keep_account(paths: LabPaths, submission: str, read: Submission, linked: pa.Table) -> None:
    """Every row of the file and what became of it. Inside the linker's side only; no name in it."""
    sql = """
        SELECT a.row, a.outcome, a.reason, l.link_status, l.evidence,
               l.person_id IS NOT NULL AND row_number() OVER (
                   PARTITION BY l.person_id ORDER BY l.start_date NULLS LAST, a.row) > 1 AS repeats_a_person
        FROM accounts a LEFT JOIN linked l USING (row)
        ORDER BY a.row
    """
    columns = ["row", "link_status", "evidence", "person_id", "start_date"]
    account = query(sql, {"accounts": read.accounts, "linked": linked.select(columns)})
    write_table(account, paths.submission(submission) / ACCOUNT)

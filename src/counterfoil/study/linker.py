"""The linker's part of an evaluation: from an encrypted file to study keys, and an account of every row.

The handover that goes to the analyst holds study keys, register keys, link probabilities, atoms and the dates of the
service: no name, no number, no row. It is encrypted to the analyst. The account of every row stays with the linker.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.cohort.gaps import start_date_gaps
from counterfoil.cohort.values import Step
from counterfoil.errors import Fault, FileNotTaken, UsageError
from counterfoil.lab.files import PRIVATE, atomic_write, write_json
from counterfoil.lab.keys import Role, decrypt, encrypt, register_secret
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.paths import LINK_QUALITY, LabPaths
from counterfoil.lab.progress import Progress
from counterfoil.linkage import Spine, cohort_quality, link_otherwise, read_spine, register_key
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.cohort import CohortLinks, find_links
from counterfoil.linkage.doubt import find_doubtful, find_unsteady, people_near
from counterfoil.linkage.entries import apply_rulings, entry_keys, ruled_apart
from counterfoil.linkage.kept import Kept
from counterfoil.linkage.ledger import Overlap, find_overlap, keep_study_keys
from counterfoil.linkage.overrides import COHORT, ENTRIES, read_overrides
from counterfoil.linkage.record_clusters import RecordClusters, read_clusters
from counterfoil.linkage.review import session
from counterfoil.linkage.search import Identifiers
from counterfoil.linkage.spine import resources
from counterfoil.provenance import sha256_of_bytes
from counterfoil.records.provider import Code, Submission, read_submission
from counterfoil.records.provider.fields import GROUP_UNKNOWN, TOOK_PART
from counterfoil.records.standardise import standardise_people
from counterfoil.study.handover import HANDOVER, pack
from counterfoil.study.sub_plan import UPLOADED
from counterfoil.warehouse import query, write_table

ACCOUNT = "account.parquet"  # every row of a submission and what became of it
NO_PERSON = frozenset({Code.NOT_A_PERSON.value, Code.REPEATED_HEADINGS.value})  # rows that hold nobody
_STUDY_KEY_BITS = 62


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
    secret, published = register_secret(lab.paths), list(arguments.get("published", []))
    study, doubt, overlap = _handed(lab, found, secret, arguments, published)
    handed = pack(study, _counts(submission, linked), about_list(submission), doubt, overlap)
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


@dataclass(frozen=True, slots=True)
class _Linked:
    """The entries, in file order, with person_id, link_status, match_weight, link_probability, evidence and also.

    doubtful: row, person_id, probability, is_link, as `find_doubtful` gives it. unsteady: people whom the spine does
    not hold alike at its three strictnesses.
    """

    entries: pa.Table
    doubtful: pa.Table
    unsteady: frozenset[str]


def _named(submission: Submission) -> pa.Table:
    """The entries, each with its row as record_id."""
    names = [str(row) for row in submission.entries["row"].to_pylist()]
    return submission.entries.append_column("record_id", pa.array(names, pa.string()))


def _by(lab: OpenLab, ready: Ready) -> dict[str, Any]:
    """What a list is linked with."""
    threshold = lab.settings.thresholds.cohort
    return {"resources": resources(lab), "threshold": threshold, "kept": ready.kept, "clusters": ready.clusters}


def _link(lab: OpenLab, submission: Submission, standard: pa.Table, ready: Ready) -> _Linked:
    """How the entries end. `standard`: the same entries as they are compared."""
    return _ruled(lab, submission, ready, find_links(standard, ready.spine, **_by(lab, ready)))


def _ruled(lab: OpenLab, submission: Submission, ready: Ready, found: CohortLinks) -> _Linked:
    """The entries with their links after what was ruled of them; and what of these is in doubt."""
    people = _named(submission)
    keys = entry_keys(submission.entries, register_secret(lab.paths))
    ruled, strict = read_overrides(lab.paths, scope=ENTRIES), ready.spine.thresholds[Strictness.STRICT]
    records = _records(ready, found, has_rulings=ruled.num_rows > 0)
    links = apply_rulings(found.links, keys, ruled, records, strict=strict)
    for name in ("person_id", "link_status", "match_weight", "link_probability", "evidence", "also"):
        people = people.append_column(name, links[name])
    doubtful = find_doubtful(found, links, ruled_apart(keys, ruled, records), records, strict=strict)
    return _Linked(people, doubtful, find_unsteady(records, set(links["person_id"].drop_null().to_pylist())))


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


def about_list(submission: Submission) -> dict[str, str | bool]:
    """How the list came to be, for A1, from the list alone: the same whoever was linked (R12). No count, no date."""
    entries, codes = submission.entries, {found.code for found in submission.findings}
    entries = entries.filter(pc.equal(groups_of(entries), TOOK_PART))
    completed = [value for value in entries["completed"].to_pylist() if value is not None]
    start = pc.coalesce(entries["start_date"], entries["index_date"], entries["conviction_date"])
    return {
        "gaps": start_date_gaps(start.to_pylist()).value,
        "repeated": bool(codes & {Code.SAME_ROW_TWICE, Code.SAME_PERSON_TWICE}),
        "completers_only": bool(completed) and all(completed),
    }


def _handed(
    lab: OpenLab, found: _Linked, secret: bytes, arguments: Mapping[str, Any], published: Sequence[str]
) -> tuple[pa.Table, pa.Table, Overlap]:
    """The study, who else its entries may be, and its atoms: what goes to the analyst. Whose the study keys are stays
    here."""
    known = pc.not_equal(groups_of(found.entries), GROUP_UNKNOWN)
    is_linked = pc.and_(pc.is_valid(found.entries["person_id"]), known)
    rows = np.flatnonzero(np.asarray(is_linked.to_numpy(zero_copy_only=False), np.bool_))
    kept, columns = found.entries.take(pa.array(rows)), arguments.get("columns", [])
    people = kept["person_id"].to_pylist()
    overlap = find_overlap(lab.paths, people, published)
    study = _study(kept, found.unsteady, secret, columns, overlap)
    keys, spine = study["study_key"].to_pylist(), lab.paths.latest_spine()
    keep_study_keys(lab.paths, arguments["run"], keys, people, spine.name if spine else "")
    return study, _doubt(found, dict(zip(rows.tolist(), keys, strict=True)), secret), overlap


def _study(
    kept: pa.Table, unsteady: frozenset[str], secret: bytes, columns: Sequence[str], overlap: Overlap
) -> pa.Table:
    """One row an entry of a linked person: random study key, register key, probability, atom, dates of the service.

    `also`: register keys of further clusters that are the same person. `is_steady`: whether the spine holds the person
    alike at its three strictnesses. `columns`: what the plan's
    sub-analyses divide people by, such as the site; nothing else of the list goes along.
    """
    people = kept["person_id"].to_pylist()
    return pa.table(
        {
            "study_key": pa.array([secrets.randbits(_STUDY_KEY_BITS) for _ in people], pa.int64()),
            "register_key": pa.array([register_key(secret, person) for person in people], pa.string()),
            "also": _register_keys(secret, kept["also"]),
            "link_probability": kept["link_probability"],
            "atom_id": pa.array([overlap.of_person[person] for person in people], pa.int64()),
            **_service_of(kept),
            "end_date": kept["end_date"],
            "is_steady": pa.array([person not in unsteady for person in people], pa.bool_()),
            **{name: kept[name] for name in UPLOADED if name in columns},
        }
    )


def _register_keys(secret: bytes, people: pa.ChunkedArray) -> pa.Array:
    keys = [[register_key(secret, person) for person in of_entry] for of_entry in people.to_pylist()]
    return pa.array(keys, pa.list_(pa.string()))


def _service_of(entries: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {
        "start_date": pc.coalesce(entries["start_date"], entries["index_date"], entries["conviction_date"]),
        "start_known": pc.is_valid(entries["start_date"]),
        "group": groups_of(entries),
    }


def _doubt(found: _Linked, study_keys: Mapping[int, int], secret: bytes) -> pa.Table:
    """One row a candidate of a doubtful entry of those who took part. `entry`: a number of this run, no row of a file.

    The candidate whom the entry is linked to has its study key; the others have their own.
    """
    table = found.doubtful.filter(
        pc.is_in(found.doubtful["row"], value_set=_rows_of_those_who_took_part(found.entries))
    )
    rows, people, linked = (table[name].to_pylist() for name in ("row", "person_id", "is_link"))
    number = {row: place for place, row in enumerate(dict.fromkeys(rows))}
    keys = [
        study_keys[row] if is_link else secrets.randbits(_STUDY_KEY_BITS)
        for row, is_link in zip(rows, linked, strict=True)
    ]
    service = _service_of(found.entries.take(table["row"].combine_chunks()))
    return pa.table(
        {
            "entry": pa.array([number[row] for row in rows], pa.int64()),
            "study_key": pa.array(keys, pa.int64()),
            "register_key": pa.array([register_key(secret, person) for person in people], pa.string()),
            "link_probability": table["probability"],
            "is_link": table["is_link"],
            "start_date": service["start_date"],
            "start_known": service["start_known"],
        }
    )


def _rows_of_those_who_took_part(entries: pa.Table) -> pa.Array:
    took_part = pc.equal(groups_of(entries), TOOK_PART)
    return pa.array(np.flatnonzero(np.asarray(took_part.to_numpy(zero_copy_only=False), np.bool_)), pa.int64())


def _counts(submission: Submission, linked: pa.Table) -> dict[Step, int]:
    """People after each step that the linker sees, of those who took part. A row that holds nobody was never a person
    submitted; one that was excluded is taken for somebody who took part."""
    took_part = linked.filter(pc.equal(groups_of(linked), TOOK_PART))
    people = [reason not in NO_PERSON for reason in submission.accounts["reason"].to_pylist()]
    return {
        Step.SUBMITTED: sum(people) - (linked.num_rows - took_part.num_rows),
        Step.VALID: took_part.num_rows,
        Step.ONE_ROW_A_PERSON: _people(took_part),
        Step.LINKED: len(pc.unique(took_part["person_id"].drop_null())),
    }


def groups_of(entries: pa.Table) -> pa.ChunkedArray:
    """Who took part, was refused or was waiting, entry by entry; everyone took part where the list does not say."""
    if "took_part" not in entries.column_names:
        return pa.chunked_array([pa.array([TOOK_PART] * entries.num_rows, pa.string())])
    return pc.fill_null(entries["took_part"], TOOK_PART)


def _people(linked: pa.Table) -> int:
    """Different people among the entries: those linked count once a person, the others once a first row."""
    sql = "SELECT count(DISTINCT coalesce(person_id, 'row ' || first_row)) AS n FROM linked ORDER BY 1"
    return int(query(sql, {"linked": linked.select(["person_id", "first_row"])})["n"][0].as_py())

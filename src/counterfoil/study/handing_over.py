"""What of a linked list goes to the analyst, and what is told of the list as a whole.

The study table and the candidates of doubtful entries are under keys of this run. Whose the keys are stays here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.cohort.gaps import start_date_gaps
from counterfoil.cohort.values import Step
from counterfoil.lab.keys import register_secret
from counterfoil.lab.make import OpenLab
from counterfoil.linkage import register_key
from counterfoil.linkage.ledger import Overlap, find_overlap, keep_study_keys
from counterfoil.records.provider import Code, Submission
from counterfoil.records.provider.fields import GROUP_UNKNOWN, TOOK_PART
from counterfoil.study.handover import pack
from counterfoil.study.sub_plan import UPLOADED
from counterfoil.warehouse import query

NO_PERSON = frozenset({Code.NOT_A_PERSON.value, Code.REPEATED_HEADINGS.value})  # rows that hold nobody
_STUDY_KEY_BITS = 62


@dataclass(frozen=True, slots=True)
class LinkedEntries:
    """The entries, in file order, with person_id, link_status, match_weight, link_probability, evidence and also.

    doubtful: row, person_id, probability, is_link, as `find_doubtful` gives it. unsteady: people whom the spine does
    not hold alike at its three strictnesses.
    """

    entries: pa.Table
    doubtful: pa.Table
    unsteady: frozenset[str]


def hand_over(
    lab: OpenLab, submission: Submission, found: LinkedEntries, spine: str, arguments: Mapping[str, Any]
) -> bytes:
    """The study, the counts before it, who else its entries may be, and its atoms, to be encrypted to the analyst.

    `spine`: the version that the list was linked to. `arguments`: of the task `link_cohort`. Whose the study keys are
    is kept on the linker's side.
    """
    secret, published = register_secret(lab.paths), list(arguments.get("published", []))
    known = pc.not_equal(groups_of(found.entries), GROUP_UNKNOWN)
    is_linked = pc.and_(pc.is_valid(found.entries["person_id"]), known)
    rows = np.flatnonzero(np.asarray(is_linked.to_numpy(zero_copy_only=False), np.bool_))
    kept, columns = found.entries.take(pa.array(rows)), arguments.get("columns", [])
    people = kept["person_id"].to_pylist()
    overlap = find_overlap(lab.paths, people, published)
    study = _study(kept, found.unsteady, secret, columns, overlap)
    keys = study["study_key"].to_pylist()
    keep_study_keys(lab.paths, arguments["run"], keys, people, spine)
    doubt = _doubt(found, dict(zip(rows.tolist(), keys, strict=True)), secret)
    return pack(study, _counts(submission, found.entries), about_list(submission), doubt, overlap)


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


def _study(
    kept: pa.Table, unsteady: frozenset[str], secret: bytes, columns: Sequence[str], overlap: Overlap
) -> pa.Table:
    """One row an entry of a linked person: random study key, register key, probability, atom, dates of the service.

    `also`: register keys of further clusters that are the same person. `is_steady`: whether the spine holds the person
    alike at its three strictnesses. `columns`: what the plan's sub-analyses divide people by, such as the site;
    nothing else of the list goes along.
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


def _doubt(found: LinkedEntries, study_keys: Mapping[int, int], secret: bytes) -> pa.Table:
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

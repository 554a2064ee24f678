"""What the linker hands to the analyst: one table under study keys, the counts of the steps before it, and who else the
doubtful entries may be."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.cohort.values import Step
from counterfoil.errors import Fault

if TYPE_CHECKING:  # the parent reads the name of the file alone, and nothing of linkage
    from counterfoil.linkage.ledger import Overlap

HANDOVER = "handover.age"
_COUNTS = b"counterfoil.counts"
_LIST = b"counterfoil.list"
_DOUBT = b"counterfoil.doubt"
_ATOMS = b"counterfoil.atoms"
DOUBT = pa.schema(
    {
        "entry": pa.int64(),
        "study_key": pa.int64(),
        "register_key": pa.string(),
        "link_probability": pa.float64(),
        "is_link": pa.bool_(),
        "start_date": pa.date32(),
        "start_known": pa.bool_(),
    }
)


def pack(
    study: pa.Table,
    counts: Mapping[Step, int],
    about_list: Mapping[str, str | bool] | None = None,
    doubt: pa.Table | None = None,
    overlap: Overlap | None = None,
) -> bytes:
    """The table, the counts, what was found of the list as a whole (A1) and the candidates of its doubtful entries
    (`DOUBT`), and the published populations of each atom, as one Parquet file in memory."""
    metadata = {
        _COUNTS: json.dumps({step.name: count for step, count in counts.items()}).encode(),
        _LIST: json.dumps(dict(about_list or {})).encode(),
        _DOUBT: json.dumps([] if doubt is None else doubt.to_pylist(), default=dt.date.isoformat).encode(),
    }
    if overlap is not None:
        atoms = {str(atom): every for atom, every in overlap.populations.items()}
        metadata[_ATOMS] = json.dumps({"atoms": atoms, "runs": overlap.runs, "merged": overlap.merged}).encode()
    sink = io.BytesIO()
    pq.write_table(study.replace_schema_metadata(metadata), sink)
    return sink.getvalue()


def unpack(data: bytes) -> tuple[pa.Table, dict[Step, int]]:
    """The table and the counts; Fault when they are not what `pack` made."""
    study = pq.read_table(io.BytesIO(data))
    metadata = study.schema.metadata or {}
    if _COUNTS not in metadata:
        raise Fault("The linker's handover is not complete. Remove the run's folder and evaluate again.")
    counts = {Step[name]: int(count) for name, count in json.loads(metadata[_COUNTS]).items()}
    return study.replace_schema_metadata(None), counts


def unpack_list(data: bytes) -> dict[str, str | bool]:
    """What was found of the list as a whole: bands and yes or no."""
    metadata = pq.read_schema(io.BytesIO(data)).metadata or {}
    return dict(json.loads(metadata.get(_LIST, b"{}")))


def unpack_reports(data: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Runs of the published reports that bear on these people; and those whose people were merged or split since."""
    metadata = pq.read_schema(io.BytesIO(data)).metadata or {}
    held = json.loads(metadata.get(_ATOMS, b"{}"))
    return tuple(held.get("runs", ())), tuple(held.get("merged", ()))


def unpack_doubt(data: bytes) -> pa.Table:
    """The candidates of the doubtful entries (`DOUBT`), one row each; empty when every entry is certain."""
    metadata = pq.read_schema(io.BytesIO(data)).metadata or {}
    rows = json.loads(metadata.get(_DOUBT, b"[]"))
    day = dt.date.fromisoformat
    read = [{**row, "start_date": row["start_date"] and day(row["start_date"])} for row in rows]
    return pa.Table.from_pylist(read, schema=DOUBT)

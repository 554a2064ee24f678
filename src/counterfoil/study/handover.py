"""What the linker hands to the analyst: one table under study keys and the counts of the steps before it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.cohort.values import Step
from counterfoil.errors import Fault

HANDOVER = "handover.age"
_COUNTS = b"counterfoil.counts"
_LIST = b"counterfoil.list"


def pack(study: pa.Table, counts: Mapping[Step, int], about_list: Mapping[str, str | bool] | None = None) -> bytes:
    """The table, the counts and what was found of the list as a whole (A1), as one Parquet file in memory."""
    metadata = {
        _COUNTS: json.dumps({step.name: count for step, count in counts.items()}).encode(),
        _LIST: json.dumps(dict(about_list or {})).encode(),
    }
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

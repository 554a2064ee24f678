"""Large tables written a part at a time, so that a million people fit in a few GiB."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.lab.progress import Progress

ROW_GROUP = 1 << 17  # rows; fixed, so that equal tables have equal bytes

Columns = dict[str, pa.Array]
Positions = npt.NDArray[np.int64]


def write_in_parts(
    path: Path, rows: int, columns: Callable[[Positions], Columns], *, progress: Progress, label: str
) -> int:
    """Write `rows` rows; `columns` makes those at some positions. Returns the number of rows."""
    first = pa.table(columns(np.arange(0, min(rows, ROW_GROUP))))
    with path.open("wb") as file:
        with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
            writer.write_table(first, row_group_size=ROW_GROUP)
            for start in range(ROW_GROUP, rows, ROW_GROUP):
                progress(label, start / rows)
                part = pa.table(columns(np.arange(start, min(rows, start + ROW_GROUP))))
                writer.write_table(part, row_group_size=ROW_GROUP)
        os.fsync(file.fileno())
    return rows

"""A table by reference: where it is, how many rows, which bytes."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.errors import Fault
from counterfoil.provenance import sha256_of_file

_ROW_GROUP = 1 << 17  # fixed, so that equal tables have equal bytes


@dataclass(frozen=True, slots=True)
class Table:
    """A Parquet file that will not change. `sha256` is of its bytes."""

    path: Path
    rows: int
    sha256: str
    columns: tuple[str, ...]


def write_table(table: pa.Table, path: Path) -> Table:
    """Write `table` to `path` whole or not at all (temporary name, sync, rename). Same table, same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        pq.write_table(table.combine_chunks(), temporary, compression="zstd", row_group_size=_ROW_GROUP)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return table_at(path)


def table_at(path: Path) -> Table:
    """The table that lies at `path`; Fault when it is absent or no Parquet."""
    try:
        meta = pq.read_metadata(path)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise Fault(
            f"The table {path.name} is not in the lab or cannot be read. Run the stage that makes it again."
        ) from error
    return Table(path, meta.num_rows, sha256_of_file(path), tuple(meta.schema.to_arrow_schema().names))


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file, or some of its columns. Fault when it is absent."""
    try:
        return pq.read_table(path, columns=columns)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise Fault(
            f"The table {path.name} is not in the lab or cannot be read. Run the stage that makes it again."
        ) from error

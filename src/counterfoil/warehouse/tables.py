"""A table by reference: where it is, how many rows, which bytes."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from counterfoil.errors import Fault
from counterfoil.provenance import sha256_of_file

_ROW_GROUP = 1 << 17  # fixed, so that equal tables have equal bytes
_OWN_SHARE = 0.25  # of a row group's values that are other than those before, from which on a dictionary saves nothing


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
        whole = table.combine_chunks()
        pq.write_table(
            whole, temporary, compression="zstd", row_group_size=_ROW_GROUP, use_dictionary=_that_repeat(whole)
        )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return table_at(path)


def _that_repeat(table: pa.Table) -> list[str] | bool:
    """The columns to write with a dictionary of their values, told by the first row group. Parquet would try one for
    every column, and give it up in each group in which values do not repeat: half of the time of writing such a table.
    """
    kinds = {field.name: field.type for field in table.schema}
    if any(pa.types.is_nested(kind) for kind in kinds.values()):
        nested = {name for name, kind in kinds.items() if pa.types.is_nested(kind)}
        if not all(_is_list_of_texts(kinds[name]) for name in nested):
            return True
    return [_path(name, kind) for name, kind in kinds.items() if _repeats(table[name].slice(0, _ROW_GROUP))]


def _is_list_of_texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) and pa.types.is_string(kind.value_type))


def _path(name: str, kind: pa.DataType) -> str:
    """A column as Parquet names it."""
    return f"{name}.list.element" if pa.types.is_nested(kind) else name


def _repeats(values: pa.ChunkedArray) -> bool:
    """Whether many of the values are values of others too."""
    if pa.types.is_dictionary(values.type) or pa.types.is_null(values.type) or not len(values):
        return True
    each = pc.list_flatten(values) if pa.types.is_nested(values.type) else values
    return bool(pc.count_distinct(each).as_py() < _OWN_SHARE * max(len(each), 1))


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

"""An index in a folder: plain arrays and Arrow tables, mapped into memory when they are opened.

Files are mapped so that what is written to an array stays in this process. A folder that is not exactly what was
written, or was written by another format, is never read: `Unusable` says why, and whoever asked makes it again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.lab.files import atomic_folder, put_again, write_json
from counterfoil.linkage.core.index import Array, Index
from counterfoil.provenance import canonical_json, sha256_of_bytes, sha256_of_file

FORMAT = 3
ABOUT = "about.json"
_WORD, _PAGE = 8, 4096  # bytes
_PAGES = 1 << 11  # that are summed at a time


class Unusable(Exception):
    """Why a folder is not read, as the end of a sentence."""


class Check(Enum):
    """How closely files are looked at when they are opened."""

    SUMS = "sums"  # sizes, and the sum of all 64-bit words: at the speed of memory
    DIGESTS = "digests"  # SHA-256 of every file too


@dataclass(frozen=True, slots=True)
class Opened:
    """What a folder holds. `more`: what was kept beside the index, by name."""

    index: Index
    more: Mapping[str, Array]
    tables: Mapping[str, pa.Table]


@dataclass(frozen=True, slots=True)
class Written:
    """An array in a file, and what `write_array` said of it."""

    path: Path
    told: Mapping[str, Any]


def engine_versions() -> dict[str, Any]:
    """What makes the same table lie otherwise in memory, or hash otherwise."""
    return {"format": FORMAT, "duckdb": version("duckdb"), "byteorder": sys.byteorder}


def save(
    folder: Path,
    arrays: Iterable[tuple[str, Array]],
    *,
    key: str,
    used: Mapping[str, int],
    schema: pa.Schema,
    types: tuple[tuple[str, ...], ...],
    more: Mapping[str, Array],
    tables: Mapping[str, pa.Table],
    there: Mapping[str, Written] | None = None,
) -> None:
    """Write the arrays of an index, and what is kept beside it, whole or not at all. `key`: of all it was made from.

    `there`: arrays that lie in a file already, which is never changed.
    """
    with atomic_folder(folder) as temporary:
        written = {name: write_array(temporary / f"{name}.bin", array) for name, array in arrays}
        for name, each in (there or {}).items():
            put_again(each.path, temporary / f"{name}.bin")
            written[name] = dict(each.told)
        beside = {name: write_array(temporary / f"{name}.bin", array) for name, array in more.items()}
        held = {name: _write_table(temporary / f"{name}.arrow", table) for name, table in tables.items()}
        about = {
            **engine_versions(),
            "key": key,
            "used": dict(used),
            "schema": base64.b64encode(schema.serialize().to_pybytes()).decode(),
            "types": [list(each) for each in types],
            "arrays": written,
            "more": beside,
            "tables": held,
        }
        write_json(temporary / ABOUT, {"about": about, "sha256": sha256_of_bytes(canonical_json(about))})


def write_array(path: Path, array: Array) -> dict[str, Any]:
    """Write an array as it lies in memory; gives what `open_array` needs, with the file's sum and SHA-256."""
    with path.open("wb") as file:
        array.tofile(file)
        file.flush()
        os.fsync(file.fileno())
    told = {"dtype": array.dtype.str, "shape": list(array.shape)}
    return told | _told(path)


def _write_table(path: Path, table: pa.Table) -> dict[str, Any]:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return _told(path)


def _told(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sum": _sum_of(path), "sha256": sha256_of_file(path)}


def _sum_of(path: Path) -> str:
    """Sum of a file's 64-bit words, those of each page times an odd number of its own; a page that moved shows."""
    size = path.stat().st_size
    if not size:
        return "0"
    mapped = np.memmap(path, np.uint8, mode="r")
    whole = size // _PAGE * _PAGE
    total = np.uint64(int.from_bytes(hashlib.sha256(mapped[whole:].tobytes()).digest()[:8], "little"))
    words = mapped[:whole].view(np.uint64).reshape(-1, _PAGE // _WORD)
    with np.errstate(over="ignore"):
        for at in range(0, len(words), _PAGES):
            sums = words[at : at + _PAGES].sum(axis=1)
            total += (sums * (2 * np.arange(at, at + len(sums), dtype=np.uint64) + np.uint64(1))).sum()
    return f"{int(total):x}"


def load(folder: Path, key: str, *, check: Check = Check.SUMS) -> Opened:
    """Open a folder. Unusable when it is absent, damaged, of another format, or made from something else."""
    about = _about(folder)
    for name, value in engine_versions().items():
        if about.get(name) != value:
            raise Unusable("was made by another version")
    if about.get("key") != key:
        raise Unusable("was made from another model or other records")
    files = {f"{name}.bin": told for part in ("arrays", "more") for name, told in about[part].items()}
    files |= {f"{name}.arrow": told for name, told in about["tables"].items()}
    for name, told in files.items():
        check_file(folder / name, told, check)
    index = Index(
        arrays=_mapped(folder, about["arrays"]),
        used=about["used"],
        schema=pa.ipc.read_schema(pa.py_buffer(base64.b64decode(about["schema"]))),
        types=tuple(tuple(each) for each in about["types"]),
    )
    tables = {name: _table(folder / f"{name}.arrow") for name in about["tables"]}
    return Opened(index, _mapped(folder, about["more"]), tables)


def _about(folder: Path) -> dict[str, Any]:
    try:
        read = json.loads((folder / ABOUT).read_bytes())
    except FileNotFoundError as error:
        raise Unusable("is not there") from error
    except ValueError as error:
        raise Unusable("is damaged") from error
    about = read.get("about") if isinstance(read, dict) else None
    if not isinstance(about, dict) or read.get("sha256") != sha256_of_bytes(canonical_json(about)):
        raise Unusable("is damaged")
    return about


def check_file(path: Path, told: Mapping[str, Any], check: Check) -> None:
    """Unusable when a file is not as it was written."""
    try:
        whole = path.stat().st_size == told["bytes"] and _sum_of(path) == told["sum"]
    except FileNotFoundError as error:
        raise Unusable("is damaged") from error
    if not whole or (check is Check.DIGESTS and sha256_of_file(path) != told["sha256"]):
        raise Unusable("is damaged")


def _mapped(folder: Path, arrays: Mapping[str, Mapping[str, Any]]) -> dict[str, Array]:
    return {name: open_array(folder / f"{name}.bin", told) for name, told in arrays.items()}


def open_array(path: Path, told: Mapping[str, Any]) -> Array:
    """The array, mapped so that writing to it changes no file."""
    shape = tuple(told["shape"])
    if not told["bytes"]:
        return np.zeros(shape, told["dtype"])
    return np.asarray(np.memmap(path, told["dtype"], mode="c", shape=shape))


def _table(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()

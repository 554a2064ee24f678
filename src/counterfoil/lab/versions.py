"""Names of versions: DATE-NUMBER-KEY, so that names sort by time and a finished stage is recognised by its key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path


def version_for(folder: Path, date: dt.date, key: str) -> tuple[str, bool]:
    """The name of the version that `key` (a hash of all that decides it) should have in `folder`, and whether the
    newest version there is that one already."""
    names = sorted(p.name.removesuffix(".parquet") for p in folder.glob("[0-9]*")) if folder.is_dir() else []
    if names and names[-1].endswith(f"-{key[:8]}"):
        return names[-1], True
    return next_version(folder, date, key), False


def next_version(folder: Path, date: dt.date, key: str, *, given: Iterable[str] = ()) -> str:
    """The name of a new version in `folder`, after all that are there and those that were `given` before."""
    names = [p.name.removesuffix(".parquet") for p in folder.glob("[0-9]*")] if folder.is_dir() else []
    last = max([*names, *given], default="")
    day = max(date.isoformat(), last[:10])  # a lab whose date was set back still sorts by time
    number = int(last[11:14]) + 1 if last[:10] == day else 1
    return f"{day}-{number:03d}-{key[:8]}"

"""Reading stored expected numbers and the outside data that they were made from."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

EXPECTED = Path(__file__).resolve().parents[1] / "reference" / "expected"


def expected(name: str) -> dict[str, Any]:
    """The expected numbers in `name`.json; their `where_from` says which program made them."""
    stored: dict[str, Any] = json.loads((EXPECTED / f"{name}.json").read_text("utf-8"))
    return stored


def read_people(path: Path) -> pa.Table:
    """A CSV file as a table: columns of numbers where every cell is one, text otherwise."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return pa.table({name: _column([row[name] for row in rows]) for name in rows[0]})


def _column(cells: list[str]) -> pa.Array:
    try:
        return pa.array(np.array(cells, dtype=np.float64))
    except ValueError:
        return pa.array(cells)

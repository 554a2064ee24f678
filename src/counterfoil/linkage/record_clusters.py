"""The clusters of every record of a spine, looked at where they lie: of millions a list needs thousands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from counterfoil.linkage.core.layout import Longs
from counterfoil.warehouse import read_table

STRICT, LOOSE = "cluster_strict", "cluster_loose"


@dataclass(frozen=True, slots=True)
class RecordClusters:
    """cluster_strict and cluster_loose, row by row of the spine's records, or one of them.

    A cluster has the number of one of its records.
    """

    table: pa.Table

    def of(self, name: str, records: Longs) -> Longs:
        """The cluster of each of some records, in any order."""
        found = np.empty(len(records), np.int64)
        for first, piece in self._pieces(name):
            here = (records >= first) & (records < first + len(piece))
            found[here] = piece[records[here] - first]
        return found

    def records_near(self, records: Longs) -> Longs:
        """Every record that is in a loose cluster of one of these, in order."""
        is_theirs = np.zeros(self.table.num_rows, np.bool_)
        is_theirs[self.of(LOOSE, records)] = True
        near = [first + np.flatnonzero(is_theirs[piece]) for first, piece in self._pieces(LOOSE)]
        return np.concatenate([np.empty(0, np.int64), *near])

    def _pieces(self, name: str) -> Iterator[tuple[int, Longs]]:
        first = 0
        for piece in self.table[name].chunks:
            yield first, piece.to_numpy()
            first += len(piece)


def read_clusters(folder: Path, *names: str) -> RecordClusters:
    """Those of the spine in `folder`: both, or the one that is named."""
    return RecordClusters(read_table(folder / "people.parquet", list(names or (STRICT, LOOSE))))

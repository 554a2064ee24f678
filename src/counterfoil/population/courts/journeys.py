"""The truth about journeys: which magistrates' record and which Crown record are of one defendant on one case."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from counterfoil.lab.progress import Progress
from counterfoil.population.courts.cases import COMMITTALS
from counterfoil.population.courts.criminal import CriminalCourts
from counterfoil.population.labels import record_ids
from counterfoil.population.strings import decode
from counterfoil.population.writing import Columns, Positions, write_in_parts


def write_truth_journeys(out: Path, courts: CriminalCourts, progress: Progress) -> int:
    """One row a case that both systems hold. Of cases on Common Platform one of the two is often missing."""
    lower = np.full(len(courts.cases), -1, np.int64)
    lower[courts.magistrates.case] = np.arange(len(courts.magistrates.case))
    own = lower[courts.crown.case]
    upper = np.flatnonzero(own >= 0)

    def columns(at: Positions) -> Columns:
        record = upper[at]
        return {
            "magistrates_record_id": record_ids("magistrates", own[record]),
            "crown_record_id": record_ids("crown", record),
            "committal": decode(courts.cases.committal[courts.crown.case[record]], COMMITTALS),
        }

    return write_in_parts(
        out / "truth_journeys.parquet", len(upper), columns, progress=progress, label="Writing truth of journeys"
    )

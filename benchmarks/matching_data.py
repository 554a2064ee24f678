"""Scores to match on, the same in every process, and the pairs that stand for them.

`PAIRS` are SHA-256 hashes of the pairs (rows as little-endian 64-bit numbers, treated then comparison, by treated row).
They were not made with the code they check: another matcher, whose pairs equalled MatchIt 4.7.2's in thirteen
cases of these sizes, was run once on these scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]  # our own names for these would need our package, which a peer does not have
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SEED = 20_160_402
LEVELS = (2, 6, 10)  # of the three exact factors


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to match: 1:1, nearest, without replacement, largest first. `caliper` is in SDs of everyone's score."""

    treated: int
    pool: int
    exact: bool
    caliper: float | None

    @property
    def name(self) -> str:
        """As the rows of the benchmark say it."""
        how = " exact on 3" if self.exact else ""
        return f"match nearest {self.treated:,} to {self.pool:,}{how}"


CASES = (
    Case(1_000, 1_000_000, exact=False, caliper=0.2),
    Case(1_000, 1_000_000, exact=True, caliper=0.2),
    Case(10_000, 1_000_000, exact=False, caliper=0.2),
    Case(10_000, 1_000_000, exact=True, caliper=0.2),
    Case(50_000, 60_000, exact=False, caliper=None),  # crowded: nearly everybody's nearest is taken
)
PAIRS = {
    "match nearest 1,000 to 1,000,000": "f70f47df6fd07dfd62a65ca22ab61db8e53d98fa5bd38b27d4e515e5b7cdc9df",
    "match nearest 1,000 to 1,000,000 exact on 3": "fe52bd8ed11427b526f21ca8a3a7746158a6185e405dc8b524060ed8dc6218ba",
    "match nearest 10,000 to 1,000,000": "e346799154f4206d250f2138a4764ff76cd191aea4134f35d6bece7342e67309",
    "match nearest 10,000 to 1,000,000 exact on 3": "d9e68d9751c4d7d8736eda021a02f9d5e0a5a32726ea547424c73edc13aa1340",
    "match nearest 50,000 to 60,000": "aae728bd7f10d29dff60541ee681963c0ca34058965978ee2282904055b08b17",
}


def draw_scores(case: Case) -> tuple[FloatArray, BoolArray, IntArray | None]:
    """(score, treated, stratum); the treated stand first and lie half an SD higher."""
    rng = np.random.default_rng(SEED)
    is_treated = np.arange(case.treated + case.pool) < case.treated
    score = rng.normal(np.where(is_treated, 0.5, 0.0))
    if not case.exact:
        return score, is_treated, None
    stratum = np.zeros(len(score), np.int64)
    for levels in LEVELS:
        stratum = stratum * levels + rng.integers(0, levels, len(score))
    return score, is_treated, stratum


def hash_pairs(treated: IntArray, comparison: IntArray) -> str:
    """The hash of these pairs, in whatever order they are handed in."""
    order = np.lexsort((comparison, treated))
    both = np.concatenate([np.asarray(treated)[order], np.asarray(comparison)[order]])
    return sha256(both.astype("<i8").tobytes()).hexdigest()

"""causalml's nearest matching on the benchmark's scores, in an environment of its own (scripts/set_up_peers.sh).

Only what that environment has is imported here. causalml takes treated people as they stand, so they are handed over
with the largest score first: then it should choose as MatchIt does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
from causalml.match import NearestNeighborMatch

from benchmarks.matching_data import CASES, PAIRS, draw_scores, hash_pairs

NO_CALIPER = 1e6  # SDs


def match(number: int) -> Callable[[], None]:
    """From a table of scores to pairs, which are compared with the stored ones."""
    case = CASES[number]
    score, is_treated, _ = draw_scores(case)
    treated, pool = np.flatnonzero(is_treated), np.flatnonzero(~is_treated)
    row = np.concatenate([treated[np.argsort(-score[treated], kind="stable")], pool])
    people = pd.DataFrame({"score": score[row], "treated": is_treated[row].astype(np.int64)})
    wider = float(np.std(score, ddof=1) / np.std(score))  # causalml's SD divides by n
    caliper = NO_CALIPER if case.caliper is None else case.caliper * wider
    matcher = NearestNeighborMatch(caliper=caliper, replace=False, ratio=1, shuffle=False, n_jobs=1)

    def run() -> None:
        matcher.match(people, "treated", ["score"])
        pairs = row[matcher.matched_indexes_.to_numpy()]
        if hash_pairs(pairs[:, 0], pairs[:, 1]) != PAIRS[case.name]:
            print(f"{case.name}: causalml's pairs are not the stored ones.", file=sys.stderr)

    return run

"""recordlinkage on the benchmark's records, in an environment of its own (`make bench-linkage` makes it).

Only what that environment has is imported here: recordlinkage needs an older pandas than ours.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import recordlinkage
from recordlinkage import ECMClassifier

ALIKE = 0.88  # Jaro-Winkler from which two names agree
ONE_EDIT = 0.85  # of a postcode or number: about one letter of seven


def link(records: str, out: str) -> Callable[[], object]:
    """Read, block on the same rules, compare, learn without labels (ECM), write the pairs it calls links."""
    return lambda: _link(records, out)


def _link(records: str, out: str) -> None:
    people = pd.read_parquet(records).set_index("unique_id")
    people["year"] = people["dob"].str[:4]
    index = recordlinkage.Index()
    for columns in ("pnc_id", "dob", ["first_name", "surname"], ["postcode", "surname"], ["surname", "year"]):
        index.block(columns)
    pairs = index.index(people)
    compare = recordlinkage.Compare()
    for column in ("first_name", "surname"):
        compare.string(column, column, method="jarowinkler", threshold=ALIKE, label=column)
    compare.exact("dob", "dob", label="dob")
    for column in ("postcode", "pnc_id"):
        compare.string(column, column, method="levenshtein", threshold=ONE_EDIT, label=column)
    found = ECMClassifier(binarize=None).fit_predict(compare.compute(pairs, people))
    ends = {"unique_id_l": found.get_level_values(0), "unique_id_r": found.get_level_values(1)}
    pd.DataFrame(ends).to_parquet(out)

"""Twins are found as by looking at every pair of every component, one by one in plain Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from counterfoil.linkage.guards import find_twins
from counterfoil.linkage.specification import Guards, Known

COLUMNS = ("dob", "surname", "postcode", "forename", "names", "pnc")
DIFFER = "l.forename <> r.forename AND NOT list_contains(l.names, r.forename) AND coalesce(l.pnc <> r.pnc, true)"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("known", [None, Known("forename", "names", ("pnc",))])
def test_twins_are_those_of_every_pair(seed: int, known: Known | None) -> None:
    table = _drawn(np.random.default_rng(seed), 160)
    together = np.arange(160) // 8 * 8  # twenty components of eight records
    guards = Guards(
        max_block=100, max_cluster=100, unique=(), twins_same=COLUMNS[:3], twins_differ=DIFFER, twins_known=known
    )
    found = {tuple(pair) for pair in find_twins(table, together, guards).pairs.tolist()}
    assert found == _by_hand(table, together, known is not None)
    assert found


def _drawn(draw: np.random.Generator, count: int) -> pa.Table:
    def some(values: list[str], none: float) -> list[str | None]:
        return [None if draw.random() < none else str(draw.choice(values)) for _ in range(count)]

    forename = some(["ANN", "BEA", "CAT"], 0.05)
    names = [[*([name] if name else []), *(["CAT"] if draw.random() < 0.15 else [])] for name in forename]
    columns = [some(["1980", "1981"], 0.05), some(["SMITH"], 0.1), some(["A1", "B2"], 0.1), forename, names]
    columns.append(some([str(number) for number in range(30)], 0.6))
    return pa.table({"unique_id": np.arange(count), **dict(zip(COLUMNS, columns, strict=True))})


def _by_hand(table: pa.Table, together: np.ndarray, with_known: bool) -> set[tuple[int, int]]:
    rows = table.to_pylist()
    homes: dict[tuple[object, ...], list[int]] = {}
    for i, row in enumerate(rows):
        key = (int(together[i]), *(row[column] for column in COLUMNS[:3]))
        if None not in key:
            homes.setdefault(key, []).append(i)
    homes = {key: members for key, members in homes.items() if len(members) >= 2}
    known: set[tuple[object, ...]] = set()
    for component in {key[0] for key in homes}:
        members = [rows[i] for key, own in homes.items() if key[0] == component for i in own]
        for one in members:
            both = [*one["names"], *([one["forename"]] if one["forename"] else [])]
            known |= {(component, a, b) for a in both for b in both}
            for other in members:
                if one["pnc"] is not None and one["pnc"] == other["pnc"]:
                    known |= {(component, one["forename"], other["forename"])}
    found = set()
    for key, members in homes.items():
        for i in members:
            for j in members:
                one, other = rows[i], rows[j]
                a, b = one["forename"], other["forename"]
                if i >= j or a is None or b is None or a == b or b in one["names"]:
                    continue
                if one["pnc"] is not None and one["pnc"] == other["pnc"]:
                    continue
                if not (with_known and (key[0], a, b) in known):
                    found.add((i, j))
    return found

"""Links of cases (journeys) of a spine, counted: by status, across persons, and against the truth where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.linkage.journeys import JOURNEYS, JourneyRule
from counterfoil.linkage.one_to_one import PairStatus
from counterfoil.linkage.quality_report.estimates import interval_json
from counterfoil.linkage.quality_report.intervals import wilson
from counterfoil.warehouse import query, read_table

_PAIR = ("record_id_l", "record_id_r")


def count_journeys(
    folder: Path, people: pa.Table, rules: tuple[JourneyRule, ...], truth: Mapping[str, pa.Table]
) -> list[dict[str, Any]]:
    """For each journey of the spine in `folder`: best pairs by status, linked ones of two persons, and rates.

    `people` as the spine has them. `truth`: for each journey the true pairs (record_id_l, record_id_r).
    """
    if not (folder / JOURNEYS).is_file():
        return []
    found = read_table(folder / JOURNEYS)
    return [_one(rule, found, people, truth.get(rule.name)) for rule in rules]


def _one(rule: JourneyRule, found: pa.Table, people: pa.Table, truth: pa.Table | None) -> dict[str, Any]:
    pairs = query(f"SELECT * FROM t WHERE journey = '{rule.name}' ORDER BY ALL", {"t": found})
    statuses = {status.value: 0 for status in PairStatus}
    counted = query("SELECT status, count(*) AS n FROM t GROUP BY status ORDER BY status", {"t": pairs})
    statuses |= dict(zip(counted["status"].to_pylist(), counted["n"].to_pylist(), strict=True))
    return {
        "name": rule.name,
        "from": rule.left.evidence.source,
        "to": rule.right.evidence.source,
        "threshold": rule.one_to_one.threshold,
        "within": rule.one_to_one.within,
        "statuses": statuses,
        "of_two_persons": _of_two_persons(rule, pairs, people),
        "truth": None if truth is None else _against(pairs, truth),
    }


def _of_two_persons(rule: JourneyRule, pairs: pa.Table, people: pa.Table) -> int:
    """Linked cases whose two records are two persons of the spine: a journey joins nobody."""
    sql = f"""SELECT count(*) AS n FROM j
              JOIN p l ON l.source = '{rule.left.evidence.source}' AND l.record_id = record_id_l
              JOIN p r ON r.source = '{rule.right.evidence.source}' AND r.record_id = record_id_r
              WHERE status = '{PairStatus.LINKED.value}' AND l.person_id <> r.person_id ORDER BY 1"""
    return int(query(sql, {"j": pairs, "p": people})["n"][0].as_py())


def _against(pairs: pa.Table, truth: pa.Table) -> dict[str, Any]:
    """Precision of the linked pairs and recall of the true ones, 0-1 with 95% intervals."""
    sql = f"""WITH k AS (SELECT {", ".join(_PAIR)} FROM j WHERE status = '{PairStatus.LINKED.value}')
              SELECT (SELECT count(*) FROM k) AS linked, (SELECT count(*) FROM t) AS known,
                     (SELECT count(*) FROM k SEMI JOIN t USING ({", ".join(_PAIR)})) AS both ORDER BY 1"""
    row = query(sql, {"j": pairs, "t": truth}).to_pylist()[0]
    rates = {"precision": row["linked"], "recall": row["known"]}
    return {
        "true_pairs": row["known"],
        **{name: interval_json(wilson(row["both"], whole)) if whole else None for name, whole in rates.items()},
    }


def true_journeys(folder: Path | None, rules: tuple[JourneyRule, ...]) -> dict[str, pa.Table]:
    """The true pairs of each journey, from the truth of a synthetic population; none where it does not know them."""
    file = None if folder is None else folder / "truth_journeys.parquet"
    if file is None or not file.is_file():
        return {}
    held, found = read_table(file), {}
    for rule in rules:
        columns = [f"{side.evidence.source}_record_id" for side in (rule.left, rule.right)]
        if set(columns) <= set(held.column_names):
            found[rule.name] = held.select(columns).rename_columns(list(_PAIR))
    return found

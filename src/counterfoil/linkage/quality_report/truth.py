"""What the truth says of a synthetic lab's spine: counts of pairs, and the answer to any pair that is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.quality_report.estimates import DIFFERENT, SAME
from counterfoil.warehouse import query, read_table

_KNOWN = ("sex", "ethnicity", "origin", "date_of_birth", "homeless", "married", "surname")


@dataclass(frozen=True, slots=True)
class TrueRates:
    """Precision and recall of pairs (0-1) at one strictness."""

    precision: float
    recall: float


def true_rates(people: pa.Table, truth: pa.Table) -> Mapping[Strictness, TrueRates]:
    """`people` as a spine has them; `truth`: source, record_id, person_id."""
    levels = ", ".join(f"cluster_{level.value}" for level in Strictness)
    sql = f"""SELECT p.{levels.replace(", ", ", p.")}, t.person_id AS person FROM p JOIN t USING (source, record_id)
              ORDER BY source, record_id"""
    joined = query(sql, {"p": people, "t": truth.select(["source", "record_id", "person_id"])})
    true = _pairs(joined, ["person"])
    rates = {}
    for level in Strictness:
        column = f"cluster_{level.value}"
        linked, both = _pairs(joined, [column]), _pairs(joined, [column, "person"])
        rates[level] = TrueRates(both / linked if linked else 1.0, both / true if true else 1.0)
    return rates


def _pairs(table: pa.Table, by: Sequence[str]) -> int:
    sql = f"""SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT AS pairs
              FROM (SELECT count(*)::BIGINT AS n FROM t GROUP BY {", ".join(by)}) ORDER BY 1"""
    return int(query(sql, {"t": table})["pairs"][0].as_py())


def simulated_labels(pairs: pa.Table, truth: pa.Table, *, reviewers: int, error: float, seed: int) -> pa.Table:
    """Answers from the truth, each wrong with chance `error`, independently. `pairs` names both records."""
    sql = """SELECT p.source_l, p.record_id_l, p.source_r, p.record_id_r, a.person_id = b.person_id AS same
             FROM p JOIN t a ON p.source_l = a.source AND p.record_id_l = a.record_id
             JOIN t b ON p.source_r = b.source AND p.record_id_r = b.record_id ORDER BY ALL"""
    known = query(sql, {"p": pairs, "t": truth.select(["source", "record_id", "person_id"])})
    is_same = known["same"].to_numpy(zero_copy_only=False)
    rng = np.random.default_rng(seed)
    tables = []
    for number in range(reviewers):
        said = is_same ^ (rng.random(is_same.size) < error)
        answers = pa.array(np.where(said, SAME, DIFFERENT).tolist(), pa.string())
        names = pa.array([f"simulated {number + 1}"] * is_same.size, pa.string())
        tables.append(known.drop_columns(["same"]).append_column("reviewer", names).append_column("answer", answers))
    return pa.concat_tables(tables)


def lab_truth(folder: Path | None) -> pa.Table | None:
    """source, record_id, person_id and what is known of each person, from a population's truth; None without one."""
    if folder is None or not (folder / "truth_records.parquet").is_file():
        return None
    sql = f"""
        WITH p AS (SELECT *, coalesce(twin_of_previous, false)
                          OR coalesce(lead(twin_of_previous) OVER (ORDER BY person_id), false) AS is_twin FROM people)
        SELECT r.source, r.record_id, r.person_id, {", ".join(f"p.{name}" for name in (*_KNOWN, "is_twin"))}
        FROM r LEFT JOIN p USING (person_id) ORDER BY r.source, r.record_id"""
    records = read_table(folder / "truth_records.parquet", ["source", "record_id", "person_id"])
    files = [folder / "truth_people.parquet", folder / "truth_outsiders.parquet"]  # the second: people without a record
    known = ["person_id", "twin_of_previous", *_KNOWN]
    people = pa.concat_tables([read_table(file, known) for file in files if file.is_file()])
    return query(sql, {"r": records, "people": people})

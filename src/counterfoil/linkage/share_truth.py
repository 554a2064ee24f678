"""How right a share's links are, where the truth of a synthetic population is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage import quality
from counterfoil.linkage.linked_share import Sides
from counterfoil.warehouse import query, read_table

TRUTH_OF_SHARES = "truth_shares.parquet"
_TRUTH_GROUPS = ("sex", "ethnicity", "origin")


def against_truth(sides: Sides, people: pa.Array, pairs: pa.Table, name: str, truth: Path) -> Mapping[str, Any]:
    """Precision and recall of links of people, overall and by the true person's group.

    `people`: of each row of the share the key of its person; `pairs`: left (a person of the share), right. A person
    of the share, and one of the spine, is truly whoever most of its records are of.
    """
    tables = {
        "share": pa.table({"record_id": sides.share["record_id"], "person": people}),
        "spine": sides.spine.select(["source", "record_id"]).append_column("person", sides.persons),
        "of_share": read_table(truth / TRUTH_OF_SHARES),
        "of_spine": read_table(truth / "truth_records.parquet", ["source", "record_id", "person_id"]),
        "people": read_table(truth / "truth_people.parquet", ["person_id", *_TRUTH_GROUPS]),
        "pairs": pairs.select(["left", "right"]),
    }
    groups = ", ".join(_TRUTH_GROUPS)
    sql = f"""
        WITH l AS (SELECT person, mode(person_id ORDER BY person_id) AS truly FROM share
                   JOIN (SELECT * FROM of_share WHERE share = '{name}') USING (record_id) GROUP BY person),
        r AS (SELECT person, mode(person_id ORDER BY person_id) AS truly FROM spine
              JOIN of_spine USING (source, record_id) GROUP BY person),
        findable AS (SELECT DISTINCT l.person, l.truly FROM l JOIN r USING (truly)),
        found AS (SELECT pairs."left" AS person, l.truly, l.truly = r.truly AS right_one
                  FROM pairs JOIN l ON l.person = pairs."left" JOIN r ON r.person = pairs."right")
        SELECT coalesce(f.truly, g.truly) AS truly, {groups}, g.person IS NOT NULL AS findable,
               f.person IS NOT NULL AS linked, coalesce(f.right_one, false) AS right_one
        FROM findable g FULL JOIN found f USING (person)
        LEFT JOIN people ON people.person_id = coalesce(f.truly, g.truly) ORDER BY 1"""
    rows = query(sql, tables)
    answer: dict[str, Any] = {"note": quality.TRUTH_NOTE, "all": _rates(rows)}
    for group in _TRUTH_GROUPS:
        values = sorted(value for value in pc.unique(rows[group]).to_pylist() if value is not None)
        answer[f"by_{group}"] = {value: _rates(rows.filter(pc.equal(rows[group], value))) for value in values}
    return answer


def _rates(rows: pa.Table) -> Mapping[str, Any]:
    linked, right, findable = (int(pc.sum(rows[name]).as_py() or 0) for name in ("linked", "right_one", "findable"))
    return {"findable": findable, "precision": quality.rate(right, linked), "recall": quality.rate(right, findable)}

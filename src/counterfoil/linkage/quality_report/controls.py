"""Negative controls: what no person can be, counted without any label.

A person cannot be in prison and in a court elsewhere on one day, be born twice, or be their own twin. Guards keep apart
what they see before clusters are made; what is counted here is what stands in the finished clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.linkage.clusters import Labels, Strictness
from counterfoil.linkage.guards import find_same_day, find_twins, read_evidence
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality_report.estimates import interval_json
from counterfoil.linkage.quality_report.intervals import wilson
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import query

SLIP_DAYS = 366  # birth dates nearer than this are taken for slips


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that no person can be: pairs that could show it, and pairs of one person that do."""

    name: str
    looked_at: int
    found: int
    note: str

    def to_json(self) -> dict[str, Any]:
        """With the share and its interval."""
        share = interval_json(wilson(self.found, self.looked_at)) if self.looked_at else None
        return {"name": self.name, "looked_at": self.looked_at, "found": self.found, "share": share, "note": self.note}


def run_controls(
    spine: Spine, encoded: pa.Table, medium: Labels, loose: Labels, extracts: Mapping[str, Path]
) -> list[Control]:
    """Every control that the lab's sources allow."""
    return [
        _births(spine, encoded),
        _twins(spine, encoded, medium, loose),
        *_same_day(spine, encoded, medium, loose, extracts),
    ]


def _births(spine: Spine, encoded: pa.Table) -> Control:
    """Pairs of one person whose birth dates are both known and that no slip makes of each other."""
    level = f"cluster_{Strictness.MEDIUM.value}"
    sql = f"""
        WITH t AS (SELECT {ID}, {level} AS person, dob, strftime(dob, '%Y%m%d') AS text
                   FROM e JOIN p USING (source, record_id) WHERE dob IS NOT NULL AND NOT coalesce(dob_is_1jan, false)),
        pairs AS (SELECT a.dob AS x, b.dob AS y, a.text AS s, b.text AS t
                  FROM t a JOIN t b ON a.person = b.person AND a.{ID} < b.{ID})
        SELECT count(*) AS looked,
               count(*) FILTER (WHERE abs(x - y) > {SLIP_DAYS} AND damerau_levenshtein(s, t) > 1
                                AND NOT (year(x) = year(y) AND month(x) = day(y) AND day(x) = month(y))) AS found
        FROM pairs ORDER BY 1"""
    columns = [ID, "source", "record_id", "dob", "dob_is_1jan"]
    people = spine.people().select(["source", "record_id", level])
    row = query(sql, {"e": encoded.select(columns), "p": people}).to_pylist()[0]
    note = "Birth dates over a year apart that neither one digit nor a swap of day and month explains."
    return Control("two births", row["looked"], row["found"], note)


def _twins(spine: Spine, encoded: pa.Table, medium: Labels, loose: Labels) -> Control:
    """Of the pairs that look like twins and hang together at loose, those that are one person at medium."""
    pairs = find_twins(encoded, loose, spine.specification.guards).pairs
    found = int((medium[pairs[:, 0]] == medium[pairs[:, 1]]).sum())
    return Control(
        "twins", len(pairs), found, "One surname, birth date and address, other forenames, no number in common."
    )


def _same_day(
    spine: Spine, encoded: pa.Table, medium: Labels, loose: Labels, extracts: Mapping[str, Path]
) -> list[Control]:
    """Prison and a court elsewhere on one day; nothing where the sources hold no such dates."""
    rules = spine.specification.guards.same_day
    name = "in prison and elsewhere on one day"
    if not rules:
        return [Control(name, 0, 0, "No loaded source holds dates of stays and of hearings for this.")]
    held = read_evidence(rules, extracts)
    found = [find_same_day(encoded, loose, rule, held) for rule in rules]
    looked = sum(len(pairs) for pairs in found)
    stands = sum(int((medium[pairs[:, 0]] == medium[pairs[:, 1]]).sum()) for pairs in found)
    note = "Pairs that hang together at loose of which one record was in custody on a day the other was elsewhere."
    if not any({rule.stays.source, rule.days.source} <= extracts.keys() for rule in rules):
        note = "No two sources that hold such dates are loaded."
    return [Control(name, looked, stands, note)]

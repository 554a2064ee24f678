"""Error rates by group of people where the truth is known; whether a group fares worse than the rest beyond chance.

A pair counts in a group when at least one of its records does. Pairs of one person are found or missed together, so the
intervals are Wilson's on the effective number of pairs: pairs divided by how much more the shares of people vary than
the shares of independent pairs would. Differences are tested at 5% shared out over the groups of one kind (Bonferroni).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from counterfoil.linkage.clusters import Labels
from counterfoil.linkage.quality_report.estimates import interval_json
from counterfoil.linkage.quality_report.intervals import Interval, difference, wilson
from counterfoil.warehouse import query

AGES = ((0, "under 18"), (18, "18 to 24"), (25, "25 to 34"), (35, "35 to 49"), (50, "50 and over"))
LEAST_PAIRS = 30  # of a group, for a test of difference
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rate:
    """right / whole over units (people, or clusters) whose pairs go together."""

    right: Floats
    whole: Floats

    @property
    def pairs(self) -> int:
        """Pairs of all units."""
        return int(self.whole.sum())

    def interval(self, z: float) -> Interval:
        """Wilson's, on the effective number of pairs."""
        pairs = float(self.whole.sum())
        if pairs == 0:
            return wilson(0, 0, z)
        share = float(self.right.sum()) / pairs
        spread = float(((self.right - share * self.whole) ** 2).sum())
        plain = share * (1 - share) * pairs
        clumped = float((self.whole**2).sum()) / pairs  # every unit all right or all wrong
        effect = max(1.0, spread / plain if plain > 0 else clumped)
        return wilson(share * pairs / effect, pairs / effect, z)


def age_sql(born: str, today: dt.date) -> str:
    """SQL for the age band on `today`."""
    years = f"datediff('year', {born}, DATE '{today}') - (strftime({born}, '%m%d') > '{today:%m%d}')::INTEGER"
    cases = " ".join(f"WHEN {years} >= {least} THEN '{name}'" for least, name in reversed(AGES))
    return f"CASE WHEN {born} IS NULL THEN NULL {cases} END"


def by_group(joined: pa.Table, columns: Sequence[str]) -> dict[str, Any]:
    """{kind: {value: rates}}. `joined`: one row a record with `cluster`, `person` and the columns, text each."""
    return {column: _kind(joined, column) for column in columns if column in joined.column_names}


def _kind(joined: pa.Table, column: str) -> dict[str, Any]:
    values = query(f"SELECT DISTINCT {column} AS v FROM t WHERE {column} IS NOT NULL ORDER BY 1", {"t": joined})
    names = [str(value) for value in values["v"].to_pylist()]
    z = NormalDist().inv_cdf(1 - 0.05 / (2 * max(len(names), 1)))
    return {name: rates_of(joined, f"{column} = '{_quoted(name)}'", z) for name in names}


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def rates_of(joined: pa.Table, condition: str, z: float = NormalDist().inv_cdf(0.975)) -> dict[str, Any]:
    """Precision and recall of pairs with a record for which `condition` holds, and how much worse than all others'."""
    answer: dict[str, Any] = {}
    for name, unit in (("recall", "person"), ("precision", "cluster")):
        group, rest = _rates(joined, condition, unit)
        worse = difference(rest.interval(z), group.interval(z))
        tested = group.pairs >= LEAST_PAIRS and rest.pairs >= LEAST_PAIRS
        answer[name] = interval_json(group.interval(_Z95)) if group.pairs else _NOTHING
        answer[f"{name}_pairs"] = group.pairs
        answer[f"{name}_worse_by"] = interval_json(worse) if tested else _NOTHING
        answer[f"{name}_worse_beyond_chance"] = bool(tested and worse.low > 0)
    return answer


_Z95 = NormalDist().inv_cdf(0.975)
_NOTHING: Mapping[str, None] = {"rate": None, "low": None, "high": None}


def _rates(joined: pa.Table, condition: str, unit: str) -> tuple[Rate, Rate]:
    """Of pairs with a record of the group, and of pairs with none, over people (recall) or clusters (precision)."""
    sql = f"""
        WITH parts AS (
            SELECT {unit} AS unit, count(*)::DOUBLE AS n, (count(*) FILTER (WHERE {condition}))::DOUBLE AS k
            FROM t GROUP BY person, cluster),
        units AS (
            SELECT unit, sum(n) AS n, sum(k) AS k, sum((n - k) * (n - k - 1) / 2) AS rest, sum(n * (n - 1) / 2) AS every
            FROM parts GROUP BY unit)
        SELECT n * (n - 1) / 2 AS every, (n - k) * (n - k - 1) / 2 AS rest, every AS every_right, rest AS rest_right
        FROM units WHERE n > 1 ORDER BY ALL"""
    found = query(sql, {"t": joined})
    whole, rest, right, rest_right = (found[n].to_numpy() for n in ("every", "rest", "every_right", "rest_right"))
    return Rate(right - rest_right, whole - rest), Rate(rest_right, rest)


def with_truth(records: pa.Table, labels: Labels, truth: pa.Table, today: dt.date) -> pa.Table:
    """One row a record: cluster (its entry of `labels`), person, and sex, ethnicity, age, origin and source as text.

    `records` are the encoded ones. `truth` has source, record_id, person_id and what is known of the person; columns of
    both kinds are kept, for conditions of the bias suite.
    """
    extra = [name for name in truth.column_names if name not in {"source", "record_id", "person_id"}]
    own = [n for n in ("dob_is_1jan", "alias_names", "pnc_std") if n in records.column_names and n not in extra]
    born = f", {age_sql('truth.date_of_birth', today)} AS age" if "date_of_birth" in extra else ""
    columns = ", ".join([*(f"truth.{name}" for name in extra), *(f"r.{name}" for name in own)])
    sql = f"""SELECT r.source, r.cluster, truth.person_id AS person, {columns}{born}
              FROM r JOIN truth USING (source, record_id)
              ORDER BY r.source, r.record_id"""
    kept = records.select(["source", "record_id", *own]).append_column("cluster", pa.array(labels))
    return query(sql, {"r": kept, "truth": truth})

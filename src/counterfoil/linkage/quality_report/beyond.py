"""True pairs that no frame holds, without labels: capture and recapture by identifying numbers.

Records that share an identifying number are one person, whatever else they say: a first capture of true pairs.
The second is the search by everything else: with every number taken away, does any rule, usual or looser, still make
the pair, at `FLOOR` or more? The share that it does not is what a pair without a common number may be lost by. The two
captures are not independent (a person whose name is misspelt is more often without a number too), so the upper end is
doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.linkage import engine as engines
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.model import Resources
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality_report.domain import QualityRules
from counterfoil.linkage.quality_report.intervals import Interval, wilson
from counterfoil.linkage.quality_report.judged import Judged
from counterfoil.linkage.quality_report.sampling import FLOOR, looser_model
from counterfoil.linkage.specification import Rule
from counterfoil.warehouse import query

MOST_PAIRS = 5_000  # number-confirmed pairs looked at, one a number
DEPENDENCE = 2.0  # pairs without a common number may be lost this many times as often as pairs with one
_SEED = 3


def beyond_frames(judged: Judged, rules: QualityRules, *, engine: Engine, resources: Resources) -> Interval:
    """Share (0-1) of all true pairs that no rule makes, usual or looser, or that weigh less than `FLOOR`."""
    encoded = judged.encoded()
    pairs = _confirmed(encoded, rules.confirming)
    if not pairs.num_rows:
        return Interval(0.0, 0.0, 1.0)
    every = [*judged.spine.specification.rules, *rules.looser]
    lost, looked = _lost(judged, pairs, rules, every, FLOOR, engine=engine, resources=resources)
    exposed = _without_common_number(judged, encoded, rules)
    found = wilson(lost, looked)
    return Interval(found.estimate, found.low, min(found.high * DEPENDENCE, 1.0)).times(exposed)


def recaptured(judged: Judged, rules: QualityRules, *, engine: Engine, resources: Resources) -> dict[str, Any]:
    """Links missed at medium, without any label: pairs that a number confirms and everything else does not find again.

    `missed`: of pairs with no number in common, how many true ones the spine lacks, if they are as easy to find as
    pairs with one whose numbers were taken away. They are harder to find by a link of their own, and many are joined
    by way of a third record instead, so this gives the order of magnitude and no more.
    """
    encoded = judged.encoded()
    pairs = _confirmed(encoded, rules.confirming)
    if not pairs.num_rows:
        return {"confirmed": 0, "lost": 0, "share_lost": None, "missed": None}
    spine, medium = judged.spine, judged.spine.thresholds[Strictness.MEDIUM]
    lost, looked = _lost(judged, pairs, rules, spine.specification.rules, medium, engine=engine, resources=resources)
    share = wilson(lost, looked)
    exposed = _without_common_number(judged, encoded, rules) * _linked_pairs(judged)
    odds = Interval(*(each / max(1 - each, 1e-9) for each in (share.estimate, share.low, share.high)))
    missed = odds.times(exposed)
    return {
        "confirmed": looked,
        "lost": lost,
        "share_lost": {"rate": round(share.estimate, 6), "low": round(share.low, 6), "high": round(share.high, 6)},
        "missed": {"rate": round(missed.estimate), "low": round(missed.low), "high": round(missed.high)},
    }


def _linked_pairs(judged: Judged) -> int:
    level = f"cluster_{Strictness.MEDIUM.value}"
    sql = f"SELECT sum(n * (n - 1) // 2)::BIGINT AS n FROM (SELECT count(*) AS n FROM p GROUP BY {level}) ORDER BY 1"
    return int(query(sql, {"p": judged.people().select([level])})["n"][0].as_py() or 0)


def _confirmed(encoded: pa.Table, column: str) -> pa.Table:
    """l, r: two records of each value of the number, drawn evenly; at most `MOST_PAIRS` of them."""
    sql = f"""
        SELECT min({ID}) AS l, max({ID}) AS r FROM
            (SELECT {ID}, {column} AS number,
                    row_number() OVER (PARTITION BY {column} ORDER BY hash({ID}), {ID}) AS place
             FROM t WHERE {column} IS NOT NULL)
        WHERE place <= 2 GROUP BY number HAVING count(*) = 2 ORDER BY 1, 2"""
    found = query(sql, {"t": encoded.select([ID, column])})
    if found.num_rows <= MOST_PAIRS:
        return found
    chosen = np.random.default_rng(_SEED).choice(found.num_rows, MOST_PAIRS, replace=False)
    return found.take(pa.array(np.sort(chosen)))


def without_numbers(table: pa.Table, numbers: tuple[str, ...]) -> pa.Table:
    """The records with every identifying number missing."""
    for name in numbers:
        nothing = pa.nulls(table.num_rows, table.schema.field(name).type)
        table = table.set_column(table.column_names.index(name), name, nothing)
    return table


def _lost(
    judged: Judged,
    pairs: pa.Table,
    rules: QualityRules,
    every: Sequence[Rule],
    threshold: float,
    *,
    engine: Engine,
    resources: Resources,
) -> tuple[int, int]:
    """(pairs that no rule of `every` finds again at `threshold` without numbers, pairs)."""
    at = np.unique(np.concatenate([pairs["l"].to_numpy(), pairs["r"].to_numpy()]))
    bare = without_numbers(judged.spine.encoded().take(pa.array(at)), rules.numbers)
    candidates = sum(count.pairs for count in count_within(bare, every))
    model = looser_model(judged.spine.model, every)
    scored = engines.score(bare, model, threshold=threshold, pairs=candidates, engine=engine, resources=resources)
    sql = f"SELECT count(*) AS n FROM p ANTI JOIN s ON p.l = s.{ID}_l AND p.r = s.{ID}_r ORDER BY 1"
    return int(query(sql, {"p": pairs, "s": scored})["n"][0].as_py()), pairs.num_rows


def _without_common_number(judged: Judged, encoded: pa.Table, rules: QualityRules) -> float:
    """Share of linked pairs, at medium, that have no identifying number in common: only they can be lost so."""
    same = " OR ".join(f"a.{name} = b.{name}" for name in rules.numbers)
    level = f"cluster_{Strictness.MEDIUM.value}"
    sql = f"""
        WITH t AS (SELECT {ID}, {level} AS person, {", ".join(rules.numbers)} FROM e JOIN p USING (source, record_id))
        SELECT avg((NOT coalesce({same}, false))::INTEGER) AS share
        FROM t a JOIN t b ON a.person = b.person AND a.{ID} < b.{ID} ORDER BY 1"""
    columns = [ID, "source", "record_id", *rules.numbers]
    people = judged.people().select(["source", "record_id", level])
    return float(query(sql, {"e": encoded.select(columns), "p": people})["share"][0].as_py() or 1.0)

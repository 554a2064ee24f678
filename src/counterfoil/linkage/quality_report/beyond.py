"""True pairs that no frame holds, without labels: capture and recapture by identifying numbers.

Records that share an identifying number are one person, whatever else they say: a first capture of true pairs.
The second is the search by everything else: with every number taken away, does any rule, usual or looser, still make
the pair, at `FLOOR` or more? The share that it does not is what a pair without a common number may be lost by. The two
captures are not independent (a person whose name is misspelt is more often without a number too), and which way they
depend is not known of every source, so the upper end is doubled and the lower one halved.
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
from counterfoil.linkage.quality_report.intervals import Interval, total, wilson
from counterfoil.linkage.quality_report.judged import Judged
from counterfoil.linkage.quality_report.sampling import FLOOR, looser_model
from counterfoil.linkage.specification import Rule
from counterfoil.warehouse import query

MOST_PAIRS = 5_000  # number-confirmed pairs looked at, one a number
DEPENDENCE = 2.0  # pairs without a common number may be lost this many times as often as pairs with one, or as rarely
_SEED = 3


def beyond_frames(
    judged: Judged, rules: QualityRules, pairs: pa.Table, *, engine: Engine, resources: Resources
) -> Interval:
    """Share (0-1) of all true pairs that no rule makes, usual or looser, or that weigh less than `FLOOR`.

    `pairs`: those of the frame. Pairs of records that both hold the `telling` identifier and other pairs are recaptured
    apart: a court that writes down no birth date loses more, and holds fewer numbers to confirm it by.
    """
    encoded = judged.encoded()
    every = [*judged.spine.specification.rules, *rules.looser]
    exposed = _exposed(encoded, rules, pairs)
    parts = []
    for are_told, share in exposed.items():
        confirmed = _confirmed_of(encoded, rules, are_told=are_told)
        lost, looked = _lost(judged, confirmed, rules, every, FLOOR, engine=engine, resources=resources)
        found = wilson(lost, looked)
        low, high = found.low / DEPENDENCE, min(found.high * DEPENDENCE, 1.0)
        parts.append(Interval(found.estimate, low, high).times(share))
    return total(parts).within(0, 1)


def _exposed(encoded: pa.Table, rules: QualityRules, pairs: pa.Table) -> dict[bool, float]:
    """Of the pairs of a frame that are one person, as the model expects, the share that has no number in common: those
    of which both records hold the telling identifier, and the others. A pair of one cluster that nothing weighed
    counts whole."""
    same = " OR ".join(f"a.{name} = b.{name}" for name in rules.numbers)
    sql = f"""
        WITH t AS (
            SELECT a.{rules.telling} IS NOT NULL AND b.{rules.telling} IS NOT NULL AS told,
                   coalesce({same}, false) AS numbered,
                   CASE WHEN match_weight IS NOT NULL THEN 1 / (1 + pow(2.0, -match_weight)) ELSE 1.0 END AS chance
            FROM f JOIN e a ON a.{ID} = f.{ID}_l JOIN e b ON b.{ID} = f.{ID}_r)
        SELECT coalesce(sum(chance) FILTER (told AND NOT numbered), 0) / sum(chance) AS told,
               coalesce(sum(chance) FILTER (NOT told AND NOT numbered), 0) / sum(chance) AS untold
        FROM t ORDER BY 1"""
    columns = [ID, rules.telling, *rules.numbers]
    row = query(sql, {"f": pairs, "e": encoded.select(columns)}).to_pylist()[0]
    return {True: float(row["told"] or 0.0), False: float(row["untold"] or 0.0)}


def _confirmed_of(encoded: pa.Table, rules: QualityRules, *, are_told: bool) -> pa.Table:
    """l, r: a pair of records of each value of the confirming number, both of which hold the telling identifier, or one
    of which does not; drawn evenly, at most `MOST_PAIRS` of them."""
    both = "a.told AND b.told" if are_told else "NOT (a.told AND b.told)"
    sql = f"""
        WITH t AS (
            SELECT {ID} AS id, {rules.confirming} AS number, {rules.telling} IS NOT NULL AS told,
                   row_number() OVER (
                       PARTITION BY {rules.confirming}, {rules.telling} IS NOT NULL ORDER BY hash({ID}), {ID}) AS place
            FROM e WHERE {rules.confirming} IS NOT NULL)
        SELECT least(a.id, b.id) AS l, greatest(a.id, b.id) AS r
        FROM t a JOIN t b ON a.number = b.number AND a.id < b.id AND a.place <= 2 AND b.place <= 2 AND {both}
        QUALIFY row_number() OVER (PARTITION BY a.number ORDER BY hash(a.id + b.id), a.id, b.id) = 1 ORDER BY 1, 2"""
    return _at_most(query(sql, {"e": encoded.select([ID, rules.confirming, rules.telling])}))


def _at_most(found: pa.Table) -> pa.Table:
    if found.num_rows <= MOST_PAIRS:
        return found
    chosen = np.random.default_rng(_SEED).choice(found.num_rows, MOST_PAIRS, replace=False)
    return found.take(pa.array(np.sort(chosen)))


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
    return _at_most(query(sql, {"t": encoded.select([ID, column])}))


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
    if not pairs.num_rows:
        return 0, 0
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

"""Which pairs people look at: every pair that a product speaks of and those just outside, in strata, a sample of each.

Two frames make one. *Inside*: every pair of records in one loose cluster, and every scored pair that was kept with the
spine; counted exactly. *Outside*: pairs that an independent sample of records makes with all records under looser
blocking rules, down to `FLOOR`, that are not inside. So nothing below the kept weight has to be stored with a spine.
The weight is the total one, prior included, so `FLOOR` means the same in a small lab and a large one: one such pair in
1,000 is expected to be one person, however many records there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import sqrt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage import engine as engines
from counterfoil.linkage.blocking import count_within
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.model import Model, Resources
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality import probability_of
from counterfoil.linkage.quality_report.judged import Judged
from counterfoil.linkage.specification import Rule
from counterfoil.warehouse import query

FLOOR = -10.0  # bits: lowest weight of a pair that may be looked at
LABELS = 1_200  # pairs sampled unless said otherwise: two reviewers at 20 seconds a pair are 13 hours
LEAST_A_STRATUM = 20  # pairs, or all of them where there are fewer
MAX_LOOSER_PAIRS = 50_000_000  # more candidate pairs than this, and only a share of the records is compared looser
_LEAST_DOUBT = 0.01  # no stratum is thought to be surer than this when labels are shared out
_SEED_LOOSER, _SEED_LABELS = 1, 2


class Standing(Enum):
    """Where a pair of records stands in a product, the strictest that holds."""

    LINKED = "linked"  # of a share
    STRICT = "one person at strict"
    MEDIUM = "one person at medium"
    LOOSE = "one person at loose"
    APART = "compared, two people"
    UNREACHED = "never compared"


INSIDE = {
    Strictness.STRICT: (Standing.LINKED, Standing.STRICT),
    Strictness.MEDIUM: (Standing.LINKED, Standing.STRICT, Standing.MEDIUM),
    Strictness.LOOSE: (Standing.LINKED, Standing.STRICT, Standing.MEDIUM, Standing.LOOSE),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """Pairs that may be looked at. `pairs`: unique_id_l, unique_id_r, match_weight (null: never weighed, or too little
    to keep), standing, is_outside, stratum; ordered by the ids. `share` of the records (0-1) was compared looser;
    `sides`: how many of a pair's two may have been drawn for that."""

    pairs: pa.Table
    share: float
    sides: int = 2

    @property
    def chance_outside(self) -> float:
        """Chance that a pair outside is in the frame: one of its records was drawn."""
        return 1 - (1 - self.share) ** self.sides


@dataclass(frozen=True, slots=True)
class Stratum:
    """Pairs in the frame, and how many of them are to be looked at."""

    name: str
    standing: Standing
    is_outside: bool
    pairs: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Sample:
    """`pairs`: rows of the frame's pairs that were drawn, with source and record_id of both records, by stratum."""

    pairs: pa.Table
    strata: tuple[Stratum, ...]
    share: float
    sides: int = 2

    @property
    def chance_outside(self) -> float:
        """As of the frame."""
        return 1 - (1 - self.share) ** self.sides


def frame_of(
    judged: Judged,
    looser: Sequence[Rule],
    *,
    engine: Engine,
    resources: Resources,
    max_pairs: int = MAX_LOOSER_PAIRS,
) -> Frame:
    """Every pair that may be looked at, and its stratum."""
    encoded = judged.encoded()
    people = _numbered_people(encoded, judged.people())
    share = _share(encoded, looser, max_pairs)
    outside = _looser_pairs(judged, encoded, looser, share=share, engine=engine, resources=resources)
    sql = f"""
        WITH together AS (
            SELECT a.{ID} AS l, b.{ID} AS r, a.strict = b.strict AS strict, a.medium = b.medium AS medium
            FROM people a JOIN people b ON a.loose = b.loose AND a.{ID} < b.{ID}),
        inside AS (
            SELECT coalesce(t.l, k.{ID}_l) AS l, coalesce(t.r, k.{ID}_r) AS r, k.match_weight,
                   CASE WHEN t.strict THEN '{Standing.STRICT.value}' WHEN t.medium THEN '{Standing.MEDIUM.value}'
                        WHEN t.l IS NOT NULL THEN '{Standing.LOOSE.value}' ELSE '{Standing.APART.value}' END AS standing
            FROM together t FULL JOIN kept k ON t.l = k.{ID}_l AND t.r = k.{ID}_r)
        SELECT l AS {ID}_l, r AS {ID}_r, match_weight, standing, false AS is_outside FROM inside
        UNION ALL
        SELECT o.a, o.b, o.match_weight,
               CASE WHEN compared THEN '{Standing.APART.value}' ELSE '{Standing.UNREACHED.value}' END, true
        FROM outside o ANTI JOIN inside i ON o.a = i.l AND o.b = i.r
        ORDER BY 1, 2"""
    kept = judged.links()
    pairs = query(sql, {"people": people, "kept": kept, "outside": outside})
    thresholds = sorted(judged.spine.thresholds.values())
    return Frame(pairs.append_column("stratum", strata_of(pairs, thresholds)), share)


def draw(frame: Frame, encoded: pa.Table, *, labels: int = LABELS, seed: int = _SEED_LABELS) -> Sample:
    """`labels` pairs shared out over the strata (Neyman: by pairs and by how unsure the model is), drawn at random."""
    names = frame.pairs["stratum"].to_numpy(zero_copy_only=False)
    weight = frame.pairs["match_weight"].to_numpy(zero_copy_only=False)
    order, found = np.unique(names, return_inverse=True)
    rows = [np.flatnonzero(found == number) for number in range(order.size)]
    sizes = _shared_out(rows, weight, labels)
    rng = np.random.default_rng(seed)
    chosen = [np.sort(rng.choice(at, size, replace=False)) for at, size in zip(rows, sizes, strict=True)]
    strata = tuple(_stratum(frame, str(name), at, size) for name, at, size in zip(order, rows, sizes, strict=True))
    return Sample(
        _with_names(frame.pairs.take(pa.array(np.concatenate(chosen))), encoded), strata, frame.share, frame.sides
    )


def _stratum(frame: Frame, name: str, rows: npt.NDArray[np.int64], sampled: int) -> Stratum:
    first = frame.pairs.slice(int(rows[0]), 1).to_pylist()[0]
    return Stratum(name, Standing(first["standing"]), first["is_outside"], int(rows.size), sampled)


def _shared_out(rows: Sequence[npt.NDArray[np.int64]], weight: npt.NDArray[np.float64], labels: int) -> list[int]:
    doubt = []
    for at in rows:
        known = weight[at][~np.isnan(weight[at])]
        share = float(probability_of(known).mean()) if known.size else 0.5
        share = min(max(share, _LEAST_DOUBT), 1 - _LEAST_DOUBT)
        doubt.append(at.size * sqrt(share * (1 - share)))
    whole = sum(doubt)
    return [min(at.size, max(LEAST_A_STRATUM, round(labels * d / whole))) for at, d in zip(rows, doubt, strict=True)]


def _with_names(pairs: pa.Table, encoded: pa.Table) -> pa.Table:
    for side in "lr":
        at = pairs[f"{ID}_{side}"]
        for name in ("source", "record_id"):
            pairs = pairs.append_column(f"{name}_{side}", encoded[name].combine_chunks().take(at.combine_chunks()))
    return pairs


def strata_of(pairs: pa.Table, thresholds: Sequence[float]) -> pa.Array:
    """Standing and band of weight, as text that sorts as it reads."""
    strict = thresholds[-1]
    edges = sorted({FLOOR, FLOOR / 2, 0.0, thresholds[0] / 2, *thresholds, strict + 5, strict + 15})
    weight = pairs["match_weight"].to_numpy(zero_copy_only=False)
    number = np.searchsorted(edges, np.nan_to_num(weight, nan=-np.inf), side="right")
    bands = ["not weighed", *(f"from {low:g} to {high:g}" for low, high in pairwise(edges))]
    band = pa.array([*bands, f"{edges[-1]:g} and more"]).take(pa.array(number))
    return pc.binary_join_element_wise(pairs["standing"].combine_chunks(), band, ", ")


def _numbered_people(encoded: pa.Table, people: pa.Table) -> pa.Table:
    levels = ", ".join(f"cluster_{level.value} AS {level.value}" for level in Strictness)
    sql = f"SELECT {ID}, {levels} FROM e JOIN p USING (source, record_id) ORDER BY {ID}"
    return query(sql, {"e": encoded.select([ID, "source", "record_id"]), "p": people})


def _share(encoded: pa.Table, looser: Sequence[Rule], max_pairs: int) -> float:
    """Share of records to compare looser, so that there are not more than `max_pairs` candidate pairs."""
    pairs = sum(count.pairs for count in count_within(encoded, looser))
    return 1.0 if pairs <= max_pairs else max_pairs / (2 * pairs)


def looser_model(model: Model, rules: Sequence[Rule]) -> Model:
    """The model with other blocking rules."""
    settings = {**model.settings, "blocking_rules_to_generate_predictions": [rule.sql for rule in rules]}
    return Model(settings, model.frequencies)


def _looser_pairs(
    judged: Judged, encoded: pa.Table, looser: Sequence[Rule], *, share: float, engine: Engine, resources: Resources
) -> pa.Table:
    """a, b (a < b), match_weight (`FLOOR` and more), compared (by a usual rule): pairs of drawn records with all."""
    usual, records = judged.spine.specification.rules, int(pc.max(encoded[ID]).as_py() or 0) + 1
    model = looser_model(judged.spine.model, [*usual, *looser])
    if share < 1:
        drawn = np.flatnonzero(np.random.default_rng(_SEED_LOOSER).random(encoded.num_rows) < share)
        apart = encoded.take(pa.array(drawn))
        moved = pc.add(apart[ID], records)
        apart = apart.set_column(apart.column_names.index(ID), ID, moved)
        found = engines.score_between(apart, encoded, model, threshold=FLOOR, engine=engine, resources=resources)
    else:
        pairs = sum(count.pairs for count in count_within(encoded, [*usual, *looser]))
        found = engines.score(encoded, model, threshold=FLOOR, pairs=pairs, engine=engine, resources=resources)
    return query(_compared_sql(usual, records), {"found": found, "e": encoded})


def _compared_sql(usual: Sequence[Rule], records: int) -> str:
    rules = " OR ".join(f"({rule.sql})" for rule in usual)
    return f"""
        WITH pairs AS (
            SELECT least({ID}_l % {records}, {ID}_r % {records}) AS a,
                   greatest({ID}_l % {records}, {ID}_r % {records}) AS b, max(match_weight) AS match_weight
            FROM found GROUP BY 1, 2)
        SELECT a, b, match_weight, coalesce({rules}, false) AS compared
        FROM pairs JOIN e l ON l.{ID} = a JOIN e r ON r.{ID} = b WHERE a < b ORDER BY 1, 2"""


def describe(strata: Sequence[Stratum]) -> list[Mapping[str, object]]:
    """The strata as JSON."""
    return [
        {
            "stratum": s.name,
            "standing": s.standing.value,
            "outside": s.is_outside,
            "pairs": s.pairs,
            "sampled": s.sampled,
        }
        for s in strata
    ]

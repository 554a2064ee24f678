"""The pairs that are to be looked at of each product, kept with their spine; and what the answers tell.

`linker/spine/VERSION/quality/sample.parquet` has the pairs of the spine, `sample.json` the strata; those of another
product lie in a folder of its name there. They are drawn once: labels stay good for as long as the spine stands.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.lab.files import write_json
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.engine import DEFAULT_ENGINE, Engine
from counterfoil.linkage.model import Resources
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality_report.beyond import beyond_frames
from counterfoil.linkage.quality_report.domain import QualityRules
from counterfoil.linkage.quality_report.estimates import Estimated, estimate, interval_json
from counterfoil.linkage.quality_report.groups import age_sql
from counterfoil.linkage.quality_report.intervals import Interval
from counterfoil.linkage.quality_report.judged import Judged
from counterfoil.linkage.quality_report.sampling import LABELS, Sample, Standing, Stratum, draw, frame_of
from counterfoil.warehouse import query, read_table, write_table

DEFAULT_RESOURCES = Resources(2, "8GB")


@dataclass(frozen=True, slots=True)
class ReviewSample:
    """Pairs to look at, and the share of true pairs (0-1) that no frame holds."""

    sample: Sample
    beyond: Interval
    groups: Mapping[
        str, Mapping[str, Mapping[str, int]]
    ]  # kind -> value -> stratum -> pairs with a record of the group

    @property
    def pairs(self) -> pa.Table:
        """source_l, record_id_l, source_r, record_id_r, match_weight, standing, stratum, unique ids; one row a pair."""
        return self.sample.pairs


def review_sample(
    judged: Judged,
    rules: QualityRules,
    *,
    today: dt.date,
    labels: int = LABELS,
    engine: Engine = DEFAULT_ENGINE,
    resources: Resources = DEFAULT_RESOURCES,
) -> ReviewSample:
    """The pairs of a product that are to be looked at: those drawn before, or drawn now and kept."""
    if is_drawn(judged):
        return read_sample(judged.folder)
    frame = frame_of(judged, rules.looser, engine=engine, resources=resources)
    sample = draw(frame, judged.spine.encoded(), labels=labels)
    kinds = _kinds(judged.spine.encoded(), today)
    counts = {kind: _counts(frame.pairs, values) for kind, values in kinds.items()}
    sample = Sample(_with_kinds(sample.pairs, kinds), sample.strata, sample.share, sample.sides)
    made = ReviewSample(sample, beyond_frames(judged, rules, frame.pairs, engine=engine, resources=resources), counts)
    write_sample(judged.folder, made)
    return made


def is_drawn(judged: Judged) -> bool:
    """Whether somebody has asked for the pairs of a product."""
    return (judged.folder / "sample.json").is_file()


def estimate_from_labels(
    sample: ReviewSample, labels: pa.Table, *, reviewer_error: float | None = None
) -> Estimated | None:
    """Precision and recall with 95% intervals; None before anybody has looked."""
    return estimate(sample.sample, labels, reviewer_error=reviewer_error, beyond=sample.beyond)


def by_group_of_labels(sample: ReviewSample, labels: pa.Table) -> dict[str, Any]:
    """{kind: {value: precision and recall at medium}}, of pairs with a record of the group; groups with labels only."""
    level = Strictness.MEDIUM
    found: dict[str, Any] = {}
    for kind, values in sample.groups.items():
        estimates = {value: estimate(_of_group(sample, kind, value), labels, beyond=sample.beyond) for value in values}
        found[kind] = {
            value: {
                "precision": interval_json(each.precision[level]),
                "recall": interval_json(each.recall[level]),
                "labels": each.labels,
            }
            for value, each in estimates.items()
            if each is not None
        }
    return found


def _of_group(sample: ReviewSample, kind: str, value: str) -> Sample:
    pairs, counts = sample.sample.pairs, sample.groups[kind][value]
    chosen = pc.or_kleene(pc.equal(pairs[f"{kind}_l"], value), pc.equal(pairs[f"{kind}_r"], value))
    strata = tuple(replace(s, pairs=counts[s.name]) for s in sample.sample.strata if counts.get(s.name))
    return Sample(pairs.filter(pc.fill_null(chosen, False)), strata, sample.sample.share, sample.sample.sides)


def _kinds(encoded: pa.Table, today: dt.date) -> Mapping[str, pa.Array]:
    """What the linker knows of each record that people are told apart by: sex, age, source."""
    sql = f"""SELECT sex_std AS sex, {age_sql("dob", today)} AS age, source FROM t ORDER BY {ID}"""
    found = query(sql, {"t": encoded.select([ID, "sex_std", "dob", "source"])})
    return {name: found[name].combine_chunks() for name in found.column_names}


def _counts(pairs: pa.Table, values: pa.Array) -> dict[str, dict[str, int]]:
    """For each value, pairs of each stratum with a record of it."""
    table = pairs.select(["stratum"])
    for side in "lr":
        table = table.append_column(side, values.take(pairs[f"{ID}_{side}"].combine_chunks()))
    sql = """SELECT v, stratum, count(*) AS n FROM
                 (SELECT l AS v, stratum FROM t WHERE l IS NOT NULL
                  UNION ALL SELECT r, stratum FROM t WHERE r IS NOT NULL AND l IS DISTINCT FROM r)
             GROUP BY ALL ORDER BY ALL"""
    found: dict[str, dict[str, int]] = {}
    for row in query(sql, {"t": table}).to_pylist():
        found.setdefault(row["v"], {})[row["stratum"]] = row["n"]
    return found


def _with_kinds(pairs: pa.Table, kinds: Mapping[str, pa.Array]) -> pa.Table:
    for kind, values in kinds.items():
        for side in "lr":
            if f"{kind}_{side}" not in pairs.column_names:
                at = pairs[f"{ID}_{side}"].combine_chunks()
                pairs = pairs.append_column(f"{kind}_{side}", values.take(at))
    return pairs


def write_sample(folder: Path, made: ReviewSample) -> None:
    """Keep the pairs that were drawn."""
    strata = [{**asdict(stratum), "standing": stratum.standing.value} for stratum in made.sample.strata]
    write_table(made.pairs, folder / "sample.parquet")
    about = {
        "share": made.sample.share,
        "sides": made.sample.sides,
        "beyond": asdict(made.beyond),
        "strata": strata,
        "groups": made.groups,
    }
    write_json(folder / "sample.json", about)


def read_sample(folder: Path) -> ReviewSample:
    """The pairs that were drawn before."""
    about = json.loads((folder / "sample.json").read_text(encoding="utf-8"))
    sample = Sample(
        read_table(folder / "sample.parquet"),
        tuple(map(_stratum, about["strata"])),
        about["share"],
        about.get("sides", 2),
    )
    return ReviewSample(sample, Interval(**about["beyond"]), about["groups"])


def _stratum(raw: Mapping[str, Any]) -> Stratum:
    return Stratum(**{**raw, "standing": Standing(raw["standing"])})

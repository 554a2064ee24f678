"""The pairs that are to be looked at, kept with their spine; and what the answers tell.

`linker/spine/VERSION/quality/sample.parquet` has the pairs, `sample.json` the strata. They are drawn once: labels stay
good for as long as the spine stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.lab.files import write_json
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.model import Resources
from counterfoil.linkage.quality_report.beyond import beyond_frames
from counterfoil.linkage.quality_report.domain import QualityRules
from counterfoil.linkage.quality_report.estimates import Estimated, estimate
from counterfoil.linkage.quality_report.intervals import Interval
from counterfoil.linkage.quality_report.sampling import LABELS, Sample, Standing, Stratum, draw, frame_of
from counterfoil.linkage.spine import Spine
from counterfoil.warehouse import read_table, write_table

FOLDER = "quality"  # of a spine: the sample and the page
DEFAULT_RESOURCES = Resources(2, "8GB")


@dataclass(frozen=True, slots=True)
class ReviewSample:
    """Pairs to look at, and the share of true pairs (0-1) that no frame holds."""

    sample: Sample
    beyond: Interval

    @property
    def pairs(self) -> pa.Table:
        """source_l, record_id_l, source_r, record_id_r, match_weight, standing, stratum, unique ids; one row a pair."""
        return self.sample.pairs


def review_sample(
    spine: Spine,
    rules: QualityRules,
    *,
    labels: int = LABELS,
    engine: Engine = Engine.SPLINK,
    resources: Resources = DEFAULT_RESOURCES,
) -> ReviewSample:
    """The pairs of a spine that are to be looked at: those drawn before, or drawn now and kept."""
    folder = spine.folder / FOLDER
    if (folder / "sample.json").is_file():
        return _read(folder)
    frame = frame_of(spine, rules.looser, engine=engine, resources=resources)
    sample = draw(frame, spine.encoded(), labels=labels)
    made = ReviewSample(sample, beyond_frames(spine, rules, engine=engine, resources=resources))
    _write(folder, made)
    return made


def estimate_from_labels(
    sample: ReviewSample, labels: pa.Table, *, reviewer_error: float | None = None
) -> Estimated | None:
    """Precision and recall with 95% intervals; None before anybody has looked."""
    return estimate(sample.sample, labels, reviewer_error=reviewer_error, beyond=sample.beyond)


def _write(folder: Path, made: ReviewSample) -> None:
    strata = [{**asdict(stratum), "standing": stratum.standing.value} for stratum in made.sample.strata]
    write_table(made.pairs, folder / "sample.parquet")
    about = {"share": made.sample.share, "beyond": asdict(made.beyond), "strata": strata}
    write_json(folder / "sample.json", about)


def _read(folder: Path) -> ReviewSample:
    about = json.loads((folder / "sample.json").read_text(encoding="utf-8"))
    sample = Sample(read_table(folder / "sample.parquet"), tuple(map(_stratum, about["strata"])), about["share"])
    return ReviewSample(sample, Interval(**about["beyond"]))


def _stratum(raw: Mapping[str, Any]) -> Stratum:
    return Stratum(**{**raw, "standing": Standing(raw["standing"])})

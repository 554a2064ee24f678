"""`quality`: the newest spine's report, made and written. For the linker role."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.domains.shares import load_shares
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.progress import Progress
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.journeys import load_journeys
from counterfoil.linkage.quality_report.build import build_report
from counterfoil.linkage.quality_report.cases import true_journeys
from counterfoil.linkage.quality_report.judged import FOLDER, share_product
from counterfoil.linkage.quality_report.page import write_report
from counterfoil.linkage.quality_report.truth import lab_truth
from counterfoil.linkage.review.decisions import labels
from counterfoil.linkage.spine import Spine, read_spine


def make_quality(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `quality` of the linker: {"page", "report", "findings", "spine"}."""
    lab = open_lab(Path(arguments["lab"]))
    spine, truth = read_spine(lab), _truth_folder(lab)
    report = build_report(
        lab,
        spine,
        truth=lab_truth(truth),
        cases=true_journeys(truth, load_journeys(lab.settings.domain)),
        labels=_labels(lab),
        engine=_engine(spine),
        progress=progress,
    )
    progress("Writing the page", 0.95)
    page = write_report(report, spine.folder / FOLDER)
    return {"page": str(page), "spine": spine.version, "findings": report["findings"], "report": report}


def _engine(spine: Spine) -> Engine:
    """The engine that made the spine."""
    said = spine.quality().get("engine")
    return next((engine for engine in Engine if engine.value == said), Engine.SPLINK)


def _truth_folder(lab: OpenLab) -> Path | None:
    """Where a synthetic lab's truth lies; relative to the lab."""
    said = getattr(lab.settings, "truth", None)
    return None if said is None else lab.paths.root / said


def _labels(lab: OpenLab) -> pa.Table | None:
    """What reviewers said of pairs of the spine's products and of shares, if anybody has looked."""
    shares = [labels(lab.paths, share_product(name)) for name in load_shares(lab.settings.domain)]
    said = pa.concat_tables([labels(lab.paths), *shares])
    return said if said.num_rows else None

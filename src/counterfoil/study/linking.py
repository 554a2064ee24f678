"""The linker's tasks that make a spine, or link a share of another department to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.progress import Progress
from counterfoil.linkage import Engine, build_spine
from counterfoil.linkage.journeys import write_journeys
from counterfoil.linkage.quality_report.truth import lab_truth
from counterfoil.linkage.share_truth import TRUTH_OF_SHARES
from counterfoil.linkage.shares import link_share as link_this_share

TRUTH_GROUPS = ("sex", "ethnicity", "origin")  # of people, in which a synthetic spine's error rates are told


def link_share(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `link_share` of the linker."""
    lab = open_lab(Path(arguments["lab"]))
    truth = lab.truth if lab.truth and (lab.truth / TRUTH_OF_SHARES).is_file() else None
    result = link_this_share(
        lab, arguments["share"], engine=Engine(arguments["engine"]), truth=truth, progress=progress
    )
    if result.made:
        log.append(lab.paths, "share linked", {"share": result.share, "version": result.version})
    return {"share": result.share, "version": result.version, "lines": result.lines()}


def _truth(lab: OpenLab) -> pa.Table | None:
    """Who each record is, with groups of people, in a synthetic lab."""
    found = lab_truth(lab.truth)
    if lab.truth is not None and found is None:
        raise UsageError(
            "The folder that `truth` names in lab.toml holds no truth_records.parquet. Give the folder `truth` of the "
            "lab's synthetic population, or remove the line."
        )
    return None if found is None else found.select(["source", "record_id", "person_id", *TRUTH_GROUPS])


def link_sources(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `link` of the linker."""
    lab = open_lab(Path(arguments["lab"]))
    result = build_spine(
        lab,
        engine=Engine(arguments["engine"]),
        truth=_truth(lab),
        retrain=arguments.get("retrain", False),
        rebuild=arguments.get("rebuild", False),
        beside=lambda folder: write_journeys(lab.paths, folder, lab.settings.domain),
        progress=progress,
    )
    if not result.made:
        progress("Following cases from one court to the other", 0.99)
        write_journeys(lab.paths, result.spine.folder, lab.settings.domain)
    if result.made:
        log.append(lab.paths, "linked", {"spine": result.spine.version})
    products = result.quality.get("products", {})
    return {"spine": result.spine.version, "products": products, "lines": result.lines()}

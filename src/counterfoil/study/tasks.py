"""Which role may do what: every task that a child process runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from counterfoil.domains import load
from counterfoil.domains.shares import delivered_schema
from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.progress import Progress
from counterfoil.linkage import Engine, build_spine
from counterfoil.linkage.journeys import write_journeys
from counterfoil.linkage.quality_report.task import make_quality
from counterfoil.linkage.quality_report.truth import lab_truth
from counterfoil.linkage.review.task import review_summary, simulate_review
from counterfoil.linkage.shares import TRUTH_OF_SHARES, link_share
from counterfoil.records.load import Intake
from counterfoil.records.load import load as load_delivery
from counterfoil.study.analyst import evaluate_run, make_register
from counterfoil.study.linker import entries_summary, link_submission
from counterfoil.study.pooled_people import share_people
from counterfoil.study.roles import ProcessRole

TRUTH_GROUPS = ("sex", "ethnicity", "origin")  # of people, in which a synthetic spine's error rates are told

Task = Callable[[Mapping[str, Any], Progress], dict[str, Any]]


def _load(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    lab = open_lab(Path(arguments["lab"]))
    domain = load(lab.settings.domain)
    schema, gateway = delivered_schema(domain, arguments["source"])
    if gateway is not None:
        gateway.check_open(lab.settings.date())
    date = dt.date.fromisoformat(arguments["date"]) if arguments["date"] else lab.settings.date()
    files = [Path(file) for file in arguments["files"]]
    receipt = load_delivery(
        files,
        schema,
        lab.paths,
        delivery=date,
        codes=domain.codes,
        today=lab.settings.date(),
        intake=Intake(arguments.get("intake", Intake.WHOLE.value)),
        progress=progress,
    )
    added = {"added_to": receipt.added_to[-1].delivery} if receipt.added_to else {}
    log.append(lab.paths, "loaded", {"source": schema.name, "delivery": date.isoformat(), **added})
    deliveries = [part.delivery for part in receipt.parts()]
    said = {"source": schema.name, "delivery": date.isoformat(), "deliveries": deliveries}
    return {**said, "lines": receipt.lines()}


def _link_share(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    lab = open_lab(Path(arguments["lab"]))
    truth = lab.truth if lab.truth and (lab.truth / TRUTH_OF_SHARES).is_file() else None
    result = link_share(lab, arguments["share"], engine=Engine(arguments["engine"]), truth=truth, progress=progress)
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


def _link(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
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


TASKS: Mapping[tuple[ProcessRole, str], Task] = {
    (ProcessRole.INTAKE, "load"): _load,
    (ProcessRole.LINKER, "link"): _link,
    (ProcessRole.LINKER, "link_share"): _link_share,
    (ProcessRole.LINKER, "link_cohort"): link_submission,
    (ProcessRole.LINKER, "quality"): make_quality,
    (ProcessRole.LINKER, "review_simulate"): simulate_review,
    (ProcessRole.LINKER, "review_summary"): review_summary,
    (ProcessRole.LINKER, "review_entries"): entries_summary,
    (ProcessRole.ANALYST, "register"): make_register,
    (ProcessRole.ANALYST, "evaluate"): evaluate_run,
    (ProcessRole.ANALYST, "share_people"): share_people,
}

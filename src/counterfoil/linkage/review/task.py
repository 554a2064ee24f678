"""Tasks of the linker that ask nobody: counts and agreement, and simulated reviewers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.errors import UsageError
from counterfoil.lab import log
from counterfoil.lab.make import OpenLab, open_lab
from counterfoil.lab.progress import Progress
from counterfoil.linkage import overrides
from counterfoil.linkage.quality_report.judged import SPINE, share_of
from counterfoil.linkage.review import session
from counterfoil.linkage.review.session import Review, open_review
from counterfoil.linkage.review.simulate import simulate
from counterfoil.linkage.review.values import Queue
from counterfoil.linkage.share_truth import TRUTH_OF_SHARES
from counterfoil.warehouse import read_table

_TRUTH = "truth_records.parquet"


def review_summary(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `review_summary`: counts and agreement of a queue."""
    return _counted(_open(arguments, progress, twice=session.TWICE))


def simulate_review(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Task `review_simulate`: simulated reviewers work through a queue; their answers are kept as people's are."""
    folder = _truth_folder(open_lab(Path(arguments["lab"])), arguments["truth"])
    review = _open(arguments, progress, twice=1.0)
    truth = known_truth(folder, share_of(review.product))
    progress("Answering from the truth", None)
    done = simulate(
        review,
        truth,
        reviewers=arguments["reviewers"],
        error_rate=arguments["error_rate"],
        seed=arguments["seed"],
        limit=arguments["limit"],
    )
    about = {"spine": review.spine.version, "product": review.product}
    log.append(review.lab.paths, "clerical review simulated", about)
    return {"simulated": [asdict(each) for each in done], **_counted(review)}


def _open(arguments: Mapping[str, Any], progress: Progress, *, twice: float) -> Review:
    lab = open_lab(Path(arguments["lab"]))
    share = twice if arguments["twice"] is None else float(arguments["twice"])
    product = arguments.get("product", SPINE)
    return open_review(lab, Queue(arguments["queue"]), product=product, twice=share, progress=progress)


def _counted(review: Review) -> dict[str, Any]:
    paths = review.lab.paths
    ruled = overrides.in_force(paths, share=share_of(review.product))
    counts = {"labels": len(session.answers_of(review)), "overrides": len(ruled)}
    return {**session.summary(review), **counts}


def _truth_folder(lab: OpenLab, given: str | None) -> Path:
    said = given or getattr(lab.settings, "truth", None)
    if not said:
        raise UsageError(
            "Simulated reviewers answer from the truth, and this lab names none. Give its folder with --truth; only a "
            "synthetic lab has one."
        )
    folder = Path(given) if given else lab.paths.root / str(said)
    if not (folder / _TRUTH).is_file():
        raise UsageError(f"{folder} holds no {_TRUTH}. Give the folder `truth` of a synthetic population.")
    return folder


def known_truth(folder: Path, share: str | None) -> pa.Table:
    """source, record_id, person_id of the lab's records, and of those of a share."""
    records = read_table(folder / _TRUTH, ["source", "record_id", "person_id"])
    if share is None:
        return records
    own = read_table(folder / TRUTH_OF_SHARES, ["share", "record_id", "person_id"])
    own = own.filter(pc.equal(own["share"], share)).rename_columns(records.column_names)
    return pa.concat_tables([records, own.cast(records.schema)])

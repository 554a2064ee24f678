"""Precision and recall of each product, by what they rest on: the model of itself, a reviewed sample, the truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from counterfoil.linkage.clusters import Links, Strictness
from counterfoil.linkage.linked_share import LinkedShare
from counterfoil.linkage.prepare import ID
from counterfoil.linkage.quality import estimated
from counterfoil.linkage.quality_report import groups
from counterfoil.linkage.quality_report.estimates import Estimated, interval_json
from counterfoil.linkage.quality_report.judged import Judged
from counterfoil.linkage.quality_report.review import ReviewSample
from counterfoil.linkage.quality_report.sampling import describe

LINK = "link"  # the one strictness of a share


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one product: who its records truly are, if the lab is synthetic, on the lab's date; its sample,
    if anybody drew it; what labels of its own tell."""

    truth: pa.Table | None
    today: dt.date
    sample: ReviewSample | None
    found: Estimated | None


def judge(judged: Judged, known: Known) -> dict[str, Any]:
    """What the page says of one product."""
    labels = judged.labels()
    people = judged.people()
    rows = model_rows(judged)
    if known.found is not None:
        rows += [label_row(level, known.found) for level in Strictness]
    if known.truth is not None:
        encoded = judged.spine.encoded()
        for level in Strictness:
            joined = groups.with_truth(encoded, labels[level], known.truth, known.today)
            rows.append(truth_row(joined, "Truth", level, judged.sources))
    return {
        "title": judged.title,
        "sources": list(judged.sources),
        "records": people.num_rows,
        "people": {level.value: len(np.unique(people[f"cluster_{level.value}"].to_numpy())) for level in Strictness},
        "rows": rows,
        "review": None if known.sample is None else review_json(known.sample, known.found),
    }


def judge_share(linked: LinkedShare, sample: ReviewSample | None, found: Estimated | None) -> dict[str, Any]:
    """What the page says of a share: pairs of a person of it and one of the spine, linked or not."""
    report = linked.report
    said = {"precision": _rate_alone(report["estimated"]["precision"]), "recall": _rate_alone(None)}
    rows: list[dict[str, Any]] = [{"basis": "The model of itself", "strictness": LINK, **said}]
    if found is not None:
        rows.append({**label_row(Strictness.MEDIUM, found), "strictness": LINK})
    if "truth" in report:
        true = report["truth"]["model"]["all"]
        rows.append({"basis": "Truth", "strictness": LINK, "precision": true["precision"], "recall": true["recall"]})
    return {
        "title": linked.share.name,
        "sources": [linked.share.name],
        "records": report["records"],
        "people": {LINK: report["people"]["linked"]},
        "rows": rows,
        "review": None if sample is None else review_json(sample, found),
        "coverage": report["coverage"],
        "overrides": report["overrides"],
    }


def _rate_alone(rate: float | None) -> dict[str, float | None]:
    return {"rate": rate, "low": None, "high": None}


def model_rows(judged: Judged) -> list[dict[str, Any]]:
    """What the model expects of its own links, at each strictness."""
    kept = judged.links()
    links = Links(*(kept[name].to_numpy() for name in (f"{ID}_l", f"{ID}_r", "match_weight")))
    expected = estimated(links, judged.spine.thresholds)
    return [_model_row(level, expected) for level in Strictness]


def _model_row(level: Strictness, expected: Mapping[str, Any]) -> dict[str, Any]:
    row = expected[level.value]
    return {
        "basis": "The model of itself",
        "strictness": level.value,
        "precision": {"rate": row["precision"], "low": None, "high": None},
        "recall": {"rate": row["recall"], "low": None, "high": None},
        "false": row["false_links"],
        "missed": row["missed_links"],
    }


def label_row(level: Strictness, found: Estimated) -> dict[str, Any]:
    """What reviewers' labels tell."""
    return {
        "basis": "Sampled review",
        "strictness": level.value,
        "precision": interval_json(found.precision[level]),
        "recall": interval_json(found.recall[level]),
        "scoring_recall": interval_json(found.scoring_recall[level]),
        "blocking_recall": interval_json(found.blocking_recall),
    }


def truth_row(joined: pa.Table, basis: str, level: Strictness | None, sources: Sequence[str]) -> dict[str, Any]:
    """What the truth says of pairs of records of some sources. `joined` as `with_truth` gives it."""
    rates = groups.rates_of(joined.filter(pc.is_in(joined["source"], value_set=pa.array(sources))), "true")
    return {
        "basis": basis,
        "strictness": "none" if level is None else level.value,
        "precision": rates["precision"],
        "recall": rates["recall"],
    }


def review_json(sample: ReviewSample, found: Estimated | None) -> dict[str, Any]:
    """The sample, and what its labels tell."""
    return {
        "strata": describe(sample.sample.strata),
        "share_of_records": round(sample.sample.share, 6),
        "beyond": interval_json(sample.beyond),
        "estimate": None if found is None else found.to_json(),
    }

"""Do the intervals of sampled review of a product cover the truth? Twenty synthetic labs, two simulated reviewers.

    python -m benchmarks.review_coverage [--labs 20] [--people 3000] [--error 0.02] [--labels 1200] [--product spine]

Each lab is a population of its own: drawn, loaded, linked, sampled, reviewed. Printed: for precision and recall at each
strictness in how many labs the interval holds the truth (at least 17 of 20 must), and how wide it is. Exit 1 otherwise.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from counterfoil.domains import load
from counterfoil.domains.shares import load_shares
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.linked_share import read_linked_share
from counterfoil.linkage.quality_report.domain import quality_rules
from counterfoil.linkage.quality_report.estimates import Estimated
from counterfoil.linkage.quality_report.intervals import Interval
from counterfoil.linkage.quality_report.judged import SPINE, judged_product
from counterfoil.linkage.quality_report.review import ReviewSample, estimate_from_labels, review_sample
from counterfoil.linkage.quality_report.share_sample import share_sample
from counterfoil.linkage.quality_report.truth import simulated_labels, true_rates
from counterfoil.linkage.review.task import known_truth
from counterfoil.linkage.shares import link_share
from counterfoil.linkage.spine import read_spine, resources
from counterfoil.population import LAB_DATE, generate
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS

FIRST_SEED = 101
MUST_COVER = 17 / 20
Stated = tuple[str, str, Interval, float]  # strictness, precision or recall, what labels say, the truth
_ROUNDING = 1e-6  # the intervals are printed to six digits


def main() -> int:
    """Run and print."""
    options = _options()
    held: dict[tuple[str, str], list[bool]] = defaultdict(list)
    width: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(options.labs):
        with tempfile.TemporaryDirectory() as folder:
            for key, is_held, wide in _one(Path(folder), FIRST_SEED + number, options):
                held[key].append(is_held)
                width[key].append(wide)
        print(f"lab {number + 1} of {options.labs} done", file=sys.stderr, flush=True)
    print("| strictness | of | covers the truth | mean width, points |\n|---|---|---|---|")
    for key, found in held.items():
        print(f"| {key[0]} | {key[1]} | {sum(found)} of {len(found)} | {100 * np.mean(width[key]):.2f} |")
    used = resource.getrusage(resource.RUSAGE_SELF)
    asked = f"reviewers wrong {options.error:.1%} of the time, {options.labels:,} pairs"
    cost = f"{used.ru_utime + used.ru_stime:.0f} CPU-s, {used.ru_maxrss / 1e6:.2f} GB"
    print(f"\n{options.product}, {options.people:,} people a lab, {asked}; {cost}")
    return 0 if all(sum(found) >= MUST_COVER * len(found) for found in held.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labs", type=int, default=20)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--error", type=float, default=0.02)
    parser.add_argument("--product", default=SPINE, help="the spine, another product of linkage.toml, or a share")
    parser.add_argument("--labels", type=int, default=1_200)
    return parser.parse_args()


def _one(folder: Path, seed: int, options: argparse.Namespace) -> list[tuple[tuple[str, str], bool, float]]:
    is_share = options.product in load_shares()
    made = generate(folder / "population", people=options.people, seed=seed, shares=is_share)
    lab = _linked(folder / "lab", made.sources)
    reviewed = _share_reviewed if is_share else _reviewed
    rows = []
    for level, name, interval, rate in reviewed(lab, made.sources.parent, seed, options):
        is_held = interval.low - _ROUNDING <= rate <= interval.high + _ROUNDING
        rows.append(((level, name), is_held, interval.high - interval.low))
    return rows


def _reviewed(lab: OpenLab, population: Path, seed: int, options: argparse.Namespace) -> Iterator[Stated]:
    """A product of the spine."""
    judged = judged_product(read_spine(lab), options.product)
    truth = pq.read_table(population / "truth" / "truth_records.parquet")
    sample = review_sample(judged, quality_rules("justice"), today=LAB_DATE, labels=options.labels)
    found = _found(sample, truth, seed, options)
    for level, true in true_rates(judged.people(), truth).items():
        yield level.value, "precision", found.precision[level], true.precision
        yield level.value, "recall", found.recall[level], true.recall


def _share_reviewed(lab: OpenLab, population: Path, seed: int, options: argparse.Namespace) -> Iterator[Stated]:
    """A share: of people, against the truth that its link was given."""
    files = sorted(str(file) for file in (population / "shares").glob(f"{options.product}_*.parquet"))
    arguments = {"lab": str(lab.paths.root), "source": options.product, "files": files, "date": None}
    TASKS[ProcessRole.INTAKE, "load"](arguments, silent)
    link_share(lab, options.product, truth=population / "truth")
    linked = read_linked_share(lab, options.product)
    sample = share_sample(linked, quality_rules("justice").looser, resources=resources(lab), labels=options.labels)
    found = _found(sample, known_truth(population / "truth", options.product), seed, options)
    true = linked.report["truth"]["model"]["all"]
    yield "link", "precision", found.precision[Strictness.MEDIUM], true["precision"]["rate"]
    yield "link", "recall", found.recall[Strictness.MEDIUM], true["recall"]["rate"]


def _found(sample: ReviewSample, truth: pa.Table, seed: int, options: argparse.Namespace) -> Estimated:
    labels = simulated_labels(sample.pairs, truth, reviewers=2, error=options.error, seed=seed)
    found = estimate_from_labels(sample, labels)
    if found is None:
        raise LookupError("no pair was reviewed")
    return found


def _linked(folder: Path, sources: Path) -> OpenLab:
    lab = make_lab(folder, today=LAB_DATE)
    for source, schema in load().sources.items():
        files = [str(sources / f"{source}_{table}.parquet") for table in schema.tables]
        if Path(files[0]).exists():
            arguments = {"lab": str(folder), "source": source, "files": files, "date": None}
            TASKS[ProcessRole.INTAKE, "load"](arguments, silent)
    TASKS[ProcessRole.LINKER, "link"]({"lab": str(folder), "engine": "splink"}, silent)
    return lab


if __name__ == "__main__":
    sys.exit(main())

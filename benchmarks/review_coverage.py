"""Do the intervals of sampled review cover the truth? Twenty synthetic labs, two simulated reviewers.

    python -m benchmarks.review_coverage [--labs 20] [--people 3000] [--error 0.02] [--labels 1200]

Each lab is a population of its own: drawn, loaded, linked, sampled, reviewed. Printed: for precision and recall at each
strictness in how many labs the interval holds the truth (at least 17 of 20 must), and how wide it is. Exit 1 otherwise.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from counterfoil.domains import load
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage.quality_report.domain import quality_rules
from counterfoil.linkage.quality_report.judged import the_spine
from counterfoil.linkage.quality_report.review import estimate_from_labels, review_sample
from counterfoil.linkage.quality_report.truth import simulated_labels, true_rates
from counterfoil.linkage.spine import read_spine
from counterfoil.population import LAB_DATE, generate
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS

FIRST_SEED = 101
MUST_COVER = 17 / 20
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
    print(f"\n{options.people:,} people a lab, {asked}; {cost}")
    return 0 if all(sum(found) >= MUST_COVER * len(found) for found in held.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labs", type=int, default=20)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--error", type=float, default=0.02)
    parser.add_argument("--labels", type=int, default=1_200)
    return parser.parse_args()


def _one(folder: Path, seed: int, options: argparse.Namespace) -> list[tuple[tuple[str, str], bool, float]]:
    made = generate(folder / "population", people=options.people, seed=seed)
    spine = read_spine(_linked(folder / "lab", made.sources))
    truth = pq.read_table(made.truth / "truth_records.parquet")
    sample = review_sample(the_spine(spine), quality_rules("justice"), today=LAB_DATE, labels=options.labels)
    labels = simulated_labels(sample.pairs, truth, reviewers=2, error=options.error, seed=seed)
    found = estimate_from_labels(sample, labels)
    if found is None:
        raise LookupError("no pair was reviewed")
    rows = []
    for level, true in true_rates(spine.people(), truth).items():
        for name, interval, rate in (
            ("precision", found.precision[level], true.precision),
            ("recall", found.recall[level], true.recall),
        ):
            is_held = interval.low - _ROUNDING <= rate <= interval.high + _ROUNDING
            rows.append(((level.value, name), is_held, interval.high - interval.low))
    return rows


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

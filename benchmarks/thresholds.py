"""What precision and recall cost each other at the medium threshold: several labs, each clustered at every threshold.

    python -m benchmarks.thresholds [--seeds 211 212 213 214] [--people 20000]

Each seed draws a population, loads four of its criminal sources and links them. The links are then clustered anew with
`medium` from 8 to 16, guards and all. Printed: pairs of records in one cluster against the truth, the mean over labs
with Student's 95% interval (a person's pairs are found or missed together, so pairs are no independent draws), and how
much each threshold differs from the default within the same labs.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

from counterfoil.domains import load
from counterfoil.lab.make import OpenLab, make_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage import quality
from counterfoil.linkage.clusters import Strictness, cluster, components, links_of
from counterfoil.linkage.guards import Apart, find_same_day
from counterfoil.linkage.joining import SAME_DAY
from counterfoil.linkage.spine import Spine, read_spine
from counterfoil.population import LAB_DATE, generate
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS
from counterfoil.warehouse import read_table

SOURCES = ("pnc", "prison", "probation", "oasys")
THRESHOLDS = tuple(float(bits) for bits in range(8, 17))
DEFAULT = 14.0  # of lab.toml
FIRST_SEED = 211

Rates = npt.NDArray[np.float64]  # (labs, thresholds)


def main() -> int:
    """Run and print."""
    options = _options()
    found = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            found.append(_one(Path(folder), seed, options.people))
        print(f"seed {seed}: {found[-1]}", file=sys.stderr, flush=True)
    rates = np.array(found)  # (labs, thresholds, 2)
    _print(rates[:, :, 0], rates[:, :, 1])
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = f"{used.ru_utime + used.ru_stime:.0f} CPU-s, {used.ru_maxrss / 1e6:.2f} GB"
    seeds = ", ".join(map(str, options.seeds))
    print(f"\n{options.people:,} people a lab, sources {', '.join(SOURCES)}, seeds {seeds}; {cost}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[FIRST_SEED + number for number in range(4)])
    parser.add_argument("--people", type=int, default=20_000)
    return parser.parse_args()


def _one(folder: Path, seed: int, people: int) -> list[tuple[float, float]]:
    """Precision and recall (0-1) of pairs at each threshold, in one lab."""
    made = generate(folder / "population", people=people, seed=seed)
    lab = make_lab(folder / "lab", today=LAB_DATE)
    for source in SOURCES:
        schema = load().source(source)
        files = [str(made.sources / f"{source}_{table}.parquet") for table in schema.tables]
        arguments = {"lab": str(lab.paths.root), "source": source, "files": files, "date": None}
        TASKS[ProcessRole.INTAKE, "load"](arguments, silent)
    TASKS[ProcessRole.LINKER, "link"]({"lab": str(lab.paths.root), "engine": "core"}, silent)
    truth = pq.read_table(made.truth / "truth_records.parquet")
    return _rates(lab, read_spine(lab), truth)


def _rates(lab: OpenLab, spine: Spine, truth: pa.Table) -> list[tuple[float, float]]:
    prepared, links = spine.encoded(), links_of(read_table(spine.folder / "links.parquet"))
    guards = spine.specification.guards
    loose = links.above(min(THRESHOLDS))
    extracts = lab.paths.latest_extracts(lab.paths.linker)
    apart = [
        Apart.of(find_same_day(prepared, components(prepared.num_rows, loose), rule, dict(extracts)), SAME_DAY)
        for rule in guards.same_day
        if rule.cut
    ]
    found = []
    for limit in THRESHOLDS:
        levels = {Strictness.STRICT: 20.0, Strictness.MEDIUM: limit, Strictness.LOOSE: min(THRESHOLDS)}
        labels = cluster(prepared, links, levels, guards, apart=apart).labels[Strictness.MEDIUM]
        rates = quality.against_truth(prepared, labels, truth, [])["all"]
        found.append((float(rates["precision"]["rate"]), float(rates["recall"]["rate"])))
    return found


def _print(precision: Rates, recall: Rates) -> None:
    default = THRESHOLDS.index(DEFAULT)
    print("| medium, bits | precision | recall | recall against 14 bits, points |\n|---|---|---|---|")
    for number, limit in enumerate(THRESHOLDS):
        change = 100 * (recall[:, number] - recall[:, default])
        against = "" if number == default else _interval(change, digits=2)
        cells = (_interval(precision[:, number], digits=5), _interval(recall[:, number], digits=4), against)
        print(f"| {limit:.0f} | " + " | ".join(cells) + " |")


def _interval(values: Rates, *, digits: int) -> str:
    half = stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
    return f"{values.mean():.{digits}f} ({values.mean() - half:.{digits}f} to {values.mean() + half:.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())

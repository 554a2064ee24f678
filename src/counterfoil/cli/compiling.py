"""`python -m counterfoil.cli.compiling`: compile ahead of time, so that nobody's first command waits for it.

What is compiled is kept beside the package, or in numba's own cache folder where the package cannot be written to.
Functions are compiled for the types they meet, so everything is run once as it is run for real: the core on eight
records, the stages of a lab on a tiny synthetic one, and each way to make and weigh a comparison on a drawn table.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from counterfoil.comparison import (
    CoarsenedExact,
    ComparisonSettings,
    EntropyBalancing,
    InverseProbability,
    Kernel,
    Nearest,
    Order,
    Overlap,
    Radius,
    Subclassification,
    Ties,
    compare,
)
from counterfoil.comparison.checks import MATCHES_WITHIN
from counterfoil.domains import load
from counterfoil.effect import estimate
from counterfoil.lab.make import make_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage.core.warming import warm
from counterfoil.outcomes.measures import Measure
from counterfoil.population import LAB_DATE, PopulationReport, generate
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS
from counterfoil.units import Kind

LONG_SECONDS = 60.0  # more than this was compiling
PEOPLE, SEED = 2_000, 1
TREATED, OTHERS = 100, 1_500
METHODS = (
    Radius(),
    Nearest(),
    Nearest(ratio=2, replace=True),
    Nearest(replace=True, ties=Ties.SHARE),
    Nearest(order=Order.CLOSEST),
    InverseProbability(),
    Overlap(),
    EntropyBalancing(),
    Kernel(),
    Subclassification(),
    CoarsenedExact(),
)
MEASURES = (Measure("rate", "A rate", Kind.RATE), Measure("count", "A count", Kind.COUNT))


def warm_lab(folder: Path) -> None:
    """Every stage of a lab that compiles something: load, link, register."""
    made = generate(folder / "population", people=PEOPLE, seed=SEED)
    lab = make_lab(folder / "lab", today=LAB_DATE)
    for role, task, arguments in _stages(made):
        TASKS[role, task]({"lab": str(lab.paths.root), **arguments}, silent)


def _stages(made: PopulationReport) -> Iterator[tuple[ProcessRole, str, dict[str, Any]]]:
    for source, schema in load().sources.items():
        files = [str(made.sources / f"{source}_{table}.parquet") for table in schema.tables]
        yield ProcessRole.INTAKE, "load", {"source": source, "files": files, "date": None}
    yield ProcessRole.LINKER, "link", {"engine": "core"}
    yield ProcessRole.ANALYST, "register", {}


def warm_comparisons() -> None:
    """Every method of comparison, and estimates of rates and counts with their adjustment."""
    rng = np.random.default_rng(SEED)
    n = TREATED + OTHERS
    people = pa.table(
        {
            "treated": np.arange(n) < TREATED,
            "age": rng.normal(40.0, 10.0, n),
            "sex": pa.array(np.where(rng.random(n) < 0.5, "f", "m")),
            "area": pa.array(np.where(rng.random(n) < 0.5, "north", "south")),
        }
    )
    outcomes = {"rate": (rng.random(n) < 0.5).astype(np.float64), "count": rng.poisson(1.0, n).astype(np.float64)}
    for method in METHODS:
        exact = ("sex",) if method.kind in MATCHES_WITHIN else ()
        settings = ComparisonSettings(covariates=("age", "sex", "area"), exact=exact, method=method)
        estimate(outcomes, compare(people, "treated", settings), MEASURES, people=people)


def main() -> None:
    """Compile, and say so where that was what took the time."""
    started = time.perf_counter()
    warm()
    warm_comparisons()
    with tempfile.TemporaryDirectory() as folder:
        warm_lab(Path(folder))
    if time.perf_counter() - started > LONG_SECONDS:
        print("Compiled the engine.", file=sys.stderr)


if __name__ == "__main__":
    main()

"""`python -m counterfoil.cli.compiling`: compile ahead of time, so that nobody's first command waits for it.

What is compiled is kept beside the package, or in numba's own cache folder where the package cannot be written to.
Functions are compiled for the types they meet, so everything is run once as it is run for real: the core on eight
records, the stages of a lab on a tiny synthetic one, and each way to make and weigh a comparison on a drawn table.
Numba compiles one function at a time, so a second process compiles what learns models beside what applies them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from counterfoil.comparison import (
    CoarsenedExact,
    EntropyBalancing,
    InverseProbability,
    Kernel,
    Nearest,
    Order,
    Overlap,
    Radius,
    Subclassification,
    Ties,
)
from counterfoil.domains import load
from counterfoil.lab.make import make_lab
from counterfoil.lab.progress import silent
from counterfoil.linkage.core.warming import warm_first, warm_scoring, warm_training
from counterfoil.population import LAB_DATE, PopulationReport, generate
from counterfoil.study.getting_ready import run_once
from counterfoil.study.roles import ProcessRole
from counterfoil.study.tasks import TASKS

TRAINING = "training"  # the part that a second process compiles
LONG_SECONDS = 60.0  # more than this was compiling
PEOPLE, SEED = 2_000, 1
TREATED, OTHERS = 100, 1_500
MANY_TREATED, MANY = 1_000, 60_000  # so many that models of outcomes are climbed another way
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


def main() -> None:
    """Compile, and say so where that was what took the time. With `training` as argument: only what learns models."""
    if sys.argv[1:] == [TRAINING]:
        warm_training()
        return
    started = time.perf_counter()
    warm_first()
    with subprocess.Popen([sys.executable, "-m", "counterfoil.cli.compiling", TRAINING]) as beside:
        warm_scoring()
        run_once(METHODS, treated=TREATED, others=OTHERS)
        run_once((InverseProbability(),), treated=MANY_TREATED, others=MANY)
    if beside.returncode:
        raise SystemExit(beside.returncode)
    with tempfile.TemporaryDirectory() as folder:
        warm_lab(Path(folder))
    if time.perf_counter() - started > LONG_SECONDS:
        print("Compiled the engine.", file=sys.stderr)


if __name__ == "__main__":
    main()

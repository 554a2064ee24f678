"""Run pieces of work, each in processes of its own, and write what they took (DESIGN 7).

A piece of work is a function that gets itself ready and returns the call to be timed. Getting ready (reading the data,
compiling kernels on a few rows) is not timed; its memory counts. Times are wall-clock seconds. Memory is the peak
resident set of the process or of the largest of its children, in MB of 10**6 bytes.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RUNS = 3
LONG_SECONDS = 120.0  # work that takes longer is run once
# Both would flatter ours, which leans on no BLAS: a machine may pin an old kernel, and on a machine that does anything
# else the threads of a BLAS wait for each other (glum took 40 s with two and 3 s with one).
PINNED = frozenset({"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"})
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
RESULTS = Path(__file__).resolve().parents[1] / "build" / "bench"

Ready = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Work:
    """One thing that one engine does. `function` is "package.module:name"; it takes `arguments` and returns a Ready."""

    work: str  # begins with what it is: score link search logit match balance evaluate intruder report extract page
    engine: str  # "counterfoil" for ours
    version: str
    n: int  # records or people worked on
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    python: str = sys.executable  # a peer may need an environment of its own


@dataclass(frozen=True, slots=True)
class Row:
    """What one engine took for one work. `seconds` is the median of `runs`, `peak_mb` the largest of them."""

    work: str
    engine: str
    version: str
    n: int
    seconds: float
    peak_mb: float
    runs: tuple[float, ...]  # seconds


def measure(works: Sequence[Work], name: str, folder: Path = RESULTS) -> list[Row]:
    """Run every work, print a table as it grows and write it to `folder`/`name`.json."""
    print(HEADING)
    rows = []
    for work in works:
        rows.append(_measure(work))
        print(_line(rows[-1]), flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")
    print(f"\nWrote {path}.")
    return rows


def _measure(work: Work) -> Row:
    seconds: list[float] = []
    peaks: list[float] = []
    while len(seconds) < RUNS and not (seconds and seconds[0] > LONG_SECONDS):
        taken = _run_apart(work)
        seconds.append(round(taken["seconds"], 4))
        peaks.append(taken["peak_mb"])
    return Row(
        work=work.work,
        engine=work.engine,
        version=work.version,
        n=work.n,
        seconds=statistics.median(seconds),
        peak_mb=round(max(peaks), 1),
        runs=tuple(seconds),
    )


def _run_apart(work: Work) -> dict[str, float]:
    command = [work.python, "-m", "benchmarks.harness", work.function, json.dumps(dict(work.arguments))]
    environment = {name: value for name, value in os.environ.items() if name not in PINNED} | ONE_THREAD
    place = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=place, env=environment)
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return taken


def _run_here(function: str, arguments: Mapping[str, Any]) -> dict[str, float]:
    module, name = function.split(":")
    ready: Ready = getattr(importlib.import_module(module), name)(**arguments)
    started = time.perf_counter()
    ready()
    return {"seconds": time.perf_counter() - started, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Peak resident memory so far of this process or of its largest child that has ended, in MB."""
    own, unit = _own_peak()
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) * unit / 1e6


def _own_peak() -> tuple[int, int]:
    """(peak, bytes in its unit). Linux's ru_maxrss would count the process we were forked from; VmHWM does not."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 1
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]), 1024


HEADING = f"{'work':<38} {'engine':<14} {'version':<10} {'n':>10} {'seconds':>9} {'peak MB':>9}  runs"


def _line(row: Row) -> str:
    runs = " ".join(f"{seconds:.3g}" for seconds in row.runs)
    what = f"{row.work:<38} {row.engine:<14} {row.version:<10} {row.n:>10,}"
    return f"{what} {row.seconds:>9.3f} {row.peak_mb:>9.0f}  {runs}"


if __name__ == "__main__":
    print(json.dumps(_run_here(sys.argv[1], json.loads(sys.argv[2]))))

"""How the cost of linking grows with the number of records: a table, a picture and build/bench/linkage-growth.json.

`python -m benchmarks.linkage_growth [N ...]` takes the sizes; without any, 100,000 to 3,000,000.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import counterfoil
from benchmarks.bench_linkage import OURS, PLACE, records
from benchmarks.harness import RESULTS, Row, Work, measure

SIZES = (100_000, 300_000, 1_000_000, 3_000_000)
WORK = "link: train, score, cluster"
PICTURE = RESULTS / "linkage-growth.svg"


def main() -> None:
    """Measure each size, print the table, draw the picture."""
    sizes = [int(text.replace("_", "")) for text in sys.argv[1:]] or list(SIZES)
    rows = measure([_work(n) for n in sizes], "linkage-growth")
    draw(rows, PICTURE)
    print(f"Drew {PICTURE}.")


def _work(n: int) -> Work:
    given = {"records": str(records(n)), "out": str(PLACE / f"clusters-{n}.parquet")}
    return Work(WORK, OURS, counterfoil.__version__, n, "benchmarks.ours_linkage:link", given)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Seconds and memory against records, both on logarithmic axes; a straight line of slope 1 is linear growth."""
    mpl.rcParams["svg.hashsalt"] = "linkage-growth"
    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    for place, (label, values) in enumerate(
        (("seconds", [row.seconds for row in rows]), ("peak memory, MB", [row.peak_mb for row in rows])), 1
    ):
        axes = figure.add_subplot(1, 2, place)
        axes.loglog([row.n for row in rows], values, marker="o", color="#206095")
        axes.set(xlabel="records", ylabel=label)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.margins(0.12, 0.15)
        for row, value in zip(rows, values, strict=True):
            said = f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
            axes.annotate(said, (row.n, value), textcoords="offset points", xytext=(0, 7), ha="center")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()

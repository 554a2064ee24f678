"""How the cost of linking grows with the number of records: a table, a picture and build/bench/linkage-growth.json.

`python -m benchmarks.linkage_growth [N ...]` takes the sizes; without any, 100,000 to 3,000,000.
"""

from __future__ import annotations

import sys

import counterfoil
from benchmarks.bench_linkage import OURS, PLACE, records
from benchmarks.growth_picture import draw
from benchmarks.harness import RESULTS, Work, measure

SIZES = (100_000, 300_000, 1_000_000, 3_000_000)
WORK = "link: train, score, cluster"
PICTURE = RESULTS / "linkage-growth.svg"


def main() -> None:
    """Measure each size, print the table, draw the picture."""
    sizes = [int(text.replace("_", "")) for text in sys.argv[1:]] or list(SIZES)
    rows = measure([_work(n) for n in sizes], "linkage-growth")
    draw(rows, PICTURE, size="records")
    print(f"Drew {PICTURE}.")


def _work(n: int) -> Work:
    given = {"records": str(records(n)), "out": str(PLACE / f"clusters-{n}.parquet")}
    return Work(WORK, OURS, counterfoil.__version__, n, "benchmarks.ours_linkage:link", given)


if __name__ == "__main__":
    main()

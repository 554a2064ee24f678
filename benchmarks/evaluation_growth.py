"""How the cost of an evaluation's arithmetic grows with the pool: a table, a picture and build/bench.

Fit, match, balance before and after, and errors for 10,000 treated among N people. `python -m
benchmarks.evaluation_growth [N ...]` takes the sizes; without any, 100,000 to 5,000,000.
"""

from __future__ import annotations

import sys

import counterfoil
from benchmarks.bench_evaluation import CHAIN_TREATED, HERE, OURS
from benchmarks.growth_picture import draw
from benchmarks.harness import RESULTS, Work, measure

SIZES = (100_000, 300_000, 1_000_000, 3_000_000, 5_000_000)
WORK = f"logit, match, balance, errors {CHAIN_TREATED:,}"
PICTURE = RESULTS / "evaluation-growth.svg"


def main() -> None:
    """Measure each size, print the table, draw the picture."""
    sizes = [int(text.replace("_", "")) for text in sys.argv[1:]] or list(SIZES)
    rows = measure([_work(n) for n in sizes], "evaluation-growth")
    draw(rows, PICTURE, size="people")
    print(f"Drew {PICTURE}.")


def _work(n: int) -> Work:
    given = {"treated": CHAIN_TREATED, "pool": n - CHAIN_TREATED}
    return Work(WORK, OURS, counterfoil.__version__, n, f"{HERE}:chain_counterfoil", given)


if __name__ == "__main__":
    main()

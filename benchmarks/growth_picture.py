"""How cost grows, as a picture: seconds and memory against size, both on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.harness import Row


def draw(rows: Sequence[Row], path: Path, *, size: str) -> None:
    """`size`: what `n` counts. A straight line of slope 1 is linear growth."""
    mpl.rcParams["svg.hashsalt"] = path.stem
    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    for place, (label, values) in enumerate(
        (("seconds", [row.seconds for row in rows]), ("peak memory, MB", [row.peak_mb for row in rows])), 1
    ):
        axes = figure.add_subplot(1, 2, place)
        axes.loglog([row.n for row in rows], values, marker="o", color="#206095")
        axes.set(xlabel=size, ylabel=label)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.margins(0.12, 0.15)
        for row, value in zip(rows, values, strict=True):
            said = f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
            axes.annotate(said, (row.n, value), textcoords="offset points", xytext=(0, 7), ha="center")
    figure.savefig(path, metadata={"Date": None})

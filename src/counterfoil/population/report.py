"""What was made: where it lies, how much of it there is, and what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from counterfoil.population.calendar import MISSING
from counterfoil.population.programmes import Expected, Members, Outcomes


@dataclass(frozen=True, slots=True)
class PlantedTruth:
    """Over the people who should be analysed: what was without the programme and what was with it.

    Rates 0-1; frequency in reoffences a person; days among those who reoffended. `points` is the difference of rates.
    """

    analysed: int
    y0_rate: float
    y1_rate: float
    y0_frequency: float
    y1_frequency: float
    y0_days: float
    y1_days: float

    @property
    def points(self) -> float:
        """Percentage points that the programme adds to the rate."""
        return 100.0 * (self.y1_rate - self.y0_rate)


@dataclass(frozen=True, slots=True)
class ProgrammeReport:
    """One programme: its provider's list, the plan of its evaluation, and the truth."""

    name: str
    title: str
    file: Path
    plan: Path
    rows: int  # in the list, people listed twice included
    truth: PlantedTruth

    @property
    def planted(self) -> str:
        """The truth in a sentence. For those who made the population, never for a report."""
        truth = self.truth
        return (
            f"{truth.points:+.1f} points on the one-year rate ({100 * truth.y0_rate:.1f}% without, "
            f"{100 * truth.y1_rate:.1f}% with), {truth.y1_frequency - truth.y0_frequency:+.2f} reoffences a person"
        )


@dataclass(frozen=True, slots=True)
class PopulationReport:
    """Everything under `folder`. `messy` is the first programme's list with every pattern of upload files in it."""

    folder: Path
    people: int
    seed: int
    rows: Mapping[str, int]  # table -> rows
    programmes: Mapping[str, ProgrammeReport]
    messy: Path

    @property
    def sources(self) -> Path:
        """Tables of the sources."""
        return self.folder / "sources"

    @property
    def truth(self) -> Path:
        """Tables of the truth, which no lab has."""
        return self.folder / "truth"

    def to_json(self) -> dict[str, Any]:
        """Without paths, so that equal populations have equal text."""
        return {
            "people": self.people,
            "seed": self.seed,
            "rows": dict(self.rows),
            "programmes": {name: {"rows": p.rows, "truth": asdict(p.truth)} for name, p in self.programmes.items()},
        }


def planted_truth(members: Members) -> PlantedTruth:
    """The truth of a programme over those who should be analysed; nan where there are none."""
    core = members.expected == Expected.ANALYSED
    y0, y1 = members.y0, members.y1
    return PlantedTruth(
        analysed=int(core.sum()),
        y0_rate=_mean(y0.rate[core]),
        y1_rate=_mean(y1.rate[core]),
        y0_frequency=_mean(y0.frequency[core]),
        y1_frequency=_mean(y1.frequency[core]),
        y0_days=_mean_days(y0, core),
        y1_days=_mean_days(y1, core),
    )


def _mean(values: np.ndarray[Any, Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _mean_days(outcomes: Outcomes, core: np.ndarray[Any, Any]) -> float:
    return _mean(outcomes.days[core & (outcomes.days != MISSING)])

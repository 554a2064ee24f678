"""How often something happened over many draws, with the exact binomial interval that chance alone allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy import stats

LEVEL = 0.99  # of every Monte Carlo interval (METHODS 5)


@dataclass(slots=True)
class Share:
    """A share being counted."""

    held: int = 0
    of: int = 0

    def add(self, *, held: bool) -> None:
        self.held += int(held)
        self.of += 1

    @property
    def value(self) -> float:
        return self.held / self.of if self.of else float("nan")

    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's, at `LEVEL`."""
        tail = (1.0 - LEVEL) / 2.0
        low = float(stats.beta.ppf(tail, self.held, self.of - self.held + 1)) if self.held else 0.0
        high = float(stats.beta.ppf(1.0 - tail, self.held + 1, self.of - self.held)) if self.held < self.of else 1.0
        return low, high

    def as_json(self) -> dict[str, Any]:
        low, high = self.interval()
        return {"held": self.held, "of": self.of, "share": self.value, "low": low, "high": high}


@dataclass(slots=True)
class Mean:
    """A mean being taken, with its standard error."""

    total: float = 0.0
    squares: float = 0.0
    of: int = 0

    def add(self, value: float) -> None:
        self.total += value
        self.squares += value * value
        self.of += 1

    def as_json(self) -> dict[str, float]:
        mean = self.total / self.of
        variance = max(self.squares / self.of - mean * mean, 0.0)
        return {"mean": mean, "sd": variance**0.5, "error": (variance / self.of) ** 0.5}

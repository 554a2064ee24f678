"""When a question to the solver, or a whole audit, is given up."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Limits:
    """When a question is given up. Nodes come first: they are the same on every machine.

    `all_seconds`: of one audit, all its questions together; what is then not proved safe fails. `until`: the moment.
    """

    nodes: int = 1000
    seconds: float = 5.0
    all_seconds: float = 600.0
    until: float = math.inf

    def started(self) -> Limits:
        """The same, with the clock running; an outer audit's clock runs on."""
        return replace(self, until=min(self.until, time.monotonic() + self.all_seconds))

    def left(self) -> float:
        """Seconds that the next question may take; 0 when there are none."""
        return max(0.0, min(self.seconds, self.until - time.monotonic()))

"""When a question to the solver, or a whole audit, is given up."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

AT_ONCE = 2  # questions to the solver
TURN = 2e-4  # seconds after which a thread that runs makes room
_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


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


def side_by_side(do: Callable[[_Given], _Found], given: Sequence[_Given]) -> Iterator[_Found]:
    """What it does with each, in their order. HiGHS lets other threads go on while it works.

    A question takes some milliseconds, and who comes back from one would wait as long as that for the thread that runs.
    """
    if len(given) < AT_ONCE:
        yield from map(do, given)
        return
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, TURN))
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(do, given)
    finally:
        sys.setswitchinterval(usual)

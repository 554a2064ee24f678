"""Questions to the solver beside each other, on the cores that there are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 2  # questions to the solver
TURN = 2e-4  # seconds after which a thread that runs makes room
_Given = TypeVar("_Given")
_Found = TypeVar("_Found")


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

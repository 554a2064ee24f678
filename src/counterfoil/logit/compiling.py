"""Numba compilation with its disk cache where there is a place to keep it, and without where there is none.

An installed lab may have neither a writable package folder nor a writable home. Numba then refuses to set its cache up
when the function is decorated; the function still has to work, only slower at the first call of each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(kernel: Kernel) -> Kernel:
    """`kernel` compiled to machine code that releases the GIL, so that fixed chunks of rows can run in threads.

    No `fastmath`: sums are added in the order that is written, whatever the machine's vector width.
    """
    try:
        return cast("Kernel", numba.njit(cache=True, nogil=True)(kernel))
    except RuntimeError:  # "cannot cache function: no locator available": a read-only installation
        return cast("Kernel", numba.njit(nogil=True)(kernel))

"""How the functions of the core are compiled: to machine code kept on disk, that other threads may run beside.

Inside the loop over pairs, counting who holds an array would take longer than the work. So what runs there neither
makes arrays nor counts references (`_nrt`): `compiled_lean`, and `compiled_inline` for what takes its caller's place.
`compiled` may make arrays, and may be called from both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """May make arrays."""
    return _compiled(function, _nrt=True)


def compiled_exactly(function: Function) -> Function:
    """The same; dividing by zero gives infinity or NaN, as in SQL's floating point."""
    return _compiled(function, _nrt=True, error_model="numpy")


def compiled_lean(function: Function) -> Function:
    """Makes no array."""
    return _compiled(function, _nrt=False)


def compiled_inline(function: Function) -> Function:
    """Makes no array, and takes the place of every call to it."""
    return _compiled(function, _nrt=False, forceinline=True)


def _compiled(function: Function, **options: Any) -> Function:
    try:
        return cast("Function", cast(Any, numba.njit)(cache=True, nogil=True, **options)(function))
    except RuntimeError:  # "cannot cache function: no locator available": a read-only installation
        return cast("Function", cast(Any, numba.njit)(nogil=True, **options)(function))

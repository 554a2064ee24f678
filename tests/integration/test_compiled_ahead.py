"""What set-up compiles ahead is all there is to compile: no command waits for it afterwards."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from numba.core.dispatcher import Dispatcher

import counterfoil
from counterfoil.cli import compiling
from counterfoil.linkage.core.warming import warm_training

PLAIN_FORMS = {"jaro_winkler_bound", "levenshtein", "damerau_levenshtein"}  # that tests compare the quick ones with


def _compiled_functions() -> Iterator[tuple[str, Dispatcher]]:
    for module in pkgutil.walk_packages(counterfoil.__path__, "counterfoil."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Dispatcher) and value.__module__ == module.name:
                yield name, value


@pytest.mark.slow
def test_every_compiled_function_that_python_calls_is_run_by_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba lists the types for which a function was compiled or loaded; one that set-up never reached has none.

    Functions that other compiled ones call are compiled with those, and listed only where the cache was empty.
    """
    monkeypatch.setattr("sys.argv", ["compiling"])
    compiling.main()
    warm_training()  # which a second process has compiled
    found = list(_compiled_functions())
    called_inside = {name for _, function in found for name in function.py_func.__code__.co_names}
    asked = [(name, function) for name, function in found if name not in called_inside | PLAIN_FORMS]
    assert len(asked) > 20  # the walk does find them
    assert [name for name, function in asked if not function.signatures] == []

"""Packages that read a part of themselves only when a name of it is asked for.

A package names what it gives as it always would, by imports from its own modules, but under `if TYPE_CHECKING`, where
type checkers and the linter of imports see them. `read_when_asked` finds the same lines and follows one when its name
is first asked for. A command that needs one enum of a package does not read all of it: that saves it seconds.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


class _Lazy(ModuleType):
    """A package whose names are read when they are asked for. `_places`: name -> module that has it."""

    _places: Mapping[str, str]

    def __getattr__(self, name: str) -> object:
        if name not in self._places:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(self._places[name]), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        """A module that is read is set on its package. Where it holds a name like its own, the package gives that."""
        if isinstance(value, ModuleType) and name in self._places:
            value = getattr(value, name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._places})


def read_when_asked(package: str) -> None:
    """Make `package`, which is being imported, give the names of its `if TYPE_CHECKING` block when they are asked."""
    module = sys.modules[package]
    places = _places_of(Path(str(module.__file__)).read_text("utf-8"))
    module.__dict__["_places"] = places
    module.__class__ = _Lazy


def _places_of(source: str) -> dict[str, str]:
    return {
        alias.name: str(line.module)
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }


class _Without(MetaPathFinder):
    """Says of some packages that they are not installed."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self._packages = packages

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname in self._packages:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def do_without(*packages: str) -> None:
    """From now on these are not found in this process, installed or not, unless they are read already.

    For packages that a library looks for on the chance that somebody hands it their objects: to read them takes longer
    than much of what a short process has to do.
    """
    sys.meta_path.insert(0, _Without(packages))

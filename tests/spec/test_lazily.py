"""Packages that read themselves when asked give the names that they list, whatever was read before."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PACKAGES = ("comparison", "disclosure", "effect", "linkage", "logit", "report")
HEAVY = {"matplotlib", "numba", "pandas", "scipy", "splink"}  # each takes a good part of a second


@pytest.mark.parametrize("name", PACKAGES)
def test_every_listed_name_is_there_and_no_other(name: str) -> None:
    package = importlib.import_module(f"counterfoil.{name}")
    assert set(package.__all__) <= set(dir(package))
    assert all(getattr(package, each) is not None for each in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_this_name'"):
        _ = package.nothing_of_this_name


def test_a_name_that_a_module_has_too_is_the_name_and_not_the_module() -> None:
    """`effect.cox` is a function in the module `effect/cox.py`; reading the module first must not hide it."""
    code = "import counterfoil.effect.cox; from counterfoil.effect import cox; print(callable(cox))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "True\n"


def test_the_parent_of_an_evaluation_reads_no_statistics() -> None:
    code = f"import sys, counterfoil.study.evaluate; print(sorted({HEAVY!r} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"

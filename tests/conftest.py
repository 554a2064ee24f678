"""Fixtures that every kind of test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.population_fixture import population
from lib.small_lab import evaluated, small_lab

__all__ = ["evaluated", "population", "small_lab"]  # fixtures that are kept beside their helpers

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of outside data and oracles that may lie beside the repository. Its data is never committed."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder of outside data beside the repository (../shared), which is not here")
    return folder

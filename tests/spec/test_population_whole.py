"""Making a population: the same seed gives the same bytes; what cannot be asked for is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.errors import UsageError
from counterfoil.population import DEFAULT_PROGRAMMES, generate
from counterfoil.provenance import sha256_of_file

FEW = 2_500


def _hashes(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256_of_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        generate(tmp_path / name, people=FEW, seed=seed)
    first, again, other = (_hashes(tmp_path / name) for name in "abc")
    assert first == again
    assert len(first) == 28 + 8 + 7 + 1  # tables of sources, of truth; lists and plans; the account of it
    assert {name for name in first if name.endswith(".parquet") and first[name] == other[name]} == set()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        generate(tmp_path, people=FEW)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    twice = [DEFAULT_PROGRAMMES[0], replace(DEFAULT_PROGRAMMES[1], name=DEFAULT_PROGRAMMES[0].name)]
    with pytest.raises(UsageError) as caught:
        generate(tmp_path / "new", people=10, programmes=twice)
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "new").exists()


def test_progress_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    generate(tmp_path / "made", people=FEW, progress=lambda text, _: said.append(text))
    assert said[:2] == ["Drawing people", "Living their lives"]

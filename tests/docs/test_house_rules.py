"""Rules of the house that no linter knows. Patterns are spelt in two halves, so that this file does not break them."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 1_000_000
DATA_SUFFIXES = frozenset(
    {".csv", ".tsv", ".gz", ".zip", ".parquet", ".feather", ".xlsx", ".xlsm", ".xls", ".ods"}
    | {".sqlite", ".db", ".duckdb", ".age", ".pickle", ".pkl", ".rds", ".npz"}
)
# Small expected numbers, made by another program, may be committed; each folder says which program.
DATA_FOLDERS = ("tests/reference/expected/", "tests/golden/")

FORBIDDEN = {
    "a package registry": [
        "pypi" + r"\.org",
        "python" + r"hosted\.org",
        "npm" + r"js\.org",
        "--(extra-)?index" + r"-url[ =]\S",
        "--find" + r"-links[ =]\S",
    ],
    "a path on somebody's machine": [
        r"(?<![\w.])/" + "work/",
        r"(?<![\w.])/" + "root/",
        "/opt/" + "wheels",
        "/home/" + r"\w+/",
    ],
}


def committed_files() -> list[Path]:
    """What git holds or would take; skipped where there is no git (an unpacked source archive)."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs git, to know which files are committed")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def lines_of_text() -> Iterator[tuple[str, str]]:
    """(place, line) of every committed text file."""
    for path in committed_files():
        data = path.read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_committed_names(what: str) -> None:
    pattern = re.compile("|".join(FORBIDDEN[what]), re.IGNORECASE)
    assert [place for place, line in lines_of_text() if pattern.search(line)] == []


def test_no_committed_file_is_large() -> None:
    assert [str(path) for path in committed_files() if path.stat().st_size > MAX_BYTES] == []


def test_no_data_is_committed() -> None:
    names = [str(path.relative_to(ROOT)) for path in committed_files() if path.suffix.lower() in DATA_SUFFIXES]
    assert [name for name in names if not name.startswith(DATA_FOLDERS)] == []


def test_test_modules_have_unique_names() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_every_top_level_module_but_linkage_is_barred_from_splink() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    barred = next(contract for contract in contracts if contract["id"] == "splink")["source_modules"]
    package = ROOT / "src" / "counterfoil"
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert set(barred) == {f"counterfoil.{name}" for name in modules - {"__init__", "__main__", "linkage"}}


def test_every_disclosure_rule_in_the_code_has_a_test_with_its_number() -> None:
    named = {
        int(number)
        for path in (ROOT / "src" / "counterfoil" / "disclosure").rglob("*.py")
        for number in re.findall(r"\bR(\d{1,2})\b", path.read_text("utf-8"))
    }
    tested = {
        int(number)
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        for number in re.findall(r"_r(\d{1,2})(?=_)", node.name)
    }
    assert sorted(named - tested) == []

"""What `pip install` gives: every module and data file, and one command under two names."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import counterfoil

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_source(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", tmp_path, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("counterfoil/")}
    there = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "counterfoil").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == there


@pytest.mark.parametrize("command", [["counterfoil"], [sys.executable, "-m", "counterfoil"]], ids=["script", "module"])
def test_the_command_says_its_version(command: list[str]) -> None:
    path = [str(Path(sys.executable).parent / command[0]), *command[1:]] if command[0] == "counterfoil" else command
    said = subprocess.run([*path, "--version"], check=True, capture_output=True, text=True)
    assert said.stdout == f"counterfoil {counterfoil.__version__}\n"

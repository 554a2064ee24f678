"""A lab of 12,000 people that tests share, ready to evaluate; and ways to run the command on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from counterfoil import cli
from counterfoil.lab.make import open_lab
from counterfoil.lab.progress import Progress, silent
from counterfoil.study import evaluate
from counterfoil.study.roles import ProcessRole, run_role
from counterfoil.study.tasks import TASKS
from lib.labs import MadeLab, build_lab, evaluate_by

PEOPLE = 12_000
SEED = 3
COMMAND = str(Path(sys.executable).parent / "counterfoil")


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentences(self) -> list[str]:
        """What it complained of, without progress lines."""
        return [line for line in self.err.splitlines() if line and not line.startswith("  ")]

    def json(self) -> Any:
        """Standard output as JSON, which knows no NaN."""
        return json.loads(self.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@dataclass(frozen=True, slots=True)
class Linked:
    """What a linker child said to its parent, and what the analyst child would be asked."""

    answer: dict[str, Any]
    progress: list[tuple[str, float | None]]
    asked_of_analyst: dict[str, Any]


@pytest.fixture(scope="session")
def small_lab(tmp_path_factory: pytest.TempPathFactory) -> MadeLab:
    """12,000 people, seed 3: loaded, linked, registered. Tests add runs to it and change nothing else."""
    return build_lab(tmp_path_factory.mktemp("small"), people=PEOPLE, seed=SEED)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One finished evaluation of the small lab by the installed command, and what it left in its temporary folder."""

    made: MadeLab
    arguments: tuple[str, ...]  # of the command, without --json
    said: Said
    temporary: Path

    @property
    def result(self) -> dict[str, Any]:
        """The JSON that was printed."""
        return dict(self.said.json())

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.made.lab.paths.run(self.result["run"])


@pytest.fixture(scope="session")
def evaluated(small_lab: MadeLab, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Northgate's list in the small lab."""
    temporary = tmp_path_factory.mktemp("temporary")
    arguments = evaluate_arguments(small_lab, "northgate")
    said = call(*arguments, "--json", temporary=temporary)
    return Evaluated(small_lab, arguments, said, temporary)


def evaluate_arguments(made: MadeLab, programme: str) -> tuple[str, ...]:
    """What to call to evaluate a programme of the population."""
    chosen = made.population.programmes[programme]
    return ("evaluate", str(made.lab.paths.root), str(chosen.file), "--plan", str(chosen.plan))


def up_to_the_handover(made: MadeLab, file: Path, plan: Path) -> Linked:
    """Evaluate `file` with its real linker child, and stop where the analyst child would start."""
    shown: list[tuple[str, float | None]] = []
    answers: list[dict[str, Any]] = []

    def run(role: ProcessRole, task: str, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        if role is ProcessRole.ANALYST:
            raise _HandedOver(arguments)
        answers.append(run_role(role, task, arguments, progress))
        return answers[-1]

    with pytest.MonkeyPatch.context() as patch:
        evaluate_by(patch, run)
        with pytest.raises(_HandedOver) as stopped:
            evaluate.evaluate_lab(
                made.lab.paths.root, file, plan, progress=lambda text, done: shown.append((text, done))
            )
    return Linked(answers[0], shown, dict(stopped.value.asked))


class _HandedOver(Exception):
    def __init__(self, arguments: Mapping[str, Any]) -> None:
        super().__init__()
        self.asked = arguments


def copy_of(made: MadeLab, folder: Path) -> MadeLab:
    """A lab of the same records in a new `folder`, with no run yet, for a test that changes or damages it."""
    shutil.copytree(made.lab.paths.root, folder, ignore=shutil.ignore_patterns("runs", "submissions", "study_keys"))
    return replace(made, lab=open_lab(folder))


def call(*arguments: object, temporary: Path | None = None) -> Said:
    """The installed command, in a process of its own."""
    environment = os.environ if temporary is None else {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment)
    return Said(done.returncode, done.stdout, done.stderr)


def call_here(capfd: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """The command's own function in this process: the same code without two seconds of start-up."""
    capfd.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["counterfoil", *map(str, arguments)])
        code = cli.run()
    shown = capfd.readouterr()
    return Said(code, shown.out, shown.err)


def files_under(*roots: Path) -> dict[str, int]:
    """Every file and when it was last written, in nanoseconds."""
    return {str(path): path.stat().st_mtime_ns for root in roots for path in root.rglob("*") if path.is_file()}


def children_of(process: int) -> list[int]:
    """Living processes whose parent is `process`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def all_end(processes: list[int], *, within: float = 5.0) -> bool:
    """Whether every one of the processes ends in so many seconds."""
    deadline = time.monotonic() + within
    while any(Path(f"/proc/{process}").exists() for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


_RESULT = frozenset({"run", "report", "verdict", "reliable", "attrition", "balance", "measures"})
_MEASURE = frozenset({"measure", "unit", "treated", "comparison", "verdict", "hidden", "adjusted"})
_FIGURES = frozenset({"difference", "low", "high", "p"})
_VERDICTS = frozenset({"fewer", "more", "not_enough_evidence", "hidden", "refused", "not_suitable"})


def check_result(result: Mapping[str, Any]) -> None:
    """The JSON of `evaluate` as DESIGN 4 has it. Later fields are added, none renamed."""
    if "refused" in result:
        assert {"run", "refused"} <= result.keys()
        assert {"rule", "reason"} <= result["refused"].keys()
        return
    assert result.keys() >= _RESULT
    assert result["verdict"] in _VERDICTS
    assert all({"step", "n"} <= step.keys() for step in result["attrition"])
    assert {"worst_smd", "n_red", "n_amber"} <= result["balance"].keys()
    for measure in result["measures"]:
        assert measure.keys() >= _MEASURE | _FIGURES
        assert all({"n", "value"} <= measure[side].keys() for side in ("treated", "comparison"))


def run_here(role: ProcessRole, task: str, arguments: Mapping[str, Any], progress: Progress = silent) -> dict[str, Any]:
    """A role's task without its process, for tests that are not about roles."""
    return TASKS[role, task](arguments, progress)

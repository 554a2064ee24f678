"""`counterfoil demo`: the whole main job on a synthetic lab, from an empty folder to three reports."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from counterfoil.cli import words
from counterfoil.cli.screen import errors, progress
from counterfoil.domains import load
from counterfoil.errors import UsageError
from counterfoil.lab.make import make_lab
from counterfoil.lab.progress import Progress
from counterfoil.population import LAB_DATE, PopulationReport, generate
from counterfoil.study.evaluate import evaluate_lab
from counterfoil.study.roles import ProcessRole, run_role


class _Story:
    """Tells on standard error what is being done and how long it took."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def tell(self, text: str) -> None:
        if not self._quiet:
            errors.print(text, markup=False)

    @contextmanager
    def step(self, text: str) -> Iterator[Progress]:
        self.tell(text)
        started = time.monotonic()
        with progress() as show:
            yield show
        self.tell(f"  done in {time.monotonic() - started:.0f} s")


def run_demo(*, people: int, seed: int, out: Path, quiet: bool = False) -> dict[str, Any]:
    """Make everything under `out` and give {"lab", "runs", "site"}. UsageError when `out` holds something already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty. Give another folder with --out, or remove it.")
    story = _Story(quiet)
    story.tell("Counterfoil demo: everything below is synthetic; no real person is in it.\n")
    what = f"1. A population of {people:,} people with offending histories, and what the systems hold of them"
    with story.step(what) as show:
        made = generate(out / "population", people=people, seed=seed, progress=show)
    lab = _build_lab(out / "lab", made, story)
    runs = [_evaluate(lab, name, made, story) for name in made.programmes]
    _close(story, runs, out)
    return {"lab": str(lab), "runs": runs, "site": None}


def _build_lab(lab: Path, made: PopulationReport, story: _Story) -> Path:
    make_lab(lab, name="Demonstration lab", today=LAB_DATE, truth=os.path.relpath(made.truth, lab))
    with story.step("2. Load: check each delivery, standardise it, split names from facts") as show:
        for source, schema in load().sources.items():
            files = [str(made.sources / f"{source}_{table}.parquet") for table in schema.tables]
            arguments = {"lab": str(lab), "source": source, "files": files, "date": None}
            run_role(ProcessRole.INTAKE, "load", arguments, show)
    with story.step("3. Link: find which records are one person (only the linker sees names)") as show:
        linked = run_role(ProcessRole.LINKER, "link", {"lab": str(lab), "engine": "core"}, show)
    _tell_lines(story, linked["lines"])
    with story.step("4. Register: releases and sentences, what was known before, what was proven after") as show:
        registered = run_role(ProcessRole.ANALYST, "register", {"lab": str(lab)}, show)
    _tell_lines(story, registered["lines"])
    return lab


def _tell_lines(story: _Story, lines: list[str]) -> None:
    for line in lines:
        story.tell(f"  {line}")


def _evaluate(lab: Path, name: str, made: PopulationReport, story: _Story) -> dict[str, Any]:
    programme = made.programmes[name]
    with story.step(f"\nEvaluate {programme.title}: {programme.file.name}") as show:
        result = evaluate_lab(lab, programme.file, programme.plan, progress=show)
    _tell_lines(story, words.evaluation(result))
    story.tell(f"  Planted in the population: {programme.planted}")
    return result


def _close(story: _Story, runs: list[dict[str, Any]], out: Path) -> None:
    story.tell(f"\nEverything that was made is in {out}. The reports:")
    for run in runs:
        story.tell(f"  {run['report']}")

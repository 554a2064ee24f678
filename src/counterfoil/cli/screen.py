"""What a person sees: progress while it works, sentences when it is done, every mistake at once when it is not."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from counterfoil.errors import CounterfoilError
from counterfoil.lab.progress import Progress

errors = Console(stderr=True, highlight=False, soft_wrap=True)
results = Console(highlight=False, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on standard error; plain lines where that is no terminal.

    While it is shown, standard output is shut for libraries: a solver that prints from C would spoil a result in JSON.
    """
    with _prints_aside(), _shown() as show:
        yield show


@contextmanager
def _prints_aside() -> Iterator[None]:
    """What is printed on standard output below Python goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # C keeps its lines where the output is no terminal
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def _shown() -> Iterator[Progress]:
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Bar(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("Starting", total=None)

        def show(text: str, done: float | None = None) -> None:
            bar.update(task, description=text, total=None if done is None else 1.0, completed=done or 0.0)

        yield show


def _lines() -> Progress:
    last = ""

    def show(text: str, done: float | None = None) -> None:
        nonlocal last
        del done
        if text != last:
            sys.stderr.write(f"  {text}\n")
            sys.stderr.flush()
            last = text

    return show


def say(text: str = "") -> None:
    """One line of result."""
    results.print(text, markup=False)


def say_json(value: Mapping[str, Any]) -> None:
    """The result as JSON, for programs."""
    sys.stdout.write(json.dumps(dict(value), indent=1, ensure_ascii=False, default=str) + "\n")


def complain(error: CounterfoilError) -> None:
    """Every problem of an error, one a line."""
    if len(error.problems) == 1:
        errors.print(f"counterfoil: {error.problems[0]}", markup=False)
        return
    errors.print(f"counterfoil: {len(error.problems)} things to mend:", markup=False)
    for number, problem in enumerate(error.problems, start=1):
        errors.print(f"  {number}. {problem}", markup=False)

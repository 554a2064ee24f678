"""`python -m simulations`: run the studies and write their results; `--only` runs some and keeps the others'.

Labs, and the choices of the negative control, are kept one by one, and one that is there is not made again: a run that
was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from simulations import seeds
from simulations.full_labs import full_labs
from simulations.immortal_time import immortal_time
from simulations.negative_control import negative_control
from simulations.tables import coverage, hidden_selection, link_errors

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
STUDIES = ("coverage", "link_errors", "hidden_selection", "negative_control", "immortal_time", "labs")


def progress(what: str, done: float) -> None:
    """One line on standard error, which ends when the study does."""
    print(f"\r{what}: {done:4.0%}", end="\n" if done >= 1.0 else "", file=sys.stderr, flush=True)


def main() -> None:
    """Run what was asked; a file of results keeps the studies that were not."""
    asked = _arguments().parse_args()
    stored: dict[str, Any] = json.loads(asked.out.read_text("utf-8")) if asked.out.is_file() else {}
    trying = seeds.TRYING_OUT if asked.try_out else 0

    def some(n: int) -> int:
        return max(1, round(n * float(asked.share)))

    def keep(name: str, found: dict[str, Any]) -> None:
        stored[name] = found
        _write(stored, asked.out)

    def labs() -> dict[str, Any]:
        chosen = [trying + s for s in seeds.LABS[: asked.labs]]
        return full_labs(chosen, asked.people, progress, before=stored.get("labs"), keep=partial(keep, "labs"))

    def control() -> dict[str, Any]:
        n, before = some(seeds.N_CONTROL_TABLES), stored.get("negative_control")
        return negative_control(n, progress, trying=trying, before=before, keep=partial(keep, "negative_control"))

    studies: dict[str, Callable[[], dict[str, Any]]] = {
        "coverage": lambda: coverage(some(seeds.N_TABLES), progress, trying=trying),
        "link_errors": lambda: link_errors(some(seeds.N_LINK_TABLES), progress, trying=trying),
        "hidden_selection": lambda: hidden_selection(some(seeds.N_HIDDEN_TABLES), progress, trying=trying),
        "negative_control": control,
        "immortal_time": lambda: immortal_time(some(seeds.N_IMMORTAL), progress, trying=trying),
        "labs": labs,
    }
    for name in asked.only or STUDIES:
        started = time.perf_counter()
        stored[name] = {**studies[name](), "seconds": round(time.perf_counter() - started)}
        _write(stored, asked.out)


def _write(stored: Mapping[str, Any], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({s: stored[s] for s in STUDIES if s in stored}, indent=1) + "\n", "utf-8")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulations", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=STUDIES, help="studies to run; all by default")
    parser.add_argument("--share", type=float, default=1.0, help="part of the draws of every study but the labs")
    parser.add_argument("--labs", type=int, default=len(seeds.LABS), help="how many labs")
    parser.add_argument("--people", type=int, default=seeds.LAB_PEOPLE, help="people in each lab")
    parser.add_argument("--try-out", action="store_true", help="other seeds than those that count")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of results")
    return parser


if __name__ == "__main__":
    main()

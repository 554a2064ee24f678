"""Hold each package to its branch coverage: all of what decides what may leave, 95% of the rest."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

FULL = frozenset({"disclosure", "clearance"})
LEAST = 0.95  # of lines and branches, in every other package


def main(arguments: list[str]) -> int:
    """Read coverage's JSON report; print each package and, where it falls short, the places that no test takes."""
    files = json.loads(Path(arguments[0]).read_text("utf-8"))["files"]
    packages: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for name, report in files.items():
        packages[_package(name)].append((name, report))
    short = [name for name in sorted(packages) if not _is_enough(name, packages[name])]
    return 1 if short else 0


def _package(name: str) -> str:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    inside = parts[parts.index("counterfoil") + 1 :]
    return inside[0] if len(inside) > 1 else "counterfoil"


def _is_enough(package: str, files: list[tuple[str, dict[str, Any]]]) -> bool:
    totals = [report["summary"] for _, report in files]
    there = sum(t["num_statements"] + t["num_branches"] for t in totals)
    taken = sum(t["covered_lines"] + t["covered_branches"] for t in totals)
    share, least = (taken / there if there else 1.0), (1.0 if package in FULL else LEAST)
    print(f"{'ok   ' if share >= least else 'SHORT'} {package:<14} {100 * share:6.1f}% of at least {100 * least:.0f}%")
    if share < least:
        for name, report in sorted(files):
            gaps = [*map(str, report["missing_lines"]), *(f"{a}->{b}" for a, b in report["missing_branches"])]
            if gaps:
                print(f"        {name}: {' '.join(gaps)}")
    return share >= least


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make bench-disclosure`: the intruder audit of a full report beside earlier ones, and tables protected, with growth.

Everything is drawn. The report has 12 measures, and 6 sub-analyses of the first; each earlier report shares 15 people
with it. The tables have counts of a gamma law, about a fifth of them under 10. No peer is installed by any recipe:
sdcTable is an R package that is not in Debian, and G-Confid needs SAS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

import counterfoil
from benchmarks.harness import Ready, Work, measure
from counterfoil.disclosure.intruder import (
    CountTable,
    Exact,
    Outcome,
    Piece,
    Publication,
    Share,
    Statement,
    Truth,
    audit,
    find_unsafe,
    publish_table,
    repair,
    truth_of,
)
from counterfoil.disclosure.intruder.people import find_atoms
from counterfoil.disclosure.intruder.tables import label_of
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DEFAULT_SETTINGS

BoolArray = npt.NDArray[np.bool_]

OURS = "counterfoil"
MEASURES, SUB_ANALYSES = 12, 6
EARLIER = (0, 1, 2)
ROWS, COLUMNS = (10, 20, 40), 12
COHORT, SHARED = 200, 15


def audit_report(earlier: int) -> Ready:
    """A report with its sub-analyses and `earlier` reports that share people with it."""
    publications, truth = draw_reports(earlier)

    def run() -> None:
        if not audit(publications, truth).intervals:
            raise SystemExit("The audit looked for nothing.")

    return run


def draw_reports(earlier: int) -> tuple[list[Publication], Truth]:
    """Exact sizes, and rates in whole per cent of every measure, of cohorts drawn with a fixed seed."""
    draw = np.random.default_rng(11)
    people = COHORT + earlier * (COHORT - SHARED)
    members = {"new": np.arange(people) < COHORT}
    for number in range(SUB_ANALYSES // 2):  # two sexes, two ages, two sites
        side = draw.random(people) < 0.5
        members |= {f"part {number}a": members["new"] & side, f"part {number}b": members["new"] & ~side}
    for number in range(earlier):
        own = np.zeros(people, np.bool_)
        start = COHORT + number * (COHORT - SHARED)
        own[start : start + COHORT - SHARED] = True
        own[draw.choice(COHORT, SHARED, replace=False)] = True
        members[f"earlier {number}"] = own
    outcomes = {f"measure {i}": draw.random(people) < rate for i, rate in enumerate(np.linspace(0.2, 0.6, MEASURES))}
    populations, truth = find_atoms(members, outcomes)
    kinds = tuple(Outcome(name) for name in outcomes)
    new = [name for name in members if not name.startswith("earlier")]
    groups = [("new", new), *((name, [name]) for name in members if name.startswith("earlier"))]
    return [_publish(name, spoken, populations, members, outcomes, kinds) for name, spoken in groups], truth


def _publish(
    name: str,
    spoken: Sequence[str],
    populations: Mapping[str, tuple[str, ...]],
    members: Mapping[str, BoolArray],
    outcomes: Mapping[str, BoolArray],
    kinds: tuple[Outcome, ...],
) -> Publication:
    said: list[Statement] = []
    for one in spoken:
        size = int(members[one].sum())
        if not one.startswith("part"):  # sub-analyses are shown without their size
            said.append(Exact(f"people, {one}", (Piece(one),), size))
        headline = next(iter(outcomes))
        for outcome, values in outcomes.items():
            if one.startswith("part") and outcome != headline:
                continue  # so is every measure but the headline's
            rate = f"{round_half_up(float(values[members[one]].sum()) / size, 2):.2f}"
            said.append(Share(f"{outcome}, {one}", (Piece(one, outcome),), (Piece(one),), rate))
    return Publication(name, {one: populations[one] for one in spoken}, tuple(said), kinds)


def protect_table(rows: int) -> Ready:
    """A table of `rows` by 12 with exact totals, from its counts to a pattern that passes."""

    def run() -> None:
        found = repair(start, truth_of(table), costs)
        if not found.audit.passed:
            raise SystemExit("The table was not protected.")

    draw = np.random.default_rng(4)
    counts = draw.poisson(draw.gamma(1.0, 40.0, (rows, COLUMNS)))
    places = {(f"row {i:02d}", f"column {j:02d}"): int(counts[i, j]) for i in range(rows) for j in range(COLUMNS)}
    table = CountTable("table", places)
    start = publish_table(table, find_unsafe(table, DEFAULT_SETTINGS), DEFAULT_SETTINGS)
    costs = {label_of(place): table.value(place) for place in table.places()}
    return run


def main() -> None:
    """Measure, print the growth and write build/bench/disclosure.json."""
    works = [
        Work(f"intruder audit of a report beside {n} earlier", OURS, counterfoil.__version__, n,
             "benchmarks.bench_disclosure:audit_report", {"earlier": n})
        for n in EARLIER
    ] + [
        Work(f"intruder protects {n} x {COLUMNS}", OURS, counterfoil.__version__, n * COLUMNS,
             "benchmarks.bench_disclosure:protect_table", {"rows": n})
        for n in ROWS
    ]  # fmt: skip
    rows = measure(works, "disclosure")
    print("\nGrowth: seconds at each size")
    for start in ("intruder audit", "intruder protects"):
        print(f"  {start}: " + ", ".join(f"{r.n}: {r.seconds:.2f}" for r in rows if r.work.startswith(start)))


if __name__ == "__main__":
    main()

"""`make bench-disclosure`: the intruder audit of a full report beside earlier ones, and tables protected, with growth.

Everything is drawn. The report has 12 measures, and 6 sub-analyses of the first; each earlier report shares 15 people
with it. The tables have counts of a gamma law, about a fifth of them under 10. Patterns of 100 small tables are set
beside the cheapest that an exact program finds, which shares no code with ours (`cheapest_pattern.py`). No peer is
installed by any recipe: sdcTable and GaussSuppression are R packages that are not in Debian, and G-Confid needs SAS.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import counterfoil
from benchmarks.cheapest_pattern import Places, draw_table, find_cheapest
from benchmarks.full_report import draw_full_reports
from benchmarks.harness import Ready, Work, measure
from counterfoil.disclosure import Limit, protect_audited
from counterfoil.disclosure.intruder import (
    CountTable,
    Exact,
    Outcome,
    Piece,
    Publication,
    Share,
    Statement,
    Truth,
    Withheld,
    audit,
    find_unsafe,
    publish_table,
    repair,
    truth_of,
)
from counterfoil.disclosure.intruder.people import find_atoms
from counterfoil.disclosure.intruder.tables import TOTAL, label_of
from counterfoil.disclosure.rounding import round_half_up
from counterfoil.disclosure.settings import DEFAULT_SETTINGS

BoolArray = npt.NDArray[np.bool_]

OURS = "counterfoil"
MEASURES, SUB_ANALYSES = 12, 6
EARLIER = (0, 5, 10, 20)
ROWS, COLUMNS = (10, 20, 40), 12
COHORT, SHARED = 200, 15
PATTERNS = 100  # small tables


def audit_report(earlier: int, fewer: int = 0) -> Ready:
    """A report with its sub-analyses and `earlier` reports that share people with it (`fewer`: see `draw_reports`)."""
    publications, truth = draw_reports(earlier, fewer=fewer)

    def run() -> None:
        found = audit(publications, truth)
        if not found.intervals or any(one.timed_out for one in found.intervals):
            raise SystemExit("The audit looked for nothing, or gave up.")

    return run


def audit_full(earlier: int, *, as_full: bool = False) -> Ready:
    """All that is done to a full report beside earlier ones: protected, said, audited, repaired until it is safe."""
    new, said = draw_full_reports(earlier, as_full=as_full)

    def run() -> None:
        found = protect_audited(new.protect, new.people, said, DEFAULT_SETTINGS, Limit(600.0))
        if not found.record.intervals or any(one.timed_out for one in found.record.intervals):
            raise SystemExit("The audit looked for nothing, or gave up.")

    return run


def draw_reports(earlier: int, *, fewer: int = 0) -> tuple[list[Publication], Truth]:
    """Exact sizes, and rates in whole per cent of every measure, of cohorts drawn with a fixed seed.

    `fewer`: the first earlier report is of the new one's people without so many, which R18 holds; 0: of its own people.
    """
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
    if fewer:
        members["earlier 0"] = members["new"] & (np.arange(people) >= fewer)
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
    table = _table(draw.poisson(draw.gamma(1.0, 40.0, (rows, COLUMNS))))
    start, costs = _before(table)
    return run


def _table(counts: npt.NDArray[np.int64]) -> CountTable:
    names = [(f"row {i:02d}", f"column {j:02d}") for i in range(counts.shape[0]) for j in range(counts.shape[1])]
    return CountTable("table", dict(zip(names, map(int, counts.ravel()), strict=True)))


def _before(table: CountTable) -> tuple[Publication, Mapping[str, int]]:
    """With what is unsafe by itself hidden, and what each number would lose."""
    start = publish_table(table, find_unsafe(table, DEFAULT_SETTINGS), DEFAULT_SETTINGS)
    return start, {label_of(place): table.value(place) for place in table.places()}


@dataclass(frozen=True, slots=True)
class Compared:
    """Patterns beside the cheapest safe ones. Costs are people in what is hidden to protect others."""

    tables: int
    impossible: int  # nothing is safe, and both say so
    unsafe: int  # ours passed, and the other program finds it unsafe
    dearer: int
    ours: int
    cheapest: int
    ours_seconds: float
    other_seconds: float


def compare_patterns(tables: int) -> Compared:
    """Repair each table and find its cheapest safe pattern by the other program."""
    impossible = unsafe = dearer = ours = cheapest = 0
    seconds = [0.0, 0.0]
    for seed in range(tables):
        counts = draw_table(seed)
        table = _table(counts)
        start, costs = _before(table)
        begun = time.perf_counter()
        found = repair(start, truth_of(table), costs)
        middle = time.perf_counter()
        best = find_cheapest(counts)
        seconds = [seconds[0] + middle - begun, seconds[1] + time.perf_counter() - middle]
        if not best.proved or found.audit.passed is not (best.hidden is not None):
            raise SystemExit(f"The two programs do not agree on whether table {seed} can be protected.")
        if best.hidden is None:
            impossible += 1
            continue
        paid = sum(costs[label] for label in found.partners)
        ours, cheapest, dearer = ours + paid, cheapest + best.cost, dearer + (paid > best.cost)
        pattern = _places_hidden(counts, table, found.publication)
        unsafe += find_cheapest(counts, pattern=pattern).hidden is None
    return Compared(tables, impossible, unsafe, dearer, ours, cheapest, seconds[0], seconds[1])


def _places_hidden(counts: npt.NDArray[np.int64], table: CountTable, shown: Publication) -> list[tuple[int, int]]:
    """Rows and columns of what is hidden, -1 for a total, as the other program names them."""
    hidden = {one.label for one in shown.statements if isinstance(one, Withheld)}
    rows, columns = [*table.rows, TOTAL], [*table.columns, TOTAL]
    names = Places.of(counts).names
    return [(i, j) for i, j in names if label_of((rows[i], columns[j])) in hidden]


def main() -> None:
    """Measure, print the growth and write build/bench/disclosure.json."""
    works = [
        Work(f"intruder audit of a report beside {n} earlier", OURS, counterfoil.__version__, n,
             "benchmarks.bench_disclosure:audit_report", {"earlier": n})
        for n in EARLIER
    ] + [
        Work(f"intruder refuses a report beside {n} earlier", OURS, counterfoil.__version__, n,
             "benchmarks.bench_disclosure:audit_report", {"earlier": n, "fewer": 3})
        for n in EARLIER[1:]
    ] + [
        Work(f"intruder audit of a full report beside {n} {kind}", OURS, counterfoil.__version__, n,
             "benchmarks.bench_disclosure:audit_full", {"earlier": n, "as_full": kind == "as full"})
        for kind in ("earlier", "as full")
        for n in (EARLIER[-1],)
    ] + [
        Work(f"intruder protects {n} x {COLUMNS}", OURS, counterfoil.__version__, n * COLUMNS,
             "benchmarks.bench_disclosure:protect_table", {"rows": n})
        for n in ROWS
    ]  # fmt: skip
    rows = measure(works, "disclosure")
    print("\nGrowth: seconds at each number of earlier reports, and of cells")
    for start in ("intruder audit of a report", "intruder audit of a full", "intruder refuses", "intruder protects"):
        print(f"  {start}: " + ", ".join(f"{r.n}: {r.seconds:.2f}" for r in rows if r.work.startswith(start)))
    found = compare_patterns(PATTERNS)
    print(f"\nPatterns of {found.tables} small tables beside the cheapest safe ones of an exact program")
    print(f"  none is safe, and both say so: {found.impossible}; ours unsafe: {found.unsafe}; dearer: {found.dearer}")
    ratio = found.ours / found.cheapest if found.cheapest else 1.0
    print(f"  people hidden to protect others: {found.ours}, cheapest {found.cheapest}: {ratio:.3f} times as many")
    print(f"  seconds: {found.ours_seconds:.1f}, the exact program {found.other_seconds:.1f}")


if __name__ == "__main__":
    main()

"""The intruder audit against an intruder who tries every world, on random small publications and repaired tables.

The two share no code: the brute force reads the kept text and rounds forwards. `COUNTERFOIL_INTRUDER_CASES=10000` runs
more than the few hundred that are usual; thresholds are small, so that every world of a case can be tried.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

import numpy as np
import pytest

from counterfoil.disclosure import DisclosureSettings
from counterfoil.disclosure.intruder import (
    AddsUp,
    Between,
    Counts,
    CountTable,
    Exact,
    Known,
    Limits,
    OneOf,
    Outcome,
    Piece,
    Publication,
    Rounded,
    Share,
    Statement,
    Truth,
    Withheld,
    audit,
    find_unsafe,
    publish_table,
    repair,
    truth_of,
    write_publication,
)
from counterfoil.disclosure.intruder.system import value_of
from counterfoil.disclosure.intruder.tables import label_of
from lib.brute_intruder import Intruder

pytestmark = pytest.mark.slow
CASES = int(os.environ.get("COUNTERFOIL_INTRUDER_CASES", "200"))
BATCHES = 4
BATCH = CASES // BATCHES
PATIENT = Limits(seconds=120.0, all_seconds=1200.0)  # a busy machine must not turn a search into a refusal
LEAST_TRIED = 0.6  # share of publications small enough to try every world
LEAST_TABLES = 0.3  # of tables
LEAST_SAFE = 0.2  # of the tables tried: in many so small a table nothing helps


def settings_of(draw: np.random.Generator) -> DisclosureSettings:
    threshold = int(draw.integers(2, 5))
    return DisclosureSettings(
        threshold=threshold, min_width=int(draw.integers(1, 5)), min_difference=threshold, rounding_base=3
    )


def outcomes_of(draw: np.random.Generator) -> tuple[tuple[Outcome, ...], tuple[AddsUp, ...]]:
    """One outcome; or two, of which the second may have the first behind it; or three that add up."""
    kind = draw.choice(["one", "one", "two", "behind", "sum"])
    first = Outcome("r", Counts(draw.choice(["once", "often"])))
    if kind == "two":
        return (first, Outcome("s", Counts(draw.choice(["once", "often"])))), ()
    if kind == "behind":
        return (Outcome("r"), Outcome("s", Counts.OFTEN, "r")), ()
    if kind == "sum":
        return (Outcome("r"), Outcome("s"), Outcome("t")), (AddsUp("t", (("r", 1), ("s", 1))),)
    return (first,), ()


def counts_of(
    atoms: list[str], outcomes: tuple[Outcome, ...], sums: tuple[AddsUp, ...], draw: np.random.Generator
) -> Truth:
    counts = {(atom, ""): int(draw.integers(0, 5)) for atom in atoms}
    if sum(counts.values()) == 0:
        counts[atoms[0], ""] = 2
    for atom in atoms:
        room = counts[atom, ""]
        for one in outcomes:
            most = room if one.counts is Counts.ONCE else 2
            least = counts[atom, one.behind] if one.behind else 0
            counts[atom, one.name] = int(draw.integers(least, max(least, most) + 1))
            room -= counts[atom, one.name] if sums else 0
        for adds in sums:
            counts[atom, adds.whole] = sum(sign * counts[atom, part] for part, sign in adds.parts)
    return Truth(counts)


def publications_of(draw: np.random.Generator) -> tuple[list[Publication], Truth]:
    """One to four publications on two to four atoms. How many there are of all is always said, exactly or rounded."""
    outcomes, sums = outcomes_of(draw)
    atoms = [f"a{i}" for i in range(draw.integers(2, 6 - len(outcomes)))]
    truth = counts_of(atoms, outcomes, sums, draw)
    subsets = [atoms[:1]] + [[a for a in atoms if draw.random() < 0.6] for _ in range(3)]
    populations = {"all": tuple(atoms)} | {f"p{i}": tuple(s) for i, s in enumerate(subsets) if s}
    spoken = ("", *(one.name for one in outcomes))
    made = []
    for number in range(draw.integers(1, 5)):
        said: list[Statement] = [count_of("all", what, truth, populations, draw) for what in spoken if number == 0]
        chances = (random_statement(name, what, truth, populations, draw) for name in populations for what in spoken)
        said += [one for one in chances if one is not None]
        made.append(Publication(f"n{number}", populations, unique(said), outcomes, sums))
    return made, truth


def unique(said: list[Statement]) -> tuple[Statement, ...]:
    return tuple({one.label: one for one in said}.values())


def count_of(
    name: str, what: str, truth: Truth, populations: dict[str, tuple[str, ...]], draw: np.random.Generator
) -> Exact | Rounded:
    value = sum(truth[atom, what] for atom in populations[name])
    label, of = f"{what}@{name}", (Piece(name, what),)
    if draw.random() < 0.7:
        return Exact(label, of, value)
    return Rounded(label, of, int((value + 1.5) // 3) * 3, 3)


def random_statement(
    name: str, what: str, truth: Truth, populations: dict[str, tuple[str, ...]], draw: np.random.Generator
) -> Statement | None:
    value, size = (sum(truth[atom, w] for atom in populations[name]) for w in (what, ""))
    label, of = f"{what}!{name}", (Piece(name, what),)
    kind = draw.choice(["none", "none", "count", "hidden", "share", "between", "one of"])
    if kind == "count":
        return count_of(name, what, truth, populations, draw)
    if kind == "hidden":
        return Withheld(label, of)
    if kind == "between":
        return Between(label, of, max(0, value - int(draw.integers(0, 3))), value + int(draw.integers(0, 3)))
    if kind == "one of":
        points = {(size, value)} | {(int(draw.integers(0, 9)), int(draw.integers(0, 9))) for _ in range(4)}
        return OneOf(label, ((Piece(name),), of), tuple(sorted(points)))
    if kind == "share" and what and size:
        step = Decimal("0.01") if draw.random() < 0.5 else Decimal("0.1")
        shown = (Decimal(value) / Decimal(size)).quantize(step, rounding=ROUND_HALF_UP)
        return Share(label, of, (Piece(name),), str(shown))
    return None


def is_pinned(value: int, low: int, high: int, settings: DisclosureSettings) -> bool:
    return value < settings.threshold and (high < settings.threshold or high - low < settings.min_width)


def profiles_of(draw: np.random.Generator) -> tuple[list[Publication], Truth]:
    """Two reports that overlap, each with a table of two or three kinds; one may have a group of the first kind."""
    kinds = [f"k{i}" for i in range(draw.integers(2, 4))]
    atoms = [f"a{i}" for i in range(draw.integers(2, 4))]
    group = [atom for atom in atoms if draw.random() < 0.4]
    counts: dict[tuple[str, str], int] = {}
    for atom in atoms:
        of_kind = draw.integers(0, 6, len(kinds))
        of_kind = of_kind * (np.arange(len(kinds)) == 0) if atom in group else of_kind * (np.arange(len(kinds)) > 0)
        counts |= {(atom, kind): int(n) for kind, n in zip(kinds, of_kind, strict=True)}
        counts[atom, ""] = int(of_kind.sum())
    truth = Truth(counts)
    made = []
    for number, members in enumerate((atoms, [atom for atom in atoms if draw.random() < 0.7] or atoms[:1])):
        everyone, few = f"all {number}", f"group {number}"
        populations = {everyone: tuple(members)}
        known: list[Known] = []
        if inside := tuple(atom for atom in members if atom in group):
            populations[few] = inside
            known.append(Known(everyone, kinds[0], have=False, without=few))
            known += [Known(few, kind, have=kind == kinds[0]) for kind in kinds]
            known += [Known(everyone, kinds[1], have=True, without=few)] * (len(kinds) == 2)
        said: list[Statement] = [count_of(everyone, "", truth, populations, draw)]
        said += [one for kind in kinds if (one := random_statement(everyone, kind, truth, populations, draw))]
        if inside and draw.random() < 0.7:
            said.append(count_of(few, "", truth, populations, draw))
        sums = (AddsUp("", tuple((kind, 1) for kind in kinds), (everyone,)),)
        outcomes = tuple(Outcome(kind) for kind in kinds)
        made.append(Publication(f"n{number}", populations, unique(said), outcomes, sums, known=tuple(known)))
    return made, truth


class Tried(Enum):
    """How a case ended."""

    TOO_LARGE = "too large"  # for every world to be tried
    REFUSED = "refused"  # by the audit, or nothing that may be hidden protects it
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Case:
    """`unsafe`: something that passed is pinned down. `strict`: something is said to be known that is not."""

    tried: Tried
    unsafe: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()


def try_publications(seed: int) -> Case:
    """Audit the publications of a seed; every interval is compared, and every population and difference."""
    draw = np.random.default_rng(seed)
    publications, truth = publications_of(draw)
    return try_these(seed, publications, truth, settings_of(draw))


def try_profiles(seed: int) -> Case:
    """The same of reports that say what their people are like."""
    draw = np.random.default_rng(2_000_000 + seed)
    publications, truth = profiles_of(draw)
    return try_these(seed, publications, truth, settings_of(draw))


def try_these(seed: int, publications: list[Publication], truth: Truth, settings: DisclosureSettings) -> Case:
    """One case, by both intruders."""
    try:
        intruder = Intruder([write_publication(one) for one in publications])
    except OverflowError:
        return Case(Tried.TOO_LARGE)
    found = audit(publications, truth, settings, limits=PATIENT, tight=True)
    quick = audit(publications, truth, settings, limits=PATIENT)
    unsafe, strict = [], [*found.untrue]
    for tight, other in zip(found.intervals, quick.intervals, strict=True):
        low, high = intruder.span(tight.target.of)
        label = tight.target.label
        pinned = is_pinned(value_of(tight.target.of, truth), low, high, settings)
        if tight.low < low or tight.high > high or (pinned and (tight.passed or other.passed)):
            unsafe.append(f"{seed}: {label}")
        if tight.low > low or tight.high < high or tight.passed is not other.passed:
            strict.append(f"{seed}: {label}")
    pinned_down = [of for of in intruder.differences() if is_pinned(value_of(of, truth), *intruder.span(of), settings)]
    zeros = [one for p in publications for one in p.statements if isinstance(one, Exact) and not one.value]
    if pinned_down and not zeros and (found.passed or quick.passed):
        unsafe.append(f"{seed}: a population or a difference")
    return Case(Tried.PASSED if found.passed else Tried.REFUSED, tuple(unsafe), tuple(strict))


def try_table(seed: int) -> Case:
    """Repair a small table; what is hidden in the end must not be pinned down."""
    draw = np.random.default_rng(1_000_000 + seed)
    settings = settings_of(draw)
    rows, columns = int(draw.integers(2, 4)), int(draw.integers(1, 4))
    counts = draw.poisson(draw.gamma(1.5, 3.0, (rows, columns)))
    base = 3 if draw.random() < 0.3 else None
    cells = {(f"r{i}", f"c{j}"): int(counts[i, j]) for i in range(rows) for j in range(columns)}
    table = CountTable("table", cells, base=base)
    start = publish_table(table, find_unsafe(table, settings), settings)
    costs = {label_of(place): table.value(place) for place in table.places()}
    found = repair(start, truth_of(table), costs, settings, limits=PATIENT)
    try:
        intruder = Intruder([write_publication(found.publication)])
    except OverflowError:
        return Case(Tried.TOO_LARGE)
    if not found.audit.passed:
        return Case(Tried.REFUSED)
    hidden = [one.of[0].population for one in found.publication.statements if isinstance(one, Withheld)]
    sums = {name: {(atom, ""): 1 for atom in found.publication.populations[name]} for name in hidden}
    pinned = [
        f"{seed}: {name}"
        for name, of in sums.items()
        if is_pinned(value_of(of, truth_of(table)), *intruder.span(of), settings)
    ]
    return Case(Tried.PASSED, tuple(pinned))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_r13_brute_force_pins_down_nothing_that_passed(batch: int) -> None:
    cases = [try_publications(seed) for seed in range(batch * BATCH, (batch + 1) * BATCH)]
    assert [words for one in cases for words in one.unsafe] == []
    assert [words for one in cases for words in one.strict] == []
    tried = sum(one.tried is not Tried.TOO_LARGE for one in cases)
    assert tried >= LEAST_TRIED * BATCH


def test_r13_a_bound_of_the_solver_that_left_a_world_out_is_mended() -> None:
    """A case of the long run, in which the tightest interval of two rates came out too narrow."""
    assert try_publications(984).strict == ()


def test_r13_brute_force_pins_down_nothing_of_what_people_are_like() -> None:
    cases = [try_profiles(seed) for seed in range(CASES // 2)]
    assert [words for one in cases for words in one.unsafe] == []
    assert [words for one in cases for words in one.strict] == []
    assert sum(one.tried is Tried.PASSED for one in cases) >= LEAST_SAFE * len(cases)


def test_r14_brute_force_pins_down_nothing_in_a_repaired_table() -> None:
    cases = [try_table(seed) for seed in range(CASES // 2)]
    assert [words for one in cases for words in one.unsafe] == []
    tried = sum(one.tried is not Tried.TOO_LARGE for one in cases)
    assert sum(one.tried is Tried.PASSED for one in cases) >= LEAST_SAFE * tried
    assert tried >= LEAST_TABLES * (CASES // 2)

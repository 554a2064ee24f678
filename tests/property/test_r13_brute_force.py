"""The intruder audit against an intruder who tries every world, on random small publications and repaired tables.

The two share no code: the brute force reads the kept text and rounds forwards. `COUNTERFOIL_INTRUDER_CASES=10000` runs
more than the few hundred that are usual; thresholds are small, so that every world of a case can be tried.
"""

from __future__ import annotations

import os
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from counterfoil.disclosure import DisclosureSettings
from counterfoil.disclosure.intruder import (
    AddsUp,
    Between,
    Counts,
    CountTable,
    Exact,
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


@pytest.mark.parametrize("batch", range(BATCHES))
def test_r13_brute_force_pins_down_nothing_that_passed(batch: int) -> None:
    tried = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        draw = np.random.default_rng(seed)
        publications, truth = publications_of(draw)
        settings = settings_of(draw)
        try:
            intruder = Intruder([write_publication(one) for one in publications])
        except OverflowError:
            continue
        tried += 1
        found = audit(publications, truth, settings, tight=True)
        assert not found.untrue
        for one in found.intervals:
            assert (one.low, one.high) == intruder.span(one.target.of), (seed, one.target.label)
        pinned = [of for of in intruder.differences() if is_pinned(value_of(of, truth), *intruder.span(of), settings)]
        zeros = {p.of[0].population for n in publications for p in n.statements if isinstance(p, Exact) and not p.value}
        if pinned and not zeros:
            assert not found.passed, seed
        assert audit(publications, truth, settings).passed is found.passed
    assert tried >= LEAST_TRIED * BATCH


@pytest.mark.parametrize("batch", range(BATCHES))
def test_r14_brute_force_pins_down_nothing_in_a_repaired_table(batch: int) -> None:
    tried = safe = 0
    for seed in range(batch * (BATCH // 2), (batch + 1) * (BATCH // 2)):
        draw = np.random.default_rng(1_000_000 + seed)
        settings = settings_of(draw)
        rows, columns = int(draw.integers(2, 4)), int(draw.integers(1, 4))
        counts = draw.poisson(draw.gamma(1.5, 3.0, (rows, columns)))
        base = 3 if draw.random() < 0.3 else None
        cells = {(f"r{i}", f"c{j}"): int(counts[i, j]) for i in range(rows) for j in range(columns)}
        table = CountTable("table", cells, base=base)
        start = publish_table(table, find_unsafe(table, settings), settings)
        costs = {label_of(place): table.value(place) for place in table.places()}
        found = repair(start, truth_of(table), costs, settings)
        try:
            intruder = Intruder([write_publication(found.publication)])
        except OverflowError:
            continue
        tried += 1
        if not found.audit.passed:
            continue
        safe += 1
        hidden = [one.of[0].population for one in found.publication.statements if isinstance(one, Withheld)]
        for name in hidden:
            of = {(atom, ""): 1 for atom in found.publication.populations[name]}
            assert not is_pinned(value_of(of, truth_of(table)), *intruder.span(of), settings), (seed, name)
    assert safe >= LEAST_SAFE * tried
    assert tried >= LEAST_TABLES * (BATCH // 2)

"""Random small publications, so few people that every world of them can be tried."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from counterfoil.disclosure import DisclosureSettings
from counterfoil.disclosure.intruder import (
    AddsUp,
    Between,
    Counts,
    Exact,
    Known,
    OneOf,
    Outcome,
    Piece,
    Publication,
    Rounded,
    Share,
    Statement,
    Truth,
    Withheld,
)


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
    atoms: list[str],
    outcomes: tuple[Outcome, ...],
    sums: tuple[AddsUp, ...],
    draw: np.random.Generator,
    *,
    most: int = 4,
) -> Truth:
    counts = {(atom, ""): int(draw.integers(0, most + 1)) for atom in atoms}
    if sum(counts.values()) == 0:
        counts[atoms[0], ""] = 2
    for atom in atoms:
        room = counts[atom, ""]
        for one in outcomes:
            top = room if one.counts is Counts.ONCE else 2
            least = counts[atom, one.behind] if one.behind else 0
            counts[atom, one.name] = int(draw.integers(least, max(least, top) + 1))
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


def profiles_of(draw: np.random.Generator, threshold: int = 0) -> tuple[list[Publication], Truth]:
    """Two reports that overlap, each with a table of two or three kinds; one may have a group of the first kind.

    `threshold`: as `coarse_publications_of`; 0: they say anything.
    """

    def line(name: str, kind: str) -> Statement | None:
        if threshold:
            return coarse_statement(name, kind, truth, populations, draw, threshold)
        return random_statement(name, kind, truth, populations, draw)

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
        size = rounded(everyone, "", truth, populations, BASE) if threshold else None
        said: list[Statement] = [size or count_of(everyone, "", truth, populations, draw)]
        said += [one for kind in kinds if (one := line(everyone, kind))]
        if inside and draw.random() < 0.7:
            said.append(count_of(few, "", truth, populations, draw))
        sums = (AddsUp("", tuple((kind, 1) for kind in kinds), (everyone,)),)
        outcomes = tuple(Outcome(kind) for kind in kinds)
        made.append(Publication(f"n{number}", populations, unique(said), outcomes, sums, known=tuple(known)))
    return made, truth


COARSE = ("none", "none", "rounded", "hidden", "hidden", "share", "between")  # what else a coarse publication says
BASE = 5  # of what it rounds


def coarse_publications_of(draw: np.random.Generator, threshold: int) -> tuple[list[Publication], Truth]:
    """One or two publications that round coarsely, as most that pass do: a total to 5, shares to whole tenths.

    Nine in ten of the numbers that rules hide by themselves are hidden: counts under `threshold`, and shares where
    those with or without the outcome are as few.
    """
    outcomes, sums = outcomes_of(draw)
    outcomes, sums = (outcomes[:2], ()) if sums else (outcomes, sums)
    atoms = [f"a{i}" for i in range(2 if len(outcomes) > 1 else draw.integers(2, 4))]
    truth = counts_of(atoms, outcomes, sums, draw, most=12 if len(atoms) == 2 else 8)
    populations = {"all": tuple(atoms)} | {f"p{i}": (atom,) for i, atom in enumerate(atoms)}
    if len(atoms) > 2:
        populations["p9"] = tuple(atoms[:2])
    spoken = ("", *(one.name for one in outcomes))
    made = []
    for number in range(draw.integers(1, 3)):
        said: list[Statement] = []
        if number == 0:
            said = [total_of(one, truth, populations, draw, threshold) for one in (Outcome(""), *outcomes)]
        chances = (
            coarse_statement(name, what, truth, populations, draw, threshold) for name in populations for what in spoken
        )
        said += [one for one in chances if one is not None]
        made.append(Publication(f"n{number}", populations, unique(said), outcomes, sums))
    return made, truth


def total_of(
    one: Outcome, truth: Truth, populations: dict[str, tuple[str, ...]], draw: np.random.Generator, threshold: int
) -> Statement:
    """People exactly, three times in ten; a small number with the outcome is hidden; all else is rounded."""
    value = sum(truth[atom, one.name] for atom in populations["all"])
    if not one.name and draw.random() < 0.3:
        return Exact("@all", (Piece("all"),), value)
    if one.name and one.counts is Counts.ONCE and value < threshold and draw.random() < 0.9:
        return Withheld(f"{one.name}@all", (Piece("all", one.name),))
    return rounded("all", one.name, truth, populations, BASE)


def rounded(name: str, what: str, truth: Truth, populations: dict[str, tuple[str, ...]], base: int) -> Rounded:
    value = sum(truth[atom, what] for atom in populations[name])
    return Rounded(f"{what}@{name}", (Piece(name, what),), (2 * value + base) // (2 * base) * base, base)


def coarse_statement(
    name: str,
    what: str,
    truth: Truth,
    populations: dict[str, tuple[str, ...]],
    draw: np.random.Generator,
    threshold: int,
) -> Statement | None:
    value, size = (sum(truth[atom, w] for atom in populations[name]) for w in (what, ""))
    label, of = f"{what}!{name}", (Piece(name, what),)
    kind = draw.choice(COARSE)
    small = value < threshold or (kind == "share" and 0 <= size - value < threshold)
    if kind in ("rounded", "share") and small and draw.random() < 0.9:
        kind = "hidden"
    if kind == "rounded":
        return rounded(name, what, truth, populations, BASE)
    if kind == "hidden":
        return Withheld(label, of)
    if kind == "between":
        return Between(label, of, max(0, value - int(draw.integers(1, 6))), value + int(draw.integers(1, 6)))
    if kind == "share" and what and size:
        shown = (Decimal(value) / Decimal(size)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
        return Share(label, of, (Piece(name),), str(shown))
    return None

"""Several reports before one reader: whose people are the same, which outcomes are the same, and the true counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from counterfoil.disclosure.audited.made import ANALYSED, Ints, Said
from counterfoil.disclosure.beside import BoolArray
from counterfoil.disclosure.differencing import are_nearly_alike
from counterfoil.disclosure.intruder import (
    PEOPLE,
    AddsUp,
    OneOf,
    Outcome,
    Piece,
    Publication,
    Share,
    Statement,
    Truth,
    Weighted,
    find_atoms,
)


@dataclass(frozen=True, slots=True)
class Joint:
    """Publications of the same atoms, their truth, and reports whose shared people have other outcomes now (R19)."""

    publications: tuple[Publication, ...]
    truth: Truth
    changed: tuple[str, ...]


def join_reports(reports: Sequence[Said]) -> Joint:
    """The newest report first. People are told apart by their keys; populations are named by their report."""
    keys = sorted({key for report in reports for key in report.keys})
    place = {key: i for i, key in enumerate(keys)}
    rows = [np.array([place[key] for key in report.keys], np.int64) for report in reports]
    members: dict[str, BoolArray] = {}
    values: dict[str, Ints] = {}
    measured: dict[str, BoolArray] = {}
    changed, renamed = [], []
    for report, at in zip(reports, rows, strict=True):
        for name, inside in report.members.items():
            members[_name(report, name)] = _spread(inside.astype(np.int64), at, len(keys)).astype(np.bool_)
        names = _names(report, at, values, measured)
        if names:
            changed.append(report.name)
        renamed.append(names)
        for outcome, counted in report.values.items():
            named = names.get(outcome, outcome)
            there = measured.setdefault(named, np.zeros(len(keys), np.bool_))
            held, told = values.setdefault(named, np.zeros(len(keys), np.int64)), report.told(outcome)
            held[at[told]], there[at[told]] = counted[told], True
    populations, truth = find_atoms(members, values)
    counts = dict(truth.counts)
    made = []
    for report, names in zip(reports, renamed, strict=True):
        made.append(_publish(report, names, populations, counts))
    return Joint(tuple(made), Truth(counts), tuple(changed))


def are_close(report: Said, earlier: Said, least: int) -> bool:
    """R18: whether those analysed in one and not in the other are somebody, and fewer than `least`."""
    return are_nearly_alike(analysed_of(report), analysed_of(earlier), least)


def reached(keys: Sequence[str], earlier: Sequence[Said], others: Sequence[Said]) -> tuple[Said, ...]:
    """Of `others`, those that share somebody with these people or with the earlier reports, then with those, and so on.

    The linker knows who of a list is in which report; comparison people are in no list, and are told by their keys.
    """
    people = set(keys).union(*(one.keys for one in earlier))
    left, found = list(others), list[Said]()
    while joining := [one for one in left if not people.isdisjoint(one.keys)]:
        people.update(*(one.keys for one in joining))
        found += joining
        left = [one for one in left if one not in joining]
    return tuple(one for one in others if one in found)


def analysed_of(report: Said) -> frozenset[str]:
    """Keys of those whom a report analysed."""
    return frozenset(key for key, inside in zip(report.keys, report.members[ANALYSED], strict=True) if inside)


def _spread(values: Ints, at: Ints, size: int) -> Ints:
    found = np.zeros(size, np.int64)
    found[at] = values
    return found


def _name(report: Said, population: str) -> str:
    return f"{population} of {report.name}"


def _names(report: Said, at: Ints, values: dict[str, Ints], measured: dict[str, BoolArray]) -> dict[str, str]:
    """Outcomes that shared people have otherwise here: they are others, under a name of their own."""
    other = {
        outcome: f"{outcome}, as in {report.name}"
        for outcome, counted in report.values.items()
        if outcome in values and np.any(measured[outcome][at] & report.told(outcome) & (values[outcome][at] != counted))
    }
    return other


def _publish(
    report: Said,
    names: dict[str, str],
    populations: dict[str, tuple[str, ...]],
    counts: dict[tuple[str, str], int],
) -> Publication:
    own = {}
    for name in report.members:
        lost = report.lost.get(name, ())
        for atom, people in lost:
            counts[f"{report.name} {atom}", PEOPLE] = people
        own[_name(report, name)] = (*populations[_name(report, name)], *(f"{report.name} {a}" for a, _ in lost))

    def piece(one: Piece) -> Piece:
        return replace(one, population=_name(report, one.population), outcome=names.get(one.outcome, one.outcome))

    return Publication(
        name=report.name,
        populations=own,
        statements=tuple(_statement(one, piece) for one in report.statements),
        outcomes=tuple(
            Outcome(names.get(o.name, o.name), o.counts, o.behind and names.get(o.behind, o.behind))
            for o in report.outcomes
        ),
        sums=tuple(
            AddsUp(
                names.get(s.whole, s.whole),
                tuple((names.get(p, p), n) for p, n in s.parts),
                tuple(_name(report, each) for each in s.within),
            )
            for s in report.sums
        ),
        lines=report.lines,
        known=tuple(
            replace(
                k,
                population=_name(report, k.population),
                outcome=names.get(k.outcome, k.outcome),
                without=k.without and _name(report, k.without),
            )
            for k in report.known
        ),
    )


def _statement(one: Statement, piece: Callable[[Piece], Piece]) -> Statement:
    if isinstance(one, Weighted | OneOf):
        return one
    made = replace(one, of=tuple(map(piece, one.of)))
    return replace(made, over=tuple(map(piece, made.over))) if isinstance(made, Share) else made


__all__ = ["ANALYSED", "Joint", "analysed_of", "are_close", "join_reports", "reached"]

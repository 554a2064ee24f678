"""The intruder audit of a run: who is behind its numbers, `audit.json` for the checkers, and what a later audit needs.

All of it stays inside the lab, in the run's folder: `audit.json` and `said.json` hold true counts, and no byte of them
is among the files that are cleared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from counterfoil.clearance.audit import AUDIT
from counterfoil.clearance.release import digest_of
from counterfoil.cohort.values import Attrition
from counterfoil.comparison.values import Comparison
from counterfoil.disclosure import (
    Audited,
    Beside,
    Compared,
    DisclosureSettings,
    Limit,
    More,
    People,
    Protected,
    Said,
    headline_measure,
    protect,
    protect_audited,
    write_said,
)
from counterfoil.disclosure.audited.joint import reached
from counterfoil.disclosure.flow import count_boxes
from counterfoil.effect.values import Effect
from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.lab.paths import MEMBERS, SAID
from counterfoil.provenance import canonical_json
from counterfoil.units import Kind

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
Name = TypeVar("Name", int, str)
EVEN = 1e-9  # weights that differ by less are the same


@dataclass(frozen=True, slots=True)
class Behind:
    """Who the treated of a run are, in the order of the rows. By default nobody is known to any other run.

    `keys` tell the same person and index event in another run; `study_keys` are what the linker knows them by.
    `earlier`: reports in the ledger that share people. `seal`: closes a text so that the linker alone reads it.
    """

    keys: tuple[str, ...] = ()
    study_keys: tuple[int, ...] = ()
    earlier: tuple[Said, ...] = ()
    followed: str = ""
    ledger: tuple[str, ...] = ()  # every run in it, whether it shares people or not
    seal: Callable[[bytes], bytes] | None = None
    merged: tuple[str, ...] = ()  # of the earlier reports, those whose people were merged or split since
    everyone: Callable[[IntArray], tuple[str, ...]] | None = None  # keys of rows of everyone, the pool among them
    others: Callable[[], tuple[Said, ...]] | None = None  # the reports of the ledger that are not among `earlier`
    limit: Limit = field(default_factory=Limit)


@dataclass(frozen=True, slots=True)
class Calculated:
    """Everything of a run that is to be protected, and its outcomes row by row of `comparison`."""

    effects: Sequence[Effect]
    comparison: Comparison
    attrition: Attrition
    beside: Beside
    outcomes: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Checked:
    """A report that passed the audit, and the study keys of its treated people, who are the first of
    `audited.said.keys`."""

    audited: Audited
    study_keys: tuple[int, ...]


def protect_and_audit(
    found: Calculated, rows: BoolArray, treated: BoolArray, behind: Behind, settings: DisclosureSettings
) -> Checked:
    """`rows`: which rows of everyone the comparison is of. `treated`: of everyone. Refused where it cannot be safe."""
    number = np.cumsum(treated) - 1  # of a row among the treated, as `behind` has them
    of_row = number[rows]
    people, at = _people(found, of_row, np.flatnonzero(rows), behind)
    earlier = behind.earlier
    if people.compared is not None and behind.others is not None:
        earlier = (*earlier, *reached(people.keys, earlier, behind.others()))

    def protected(more: More) -> Protected:
        return protect(found.effects, found.comparison, found.attrition, settings, found.beside, more)

    audited = protect_audited(protected, people, earlier, settings, behind.limit, behind.merged)
    return Checked(audited, tuple(behind.study_keys[i] for i in at) if behind.study_keys else ())


def _people(
    found: Calculated, of_row: npt.NDArray[np.int64], rows: IntArray, behind: Behind
) -> tuple[People, list[int]]:
    """The treated first, then comparison people who count once each. `rows`: of everyone, those there are."""
    comparison, beside = found.comparison, found.beside
    analysed = comparison.treated & (comparison.weight > 0)
    every = [*beside.ways, *(beside.trust.ways if beside.trust else ())]
    parts = _whole({place: one.members for place, one in enumerate(beside.sub_analyses)}, analysed)
    ways = _whole({place: one.members for place, one in enumerate(every, start=1)}, analysed)
    compared = Compared(
        used=beside.compared if len(beside.compared) else np.zeros_like(analysed),
        parts=_whole({place: one.compared for place, one in enumerate(beside.sub_analyses)}, analysed),
        ways=_whole({place: one.compared for place, one in enumerate(every, start=1)}, analysed),
    )
    treated = np.any([analysed, *parts.values(), *ways.values()], axis=0) & comparison.treated
    others = np.any([compared.used, *compared.parts.values(), *compared.ways.values()], axis=0)
    there = np.concatenate([np.flatnonzero(treated), np.flatnonzero(others)])
    at = [int(i) for i in of_row[treated]]
    measures = tuple(effect.measure for effect in found.effects)
    headline = headline_measure(measures)
    is_rate = headline.kind is Kind.RATE
    return People(
        keys=(*(behind.keys[i] if behind.keys else f"row {i}" for i in at), *_keys_of(rows[others], behind)),
        analysed=analysed[there],
        values={one.name: np.asarray(found.outcomes[one.name], np.float64)[there] for one in measures},
        boxes=count_boxes(found.attrition, comparison.n_treated_matched),
        parts=_of(parts, there),
        ways=_of(ways, there),
        tables={one.name: {kind: m[there] for kind, m in one.cells.items()} for one in beside.tables},
        days=beside.survival.days[there] if beside.survival else None,
        headline=np.asarray(found.outcomes[headline.name], np.float64)[there] if is_rate else None,
        weighted=any(effect.treated.ess < effect.treated.n * (1.0 - EVEN) for effect in found.effects),
        followed=behind.followed,
        terms=_of(beside.terms, there),
        compared=Compared(compared.used[there], _of(compared.parts, there), _of(compared.ways, there))
        if others.any()
        else None,
    ), at


def _whole(members: Mapping[int, BoolArray], whole: BoolArray) -> dict[int, BoolArray]:
    """Those of whom it is known row by row."""
    return {place: each for place, each in members.items() if len(each) == len(whole)}


def _of(members: Mapping[Name, BoolArray], there: IntArray) -> dict[Name, BoolArray]:
    return {name: each[there] for name, each in members.items()}


def _keys_of(rows: IntArray, behind: Behind) -> tuple[str, ...]:
    if behind.everyone is None:
        return tuple(f"row {i} of everyone" for i in rows)
    return behind.everyone(rows)


def keep_audit(
    folder: Path, run: str, files: Mapping[str, str], checked: Checked | None, behind: Behind, why: str = ""
) -> None:
    """Write `audit.json` of these very files, what was said, and who is behind it. `why`: what stopped the run.

    A run that was stopped prints no number of a result, so nothing of it is for the ledger.
    """
    facts: dict[str, Any] = {"release": digest_of(run, files), "passed": True, "findings": []}
    facts["ledger"] = list(behind.ledger)
    if checked is None:
        facts["stopped"] = why
        for name in (SAID, MEMBERS):
            (folder / name).unlink(missing_ok=True)
    else:
        record = checked.audited.record
        facts |= record.facts() | {"findings": record.findings(), "passed": not record.findings()}
        atomic_write(folder / SAID, write_said(checked.audited.said), mode=PRIVATE)
        if behind.seal is not None:
            atomic_write(folder / MEMBERS, behind.seal(_members(checked)), mode=PRIVATE)
    text = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
    atomic_write(folder / AUDIT, text.encode(), mode=PRIVATE)


def _members(checked: Checked) -> bytes:
    """Study keys of each population: who is in what, and nothing of what became of them."""
    said = checked.audited.said
    treated = len(checked.study_keys)
    populations = {
        name: [key for key, inside in zip(checked.study_keys, members[:treated], strict=True) if inside]
        for name, members in said.members.items()
        if not name.startswith("people measured for ")  # whom a measure is over may tell what became of them
        and not members[treated:].any()  # comparison people are of the register, and in no list
    }
    return canonical_json({"populations": populations})

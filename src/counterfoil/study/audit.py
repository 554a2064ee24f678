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
from counterfoil.disclosure.audited import Control
from counterfoil.disclosure.audited.joint import reached
from counterfoil.disclosure.differencing import nearly_alike
from counterfoil.disclosure.flow import count_boxes
from counterfoil.effect.survival import days_to_first
from counterfoil.effect.values import Effect
from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.lab.paths import MEMBERS, SAID
from counterfoil.provenance import canonical_json
from counterfoil.units import Kind

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
Name = TypeVar("Name", int, str)
HELD = "held"  # of audit.json: the runs for which a run waits (R18)
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
    alike: tuple[tuple[str, Said], ...] = ()  # runs that R18 compares, in flight too, but those that were decided about
    limit: Limit = field(default_factory=Limit)


@dataclass(frozen=True, slots=True)
class Calculated:
    """Everything of a run that is to be protected, and its outcomes row by row of everyone."""

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
    in_scope: tuple[int, ...] = ()  # of everybody of the list who is, analysed or not


def protect_and_audit(
    found: Calculated, rows: BoolArray, treated: BoolArray, behind: Behind, settings: DisclosureSettings
) -> Checked:
    """`rows`: which rows of everyone the comparison is of. `treated`: of everyone. Refused where it cannot be safe."""
    people, at = _people(found, _rows_of(found, rows), np.cumsum(treated) - 1, behind)
    earlier = behind.earlier
    if people.compared is not None and behind.others is not None:
        earlier = (*earlier, *reached(people.keys, earlier, behind.others()))

    def protected(more: More) -> Protected:
        return protect(found.effects, found.comparison, found.attrition, settings, found.beside, more)

    audited = protect_audited(protected, people, earlier, settings, behind.limit, behind.merged)
    return Checked(audited, tuple(behind.study_keys[i] for i in at) if behind.study_keys else (), behind.study_keys)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that an audit is of: those of the headline's comparison, then those that only another pool has.

    `of`: each as a row of everyone. `n`: how many are of the headline's comparison. `everyone`: how many there are.
    """

    of: IntArray
    n: int
    everyone: int

    def wide(self, mask: BoolArray) -> BoolArray:
        """A mask over the headline's rows, or over everyone, as one over these; nobody where it is over neither."""
        if len(mask) == self.everyone:
            return mask[self.of]
        if len(mask) != self.n:
            return np.zeros(len(self.of), np.bool_)
        return np.concatenate([mask, np.zeros(len(self.of) - self.n, np.bool_)])

    def every(self, members: Mapping[Name, BoolArray]) -> dict[Name, BoolArray]:
        """Those of whom it is known row by row."""
        return {name: self.wide(each) for name, each in members.items() if len(each) in (self.n, self.everyone)}


def _rows_of(found: Calculated, rows: BoolArray) -> _Rows:
    """`rows`: of everyone, those that the headline's comparison is of."""
    outside = np.zeros_like(rows)
    for way in found.beside.ways:
        if len(way.compared) == len(rows):
            outside |= way.compared & ~rows
    inside = np.flatnonzero(rows)
    return _Rows(np.concatenate([inside, np.flatnonzero(outside)]), len(inside), len(rows))


def _people(found: Calculated, rows: _Rows, number: IntArray, behind: Behind) -> tuple[People, list[int]]:
    """The treated first, then comparison people who count once each. `number`: of a row of everyone among the treated,
    as `behind` has them."""
    comparison, beside = found.comparison, found.beside
    is_treated, analysed = rows.wide(comparison.treated), rows.wide(comparison.treated & (comparison.weight > 0))
    every = [*beside.ways, *(beside.trust.ways if beside.trust else ())]
    parts = rows.every({place: one.members for place, one in enumerate(beside.sub_analyses)})
    ways = rows.every({place: one.members for place, one in enumerate(every, start=1)})
    compared = Compared(
        used=rows.wide(beside.compared),
        parts=rows.every({place: one.compared for place, one in enumerate(beside.sub_analyses)}),
        ways=rows.every({place: one.compared for place, one in enumerate(every, start=1)}),
    )
    check = beside.trust.control if beside.trust else None
    in_check = [] if check is None else [rows.wide(check.members), rows.wide(check.compared)]
    treated = np.any([analysed, *parts.values(), *ways.values(), *in_check[:1]], axis=0) & is_treated
    others = np.any([compared.used, *compared.parts.values(), *compared.ways.values(), *in_check[1:]], axis=0)
    there = np.concatenate([np.flatnonzero(treated), np.flatnonzero(others)])
    at = [int(i) for i in number[rows.of[treated]]]
    measures = tuple(effect.measure for effect in found.effects)
    headline = headline_measure(measures)
    outcomes = {one.name: np.asarray(found.outcomes[one.name], np.float64)[rows.of][there] for one in measures}
    apart = (np.arange(len(rows.of)) >= rows.n)[there]
    return People(
        keys=(*(behind.keys[i] if behind.keys else f"row {i}" for i in at), *_keys_of(rows.of[others], behind)),
        analysed=analysed[there],
        values=outcomes,
        boxes=count_boxes(found.attrition, comparison.n_treated_matched),
        parts=_of(parts, there),
        ways=_of(ways, there),
        tables={one.name: _of(rows.every(one.cells), there) for one in beside.tables},
        days=_days(found, rows)[there] if beside.survival else None,
        headline=outcomes[headline.name] if headline.kind is Kind.RATE else None,
        cohort=behind.keys,
        weighted=any(effect.treated.ess < effect.treated.n * (1.0 - EVEN) for effect in found.effects),
        followed=behind.followed,
        terms=_of(rows.every(beside.terms), there),
        compared=Compared(compared.used[there], _of(compared.parts, there), _of(compared.ways, there))
        if others.any()
        else None,
        apart=apart if apart.any() else np.zeros(0, np.bool_),
        partners=_partners(comparison),
        control=_control(found, rows, there),
    ), at


def _control(found: Calculated, rows: _Rows, there: IntArray) -> Control | None:
    """The check against an outcome of before, where that is a yes or no of every person in it."""
    check = found.beside.trust.control if found.beside.trust else None
    if check is None or check.effect is None or check.effect.measure.kind is not Kind.RATE:
        return None
    had = np.asarray(found.outcomes[check.effect.measure.name], np.float64)[rows.of][there] == 1.0
    return Control(rows.wide(check.members)[there], rows.wide(check.compared)[there], had)


def _partners(comparison: Comparison) -> int:
    """Comparison people for each of the treated, where these have partners and all have as many."""
    if comparison.pairs is None or not comparison.n_treated_matched:
        return 0
    each, left = divmod(comparison.n_comparison, comparison.n_treated_matched)
    return 0 if left else each


def _days(found: Calculated, rows: _Rows) -> FloatArray:
    """Days to the first event, as `Survival.days`, of those of another pool too."""
    curves, outside = found.beside.survival, rows.of[rows.n :]
    if curves is None or not len(outside):
        return np.zeros(0) if curves is None else curves.days
    days, rate = found.outcomes[curves.measure.name][outside], curves.rate
    covered = ~np.isnan(found.outcomes[rate][outside]) if rate else np.ones(len(outside), np.bool_)
    return np.concatenate([curves.days, days_to_first(days, covered, months=curves.months)])


def _of(members: Mapping[Name, BoolArray], there: IntArray) -> dict[Name, BoolArray]:
    return {name: each[there] for name, each in members.items()}


def _keys_of(rows: IntArray, behind: Behind) -> tuple[str, ...]:
    if behind.everyone is None:
        return tuple(f"row {i} of everyone" for i in rows)
    return behind.everyone(rows)


def keep_audit(
    folder: Path,
    run: str,
    files: Mapping[str, str],
    checked: Checked | None,
    behind: Behind,
    why: str = "",
    held: tuple[str, ...] = (),
) -> None:
    """Write `audit.json` of these very files, what was said, and who is behind it. `why`: what stopped the run.

    A run that was stopped prints no number of a result, so nothing of it is for the ledger. `held`: the runs that a
    person must decide about before it may go on (R18).
    """
    facts: dict[str, Any] = {"release": digest_of(run, files), "passed": True, "findings": []}
    facts["ledger"] = list(behind.ledger)
    if checked is None:
        facts |= {"stopped": why, HELD: list(held), "passed": not held}
        facts["findings"] = [{"rule": "R18", "cell": nearly_alike(f"the report {one}"), "never": False} for one in held]
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
    if checked.in_scope:
        populations["people in scope"] = list(checked.in_scope)
    return canonical_json({"populations": populations})

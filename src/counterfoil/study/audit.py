"""The intruder audit of a run: who is behind its numbers, `audit.json` for the checkers, and what a later audit needs.

All of it stays inside the lab, in the run's folder: `audit.json` and `said.json` hold true counts, and no byte of them
is among the files that are cleared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from counterfoil.clearance.audit import AUDIT
from counterfoil.clearance.release import digest_of
from counterfoil.cohort.values import Attrition
from counterfoil.comparison.values import Comparison
from counterfoil.disclosure import (
    Audited,
    Beside,
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
from counterfoil.disclosure.flow import count_boxes
from counterfoil.effect.values import Effect
from counterfoil.lab.files import PRIVATE, atomic_write
from counterfoil.lab.paths import MEMBERS, SAID
from counterfoil.provenance import canonical_json
from counterfoil.units import Kind

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
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
    """A report that passed the audit, and the study keys of its people, in the order of `audited.said.keys`."""

    audited: Audited
    study_keys: tuple[int, ...]


def protect_and_audit(
    found: Calculated, rows: BoolArray, treated: BoolArray, behind: Behind, settings: DisclosureSettings
) -> Checked:
    """`rows`: which rows of everyone the comparison is of. `treated`: of everyone. Refused where it cannot be safe."""
    number = np.cumsum(treated) - 1  # of a row among the treated, as `behind` has them
    of_row = number[rows]
    people, at = _people(found, of_row, behind)

    def protected(more: More) -> Protected:
        return protect(found.effects, found.comparison, found.attrition, settings, found.beside, more)

    audited = protect_audited(protected, people, behind.earlier, settings, behind.limit, behind.merged)
    return Checked(audited, tuple(behind.study_keys[i] for i in at) if behind.study_keys else ())


def _people(found: Calculated, of_row: npt.NDArray[np.int64], behind: Behind) -> tuple[People, list[int]]:
    comparison, beside = found.comparison, found.beside
    analysed = comparison.treated & (comparison.weight > 0)
    parts = {place: one.members for place, one in enumerate(beside.sub_analyses)}
    every = [*beside.ways, *(beside.trust.ways if beside.trust else ())]
    ways = {place: one.members for place, one in enumerate(every, start=1)}
    there = analysed.copy()
    for members in (*parts.values(), *ways.values()):
        if len(members) == len(there):
            there |= members & comparison.treated
    at = [int(i) for i in of_row[there]]
    measures = tuple(effect.measure for effect in found.effects)
    headline = headline_measure(measures)
    is_rate = headline.kind is Kind.RATE
    return People(
        keys=tuple(behind.keys[i] if behind.keys else f"row {i}" for i in at),
        analysed=analysed[there],
        values={one.name: np.asarray(found.outcomes[one.name], np.float64)[there] for one in measures},
        boxes=count_boxes(found.attrition, comparison.n_treated_matched),
        parts={place: members[there] for place, members in parts.items() if len(members) == len(there)},
        ways={place: members[there] for place, members in ways.items() if len(members) == len(there)},
        tables={one.name: {kind: m[there] for kind, m in one.cells.items()} for one in beside.tables},
        days=beside.survival.days[there] if beside.survival else None,
        headline=np.asarray(found.outcomes[headline.name], np.float64)[there] if is_rate else None,
        weighted=any(effect.treated.ess < effect.treated.n * (1.0 - EVEN) for effect in found.effects),
        followed=behind.followed,
    ), at


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
    populations = {
        name: [key for key, inside in zip(checked.study_keys, members, strict=True) if inside]
        for name, members in said.members.items()
        if not name.startswith("people measured for ")  # whom a measure is over may tell what became of them
    }
    return canonical_json({"populations": populations})

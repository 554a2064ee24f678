"""What people ruled about pairs of records, whatever the model says: `linker/overrides.jsonl`, for the linker alone.
What they ruled of the links of another department's share lies with the share, and goes when that must go.

Nothing is deleted: who was wrong withdraws, and both entries stay. Records are named as their sources name them, so a
ruling outlives every spine.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from counterfoil.errors import Refused, UsageError
from counterfoil.lab.log import append as append_to_log
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage import journal
from counterfoil.linkage.journal import Entry, Facts

EVERYWHERE = "all"  # scope of a ruling that holds in every product
ENTRIES = "entries"  # scope of a ruling about who an entry of a provider's list is; it moves nobody in the spine
COHORT = "cohort"  # the source name of a provider's entries
ENTRIES_RULED = "entries ruled"  # what the log calls it; an evaluation after it is a new one
_KNOWN = 100_000  # entries whose meaning is remembered
_LONGEST = 2_000  # characters of a reason

_PAIR = ("source_l", "record_id_l", "source_r", "record_id_r")
_SAID = ("who", "when", "why", "scope", "case", "entry")
SCHEMA = pa.schema([(name, pa.string()) for name in (*_PAIR, "decision", *_SAID)])


class Decision(Enum):
    """What a person ruled."""

    MUST_LINK = "must_link"
    MUST_NOT_LINK = "must_not_link"


class _Kind(Enum):
    """What an entry does."""

    OVERRIDE = "override"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One record as its source names it."""

    source: str
    record_id: str


@dataclass(frozen=True, slots=True)
class Override:
    """One ruling. `left` sorts before `right`. `scope` is a product's name or "all"; `case` is what it was ruled in
    (a request, a review item), or empty. `entry` names it once it is kept."""

    left: Record
    right: Record
    decision: Decision
    who: str
    when: str  # ISO date and time, UTC
    why: str
    scope: str = EVERYWHERE
    case: str = ""
    entry: str = ""

    @property
    def pair(self) -> tuple[Record, Record]:
        """The two records."""
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An override that no longer holds: which, who took it back, when and why."""

    entry: str
    who: str
    when: str
    why: str


Clock = Callable[[], dt.datetime]


def now() -> dt.datetime:
    """The time, UTC."""
    return dt.datetime.now(dt.UTC)


def override(
    one: Record,
    other: Record,
    decision: Decision,
    *,
    who: str,
    why: str,
    scope: str = EVERYWHERE,
    case: str = "",
    clock: Clock = now,
) -> Override:
    """A ruling that can be added. UsageError when it says nothing of use."""
    if one == other:
        raise UsageError("An override needs two records, and both are the same one.")
    left, right = sorted((one, other))
    made = Override(left, right, decision, who.strip(), _stamp(clock), why.strip(), scope.strip(), case.strip())
    _check_said(made.who, made.why)
    if not made.scope:
        raise UsageError(f"An override needs a scope: the name of a product, or {EVERYWHERE!r}.")
    return made


def add(paths: LabPaths, *rulings: Override, share: str | None = None) -> tuple[Override, ...]:
    """Keep rulings, all or none, of the spine or of links of a `share`; gives them with their entries.

    Refused when one says the opposite of what is in force for the same pair: the earlier must be withdrawn first. The
    same ruling by a second person is a second entry.
    """

    def make(there: Sequence[Entry]) -> Sequence[Facts]:
        standing: dict[tuple[Record, Record], list[Override]] = defaultdict(list)
        for ruling in (*_in_force(there), *rulings):
            if not ruling.entry:
                _check_agrees(ruling, standing[ruling.pair])
            standing[ruling.pair].append(ruling)
        return [_facts(ruling) for ruling in rulings]

    added = journal.append(overrides_file(paths, share), make)
    if added:
        about_entries = all(ruling.scope == ENTRIES for ruling in rulings)
        said = {"head": added[-1].name, **_of(share)}
        append_to_log(paths, ENTRIES_RULED if about_entries else "links overridden", said)
    return tuple(_override(entry) for entry in added)


def withdraw(
    paths: LabPaths, entry: str, *, who: str, why: str, share: str | None = None, clock: Clock = now
) -> Withdrawal:
    """Take a ruling back. UsageError when no such one is in force."""
    taken = Withdrawal(entry, who.strip(), _stamp(clock), why.strip())
    _check_said(taken.who, taken.why)

    scopes: list[str] = []

    def make(there: Sequence[Entry]) -> Sequence[Facts]:
        scopes.extend(standing.scope for standing in _in_force(there) if standing.entry == entry)
        if not scopes:
            raise UsageError("No override in force has this entry. List those in force and give the entry of one.")
        facts = {"kind": _Kind.WITHDRAWAL.value, "of": entry, "who": taken.who, "when": taken.when, "why": taken.why}
        return [facts]

    added = journal.append(overrides_file(paths, share), make)
    said = {"head": added[-1].name, **_of(share)}
    append_to_log(paths, ENTRIES_RULED if ENTRIES in scopes else "override withdrawn", said)
    return taken


def _of(share: str | None) -> dict[str, str]:
    return {} if share is None else {"share": share}


def in_force(paths: LabPaths, *, scope: str | None = None, share: str | None = None) -> tuple[Override, ...]:
    """Every ruling that holds, oldest first; with `scope`, those of that product and those of all; or of a `share`."""
    found = _in_force(journal.read(overrides_file(paths, share)))
    return tuple(ruling for ruling in found if scope is None or ruling.scope in (scope, EVERYWHERE))


def read_overrides(paths: LabPaths, *, scope: str | None = None, share: str | None = None) -> pa.Table:
    """Rulings in force as a table (`SCHEMA`), one row a pair and decision, ordered by the records.

    Of several that say the same of a pair the oldest is given. Pairs may contradict each other by way of a third
    record (A is B, B is C, A is not C); clustering says so where it happens.
    """
    rows: dict[tuple[Record, Record, Decision, str], Override] = {}
    for ruling in in_force(paths, scope=scope, share=share):
        rows.setdefault((*ruling.pair, ruling.decision, ruling.scope), ruling)
    ordered = [rows[key] for key in sorted(rows, key=lambda key: (key[0], key[1], key[2].value, key[3]))]
    return _table(ordered)


def overrides_file(paths: LabPaths, share: str | None = None) -> Path:
    """`linker/overrides.jsonl`; of the links of a share `linker/shares/NAME/overrides.jsonl`."""
    return (paths.linker if share is None else paths.share(share)) / "overrides.jsonl"


def _table(rulings: Iterable[Override]) -> pa.Table:
    rows = [
        {
            "source_l": each.left.source,
            "record_id_l": each.left.record_id,
            "source_r": each.right.source,
            "record_id_r": each.right.record_id,
            "decision": each.decision.value,
            **{name: getattr(each, name) for name in _SAID},
        }
        for each in rulings
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _in_force(entries: Sequence[Entry]) -> tuple[Override, ...]:
    gone = {entry.facts["of"] for entry in entries if _Kind(entry.facts["kind"]) is _Kind.WITHDRAWAL}
    return tuple(
        _override(entry) for entry in entries if _Kind(entry.facts["kind"]) is _Kind.OVERRIDE and entry.name not in gone
    )


def _check_agrees(ruling: Override, standing: Sequence[Override]) -> None:
    for other in standing:
        overlap = EVERYWHERE in (ruling.scope, other.scope) or ruling.scope == other.scope
        if overlap and other.decision is not ruling.decision:
            raise Refused(
                "These two records have an override that says the opposite. Withdraw that one first, with a reason.",
                rule="overrides",
            )


def _check_said(who: str, why: str) -> None:
    if not who or not why:
        raise UsageError("An override, and its withdrawal, need who says so and why. Give both.")
    if len(why) > _LONGEST:
        raise UsageError(f"The reason is longer than {_LONGEST:,} characters. Shorten it.")


def _stamp(clock: Clock) -> str:
    return clock().astimezone(dt.UTC).isoformat(timespec="seconds")


def _facts(ruling: Override) -> Facts:
    return {
        "kind": _Kind.OVERRIDE.value,
        "left": [ruling.left.source, ruling.left.record_id],
        "right": [ruling.right.source, ruling.right.record_id],
        "decision": ruling.decision.value,
        "who": ruling.who,
        "when": ruling.when,
        "why": ruling.why,
        "scope": ruling.scope,
        "case": ruling.case,
    }


@lru_cache(maxsize=_KNOWN)
def _override(entry: Entry) -> Override:
    facts = entry.facts
    return Override(
        Record(*facts["left"]),
        Record(*facts["right"]),
        Decision(facts["decision"]),
        who=facts["who"],
        when=facts["when"],
        why=facts["why"],
        scope=facts["scope"],
        case=facts["case"],
        entry=entry.name,
    )

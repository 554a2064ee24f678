"""Protect, audit, repair, protect again: until a solver that holds every number finds nothing (R13, R14, R15, R18).

What the repair hides goes back into `protect`, so that everything that rests on a hidden number (the verdict, a cost,
the other ways) goes with it. What cannot be proved safe in the time there is counts as unsafe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

from counterfoil.disclosure.audited.joint import Joint, are_close, join_reports
from counterfoil.disclosure.audited.made import BALANCE, CELL, CONTROL, MEASURE, SIZE, TERM, People, Said
from counterfoil.disclosure.audited.record import Record, Repair
from counterfoil.disclosure.audited.said import say_report
from counterfoil.disclosure.hiding import NOTHING_MORE, More
from counterfoil.disclosure.intruder import (
    Attack,
    Audit,
    Breach,
    Exact,
    Limits,
    Looked,
    Publication,
    Questions,
    Rounded,
    Share,
    audit,
    explain,
    find_cap,
    hide,
    join,
    look,
    repair,
)
from counterfoil.disclosure.settings import DisclosureSettings
from counterfoil.disclosure.values import Protected
from counterfoil.errors import Refused

ROUNDS = 12  # of hiding and protecting again; each hides something more
TIGHT_TO = 120  # targets of which the tightest interval is sought even where they pass
EXPLAINED = 8  # attacks put into words in one round; the rest are named
SOLVER = Limits(nodes=2000, seconds=2.0)


@dataclass(frozen=True, slots=True)
class Limit:
    """Seconds that the audit of one report may take. Time that runs out is a failure, never a pass."""

    seconds: float = 300.0  # beside 20 reports as full as itself one took 59 on a busy machine


_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Audited:
    """A report that passed, with what it says and what was found on the way."""

    protected: Protected
    said: Said
    record: Record


@dataclass(slots=True)
class _Clock:
    start: float
    limit: Limit

    def check(self) -> None:
        if self.spent() > self.limit.seconds:
            raise _timed_out()

    def spent(self) -> float:
        return time.monotonic() - self.start


def protect_audited(
    protect: Callable[[More], Protected],
    people: People,
    earlier: Sequence[Said],
    settings: DisclosureSettings,
    limit: Limit = _LIMIT,
    merged: Sequence[str] = (),
) -> Audited:
    """A report that R13 passed beside the `earlier` ones. Refused (R13) where time ran out, or nothing helps.

    `merged`: names of earlier reports whose people are told apart otherwise since.
    """
    clock = _Clock(time.monotonic(), limit)
    with ThreadPoolExecutor(1) as words:  # attacks are put into words while the next round is audited
        return _rounds(protect, people, earlier, settings, clock, merged, words)


def _rounds(
    protect: Callable[[More], Protected],
    people: People,
    earlier: Sequence[Said],
    settings: DisclosureSettings,
    clock: _Clock,
    merged: Sequence[str],
    words: Executor,
) -> Audited:
    more, repairs = NOTHING_MORE, list[_Hidden]()
    for _ in range(ROUNDS):
        protected = protect(more)
        said = say_report(protected, people)
        unheld = _beyond(said, earlier, more, settings)
        if unheld:
            repairs.append(_Hidden(unheld, lambda: (_unheld(),)))
            more = more.with_these(unheld)
            continue
        joint = join_reports([said, *earlier])
        clock.check()
        looked = look(join(joint.publications), joint.truth, settings, limits=SOLVER)
        found = looked.audit
        clock.check()
        already = _open_already(found, joint, settings) if earlier and not found.passed else ()
        if _is_safe(found, already):
            told = [Repair(one.hidden, one.attacks()) for one in repairs]
            record = _record(found, said, joint, earlier, merged, told, already, settings, clock)
            return Audited(protected, said, record)
        made = _repair(looked, joint, said, settings, clock, already, words)
        if not set(made.hidden) - set(more.every()):
            raise _infeasible(found)
        repairs.append(made)
        more = more.with_these(made.hidden)
    raise _infeasible(found)


def _is_safe(found: Audit, already: Sequence[str]) -> bool:
    left = [one for one in found.failed if one.target.label not in already]
    return not (found.untrue or found.impossible or found.sums or left)


def _beyond(
    said: Said, earlier: Sequence[Said], more: More, settings: DisclosureSettings
) -> tuple[tuple[str, str], ...]:
    """What the audit cannot hold, where an earlier report is of nearly the same people: it is hidden (R18)."""
    if not any(are_close(said, one, settings.min_difference) for one in earlier):
        return ()
    wanted = [*said.beyond, (BALANCE, "")]
    return tuple(one for one in wanted if one not in more.every())


def _open_already(found: Audit, joint: Joint, settings: DisclosureSettings) -> tuple[str, ...]:
    """Targets that are as open with nothing of this report printed: earlier reports alone give them away."""
    new = join(joint.publications)
    start = f"{joint.publications[0].name}: "
    labels = [one.label for one in new.statements if one.label.startswith(start) and _may_be_hidden(one)]
    alone = audit([hide(new, labels)], joint.truth, settings, limits=SOLVER)
    failed = {tuple(sorted(one.target.of.items())) for one in alone.failed if not one.timed_out}
    return tuple(one.target.label for one in found.failed if tuple(sorted(one.target.of.items())) in failed)


def _may_be_hidden(one: object) -> bool:
    return isinstance(one, Exact | Rounded | Share)


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What a round hides, and how to have the attacks that made it necessary."""

    hidden: tuple[tuple[str, str], ...]
    attacks: Callable[[], tuple[Attack, ...]]


def _repair(
    looked: Looked,
    joint: Joint,
    said: Said,
    settings: DisclosureSettings,
    clock: _Clock,
    already: Sequence[str],
    words: Executor,
) -> _Hidden:
    """What else must be hidden, and why."""
    found, truth = looked.audit, joint.truth
    publication, hides = _hideable(joint, said)
    costs = {label: _cost(joint, publication, label, what) for label, what in hides.items()}
    questions = Questions(publication, truth, find_cap(publication, truth))
    first = None if found.untrue else looked
    repaired = repair(publication, truth, costs, settings, limits=SOLVER, first=first, questions=questions)
    clock.check()
    open_still = tuple(one for one in found.failed if one.target.label not in already)
    in_words = replace(found, intervals=open_still[:EXPLAINED])
    attacks = words.submit(explain, in_words, [publication], truth, settings, limits=SOLVER, questions=questions)
    named = tuple(_named(one.target.label) for one in open_still[EXPLAINED:])
    chosen = dict.fromkeys(hides[label] for label in repaired.partners)
    if not chosen:  # what is pinned by the numbers that may not go alone: balance, and then everything that may
        every = dict.fromkeys(hides.values())
        chosen = {what: None for what in every if what[0] == TERM} or every
    return _Hidden(tuple(chosen), lambda: (*attacks.result(), *named))


def _hideable(joint: Joint, said: Said) -> tuple[Publication, Mapping[str, tuple[str, str]]]:
    """Everything as one publication, and what a report can leave out by the label that it has there."""
    publication = join(joint.publications)
    start = "" if len(joint.publications) == 1 else f"{joint.publications[0].name}: "
    by_label = {one.label: one for one in publication.statements}
    hides = {start + label: what for label, what in said.hides.items()}
    return publication, {label: what for label, what in hides.items() if _may_be_hidden(by_label[label])}


def _cost(joint: Joint, publication: Publication, label: str, hides: tuple[str, str]) -> int:
    """People whose number is lost: those of the population that a statement is about, or of a kind of them."""
    one = next(each for each in publication.statements if each.label == label)
    if not isinstance(one, Exact | Rounded | Share):
        return 0
    if hides[0] in (CELL, TERM, CONTROL):
        return sum(
            joint.truth[atom, piece.outcome] for piece in one.of for atom in publication.populations[piece.population]
        )
    atoms = publication.populations[one.of[0].population]
    return sum(joint.truth.counts.get((atom, ""), 0) for atom in atoms)


def _named(label: str) -> Attack:
    return Attack(Breach.PINNED, label, None, None, (), f"{label[:1].upper()}{label[1:]} is pinned down too.")


def _unheld() -> Attack:
    sentence = (
        "An earlier report is of nearly the same people, and the audit cannot hold all of this kind: curves, balance, "
        "weighted means and amounts could be taken from one another."
    )
    return Attack(Breach.PINNED, "what the audit cannot hold", None, None, (), sentence)


def _record(
    found: Audit,
    said: Said,
    joint: Joint,
    earlier: Sequence[Said],
    merged: Sequence[str],
    repairs: Sequence[Repair],
    already: tuple[str, ...],
    settings: DisclosureSettings,
    clock: _Clock,
) -> Record:
    """With the tightest interval of every target, where they are few enough."""
    shows = any(_may_be_hidden(one) and one.label in said.hides for one in said.statements)
    close = tuple(one.name for one in earlier if shows and are_close(said, one, settings.min_difference))
    final = found
    if len(found.intervals) <= TIGHT_TO and clock.spent() < clock.limit.seconds / 4:
        tight = audit(joint.publications, joint.truth, settings, limits=SOLVER, tight=True)
        final = tight if tight.passed == found.passed else found
    return Record(
        intervals=final.intervals,
        repairs=tuple(repairs),
        earlier=tuple(one.name for one in earlier),
        changed=tuple(dict.fromkeys((*joint.changed, *merged))),
        close=close,
        open_already=already,
        settings=settings,
    )


def _timed_out() -> Refused:
    return Refused(
        "The intruder audit did not finish in the time that it has, so the report counts as unsafe and nothing of it "
        "is shown. Ask for fewer measures or sub-analyses in the plan.",
        rule="R13",
    )


def _infeasible(found: Audit) -> Refused:
    if any(one.timed_out for one in found.failed):
        return _timed_out()
    return Refused(
        "The intruder audit found that a reader could work a hidden count out, whatever else is hidden. Wait until "
        "the earlier report and this list differ by more people, or ask for broader groups in the plan.",
        rule="R13",
    )


__all__ = ["MEASURE", "SIZE", "Audited", "Limit", "protect_audited"]

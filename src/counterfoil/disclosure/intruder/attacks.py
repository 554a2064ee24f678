"""An attack in a sentence: which statements it needs, none of which can be left out, and what they give.

The sentences hold true counts. They are for the people of the lab who decide what to hide, and for nobody else (R12).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from counterfoil.disclosure.intruder.audit import (
    LIMITS,
    Attack,
    Audit,
    Breach,
    Interval,
    audit,
    find_interval,
    join,
)
from counterfoil.disclosure.intruder.limits import Limits
from counterfoil.disclosure.intruder.questions import Questions
from counterfoil.disclosure.intruder.solver import Answer, solve
from counterfoil.disclosure.intruder.statements import (
    Between,
    Difference,
    Exact,
    OneOf,
    Publication,
    Rounded,
    Share,
    Statement,
    Truth,
    Weighted,
    Withheld,
)
from counterfoil.disclosure.intruder.system import build, find_cap
from counterfoil.disclosure.settings import DEFAULT_SETTINGS, DisclosureSettings

CLOSE = 1e-6  # of a multiplier to a whole number


def find_attacks(
    publications: Sequence[Publication],
    truth: Truth,
    settings: DisclosureSettings = DEFAULT_SETTINGS,
    *,
    limits: Limits = LIMITS,
) -> tuple[Attack, ...]:
    """Every attack on what was published together, in the order of the targets; nothing when it passes."""
    return explain(audit(publications, truth, settings, limits=limits), publications, truth, settings, limits=limits)


def explain(
    found: Audit,
    publications: Sequence[Publication],
    truth: Truth,
    settings: DisclosureSettings = DEFAULT_SETTINGS,
    *,
    limits: Limits = LIMITS,
    targets: Collection[str] | None = None,
    questions: Questions | None = None,
) -> tuple[Attack, ...]:
    """The attacks that an audit found, in words. `targets`: only those on targets of these labels.

    `questions`: of all publications together, where there are some already.
    """
    publication = join(publications)
    if found.untrue:
        return _untrue(found, publication, limits)
    failed = [one for one in found.failed if targets is None or one.target.label in targets]
    asked = Questions(publication, truth, find_cap(publication, truth)) if questions is None else questions
    pinned = [_pinned(one, asked, settings, limits) for one in failed]
    sums = [
        Attack(Breach.SUM, label, None, None, (), f"The hidden cells of {label} hold too few people, or only one does.")
        for label in found.sums
    ]
    return (*pinned, *sums)


def say(statement: Statement) -> str:
    """A statement as a reader finds it: where, and what is printed there."""
    return f"{statement.label} ({printed(statement)})"


def printed(statement: Statement) -> str:
    """What is printed."""
    match statement:
        case Exact():
            return str(statement.value)
        case Rounded():
            return f"{statement.value}, rounded to {statement.base}"
        case Withheld():
            return "[c]"
        case Share() | Weighted() | Difference():
            return statement.shown
        case Between():
            ends = (("from", statement.low), ("to", statement.high))
            return " ".join(f"{word} {end}" for word, end in ends if end is not None)
        case OneOf():  # pragma: no branch - the last kind there is, which mypy checks
            return f"{len(statement.points)} possibilities"


def _untrue(found: Audit, publication: Publication, limits: Limits) -> tuple[Attack, ...]:
    """What is printed and not so; and, where it cannot all be so, the statements that contradict one another."""
    by_label = {one.label: one for one in publication.statements}
    wrong = [
        Attack(Breach.UNTRUE, label, None, None, (label,), f"{say(by_label[label])} is not what the data say.")
        for label in found.untrue
        if label
    ]
    if "" in found.untrue:
        sentence = "The true counts do not fit together: they count more people than there are, or do not add up."
        wrong.append(Attack(Breach.UNTRUE, "the data", None, None, (), sentence))
    if not found.impossible:
        return tuple(wrong)
    needed = _irreducible(publication, lambda part: _is_impossible(part, limits), list(by_label))
    sentence = f"These cannot all be so: {_list([say(by_label[label]) for label in needed])}."
    return (*wrong, Attack(Breach.CONTRADICTION, publication.name, None, None, needed, sentence))


def _is_impossible(publication: Publication, limits: Limits) -> bool:
    system = build(publication)
    if not system.unknowns:
        return False
    nothing = 0 * system.vector({})
    return solve(system, nothing, limits, whole=True).answer is Answer.IMPOSSIBLE


def _irreducible(publication: Publication, bad: Callable[[Publication], bool], labels: list[str]) -> tuple[str, ...]:
    """The labels that are left when each that is not needed is taken away, the last first: always the same.

    What can go together goes together: half of the labels, or half of that, at one question.
    """

    def without(kept: list[str], some: list[str]) -> list[str]:
        fewer = [one for one in kept if one not in some]
        if not some or bad(_only(publication, fewer)):
            return fewer
        if len(some) == 1:
            return kept
        middle = len(some) // 2
        return without(without(kept, some[middle:]), some[:middle])

    return tuple(without(labels, labels))


def _only(publication: Publication, labels: Sequence[str]) -> Publication:
    kept = set(labels)
    return replace(publication, statements=tuple(s for s in publication.statements if s.label in kept), lines=())


def _pinned(interval: Interval, asked: Questions, settings: DisclosureSettings, limits: Limits) -> Attack:
    label = interval.target.label
    if interval.timed_out:
        sentence = f"{_start(label)} could not be proved safe in the time there is, so it is taken to be unsafe."
        return Attack(Breach.TIMED_OUT, label, None, None, (), sentence)
    again, publication = _Again(asked, settings, limits.started()), asked.publication
    interval = again.tightened(interval)
    held = _held_by(interval, again)
    if not again.is_pinned(interval, _only(publication, held)):
        held = [one.label for one in publication.statements]
    needed = _irreducible(publication, lambda part: again.is_pinned(interval, part), held)
    return Attack(Breach.PINNED, label, interval.low, interval.high, needed, _sentence(interval, again, needed))


class _Again:
    """The same question, asked of fewer statements."""

    def __init__(self, asked: Questions, settings: DisclosureSettings, limits: Limits) -> None:
        self.asked, self.settings, self.limits = asked, settings, limits
        self.whole = False  # whether only whole people pin the target down as tightly as they do

    def tightened(self, interval: Interval) -> Interval:
        """The tightest interval; the same, where it cannot be found in time."""
        found = interval if interval.tight else self._ask(interval, self.asked, tight=True)
        if not found.tight:
            return interval
        # where fractions of people go no further than whole ones, whole ones need not be asked about again
        self.whole = interval.tight or (found.low, found.high) != (interval.low, interval.high)
        return found

    def is_pinned(self, interval: Interval, publication: Publication) -> bool:
        """Whether these statements alone pin the target down as tightly."""
        fewer = self._of(publication)
        for tight in (False, True) if self.whole else (False,):
            found = self._ask(interval, fewer, tight=tight)
            if found.passed or (found.low, found.high) == (interval.low, interval.high):
                return not found.passed
        return False

    def _of(self, publication: Publication) -> Questions:
        return Questions(publication, self.asked.truth, self.asked.cap)

    def _ask(self, interval: Interval, asked: Questions, *, tight: bool) -> Interval:
        worlds = asked.worlds(interval.target.of)
        return find_interval(interval.target, worlds, self.settings, self.limits, tight=tight)

    def multipliers(self, interval: Interval, sign: int, some: Publication | None = None) -> Mapping[str, float]:
        """How much each statement, or each of `some`, holds the target down (sign 1) or up (-1)."""
        asked = self.asked if some is None else self._of(some)
        found: dict[str, float] = {}
        for label, weight in asked.held(interval.target.of, sign).by:
            if label:
                found[label] = found.get(label, 0.0) + sign * weight
        return found


def _held_by(interval: Interval, again: _Again) -> list[str]:
    """Statements that hold the target from above or below, in the order of the publication."""
    held = {label for sign in (1, -1) for label in again.multipliers(interval, sign)}
    return [one.label for one in again.asked.publication.statements if one.label in held]


def _sentence(interval: Interval, again: _Again, needed: Sequence[str]) -> str:
    """By adding and subtracting, where that is all there is to it; else by putting together."""
    by_label = {one.label: one for one in again.asked.publication.statements}
    target = interval.target.label
    given = f"{interval.low}" if interval.low == interval.high else f"{interval.low} to {interval.high}"
    if not needed:
        return f"A reader who knows nothing else knows that {target} is {given}."
    if len(needed) == 1:
        return f"A reader of {say(by_label[needed[0]])} knows that {target} is {given}."
    signs = _signs(interval, again, needed)
    plus = _list([say(by_label[one]) for one in needed if signs.get(one, 0.0) > 0])
    minus = _list([say(by_label[one]) for one in needed if signs.get(one, 0.0) < 0])
    if plus and interval.low == interval.high and all(isinstance(by_label[one], Exact) for one in needed):
        how = f"subtract {minus} from {plus}" if minus else f"add {plus}"
        return f"A reader can {how} and get {given}: {target}."
    together = _list([say(by_label[one]) for one in needed])
    return f"A reader can put together {together} and knows that {target} is {given}."


def _signs(interval: Interval, again: _Again, needed: Sequence[str]) -> Mapping[str, float]:
    """Plus or minus one for each statement, where the target is their sum; else nothing."""
    found = again.multipliers(interval, 1, _only(again.asked.publication, needed))
    whole = set(found) == set(needed) and all(abs(abs(weight) - 1.0) < CLOSE for weight in found.values())
    return found if whole else {}


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _start(words: str) -> str:
    return words[:1].upper() + words[1:]

"""What reviewers answered: `linker/review/decisions.jsonl`, append-only and chained, whole whenever a process dies.

An answer is a label of the product that it was given for. It is an override as well when its reviewer says so, or when
a second reviewer agrees. Undo is an entry of its own: it takes the answer back, and the override that came of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import chain
from pathlib import Path

import pyarrow as pa

from counterfoil.errors import Refused, UsageError
from counterfoil.lab.paths import LabPaths
from counterfoil.linkage import journal, overrides
from counterfoil.linkage.journal import Entry, Facts
from counterfoil.linkage.overrides import Clock, Decision, Override, Record, now
from counterfoil.linkage.quality_report.judged import SPINE, share_of
from counterfoil.linkage.review.access import check_linker
from counterfoil.linkage.review.values import Answer, Item, Pair, Reason
from counterfoil.warehouse import write_table

REVIEWERS = 2  # who agree make an override
_KNOWN = 100_000  # entries whose meaning is remembered
_SHORT = 16  # characters of an entry's name in an override's case
_RULED = {Answer.SAME: Decision.MUST_LINK, Answer.DIFFERENT: Decision.MUST_NOT_LINK}

LABELS = pa.schema(
    [(name, pa.string()) for name in ("source_l", "record_id_l", "source_r", "record_id_r", "reviewer", "answer")]
    + [("seconds", pa.float64())]
    + [(name, pa.string()) for name in ("when", "reason", "stratum", "spine", "product", "entry")]
)


class _Kind(Enum):
    """What an entry does."""

    ANSWER = "answer"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer before it is kept. `rules`: the reviewer wants it as an override at once, and says `why`."""

    item: Item
    reviewer: str
    answer: Answer
    seconds: float
    rules: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer in force."""

    pair: Pair
    reviewer: str
    answer: Answer
    seconds: float
    when: str
    reason: Reason
    stratum: str
    spine: str
    product: str
    rules: bool
    why: str
    entry: str

    @property
    def mark(self) -> str:
        """How an override's case names this answer."""
        return self.entry[:_SHORT]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of answers: those kept, overrides made, and pairs whose override in force says the opposite."""

    answers: tuple[Answered, ...]
    overrides: tuple[Override, ...]
    opposed: tuple[Pair, ...]


def decide(paths: LabPaths, *replies: Reply, spine: str, product: str = SPINE, clock: Clock = now) -> Kept:
    """Keep answers for a product, all or none, then the overrides that are due. UsageError when a reviewer answers a
    pair of it twice."""
    check_linker(paths)

    def make(there: Sequence[Entry]) -> Sequence[Facts]:
        said = {(answer.pair, answer.reviewer) for answer in _in_force(there) if answer.product == product}
        for reply in replies:
            _check(reply, said)
            said.add((reply.item.pair, reply.reviewer))
        when = clock().isoformat(timespec="seconds")
        return [_facts(reply, spine, product, when) for reply in replies]

    added = journal.append(decisions_file(paths, product), make)
    made, opposed = settle(paths, product=product, clock=clock)
    return Kept(tuple(_answered(entry) for entry in added), made, opposed)


def undo(paths: LabPaths, reviewer: str, *, product: str = SPINE, clock: Clock = now) -> Answered | None:
    """Take back the reviewer's last answer in force for a product, and the override it made; gives it, or None when
    there is none."""
    check_linker(paths)
    taken: list[Answered] = []

    def make(there: Sequence[Entry]) -> Sequence[Facts]:
        own = [answer for answer in _in_force(there) if (answer.reviewer, answer.product) == (reviewer, product)]
        taken.extend(own[-1:])
        when = clock().isoformat(timespec="seconds")
        return [{"kind": _Kind.UNDO.value, "of": answer.entry, "reviewer": reviewer, "when": when} for answer in taken]

    journal.append(decisions_file(paths, product), make)
    settle(paths, product=product, clock=clock)
    return taken[0] if taken else None


def settle(
    paths: LabPaths, *, product: str = SPINE, clock: Clock = now
) -> tuple[tuple[Override, ...], tuple[Pair, ...]]:
    """Make the overrides that answers in force call for, and withdraw those whose answers were undone: of every product
    of the spine, or of a share.

    What a killed process left undone is done here. One that somebody withdrew is not made again. Gives those made, and
    pairs where an override in force says the opposite.
    """
    share, entries = share_of(product), journal.read(decisions_file(paths, product))
    _withdraw_undone(paths, entries, share, clock)
    known = {case for case in _cases(paths, share) if case}
    made: list[Override] = []
    opposed: list[Pair] = []
    standing = {(each.pair, each.decision) for each in overrides.in_force(paths, share=share)}
    due = _due(_in_force(entries), known, clock)
    for each in due:
        if (each.pair, _opposite(each.decision)) in standing:
            opposed.append(Pair(each.left, each.right))
        elif (each.pair, each.decision) not in standing:
            made.append(each)
            standing.add((each.pair, each.decision))
    apart = [each for each in made if each.scope == overrides.ENTRIES]
    others = [each for each in made if each.scope != overrides.ENTRIES]
    added = [kept for group in (others, apart) if group for kept in overrides.add(paths, *group, share=share)]
    return tuple(added), tuple(opposed)


def answers(paths: LabPaths, product: str | None = None) -> tuple[Answered, ...]:
    """Every answer in force about the spine's products, or those given for one product, oldest first."""
    check_linker(paths)
    found = _in_force(journal.read(decisions_file(paths, product or SPINE)))
    return tuple(answer for answer in found if product in (None, answer.product))


def labels(paths: LabPaths, product: str | None = None) -> pa.Table:
    """As `answers`, as a table (`LABELS`), ordered by pair, reviewer and product."""
    rows = sorted(answers(paths, product), key=lambda answer: (answer.pair, answer.reviewer, answer.product))
    return pa.Table.from_pylist([_row(answer) for answer in rows], schema=LABELS)


def export_labels(paths: LabPaths, file: Path) -> int:
    """Write the labels as Parquet inside the linker's side; gives how many. Refused elsewhere: they name records."""
    if not file.resolve().is_relative_to(paths.linker.resolve()):
        raise Refused("Labels name records, so they stay in the lab's linker folder. Give a file there.", rule="roles")
    return write_table(labels(paths), file).rows


def decisions_file(paths: LabPaths, product: str = SPINE) -> Path:
    """`linker/review/decisions.jsonl`; of a share it lies with the share, and goes when that must go."""
    share = share_of(product)
    place = paths.linker if share is None else paths.share(share)
    return place / "review" / "decisions.jsonl"


def by_pair(found: Iterable[Answered]) -> Mapping[Pair, tuple[Answered, ...]]:
    """Answers of each pair, oldest first."""
    groups: dict[Pair, list[Answered]] = defaultdict(list)
    for answer in found:
        groups[answer.pair].append(answer)
    return {pair: tuple(group) for pair, group in groups.items()}


def settled(group: Sequence[Answered]) -> Answer | None:
    """What at least two reviewers say and nobody outnumbers; None while that is nothing."""
    votes = Counter(answer.answer for answer in group if answer.answer is not Answer.CANNOT_TELL)
    if not votes:
        return None
    (first, most), *others = votes.most_common()
    return first if most >= REVIEWERS and all(count < most for _, count in others) else None


def _due(found: Sequence[Answered], known: Container[str], clock: Clock) -> list[Override]:
    """The overrides that answers call for and whose case is not `known`. Answers for two products are not counted
    together: one reviewer may have given both."""
    due = []
    products = dict.fromkeys(answer.product for answer in found)
    each_own = [by_pair(answer for answer in found if answer.product == product) for product in products]
    for pair, group in chain.from_iterable(groups.items() for groups in each_own):
        behind, why = _grounds(group)
        if behind and (case := _case(behind)) not in known:
            who = "; ".join(each.reviewer for each in behind)
            decision = _RULED[behind[0].answer]
            said = {"who": who, "why": why, "case": case, "scope": _scope(pair, behind[0].product)}
            due.append(overrides.override(pair.left, pair.right, decision, **said, clock=clock))
    return due


def _scope(pair: Pair, product: str) -> str:
    if overrides.COHORT in (pair.left.source, pair.right.source):
        return overrides.ENTRIES
    return overrides.EVERYWHERE if share_of(product) is None else product


def _grounds(group: Sequence[Answered]) -> tuple[Sequence[Answered], str]:
    """The answers that make an override of a pair, and why; none where nothing is ruled or agreed."""
    ruled = [answer for answer in group if answer.rules]
    if ruled:
        return ruled[-1:], ruled[-1].why or "ruled in clerical review"
    agreed = settled(group)
    behind = [answer for answer in group if answer.answer is agreed][:REVIEWERS]
    return (behind, "reviewers agree in clerical review") if agreed else ((), "")


def _case(behind: Sequence[Answered]) -> str:
    return " ".join(["review", *(each.mark for each in behind)])


def _withdraw_undone(paths: LabPaths, entries: Sequence[Entry], share: str | None, clock: Clock) -> None:
    undone = {str(e.facts["of"])[:_SHORT]: str(e.facts["reviewer"]) for e in entries if e.facts["kind"] == "undo"}
    for each in overrides.in_force(paths, share=share):
        by = [undone[mark] for mark in each.case.split()[1:] if mark in undone]
        if each.case.startswith("review ") and by:
            why = "the answer behind it was undone"
            overrides.withdraw(paths, each.entry, who=by[0], why=why, share=share, clock=clock)


def _cases(paths: LabPaths, share: str | None) -> list[str]:
    """The case of every override there ever was."""
    return [str(entry.facts.get("case", "")) for entry in journal.read(overrides.overrides_file(paths, share))]


def _opposite(decision: Decision) -> Decision:
    return Decision.MUST_NOT_LINK if decision is Decision.MUST_LINK else Decision.MUST_LINK


def _in_force(entries: Sequence[Entry]) -> tuple[Answered, ...]:
    gone = {entry.facts["of"] for entry in entries if _Kind(entry.facts["kind"]) is _Kind.UNDO}
    kept = [e for e in entries if _Kind(e.facts["kind"]) is _Kind.ANSWER and e.name not in gone]
    return tuple(map(_answered, kept))


def _check(reply: Reply, said: set[tuple[Pair, str]]) -> None:
    if not reply.reviewer.strip():
        raise UsageError("An answer needs a reviewer. Give a name with --reviewer.")
    if (reply.item.pair, reply.reviewer) in said:
        raise UsageError("This reviewer has answered this pair already. Undo that answer first.")
    if reply.rules and reply.answer is Answer.CANNOT_TELL:
        raise UsageError("Nobody can rule that they cannot tell. Answer same or different, or do not rule.")


def _facts(reply: Reply, spine: str, product: str, when: str) -> Facts:
    pair = reply.item.pair
    return {
        "kind": _Kind.ANSWER.value,
        "left": [pair.left.source, pair.left.record_id],
        "right": [pair.right.source, pair.right.record_id],
        "reviewer": reply.reviewer,
        "answer": reply.answer.value,
        "seconds": round(reply.seconds, 1),
        "when": when,
        "reason": reply.item.reason.value,
        "stratum": reply.item.stratum,
        "spine": spine,
        "product": product,
        "rules": reply.rules,
        "why": reply.why,
    }


@lru_cache(maxsize=_KNOWN)
def _answered(entry: Entry) -> Answered:
    facts = entry.facts
    return Answered(
        pair=Pair(Record(*facts["left"]), Record(*facts["right"])),
        reviewer=facts["reviewer"],
        answer=Answer(facts["answer"]),
        seconds=facts["seconds"],
        when=facts["when"],
        reason=Reason(facts["reason"]),
        stratum=facts["stratum"],
        spine=facts["spine"],
        product=facts.get("product", SPINE),  # earlier versions asked about the spine alone
        rules=facts["rules"],
        why=facts["why"],
        entry=entry.name,
    )


def _row(answer: Answered) -> dict[str, str | float]:
    left, right = answer.pair.left, answer.pair.right
    return {
        "source_l": left.source,
        "record_id_l": left.record_id,
        "source_r": right.source,
        "record_id_r": right.record_id,
        "reviewer": answer.reviewer,
        "answer": answer.answer.value,
        "seconds": answer.seconds,
        "when": answer.when,
        "reason": answer.reason.value,
        "stratum": answer.stratum,
        "spine": answer.spine,
        "product": answer.product,
        "entry": answer.entry,
    }

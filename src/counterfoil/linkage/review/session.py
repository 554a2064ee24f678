"""One reviewer's way through the queue: what is next, how far they are, what was undone; nothing kept but the answers.

The queue is made from the spine and the answers alone, so a session that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from counterfoil.domains.shares import load_shares
from counterfoil.errors import UsageError
from counterfoil.lab.make import OpenLab
from counterfoil.lab.progress import Progress, silent
from counterfoil.linkage.engine import Engine
from counterfoil.linkage.overrides import Clock, now
from counterfoil.linkage.quality_report.domain import quality_rules
from counterfoil.linkage.quality_report.judged import SPINE, Judged, judged_product, share_of, share_product
from counterfoil.linkage.quality_report.review import review_sample
from counterfoil.linkage.review import decisions
from counterfoil.linkage.review.access import check_linker
from counterfoil.linkage.review.agreement import agreement, unsettled
from counterfoil.linkage.review.decisions import Answered, Kept, Reply, by_pair, settled
from counterfoil.linkage.review.entries import Entries, find_doubtful
from counterfoil.linkage.review.queue import doubtful_pairs, draw, sampled_items, sampled_pairs
from counterfoil.linkage.review.share_pairs import SharePairs, of_share, open_share
from counterfoil.linkage.review.showing import ReviewItem, show, show_other
from counterfoil.linkage.review.values import MEMBERS, Answer, Item, Pair, Queue, Reason
from counterfoil.linkage.spine import Spine, read_spine, resources

SEED = 1
TWICE = 0.2  # share of pairs that a second reviewer looks at
_MOST = 3  # reviewers of one pair; after that somebody has to rule


@dataclass(frozen=True, slots=True)
class Review:
    """An open review: the pairs of one queue, in order, and how they are shared out.

    `twice` is the share (0-1) of pairs that a second reviewer looks at, drawn by pair. Disagreements go to a third.
    """

    lab: OpenLab
    spine: Spine
    items: tuple[Item, ...]
    twice: float = TWICE
    seed: int = SEED
    product: str = SPINE
    entries: Entries | None = None  # of a provider's list, where that is what is looked at
    share: SharePairs | None = None  # of another department's share, where that is

    @property
    def thresholds(self) -> Mapping[str, float]:
        """In bits, by name: what a pair's weight is held against."""
        if self.share is not None:
            return {"link": self.share.linked.threshold}
        return {level.value: weight for level, weight in self.spine.thresholds.items()}


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a reviewer is in a queue: pairs answered by them, and pairs open to them."""

    answered: int
    open: int


def open_review(
    lab: OpenLab,
    queue: Queue = Queue.ALL,
    *,
    product: str = SPINE,
    twice: float = TWICE,
    seed: int = SEED,
    progress: Progress = silent,
) -> Review:
    """The queue of a product of the newest spine, or of the share called `product`. Refused without the linker's key;
    UsageError before the first `link`, and when there is no such product."""
    check_linker(lab.paths)
    if not 0 <= twice <= 1:
        raise UsageError(f"The share of pairs that two reviewers see is {twice:g}; it must be from 0 to 1.")
    progress("Choosing pairs", None)
    share = share_of(product) or product
    if share in load_shares(lab.settings.domain):
        return _open_share(lab, queue, share, twice, seed)
    judged = judged_product(read_spine(lab), product)
    decisions.settle(lab.paths)  # what a killed session left
    wanted = MEMBERS[queue]
    items = tuple(item for item in doubtful_pairs(judged) if item.reason in wanted)
    if Reason.SAMPLE in wanted:
        progress("Drawing pairs at random", None)
        there = {item.pair for item in items}
        items += tuple(item for item in _sample(lab, judged, seed) if item.pair not in there)
    return Review(lab, judged.spine, items, twice, seed, judged.name)


def _open_share(lab: OpenLab, queue: Queue, name: str, twice: float, seed: int) -> Review:
    found, wanted = open_share(lab, name), MEMBERS[queue]
    decisions.settle(lab.paths, product=share_product(name))  # what a killed session left
    items = tuple(item for item in found.doubtful if item.reason in wanted)
    if Reason.SAMPLE in wanted:
        there = {item.pair for item in items}
        drawn = sampled_items(sampled_pairs(found.sample.pairs), seed=seed)
        items += tuple(item for item in drawn if item.pair not in there)
    return Review(lab, found.linked.spine, items, twice, seed, share_product(name), share=found)


def open_entries(
    lab: OpenLab, entries: pa.Table, *, twice: float = 1.0, seed: int = SEED, progress: Progress = silent
) -> Review:
    """The doubtful entries of a provider's list, against the newest spine. Two reviewers see each unless told.

    `entries`: standardised, with raw columns; record_id is the entry's name (`entry_keys`). Refused without the
    linker's key.
    """
    check_linker(lab.paths)
    spine = read_spine(lab)
    decisions.settle(lab.paths)
    items, shown = find_doubtful(lab, spine, entries, progress=progress)
    return Review(lab, spine, items, twice, seed, entries=shown)


def _sample(lab: OpenLab, judged: Judged, seed: int) -> tuple[Item, ...]:
    """The pairs that the quality report needs; drawn now when nobody has."""
    said = judged.spine.quality().get("engine")
    engine = next((each for each in Engine if each.value == said), Engine.SPLINK)
    rules = quality_rules(lab.settings.domain)
    sample = review_sample(judged, rules, today=lab.settings.date(), engine=engine, resources=resources(lab))
    return sampled_items(sampled_pairs(sample.pairs), seed=seed)


def answers_of(review: Review) -> tuple[Answered, ...]:
    """The answers that were given for the product under review."""
    return decisions.answers(review.lab.paths, review.product)


def open_items(review: Review, reviewer: str, found: Sequence[Answered] | None = None) -> tuple[Item, ...]:
    """What is open to a reviewer, in order: disagreements of others first, never a pair that they answered."""
    groups = by_pair(answers_of(review) if found is None else found)
    disputed, plain = [], []
    for item in review.items:
        group = groups.get(item.pair, ())
        if any(answer.reviewer == reviewer for answer in group) or any(answer.rules for answer in group):
            continue
        if unsettled(group):
            if settled(group) is None and len(group) < _MOST:
                disputed.append(replace(item, reason=Reason.DISAGREEMENT, why="two reviewers answered differently"))
        elif not group or len(group) < _wanted(review, item.pair):
            plain.append(item)
    return (*disputed, *plain)


def _wanted(review: Review, pair: Pair) -> int:
    """Reviewers that a pair should have before anybody disagrees."""
    return 2 if draw(pair, review.seed + 1) < review.twice else 1


def show_next(review: Review, reviewer: str, *, count: int = 1) -> tuple[ReviewItem, ...]:
    """The next pairs open to a reviewer, as they are shown."""
    return show_items(review, open_items(review, reviewer)[:count])


def show_items(review: Review, items: Sequence[Item]) -> tuple[ReviewItem, ...]:
    """Some items as they are shown."""
    if review.share is not None:
        return show_other(review.lab, items, of_share(review.share, items))
    return show(review.lab, review.spine, items, review.entries, product=review.product)


def answer(
    review: Review,
    item: Item,
    reviewer: str,
    said: Answer,
    *,
    seconds: float,
    rules: bool = False,
    why: str = "",
    clock: Clock = now,
) -> Kept:
    """Keep one answer."""
    reply = Reply(item, reviewer, said, seconds, rules, why)
    return decisions.decide(review.lab.paths, reply, spine=review.spine.version, product=review.product, clock=clock)


def undo(review: Review, reviewer: str, *, clock: Clock = now) -> Item | None:
    """Take the reviewer's last answer back; gives its item where it is of this queue."""
    taken = decisions.undo(review.lab.paths, reviewer, product=review.product, clock=clock)
    if taken is None:
        return None
    return next((item for item in review.items if item.pair == taken.pair), None)


def progress_of(review: Review, reviewer: str, found: Sequence[Answered] | None = None) -> Progressed:
    """How far a reviewer is."""
    kept = answers_of(review) if found is None else found
    own = {each.pair for each in kept if each.reviewer == reviewer}
    return Progressed(sum(item.pair in own for item in review.items), len(open_items(review, reviewer, kept)))


def for_adjudication(review: Review) -> tuple[Item, ...]:
    """Pairs on which all reviewers have been heard and no two outvote the others: somebody has to rule."""
    groups = by_pair(answers_of(review))
    return tuple(item for item in review.items if _is_stuck(groups.get(item.pair, ())))


def _is_stuck(group: Sequence[Answered]) -> bool:
    return len(group) >= _MOST and settled(group) is None and not any(answer.rules for answer in group)


def summary(review: Review) -> Mapping[str, object]:
    """Counts and agreement, for the inside of the lab: no name, no record."""
    found = answers_of(review)
    pairs = {item.pair for item in review.items}
    own = [each for each in found if each.pair in pairs]
    said = {answer.value: sum(each.answer is answer for each in own) for answer in Answer}
    return {
        "spine": review.spine.version,
        "product": review.product,
        "pairs": len(review.items),
        "by_reason": {reason.value: sum(item.reason is reason for item in review.items) for reason in Reason},
        "looked_at": len({each.pair for each in own}),
        "answers": said,
        "reviewers": len({each.reviewer for each in own}),
        "agreement": agreement(own).to_json(),
        "for_adjudication": len(for_adjudication(review)),
    }

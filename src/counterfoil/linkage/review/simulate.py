"""Reviewers of a synthetic lab: they answer from the truth, each wrong with a stated chance, kept as people are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from counterfoil.errors import UsageError
from counterfoil.linkage.overrides import Record
from counterfoil.linkage.review import decisions
from counterfoil.linkage.review.decisions import Reply
from counterfoil.linkage.review.session import Review, open_items
from counterfoil.linkage.review.values import Answer, Item


@dataclass(frozen=True, slots=True)
class Simulated:
    """One simulated reviewer: answers given, and how many of them were wrong."""

    reviewer: str
    answers: int
    wrong: int


def simulate(
    review: Review, truth: pa.Table, *, reviewers: int, error_rate: float, seed: int, limit: int | None = None
) -> tuple[Simulated, ...]:
    """Let `reviewers` work through the queue one after another; the third and later see what others disagree on.

    `truth`: source, record_id, person_id. A reviewer's mistakes depend on the seed, their number and the order of the
    queue alone.
    """
    if reviewers < 1 or not 0 <= error_rate <= 1:
        raise UsageError("Simulated reviewers need a number of at least 1 and an error rate from 0 to 1.")
    columns = (truth[name].to_pylist() for name in ("source", "record_id", "person_id"))
    person = {Record(source, record): who for source, record, who in zip(*columns, strict=True)}
    return tuple(_work(review, person, number, error_rate, seed, limit) for number in range(1, reviewers + 1))


def _work(
    review: Review, person: dict[Record, object], number: int, error_rate: float, seed: int, limit: int | None
) -> Simulated:
    name = f"simulated {number}"
    items = [item for item in open_items(review, name) if _is_known(item, person)][:limit]
    errs = np.random.default_rng([seed, number]).random(len(items)) < error_rate
    replies = [Reply(item, name, _said(item, person, bool(err)), 0.0) for item, err in zip(items, errs, strict=True)]
    decisions.decide(review.lab.paths, *replies, spine=review.spine.version, product=review.product)
    return Simulated(name, len(replies), int(errs.sum()))


def _is_known(item: Item, person: dict[Record, object]) -> bool:
    return item.pair.left in person and item.pair.right in person


def _said(item: Item, person: dict[Record, object], is_wrong: bool) -> Answer:
    is_same = person[item.pair.left] == person[item.pair.right]
    return Answer.SAME if is_same != is_wrong else Answer.DIFFERENT

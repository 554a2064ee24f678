"""Precision and recall of a spine from pairs that people looked at, each with its 95% interval.

What is estimated, for pairs of records: *precision* at a strictness is the share of pairs in one cluster that are one
person. *Blocking recall* is the share of all true pairs that were within reach: a blocking rule compared them, or
links lead from one to the other at the loose threshold. *Scoring recall* at a strictness is the share of the true pairs
within reach that are in one cluster. Their product is the *recall*. (docs/explanation/linkage-quality.md.)

Pairs are drawn at random within strata, so the intervals hold however errors cluster among people. Where only a share
of the records was compared looser, what that adds is in the interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from math import sqrt
from typing import Any

import pyarrow as pa

from counterfoil.linkage.clusters import Strictness
from counterfoil.linkage.quality_report.intervals import Interval, corrected, exactly, share_of, total, wilson
from counterfoil.linkage.quality_report.sampling import INSIDE, Sample, Standing, Stratum

DIGITS = 6
SAME, DIFFERENT = "same", "different"
_TOGETHER = 4.0  # records of one person are missed together: how much that widens what a sample of records adds
_ALMOST_ALL = 0.999
_WORST_ERROR = 0.4  # a reviewer nearer to tossing a coin than this tells nothing


@dataclass(frozen=True, slots=True)
class Reviewers:
    """How often one reviewer is wrong (0-1, with its interval), and where that is from."""

    error: Interval
    basis: str
    looked_twice: int
    disagreed: int


@dataclass(frozen=True, slots=True)
class _Answers:
    """Of one stratum: pairs that were settled, those said to be the same, by how many votes, pairs not settled."""

    settled: int
    same: int
    leads: Mapping[int, int]  # votes by which the majority leads -> pairs
    unsettled: int


@dataclass(frozen=True, slots=True)
class Estimated:
    """Everything that labels tell of one spine, or of one group in it. Shares 0-1."""

    labels: int
    unsettled: int
    reviewers: Reviewers
    precision: Mapping[Strictness, Interval]
    blocking_recall: Interval
    scoring_recall: Mapping[Strictness, Interval]
    recall: Mapping[Strictness, Interval]
    true_pairs: Interval

    def to_json(self) -> dict[str, Any]:
        """As quality.json has it."""
        by_level = {
            level.value: {
                "precision": interval_json(self.precision[level]),
                "scoring_recall": interval_json(self.scoring_recall[level]),
                "recall": interval_json(self.recall[level]),
            }
            for level in Strictness
        }
        return {
            "labels": self.labels,
            "unsettled": self.unsettled,
            "true_pairs": {k: round(v) for k, v in interval_json(self.true_pairs).items()},
            "blocking_recall": interval_json(self.blocking_recall),
            "reviewers": {
                "error": interval_json(self.reviewers.error),
                "basis": self.reviewers.basis,
                "looked_twice": self.reviewers.looked_twice,
                "disagreed": self.reviewers.disagreed,
            },
            **by_level,
        }


def interval_json(interval: Interval) -> dict[str, float]:
    """rate, low, high."""
    return {
        "rate": round(interval.estimate, DIGITS),
        "low": round(interval.low, DIGITS),
        "high": round(interval.high, DIGITS),
    }


def estimate(
    sample: Sample, labels: pa.Table, *, reviewer_error: float | None = None, beyond: Interval | None = None
) -> Estimated | None:
    """Precision and recall from `labels`: source_l, record_id_l, source_r, record_id_r, reviewer, answer ("same",
    "different", anything else is no answer). None when no sampled pair has an answer.

    `reviewer_error` is the stated chance that one reviewer is wrong; without it it is estimated from pairs that two
    looked at. `beyond` is the share of true pairs (0-1) outside every frame, see `beyond.py`.
    """
    votes = _votes(sample.pairs, labels)
    if not votes:
        return None
    reviewers = _reviewers(list(votes.values()), reviewer_error)
    answers = {stratum.name: _answers(sample.pairs, stratum, votes) for stratum in sample.strata}
    return _combined(sample, answers, reviewers, beyond or exactly(0.0))


Pair = tuple[str, str, str, str]


def _votes(pairs: pa.Table, labels: pa.Table) -> dict[Pair, list[str]]:
    """The answers to each sampled pair, one a reviewer: the last one."""
    sampled = set(_keys(pairs))
    said: dict[Pair, dict[str, str]] = {}
    for key, reviewer, answer in zip(
        _keys(labels), labels["reviewer"].to_pylist(), labels["answer"].to_pylist(), strict=True
    ):
        if (at := key if key in sampled else (key[2], key[3], key[0], key[1])) in sampled and answer in (
            SAME,
            DIFFERENT,
        ):
            said.setdefault(at, {})[reviewer] = answer
    return {pair: list(by.values()) for pair, by in said.items()}


def _keys(table: pa.Table) -> list[Pair]:
    columns = ("source_l", "record_id_l", "source_r", "record_id_r")
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


def _reviewers(votes: Sequence[Sequence[str]], stated: float | None) -> Reviewers:
    """Two reviewers who are each wrong with chance e disagree on 2e(1 - e) of the pairs, whatever the truth is."""
    twice = [pair for pair in votes if len(pair) >= 2]
    disagreed = sum(pair[0] != pair[1] for pair in twice)
    if stated is not None:
        return Reviewers(exactly(stated), "stated", len(twice), disagreed)
    if not twice:
        return Reviewers(exactly(0.0), "not known: nobody looked twice, so reviewers count as never wrong", 0, 0)
    said = wilson(disagreed, len(twice))
    error = Interval(*((1 - sqrt(max(1 - 2 * d, 0.0))) / 2 for d in (said.estimate, said.low, said.high)))
    return Reviewers(error.within(0, _WORST_ERROR), "from pairs that two reviewers looked at", len(twice), disagreed)


def _answers(pairs: pa.Table, stratum: Stratum, votes: Mapping[Pair, Sequence[str]]) -> _Answers:
    """Majorities. A pair on which reviewers tie is not settled, and that tells nothing of its truth."""
    names = pairs["stratum"].to_pylist()
    same, unsettled, at = 0, 0, Counter[int]()
    for key, name in zip(_keys(pairs), names, strict=True):
        if name != stratum.name or key not in votes:
            continue
        lead = sum(1 if answer == SAME else -1 for answer in votes[key])
        if lead == 0:
            unsettled += 1
        else:
            at[abs(lead)] += 1
            same += lead > 0
    return _Answers(sum(at.values()), same, dict(at), unsettled)


def _wrong(error: float, lead: int) -> float:
    """Chance that a majority of `lead` more votes is wrong: each vote multiplies the odds."""
    odds = (error / (1 - error)) ** lead if error < 1 else 1.0
    return odds / (1 + odds)


def _share(answers: _Answers, stratum: Stratum, reviewers: Reviewers) -> Interval:
    """Share of one stratum's pairs that are one person."""
    said = wilson(answers.same, answers.settled)
    if not answers.settled:
        return said
    wrong = [
        sum(_wrong(e, lead) * n for lead, n in answers.leads.items()) / answers.settled
        for e in (reviewers.error.estimate, reviewers.error.low, reviewers.error.high)
    ]
    left = 1 - answers.settled / stratum.pairs if stratum.pairs else 0.0
    noise = wilson(wrong[0] * answers.settled, answers.settled)
    said = _looked_at_most(said, left, noise)
    plain = corrected(said, wrong[0])
    moved = [corrected(exactly(said.estimate), each).estimate - plain.estimate for each in wrong]
    return total([plain, Interval(0.0, min(moved), max(moved))]).within(0, 1)


def _looked_at_most(said: Interval, left: float, noise: Interval) -> Interval:
    """The less of a stratum is `left` unseen, the narrower; what reviewers get wrong at random stays."""
    below = sqrt(left * (said.estimate - said.low) ** 2 + (1 - left) * _noise(noise) ** 2)
    above = sqrt(left * (said.high - said.estimate) ** 2 + (1 - left) * _noise(noise) ** 2)
    return Interval(said.estimate, said.estimate - below, said.estimate + above).within(0, 1)


def _noise(noise: Interval) -> float:
    return noise.high - noise.estimate if noise.estimate > 0 else 0.0


def _combined(sample: Sample, answers: Mapping[str, _Answers], reviewers: Reviewers, beyond: Interval) -> Estimated:
    chance = sample.chance_outside
    counts = {
        stratum: _true_pairs(stratum, _share(answers[stratum.name], stratum, reviewers), chance)
        for stratum in sample.strata
    }
    found = {level: _sum(counts, INSIDE[level]) for level in Strictness}
    reached = tuple(standing for standing in Standing if standing is not Standing.UNREACHED)
    within, unreached = _sum(counts, reached), _sum(counts, (Standing.UNREACHED,))
    everything = total([within, unreached])
    odds = Interval(*(share / (1 - share) for share in astuple(beyond.within(0, _ALMOST_ALL))))
    out = odds.times(everything.estimate)  # so that `beyond` is the share of all, these included
    missed_by_blocking = total([unreached, out])
    linked = {level: sum(s.pairs for s in sample.strata if s.standing in INSIDE[level]) for level in Strictness}
    missed = {level: _sum(counts, tuple(s for s in reached if s not in INSIDE[level])) for level in Strictness}
    return Estimated(
        labels=sum(each.settled for each in answers.values()),
        unsettled=sum(each.unsettled for each in answers.values()),
        reviewers=reviewers,
        precision={at: _precision(found[at], linked[at]) for at in Strictness},
        blocking_recall=share_of(within, missed_by_blocking).within(0, 1),
        scoring_recall={at: share_of(found[at], missed[at]).within(0, 1) for at in Strictness},
        recall={at: share_of(found[at], total([missed[at], missed_by_blocking])).within(0, 1) for at in Strictness},
        true_pairs=total([everything, out]),
    )


def _precision(found: Interval, linked: int) -> Interval:
    return found.times(1 / linked).within(0, 1) if linked else wilson(0, 0)


def _sum(counts: Mapping[Stratum, Interval], standings: Sequence[Standing]) -> Interval:
    added = total([count for stratum, count in counts.items() if stratum.standing in standings])
    return Interval(added.estimate, max(added.low, 0.0), added.high)


def _true_pairs(stratum: Stratum, share: Interval, chance: float) -> Interval:
    """True pairs of a stratum in the whole lab. Outside, only the pairs of drawn records are in the frame."""
    if not stratum.is_outside:
        return share.times(stratum.pairs)
    there = share.times(stratum.pairs / chance)
    if chance >= 1 or not stratum.pairs:
        return there
    seen = max(share.estimate * stratum.pairs, 1.0)
    spread = 1.96 * there.estimate * sqrt((1 - chance) * _TOGETHER / seen)
    return total([there, Interval(0.0, -spread, spread)])

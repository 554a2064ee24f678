"""What a reviewer may be asked and may answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from counterfoil.linkage.overrides import Record


class Reason(Enum):
    """Why a pair is in the queue."""

    DISAGREEMENT = "disagreement"  # two reviewers answered differently
    GUARD = "guard"  # a guard spoke against the link
    BRIDGE = "bridge"  # it alone holds two parts of a person together, and is weak
    THRESHOLD = "threshold"  # near a threshold, and its answer changes people
    SAMPLE = "sample"  # drawn at random, for the quality report
    ENTRY = "entry"  # an entry of a provider's list that may be this person


class Queue(Enum):
    """Which pairs to look at."""

    ALL = "all"
    GUARDS = "guards"
    THRESHOLDS = "thresholds"
    SAMPLE = "sample"


MEMBERS = {
    Queue.ALL: frozenset(Reason),
    Queue.GUARDS: frozenset({Reason.DISAGREEMENT, Reason.GUARD, Reason.BRIDGE}),
    Queue.THRESHOLDS: frozenset({Reason.DISAGREEMENT, Reason.THRESHOLD}),
    Queue.SAMPLE: frozenset({Reason.DISAGREEMENT, Reason.SAMPLE}),
}


class Answer(Enum):
    """What a reviewer says of two records."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two records as their sources name them; `left` sorts before `right`."""

    left: Record
    right: Record


def pair_of(source_l: str, record_id_l: str, source_r: str, record_id_r: str) -> Pair:
    """The pair, its records in order."""
    left, right = sorted((Record(source_l, record_id_l), Record(source_r, record_id_r)))
    return Pair(left, right)


@dataclass(frozen=True, slots=True)
class Item:
    """One pair to look at. `value`: record pairs whose standing the answer is expected to change (see queue.py);
    `why` is a sentence without a name. `weight` in bits, None when the pair was never weighed."""

    pair: Pair
    reason: Reason
    value: float
    why: str
    weight: float | None = None
    stratum: str = ""


@dataclass(frozen=True, slots=True)
class SampledPair:
    """One pair that was drawn for the quality report."""

    stratum: str
    weight: float | None
    pair: Pair
